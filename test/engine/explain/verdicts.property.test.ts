/** What an explanation says of each node and each total, against the plain reference, over random clusters. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explain } from '#engine/explain/why.ts';
import { defaultProfile } from '#engine/profile.ts';
import { columnsOf } from '#engine/world.ts';
import { decidePlainly } from '../reference/reference.ts';
import { bigPod, named, plainOf, stateArbitrary } from './clusters.ts';

const profile = defaultProfile();

describe('an explanation', () => {
  test('refuses the nodes that the plain reference refuses, by that plugin first, and gives the same totals', () => {
    fc.assert(
      fc.property(stateArbitrary, bigPod, (state, drawn) => {
        const pod = named(drawn);
        const columns = columnsOf(state);
        const plain = decidePlainly(pod, plainOf(state));
        const { verdicts, scores, feasible, groups } = explain(columns.view(pod), columns, profile, {
          limit: 10,
          nowMs: 0,
        });
        expect(feasible).toBe(plain.feasible.length);
        for (const { node, fits, refusedBy, obstacles, distance } of verdicts) {
          const refusal = plain.refused.get(node);
          expect([node, fits, refusedBy[0]]).toEqual([node, refusal === undefined, refusal?.[0]]);
          expect(obstacles.length > 0).toBe(!fits);
          expect(distance > 0).toBe(!fits);
          if (refusal?.[0] !== 'NodeResourcesFit') continue;
          const short = obstacles.flatMap(obstacle => {
            if (obstacle.is === 'pods') return ['Too many pods'];
            if (obstacle.is !== 'resource') return [];
            expect(obstacle.short).toBe(obstacle.asked - obstacle.free);
            expect(obstacle.short).toBeGreaterThan(0);
            return [`Insufficient ${obstacle.resource}`];
          });
          expect(short.sort()).toEqual([...refusal[1]].sort());
        }
        expect(groups.reduce((sum, { nodes }) => sum + nodes, 0)).toBe(state.nodes.length);
        if (plain.feasible.length < 2) return;
        const totals = new Map(scores?.rows.map(({ node, total }) => [node, total]));
        expect(totals).toEqual(plain.totals);
        for (const { total, parts } of scores?.rows ?? [])
          expect(parts.reduce((sum, { weighted }) => sum + weighted, 0)).toBe(total);
        expect(scores?.ties).toBe(plain.best.length);
      }),
      { numRuns: 2 * Number(process.env['BERTH_PROPERTY_RUNS'] ?? 150) },
    );
  });
});
