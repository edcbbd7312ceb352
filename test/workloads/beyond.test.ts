/** What upstream and the file do not ask of these workloads, or ask in words only. */
import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/kinds/core.ts';
import type { Columns } from '#engine/columns/columns.ts';
import { preempt } from '#engine/preemption/preempt.ts';
import { defaultProfile } from '#engine/profile.ts';
import { firstOfTies, schedule } from '#engine/schedule.ts';
import { allDifferent, columnsFor, workloads } from '#test/bench/scheduler-workloads.ts';
import { beyond } from './beyond.ts';
import { withClusters } from './cluster.ts';
import { defaultNodes } from './happening.ts';
import { colourCounts, expectAllBound } from './outcome.ts';
import { placements } from './placements.ts';
import { podFrom } from './templates.ts';
import { throughEngine } from './through-engine.ts';

const profile = defaultProfile();

const place = (pod: Pod, columns: Columns): string | undefined => {
  const view = columns.view(pod);
  const { node } = schedule(view, columns, profile, firstOfTies);
  if (node !== undefined) columns.placeView(view, node.name);
  return node?.name;
};

describe('workloads that the file only names', () => {
  test.each(Object.entries(beyond))('%s', (_, run) => withClusters(run));
});

describe('the engine', () => {
  test('places pods of which no two are alike', () => {
    expectAllBound(throughEngine(allDifferent({ nodes: 500, init: 100, measure: 1000 })));
  });

  test('with more nodes than pods that dislike each other no node holds two', () => {
    const { build } = placements['SchedulingPreferredPodAntiAffinity']!;
    const outcome = throughEngine(build({ nodes: 100, init: 20, measure: 40 }));
    expectAllBound(outcome);
    expect(Math.max(...colourCounts(outcome, 'yellow'))).toBe(1);
  });

  test.each([
    [1, 4],
    [100, 400],
  ])('honours taints: with %i tainted nodes one pod more than the %i normal ones is placed, too', (tainted, normal) => {
    const { build } = placements['SchedulingWithNodeInclusionPolicy']!;
    const { measured } = throughEngine(build({ tainted, normal, measure: normal + 1 }));
    expect(measured.every(({ spec }) => spec.nodeName?.startsWith('normal-'))).toBe(true);
  });

  test.each([5, 500])('says of a pod that is too big for each of %i nodes no more than that', nodes => {
    const { build } = workloads.find(({ name }) => name === 'Unschedulable')!;
    const setting = build({ nodes, init: 10, measure: 100 });
    const columns = columnsFor(setting);
    for (const pod of [...setting.init, ...setting.measure]) expect(place(pod, columns)).toBeDefined();
    for (const pod of setting.impossible!.pods) {
      const decision = schedule(columns.view(pod), columns, profile, firstOfTies);
      expect(decision.failure!.message).toBe(`0/${nodes} nodes are available: ${nodes} Insufficient cpu.`);
      expect(preempt(decision, columns, profile, { nowMs: 0, offset: () => 0 }).candidates).toEqual([]);
    }
  });

  test.each([5, 1000])('on %i full nodes finds three victims for each of as many preemptors', nodes => {
    const columns = columnsFor({ nodes: defaultNodes(nodes), init: [], measure: [] });
    for (let i = 0; i < 4 * nodes; i++) expect(place(podFrom('pod-low-priority', `low-${i}`), columns)).toBeDefined();
    for (let i = 0; i < nodes; i++) {
      const view = columns.view(podFrom('pod-high-priority', `high-${i}`));
      const decision = schedule(view, columns, profile, firstOfTies);
      const { best } = preempt(decision, columns, profile, { nowMs: 0, offset: limit => i % limit });
      expect(best[0]!.victims).toHaveLength(3);
      for (const victim of best[0]!.victims) columns.removePod(victim.view.key);
      expect(schedule(view, columns, profile, firstOfTies).node?.slot).toBe(best[0]!.slot);
      columns.placeView(view, columns.names[best[0]!.slot]!);
    }
    expect(columns.placedCount).toBe(2 * nodes);
    for (const pods of columns.podsOn.slice(0, nodes))
      expect(pods.map(({ view }) => view.priority).sort((a, b) => a - b)).toEqual([0, 10]);
  });

  test('decides a gated pod as gated', () => {
    const columns = columnsFor({ nodes: defaultNodes(1), init: [], measure: [] });
    const decision = schedule(columns.view(podFrom('pod-gated', 'g')), columns, profile, firstOfTies);
    expect(decision).toMatchObject({ outcome: 'gated', feasible: 0 });
  });
});
