/** What may happen to a cluster, one thing at a time: what the test of the adversary draws from. */
import fc from 'fast-check';
import type { Adversary, NodeDraw, PodDraw } from './adversary.ts';
import { type Fault, faults } from './hostile-client.ts';

export type Step =
  | { readonly do: 'pod'; readonly pod: PodDraw }
  | { readonly do: 'delete' | 'recreate' | 'relabel' | 'ungate' | 'tolerate' | 'finish'; readonly which: number }
  | { readonly do: 'bindElsewhere'; readonly which: number; readonly name: string }
  | { readonly do: 'node'; readonly name: string; readonly node: NodeDraw }
  | { readonly do: 'removeNode'; readonly name: string }
  | { readonly do: 'fault'; readonly fault: Fault; readonly on: boolean }
  | { readonly do: 'cleanUp' | 'breakWatches' | 'calm' | 'restart' }
  | { readonly do: 'pass'; readonly ms: number };

const oneOf = <const T>(...values: readonly T[]) => fc.constantFrom(...values);
const a = { matchLabels: { app: 'a' } };
const b = { matchLabels: { app: 'b' } };
const toleration = { key: 'dedicated', operator: 'Exists' };

/** Half of the pods ask for nothing special; the others have one rule each. */
const rules: readonly object[] = [
  { nodeSelector: { disk: 'ssd' } },
  { tolerations: [toleration] },
  { schedulingGates: [{ name: 'example.com/hold' }] },
  ...['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].flatMap(topologyKey => [
    {
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey, whenUnsatisfiable: 'DoNotSchedule', labelSelector: a }],
    },
    {
      affinity: {
        podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: a }] },
      },
    },
    {
      affinity: {
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: b }] },
      },
    },
  ]),
];

const podArbitrary: fc.Arbitrary<PodDraw> = fc.record({
  cpu: oneOf('0', '500m', '1', '1500m', '3'),
  hostPort: oneOf(undefined, undefined, undefined, undefined, 80, 443),
  labels: oneOf(a.matchLabels, b.matchLabels),
  priorityClassName: oneOf(undefined, undefined, 'low', 'high', 'polite'),
  spec: fc.oneof(fc.constant({}), oneOf(...rules)),
});

const seldom = fc.nat(4).map(n => n === 0);

const nodeArbitrary: fc.Arbitrary<NodeDraw> = fc.record({
  cpu: oneOf('1', '2', '4'),
  pods: oneOf('2', '110'),
  zone: oneOf('z1', 'z2', undefined),
  disk: oneOf('ssd', undefined),
  cordoned: seldom,
  tainted: seldom,
});

const name = oneOf('n0', 'n1', 'n2', 'n3');
const which = fc.nat(30);

const step = <const D extends string, T extends object>(weight: number, does: readonly D[], rest: fc.Arbitrary<T>) => ({
  weight,
  arbitrary: fc.tuple(fc.constantFrom(...does), rest).map(([done, more]) => ({ do: done, ...more })),
});

export const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  step(12, ['pod'], fc.record({ pod: podArbitrary })),
  step(8, ['delete', 'delete', 'recreate', 'relabel', 'ungate', 'tolerate', 'finish'], fc.record({ which })),
  step(1, ['bindElsewhere'], fc.record({ which, name })),
  step(5, ['node'], fc.record({ name, node: nodeArbitrary })),
  step(1, ['removeNode'], fc.record({ name })),
  step(4, ['fault'], fc.record({ fault: oneOf(...faults), on: fc.boolean() })),
  step(4, ['cleanUp', 'breakWatches', 'calm'], fc.constant({})),
  step(1, ['restart'], fc.constant({})),
  step(10, ['pass'], fc.record({ ms: oneOf(0, 100, 1000, 5000, 20_000) })),
);

/** Does it; steps about a pod take any that there is. */
export const perform = async (it: Adversary, step: Step): Promise<void> => {
  switch (step.do) {
    case 'pod':
      return it.pod(step.pod);
    case 'node':
      return it.node(step.name, step.node);
    case 'removeNode':
      return it.removeNode(step.name);
    case 'fault':
      return it.fault(step.fault, step.on);
    case 'calm':
      return it.calm();
    case 'breakWatches':
      return it.hostile.breakWatches();
    case 'restart':
      return it.restart();
    case 'cleanUp':
      return it.cleanUp();
    case 'pass':
      return it.pass(step.ms);
    default:
      return performOnPod(it, step);
  }
};

const performOnPod = async (it: Adversary, step: Extract<Step, { which: number }>): Promise<void> => {
  const pods = it.pods();
  const pod = pods[step.which % Math.max(1, pods.length)];
  if (pod === undefined) return;
  const { tolerations = [] } = pod.spec;
  const app = pod.metadata.labels?.['app'] === 'a' ? 'b' : 'a';
  switch (step.do) {
    case 'delete':
      return it.remove(pod, 30);
    case 'recreate':
      await it.remove(pod, 0);
      return it.pod({ cpu: '500m', labels: { app }, spec: {} }, pod.metadata.name);
    case 'relabel':
      return it.patchPod(pod, { metadata: { labels: { app } } });
    case 'ungate':
      return it.patchPod(pod, { spec: { schedulingGates: null } });
    case 'tolerate':
      return it.patchPod(pod, { spec: { tolerations: [...tolerations, toleration] } });
    case 'finish':
      return it.patchPod(pod, { status: { phase: 'Succeeded' } }, 'status');
    case 'bindElsewhere':
      return it.bindElsewhere(pod, step.name);
  }
};
