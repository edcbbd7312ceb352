/** Random clusters and pods from a small vocabulary, so that things meet: what the property tests draw from. */
import fc from 'fast-check';
import type { Node, Pod, PodSpec } from '#api/kinds/core.ts';

const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });

const labelsArbitrary = fc.record(
  { app: oneOf('a', 'b', 'c'), tier: oneOf('x', 'y'), v: oneOf('1', '2') },
  { requiredKeys: [] },
);
const selectorArbitrary = oneOf(
  { matchLabels: { app: 'a' } },
  { matchLabels: { app: 'b', tier: 'x' } },
  { matchExpressions: [{ key: 'app', operator: 'In' as const, values: ['a', 'c'] }] },
  { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' as const }] },
  { matchExpressions: [{ key: 'app', operator: 'NotIn' as const, values: ['b'] }] },
  {},
);
const keyArbitrary = oneOf('kubernetes.io/hostname', 'topology.kubernetes.io/zone', 'rack');
export const namespaces = ['default', 'team', 'other', 'unlisted'] as const;
const namespaceArbitrary = oneOf(...namespaces);

const termArbitrary = fc.record(
  {
    topologyKey: keyArbitrary,
    labelSelector: selectorArbitrary,
    namespaces: fc.subarray(['default', 'team'], { minLength: 1 }),
    namespaceSelector: oneOf(
      {},
      { matchLabels: { team: 'blue' } },
      { matchExpressions: [{ key: 'team', operator: 'NotIn' as const, values: ['blue'] }] },
    ),
  },
  { requiredKeys: ['topologyKey'] },
);
const weightedArbitrary = fc.record({ weight: fc.integer({ min: 1, max: 100 }), podAffinityTerm: termArbitrary });

const spreadArbitrary = fc.record(
  {
    maxSkew: fc.integer({ min: 1, max: 3 }),
    topologyKey: keyArbitrary,
    whenUnsatisfiable: oneOf('DoNotSchedule' as const, 'ScheduleAnyway' as const),
    labelSelector: selectorArbitrary,
    minDomains: fc.integer({ min: 1, max: 3 }),
    nodeAffinityPolicy: oneOf('Honor' as const, 'Ignore' as const),
    nodeTaintsPolicy: oneOf('Honor' as const, 'Ignore' as const),
    matchLabelKeys: fc.constant(['v']),
  },
  { requiredKeys: ['maxSkew', 'topologyKey', 'whenUnsatisfiable'] },
);

const nodeTermArbitrary = oneOf(
  { matchExpressions: [{ key: 'disk', operator: 'In' as const, values: ['ssd'] }] },
  { matchExpressions: [{ key: 'disk', operator: 'NotIn' as const, values: ['hdd'] }] },
  { matchExpressions: [{ key: 'gen', operator: 'Gt' as const, values: ['3'] }] },
  { matchExpressions: [{ key: 'rack', operator: 'Exists' as const }] },
  { matchFields: [{ key: 'metadata.name', operator: 'NotIn' as const, values: ['n1'] }] },
);

const taintArbitrary = fc.record({
  key: oneOf('dedicated', 'gpu'),
  value: oneOf('', 'a'),
  effect: oneOf('NoSchedule' as const, 'PreferNoSchedule' as const, 'NoExecute' as const),
});
const tolerationArbitrary = oneOf(
  { key: 'dedicated', operator: 'Exists' as const },
  { key: 'gpu', operator: 'Equal' as const, value: 'a', effect: 'NoSchedule' as const },
  { operator: 'Exists' as const, effect: 'PreferNoSchedule' as const },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists' as const },
);

const requestsArbitrary = fc.record(
  {
    cpu: oneOf('0', '50m', '250m', '1', '1500m'),
    memory: oneOf('0', '64Mi', '300Mi', '1Gi', '3Gi'),
    'example.com/gpu': oneOf('1', '2'),
  },
  { requiredKeys: [] },
);

const containerArbitrary = fc
  .record(
    {
      image: oneOf('web', 'db:1', 'registry:5000/app'),
      requests: requestsArbitrary,
      ports: fc.array(
        fc.record({
          containerPort: fc.constant(80),
          hostPort: oneOf(80, 443),
          protocol: oneOf('TCP' as const, 'UDP' as const),
          hostIP: oneOf('', '10.0.0.1', '0.0.0.0'),
        }),
        { maxLength: 1 },
      ),
    },
    { requiredKeys: ['image'] },
  )
  .map(({ requests, ...container }) => ({
    name: 'c',
    ...container,
    ...(requests === undefined ? {} : { resources: { requests } }),
  }));

/** Pods without a name; most have only few of all these rules. */
export const podArbitrary: fc.Arbitrary<Pod> = fc
  .record({
    namespace: fc.oneof(
      { weight: 3, arbitrary: fc.constant('default' as const) },
      { weight: 1, arbitrary: namespaceArbitrary },
    ),
    labels: labelsArbitrary,
    containers: fc.array(containerArbitrary, { minLength: 1, maxLength: 2 }),
    sidecar: maybe(containerArbitrary),
    tolerations: fc.array(tolerationArbitrary, { maxLength: 2 }),
    nodeSelector: maybe(oneOf({ disk: 'ssd' }, { rack: 'r1' })),
    requiredNode: maybe(fc.array(nodeTermArbitrary, { minLength: 1, maxLength: 2 })),
    preferredNode: fc.array(fc.record({ weight: fc.integer({ min: 1, max: 50 }), preference: nodeTermArbitrary }), {
      maxLength: 2,
    }),
    affinity: maybe(fc.array(termArbitrary, { minLength: 1, maxLength: 2 })),
    antiAffinity: maybe(fc.array(termArbitrary, { minLength: 1, maxLength: 2 })),
    wishes: fc.array(weightedArbitrary, { maxLength: 2 }),
    dislikes: fc.array(weightedArbitrary, { maxLength: 2 }),
    spread: fc.array(spreadArbitrary, { maxLength: 2 }),
    rules: fc.integer({ min: 0, max: 31 }),
  })
  .map(draw => {
    // Five groups of rules, each there or not: pods with every rule at once fit nowhere and test little.
    const has = (group: number): boolean => (draw.rules & (1 << group)) !== 0;
    const spec: Record<string, unknown> = {
      containers: draw.containers,
      ...(draw.sidecar === undefined
        ? {}
        : { initContainers: [{ ...draw.sidecar, name: 's', restartPolicy: 'Always' }] }),
      ...(has(0) ? { tolerations: draw.tolerations } : {}),
      ...(has(1) && draw.nodeSelector !== undefined ? { nodeSelector: draw.nodeSelector } : {}),
      ...(has(2) ? { topologySpreadConstraints: draw.spread } : {}),
      affinity: {
        ...(has(1)
          ? {
              nodeAffinity: {
                ...(draw.requiredNode === undefined
                  ? {}
                  : { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: draw.requiredNode } }),
                preferredDuringSchedulingIgnoredDuringExecution: draw.preferredNode,
              },
            }
          : {}),
        ...(has(3)
          ? {
              podAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: draw.affinity ?? [],
                preferredDuringSchedulingIgnoredDuringExecution: draw.wishes,
              },
            }
          : {}),
        ...(has(4)
          ? {
              podAntiAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: draw.antiAffinity ?? [],
                preferredDuringSchedulingIgnoredDuringExecution: draw.dislikes,
              },
            }
          : {}),
      },
    };
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: '', namespace: draw.namespace, labels: draw.labels },
      spec: spec as unknown as PodSpec,
    } as Pod;
  });

