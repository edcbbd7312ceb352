/** A profile's default spread constraint against the same constraint stated by the pod with its Service's selector. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Node, Pod, TopologySpreadConstraint } from '#api/kinds/core.ts';
import { Columns } from '#engine/columns/columns.ts';
import { Engine } from '#engine/engine.ts';
import { judgeAll } from '#engine/judge.ts';
import type { DefaultConstraint } from '#engine/plugins/spread-constraints.ts';
import { spreadFilter } from '#engine/plugins/spread-filter.ts';
import { spreadScore } from '#engine/plugins/spread-score.ts';
import { createProfile } from '#engine/profile.ts';
import { schedule } from '#engine/schedule.ts';
import { nodeArbitrary, podArbitrary } from './clusters.ts';

const nodeName = fc.constantFrom(...Array.from({ length: 7 }, (_, i) => `n${i}`));

const constraintArbitrary: fc.Arbitrary<DefaultConstraint> = fc.record(
  {
    maxSkew: fc.integer({ min: 1, max: 2 }),
    topologyKey: fc.constantFrom('kubernetes.io/hostname', 'topology.kubernetes.io/zone', 'rack'),
    whenUnsatisfiable: fc.constantFrom('DoNotSchedule' as const, 'ScheduleAnyway' as const),
    minDomains: fc.integer({ min: 1, max: 3 }),
    nodeAffinityPolicy: fc.constantFrom('Honor' as const, 'Ignore' as const),
    nodeTaintsPolicy: fc.constantFrom('Honor' as const, 'Ignore' as const),
  },
  { requiredKeys: ['maxSkew', 'topologyKey', 'whenUnsatisfiable'] },
);

const selector = { app: 'a' };
const service = { metadata: { name: 's', namespace: 'default' }, spec: { selector } } as never;

/** The pod, in the namespace of the Service and selected by it. */
const selected = (pod: Pod, topologySpreadConstraints: readonly TopologySpreadConstraint[]): Pod =>
  ({
    ...pod,
    metadata: { ...pod.metadata, name: 'p', namespace: 'default', labels: { ...pod.metadata.labels, ...selector } },
    spec: { ...pod.spec, topologySpreadConstraints },
  }) as unknown as Pod;

/** PodTopologySpread alone: whatever else refuses a node would hide what it says. */
const profileOf = (defaults: readonly DefaultConstraint[]) => {
  const args = { defaults, isSystemDefault: false };
  return createProfile({ filters: [spreadFilter(args)], scores: [{ plugin: spreadScore(args), weight: 1 }] });
};

const clusterOf = (nodes: readonly Node[], placed: readonly { readonly pod: Pod; readonly on: string }[]): Columns => {
  const columns = new Columns();
  columns.surroundings.setService(service);
  for (const node of nodes) columns.setNode(node);
  for (const [i, { pod, on }] of placed.entries()) {
    const labels = i % 4 === 0 ? pod.metadata.labels : selector;
    columns.addPod({ ...pod, metadata: { ...pod.metadata, name: `q${i}`, namespace: 'default', labels } } as Pod, on);
  }
  return columns;
};

test('a default constraint does what the same constraint does that a pod states itself', () => {
  fc.assert(
    fc.property(
      fc.array(nodeArbitrary(nodeName), { minLength: 1, maxLength: 6 }),
      fc.array(fc.record({ pod: podArbitrary, on: nodeName }), { maxLength: 8 }),
      podArbitrary,
      constraintArbitrary,
      (nodes, placed, pod, constraint) => {
        const columns = clusterOf(nodes, placed);
        const outcome = (of: Pod, defaults: readonly DefaultConstraint[]) => {
          const profile = profileOf(defaults);
          const view = columns.view(of);
          const { feasible, score, ties, node, failure } = schedule(view, columns, profile);
          const codes = [...judgeAll(view, Engine.of(columns, profile)).codes];
          return { feasible, score, ties, node, message: failure?.message, codes };
        };
        const own = selected(pod, [{ ...constraint, labelSelector: { matchLabels: selector } }]);
        expect(outcome(selected(pod, []), [constraint])).toEqual(outcome(own, []));
      },
    ),
    { numRuns: Number(process.env['BERTH_PROPERTY_RUNS'] ?? 300) },
  );
});
