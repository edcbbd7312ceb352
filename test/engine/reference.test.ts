/** The engine against the plain reference, over random clusters that change: no index or standing result may drift. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Node, Pod } from '#api/kinds/core.ts';
import { Columns } from '#engine/columns/columns.ts';
import { Engine } from '#engine/engine.ts';
import { judgeAll, reasonsOf } from '#engine/judge.ts';
import { defaultProfile } from '#engine/profile.ts';
import { schedule } from '#engine/schedule.ts';
import { namespaces, nodeArbitrary, podArbitrary } from './clusters.ts';
import { decidePlainly, type PlainCluster } from './reference/reference.ts';

type Step =
  | { readonly do: 'setNode'; readonly node: Node }
  | { readonly do: 'removeNode'; readonly name: string }
  | { readonly do: 'place'; readonly pod: Pod; readonly nodeName: string }
  | { readonly do: 'schedule'; readonly template: number; readonly tie: number }
  | { readonly do: 'remove' | 'terminate' | 'relabel'; readonly which: number }
  | { readonly do: 'namespace'; readonly name: string; readonly team: string }
  | { readonly do: 'service'; readonly app: string; readonly on: boolean };

const nodeNames = Array.from({ length: 9 }, (_, i) => `n${i}`);
const nodeName = fc.constantFrom(...nodeNames);

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('schedule' as const), template: fc.nat(5), tie: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('setNode' as const), node: nodeArbitrary(nodeName) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('removeNode' as const), name: nodeName }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('place' as const), pod: podArbitrary, nodeName }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('remove' as const, 'terminate' as const, 'relabel' as const),
      which: fc.nat(50),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('namespace' as const),
      name: fc.constantFrom(...namespaces.slice(0, 3)),
      team: fc.constantFrom('blue', 'red'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('service' as const), app: fc.constantFrom('a', 'b'), on: fc.boolean() }),
  },
);

const profile = defaultProfile();

/** The engine's columns and the reference's lists, changed together. */
class Twins {
  readonly columns = new Columns({ capacity: 2, renumberAfter: 2 });
  readonly #nodes = new Map<string, Node>();
  readonly #pods = new Map<string, Pod>();
  readonly #namespaces = new Map<string, Record<string, string>>();
  readonly #services = new Map<string, { namespace: string; selector: Record<string, string> }>();
  #next = 0;

  get plain(): PlainCluster {
    return {
      nodes: [...this.#nodes.values()],
      pods: [...this.#pods.values()],
      namespaces: this.#namespaces,
      services: [...this.#services.values()],
    };
  }

  step(step: Step, templates: readonly Pod[]): void {
    switch (step.do) {
      case 'setNode':
        this.#nodes.set(step.node.metadata.name, step.node);
        this.columns.setNode(step.node);
        return;
      case 'removeNode':
        this.#nodes.delete(step.name);
        this.columns.removeNode(step.name);
        return;
      case 'place':
        this.#place(this.#named(step.pod), step.nodeName);
        return;
      case 'schedule':
        this.#schedule(this.#named(templates[step.template % templates.length]!), step.tie);
        return;
      case 'remove':
      case 'terminate':
      case 'relabel':
        this.#change(step.do, step.which);
        return;
      case 'namespace':
        this.#namespaces.set(step.name, { team: step.team });
        this.columns.surroundings.setNamespace({ metadata: { name: step.name, labels: { team: step.team } } } as never);
        return;
      case 'service':
        this.#service(step.app, step.on);
        return;
    }
  }

  #named(pod: Pod): Pod {
    return { ...pod, metadata: { ...pod.metadata, name: `p${this.#next++}` } };
  }

  #place(pod: Pod, nodeName: string): void {
    const placed = { ...pod, spec: { ...pod.spec, nodeName } };
    this.#pods.set(`${pod.metadata.namespace}/${pod.metadata.name}`, placed);
    this.columns.addPod(placed);
  }

  #change(what: 'remove' | 'terminate' | 'relabel', which: number): void {
    const [key, pod] = [...this.#pods][which % Math.max(1, this.#pods.size)] ?? [];
    if (key === undefined || pod === undefined) return;
    if (what === 'remove') {
      this.#pods.delete(key);
      this.columns.removePod(key);
      return;
    }
    const metadata =
      what === 'terminate' ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : { labels: { app: 'a', tier: 'y' } };
    const changed = { ...pod, metadata: { ...pod.metadata, ...metadata } };
    this.#pods.set(key, changed);
    this.columns.updatePod(changed);
  }

  #service(app: string, on: boolean): void {
    if (on) {
      this.#services.set(app, { namespace: 'default', selector: { app } });
      this.columns.surroundings.setService({
        metadata: { name: app, namespace: 'default' },
        spec: { selector: { app } },
      } as never);
    } else {
      this.#services.delete(app);
      this.columns.surroundings.removeService('default', app);
    }
  }