/** A node called `name`; its host name label is its name. */
export const nodeArbitrary = (name: fc.Arbitrary<string>): fc.Arbitrary<Node> =>
  fc
    .record({
      name,
      labels: fc.record(
        {
          'topology.kubernetes.io/zone': oneOf('z1', 'z2', 'z3', ''),
          rack: oneOf('r1', 'r2'),
          disk: oneOf('ssd', 'hdd'),
          gen: oneOf('2', '5', 'old'),
        },
        { requiredKeys: [] },
      ),
      hasHost: fc.boolean(),
      taints: fc.array(taintArbitrary, { maxLength: 2 }),
      taintsCount: fc.integer({ min: 0, max: 3 }),
      unschedulable: fc.integer({ min: 0, max: 9 }),
      allocatable: fc.record(
        {
          cpu: oneOf('2', '4', '500m', '0'),
          memory: oneOf('2Gi', '8Gi'),
          pods: oneOf('3', '10', '110'),
          'example.com/gpu': oneOf('2', '4'),
        },
        { requiredKeys: ['cpu', 'memory', 'pods'] },
      ),
      images: fc.array(
        fc.record({
          names: oneOf(['web:latest'], ['db:1', 'db@sha256:1'], ['registry:5000/app:latest']),
          sizeBytes: oneOf(30e6, 300e6, 900e6),
        }),
        { maxLength: 2 },
      ),
    })
    .map(
      ({ name, labels, hasHost, taints, taintsCount, unschedulable, allocatable, images }) =>
        ({
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name, labels: { ...labels, ...(hasHost ? { 'kubernetes.io/hostname': name } : {}) } },
          spec: {
            taints: taintsCount === 0 ? taints : [],
            ...(unschedulable === 0 ? { unschedulable: true } : {}),
          },
          status: {
            allocatable,
            images: images.filter((image, i) => images.findIndex(({ names }) => names[0] === image.names[0]) === i),
          },
        }) as unknown as Node,
    );
