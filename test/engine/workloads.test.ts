/** scheduler_perf's workloads at their small sizes, with the invariants that test/data/scheduler-perf/workloads.json states. */
import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/kinds/core.ts';
import { wholeValue } from '#api/quantity.ts';
import type { Columns } from '#engine/columns.ts';
import { preempt } from '#engine/preempt.ts';
import { defaultProfile } from '#engine/profile.ts';
import { firstOfTies, schedule } from '#engine/schedule.ts';
import { columnsFor, nodeFrom, podFrom, type Setting, workloads } from '#test/bench/scheduler-workloads.ts';

const profile = defaultProfile();

const place = (pod: Pod, columns: Columns): string | undefined => {
  const view = columns.view(pod);
  const { node } = schedule(view, columns, profile, firstOfTies);
  if (node !== undefined) columns.placeView(view, node.name);
  return node?.name;
};

const run = (setting: Setting): { columns: Columns; nodes: (string | undefined)[] } => {
  const columns = columnsFor(setting);
  for (const pod of setting.init) expect(place(pod, columns)).toBeDefined();
  return { columns, nodes: setting.measure.map(pod => place(pod, columns)) };
};

const build = (name: string, nodes: number, init: number, measure: number): Setting =>
  workloads.find(workload => workload.name === name)!.build({ nodes, init, measure });

const expectAllBound = ({ columns, nodes }: ReturnType<typeof run>): void => {
  expect(nodes).not.toContain(undefined);
  for (const slot of columns.live.subarray(0, columns.count)) {
    expect(columns.podCount[slot]!).toBeLessThanOrEqual(columns.podLimit[slot]!);
    expect(columns.used[0]![slot]!).toBeLessThanOrEqual(columns.allocatable[0]![slot]!);
    expect(columns.used[1]![slot]!).toBeLessThanOrEqual(columns.allocatable[1]![slot]!);
  }
};

const labelled = (columns: Columns, color: string): number[] =>
  [...columns.live.subarray(0, columns.count)].map(
    slot => columns.podsOn[slot]!.filter(({ labelSet }) => labelSet.labels['color'] === color).length,
  );

describe('every measured pod is bound and no node holds more than it has', () => {
  test.each([
    ['SchedulingBasic', 5, 5, 10],
    ['SchedulingBasic', 500, 500, 1000],
    ['SchedulingNodeAffinity', 5, 5, 10],
    ['SchedulingNodeAffinity', 500, 500, 1000],
    ['SchedulingPodAffinity', 5, 5, 10],
    ['SchedulingPodAffinity', 500, 500, 1000],
    ['SchedulingPreferredPodAffinity', 5, 5, 10],
    ['SchedulingPreferredPodAffinity', 500, 500, 1000],
    ['SchedulingPreferredPodAntiAffinity', 500, 500, 1000],
    ['MixedSchedulingBasePod', 5, 2, 10],
    ['MixedSchedulingBasePod', 500, 200, 1000],
    ['PreferredTopologySpreading', 5, 10, 10],
    ['PreferredTopologySpreading', 500, 1000, 1000],
    ['DefaultTopologySpreading', 5, 10, 10],
    ['DefaultTopologySpreading', 500, 1000, 1000],
    ['SchedulingRequiredPodAffinityWithNSSelector', 10, 4, 10],
    ['SchedulingPreferredAffinityWithNSSelector', 10, 4, 10],
    ['AllDifferent', 500, 100, 1000],
  ])('%s %i/%i/%i', (name, nodes, init, measure) => {
    expectAllBound(run(build(name, nodes, init, measure)));
  });
});