  #schedule(pod: Pod, tie: number): void {
    const plain = decidePlainly(pod, this.plain);
    const view = this.columns.view(pod);
    const decision = schedule(view, this.columns, profile, (_pod, ties) => tie % ties);
    if (this.#nodes.size === 0) {
      expect(decision.failure?.message).toBe('no nodes available to schedule pods');
      return;
    }
    expect(decision.feasible).toBe(plain.feasible.length);
    this.#compareVerdicts(pod, plain.refused);
    if (plain.feasible.length === 0) return;
    expect(plain.best).toContain(decision.node?.name);
    if (plain.feasible.length > 1) {
      expect(decision.score).toBe(plain.totals.get(plain.best[0]!));
      expect(decision.ties).toBe(plain.best.length);
    }
    this.#place(pod, decision.node!.name);
  }

  #compareVerdicts(pod: Pod, refused: ReadonlyMap<string, readonly [string, readonly string[]]>): void {
    const view = this.columns.view(pod);
    const engine = Engine.of(this.columns, profile);
    const verdicts = judgeAll(view, engine);
    for (const name of this.#nodes.keys()) {
      const slot = this.columns.slotOf(name);
      const code = verdicts.codes[slot]!;
      const wanted = refused.get(name);
      const got =
        code === 0 ? undefined : [profile.verdicts[code]!.plugin, [...reasonsOf(view, engine, verdicts, slot)].sort()];
      expect([name, got]).toEqual([name, wanted === undefined ? undefined : [wanted[0], [...wanted[1]].sort()]]);
    }
  }
}

describe('the engine decides as the plain reference does', () => {
  test('whatever comes, changes and goes', () => {
    fc.assert(
      fc.property(
        fc.array(nodeArbitrary(nodeName), { minLength: 1, maxLength: 6 }),
        fc.array(podArbitrary, { minLength: 1, maxLength: 5 }),
        fc.array(stepArbitrary, { minLength: 5, maxLength: 60 }),
        (nodes, templates, steps) => {
          const twins = new Twins();
          for (const node of nodes) twins.step({ do: 'setNode', node }, templates);
          for (const step of steps) twins.step(step, templates);
        },
      ),
      { numRuns: Number(process.env['BERTH_PROPERTY_RUNS'] ?? 150) },
    );
  });

  // Found by the property above: whether a pod may start a group of its own was remembered from before the change.
  test('a namespace that comes to match a pod’s own affinity term lets the first such pod in', () => {
    const node = { metadata: { name: 'n0', labels: { zone: 'z' } }, status: { allocatable: { cpu: '2', pods: '3' } } };
    const term = {
      topologyKey: 'zone',
      labelSelector: { matchLabels: { app: 'a' } },
      namespaceSelector: { matchLabels: { team: 'blue' } },
    };
    const pod = {
      metadata: { name: '', namespace: 'default', labels: { app: 'a' } },
      spec: {
        containers: [{ name: 'c', image: 'web' }],
        affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
      },
    } as unknown as Pod;
    const twins = new Twins();
    twins.step({ do: 'setNode', node: node as unknown as Node }, [pod]);
    twins.step({ do: 'schedule', template: 0, tie: 0 }, [pod]);
    twins.step({ do: 'namespace', name: 'default', team: 'blue' }, [pod]);
    twins.step({ do: 'schedule', template: 0, tie: 0 }, [pod]);
    expect(twins.columns.placedCount).toBe(1);
  });

  // Found by the property above: zones of one node each were taken for one domain when they held equally many pods.
  test('domains are counted one by one, also where each has one node and they hold equally many pods', () => {
    const node = (name: string, zone: string): Node =>
      ({
        metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } },
        status: { allocatable: { cpu: '2', memory: '2Gi', pods: '3' } },
      }) as unknown as Node;
    const spread = {
      maxSkew: 2,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: { app: 'a' } },
    };
    // The empty zone is the one that the pod would rather not go to: so the score of the others, which is wrong when they
    // count as one domain, is the best.
    const key = 'topology.kubernetes.io/zone';
    const preference = { matchExpressions: [{ key, operator: 'NotIn', values: ['z'] }] };
    const nodeAffinity = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }] };
    const pod = {
      metadata: { name: '', namespace: 'default', labels: { app: 'a' } },
      spec: {
        containers: [{ name: 'c', image: 'web' }],
        topologySpreadConstraints: [spread],
        affinity: { nodeAffinity },
      },
    } as unknown as Pod;
    const twins = new Twins();
    for (const [name, zone] of Object.entries({ n0: 'x', n1: 'y', n2: 'z' }))
      twins.step({ do: 'setNode', node: node(name, zone) }, [pod]);
    for (let i = 0; i < 6; i++) twins.step({ do: 'schedule', template: 0, tie: 0 }, [pod]);
    expect(twins.columns.placedCount).toBe(6);
  });
});
