/** Small random clusters whose objects the API server would have stored just so: what the property tests of plans draw from. */
import fc from 'fast-check';
import { applyDefaults } from '#api/defaults.ts';
import { type Node, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { type ClusterState, emptyState } from '#engine/world.ts';

export interface World {
  readonly state: ClusterState;
  /** Pods without a node, in the order in which they come. */
  readonly arrivals: readonly Pod[];
}

const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const hostname = 'kubernetes.io/hostname';
const zone = 'topology.kubernetes.io/zone';

const nodeOf = (name: string) =>
  fc
    .record({
      cpu: oneOf('1', '2', '4'),
      memory: oneOf('1Gi', '2Gi', '4Gi'),
      pods: oneOf('2', '5', '110'),
      zone: oneOf('z1', 'z2'),
      disk: oneOf('ssd', 'hdd'),
      tainted: fc.integer({ min: 0, max: 5 }),
    })
    .map(draw => {
      const { cpu, memory, pods } = draw;
      const node = {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, uid: `node-${name}`, labels: { [hostname]: name, [zone]: draw.zone, disk: draw.disk } },
        spec: draw.tainted === 0 ? { taints: [{ key: 'dedicated', effect: 'NoSchedule' }] } : {},
        status: { capacity: { cpu, memory, pods }, allocatable: { cpu, memory, pods } },
      } as unknown as Node;
      applyDefaults(nodeKind, node);
      return node;
    });

const selector = (app: string) => ({ matchLabels: { app } });

const podOf = (name: string, node: fc.Arbitrary<string | undefined>) =>
  fc
    .record({
      app: oneOf('a', 'b'),
      cpu: oneOf('100m', '500m', '900m', '1500m'),
      memory: oneOf('64Mi', '400Mi', '1Gi', '3Gi'),
      priority: oneOf(0, 0, 10, 100),
      never: fc.integer({ min: 0, max: 5 }),
      rule: oneOf('none', 'none', 'none', 'disk', 'apart', 'together', 'spread', 'port', 'tolerant'),
      node,
    })
    .map(draw => {
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', uid: `pod-${name}`, labels: { app: draw.app } },
        spec: {
          containers: [
            {
              name: 'c',
              image: 'x',
              resources: { requests: { cpu: draw.cpu, memory: draw.memory } },
              ...(draw.rule === 'port' ? { ports: [{ containerPort: 80, hostPort: 80 }] } : {}),
            },
          ],
          priority: draw.priority,
          preemptionPolicy: draw.never === 0 ? 'Never' : 'PreemptLowerPriority',
          ...(draw.node === undefined ? {} : { nodeName: draw.node }),
          ...ruleOf(draw.rule, draw.app),
        },
      } as unknown as Pod;
      applyDefaults(podKind, pod);
      // As admission leaves every pod.
      pod.spec.tolerations = [...(pod.spec.tolerations ?? []), ...notReady];
      pod.status = { phase: draw.node === undefined ? 'Pending' : 'Running' };
      return pod;
    });

const notReady = ['not-ready', 'unreachable'].map(condition => ({
  key: `node.kubernetes.io/${condition}`,
  operator: 'Exists' as const,
  effect: 'NoExecute' as const,
  tolerationSeconds: 300,
}));

const ruleOf = (rule: string, app: string): object => {
  const term = (topologyKey: string) => ({
    requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: selector(app) }],
  });
  switch (rule) {
    case 'disk':
      return { nodeSelector: { disk: 'ssd' } };
    case 'apart':
      return { affinity: { podAntiAffinity: term(hostname) } };
    case 'together':
      return { affinity: { podAffinity: term(zone) } };
    case 'tolerant':
      return { tolerations: [{ key: 'dedicated', operator: 'Exists' }] };
    case 'spread': {
      const constraint = { maxSkew: 1, topologyKey: zone, whenUnsatisfiable: 'DoNotSchedule' };
      return { topologySpreadConstraints: [{ ...constraint, labelSelector: selector(app) }] };
    }
    default:
      return {};
  }
};

const numbered = <T>(count: number, of: (i: number) => fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.tuple(...Array.from({ length: count }, (_, i) => of(i))) as unknown as fc.Arbitrary<T[]>;

/** `owned`: placed pods belong to a ReplicaSet that makes them again. */
export const worldArbitrary = ({ owned = false }: { owned?: boolean } = {}): fc.Arbitrary<World> =>
  fc
    .record({
      nodes: fc.integer({ min: 1, max: 5 }),
      placed: fc.integer({ min: 0, max: 10 }),
      arrivals: fc.integer({ min: 1, max: 10 }),
    })
    .chain(({ nodes, placed, arrivals }) =>
      fc.record({
        nodes: numbered(nodes, i => nodeOf(`n${i}`)),
        placed: numbered(placed, i =>
          podOf(
            `old-${i}`,
            fc.integer({ min: 0, max: nodes - 1 }).map(at => `n${at}`),
          ),
        ),
        arrivals: numbered(arrivals, i => podOf(`new-${i}`, fc.constant(undefined))),
      }),
    )
    .map(({ nodes, placed, arrivals }) => {
      const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'rs', controller: true }];
      const pods = owned ? placed.map(pod => ({ ...pod, metadata: { ...pod.metadata, ownerReferences } })) : placed;
      return { state: { ...emptyState, nodes, pods }, arrivals };
    });