describe('invariants of single workloads', () => {
  test('SchedulingDaemonset: all pods are on the named node', () => {
    const { nodes } = run(build('SchedulingDaemonset', 5, 0, 10));
    expect(new Set(nodes)).toEqual(new Set(['scheduler-perf-node']));
  });

  test.each([
    [5, 1, 4],
    [500, 100, 400],
  ])('SchedulingPodAntiAffinity %i/%i/%i: one green pod per node, over both namespaces', (nodes, init, measure) => {
    const { columns, nodes: taken } = run(build('SchedulingPodAntiAffinity', nodes, init, measure));
    expect(taken).not.toContain(undefined);
    expect(labelled(columns, 'green')).toEqual(Array(nodes).fill(1));
  });

  test('SchedulingPodMatchingAntiAffinity: nodes with the term get no matching pod', () => {
    const { columns } = run(build('SchedulingPodAntiAffinity', 500, 100, 0));
    for (let i = 0; i < 400; i++) {
      const name = place(podFrom('pod-matching-anti-affinity', `m${i}`, 'sched-1'), columns);
      expect(name).toBeDefined();
    }
    const holders = labelled(columns, 'green').filter(
      (count, slot) => count > 1 && columns.podsOn[slot]!.some(({ held }) => held.length > 0),
    );
    expect(holders).toEqual([]);
  });

  test('required anti-affinity with a namespace selector: one green pod per node over all namespaces', () => {
    const { columns, nodes } = run(build('SchedulingRequiredPodAntiAffinityWithNSSelector', 10, 4, 6));
    expect(nodes).not.toContain(undefined);
    expect(labelled(columns, 'green')).toEqual(Array(10).fill(1));
  });

  test('preferred anti-affinity spreads: with more nodes than pods no node holds two', () => {
    const { columns, nodes } = run(build('SchedulingPreferredPodAntiAffinity', 100, 20, 40));
    expect(nodes).not.toContain(undefined);
    expect(Math.max(...labelled(columns, 'yellow'))).toBe(1);
  });

  test.each([
    [5, 10, 10],
    [500, 1000, 1000],
  ])('TopologySpreading %i/%i/%i: zones never differ by more than 5', (nodes, init, measure) => {
    const setting = build('TopologySpreading', nodes, init, measure);
    const columns = columnsFor(setting);
    for (const pod of setting.init) place(pod, columns);
    const zoneOf = new Map(
      setting.nodes.map(({ metadata }) => [metadata.name, metadata.labels?.['topology.kubernetes.io/zone']]),
    );
    const perZone = new Map([...new Set(zoneOf.values())].map(zone => [zone, 0]));
    for (const pod of setting.measure) {
      const zone = zoneOf.get(place(pod, columns) ?? '');
      expect(zone).toBeDefined();
      perZone.set(zone, perZone.get(zone)! + 1);
      expect(Math.max(...perZone.values()) - Math.min(...perZone.values())).toBeLessThanOrEqual(5);
    }
  });

  test.each([
    [1, 4],
    [100, 400],
  ])(
    'SchedulingWithNodeInclusionPolicy %i tainted, %i normal: one pod on each normal node, and one more goes there too',
    (tainted, normal) => {
      const columns = columnsFor({
        nodes: [
          ...Array.from({ length: tainted }, (_, i) => nodeFrom('node-with-taint', `tainted-${i}`)),
          ...Array.from({ length: normal }, (_, i) => nodeFrom('node-default', `normal-${i}`, { foo: 'bar' })),
        ],
        init: [],
        measure: [],
      });
      const names = Array.from({ length: normal + 1 }, (_, i) =>
        place(podFrom('pod-spread-inclusion', `p${i}`), columns),
      );
      expect(new Set(names.slice(0, normal)).size).toBe(normal);
      expect(names.every(name => name?.startsWith('normal-'))).toBe(true);
    },
  );

  test('SchedulingWithExtendedResource: pod i is on the one node that has its resource', () => {
    const nodes = Array.from({ length: 10 }, (_, i) => {
      const node = nodeFrom('node-with-extended-resource', `node-${i}`);
      const text = JSON.stringify(node).replaceAll('{i}', String(i));
      return JSON.parse(text) as typeof node;
    });
    const columns = columnsFor({ nodes, init: [], measure: [] });
    const names = Array.from({ length: 10 }, (_, i) =>
      place(podFrom('pod-extended-resource', `p${i}`, 'default', i), columns),
    );
    expect(names).toEqual(nodes.map(({ metadata }) => metadata.name));
    expect(wholeValue(nodes[3]!.status!.allocatable!['foo.com/bar-3']!)).toBe(1);
  });

  test.each([
    [5, 1, 100],
    [500, 10, 1000],
  ])('Unschedulable %i/%i/%i: impossible pods are not bound and push nobody out', (nodes, init, measure) => {
    const setting = build('Unschedulable', nodes, init, measure);
    const columns = columnsFor(setting);
    for (const pod of [...setting.init, ...setting.measure]) expect(place(pod, columns)).toBeDefined();
    for (const pod of setting.impossible!.pods) {
      const decision = schedule(columns.view(pod), columns, profile, firstOfTies);
      expect(decision.node).toBeUndefined();
      const preemption = preempt(decision, columns, profile, { nowMs: 0, offset: () => 0 });
      expect(preemption.candidates).toEqual([]);
      expect(decision.failure!.message).toBe(`0/${nodes} nodes are available: ${nodes} Insufficient cpu.`);
    }
  });

  test.each([5, 1000])('PreemptionBasic on %i nodes: each preemptor pushes out exactly three of four', nodes => {
    const columns = columnsFor({
      nodes: Array.from({ length: nodes }, (_, i) => nodeFrom('node-default', `node-${i}`)),
      init: [],
      measure: [],
    });
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

  test('gated pods are decided as gated and never placed', () => {
    const columns = columnsFor({ nodes: [nodeFrom('node-named', 'scheduler-perf-node')], init: [], measure: [] });
    const decision = schedule(columns.view(podFrom('pod-gated', 'g')), columns, profile, firstOfTies);
    expect(decision).toMatchObject({ outcome: 'gated', feasible: 0 });
    expect(place(podFrom('pod-light', 'l'), columns)).toBe('scheduler-perf-node');
  });
});
