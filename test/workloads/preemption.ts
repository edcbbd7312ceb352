/** The workloads in which pods push others out, or would like to. */
import { expect } from 'vitest';
import type { Pod } from '#api/kinds/core.ts';
import { dealt, defaultNodes, type Happening, type Start } from './happening.ts';
import { expectAllBound, expectRoom, type Outcome, podsByNode } from './outcome.ts';
import { granted, podOf } from './pods.ts';
import { podsFrom } from './templates.ts';

const priorityOf = ({ spec }: Pod): number => spec.priority ?? 0;

export const preemptionBasic: Happening = async ({ nodes = 0, init = 0, measure = 0 }, start) => {
  const cluster = await start();
  const low = podsFrom('pod-low-priority', 'low', init);
  const high = podsFrom('pod-high-priority', 'high', measure);
  await cluster.nodes(defaultNodes(nodes));
  await cluster.pods(low);
  await cluster.pass(100);
  const before = [...podsByNode(cluster.outcome(low, [])).values()].map(pods => pods.length);
  await cluster.pods(high);
  await cluster.until(() => cluster.bound(high).length === high.length);
  const outcome = cluster.outcome(low, high);
  return {
    'every measured pod is bound': () => expectAllBound(outcome),
    'a 4-cpu node holds four 900m pods (400m free); a 3-cpu pod evicts exactly three of them (two free 2200m, three free 3100m); at 5/20/5: 15 victims, 5 low + 5 high pods remain, one high pod per node':
      () => {
        expect(new Set(before)).toEqual(new Set([4]));
        expect(cluster.counters.preemptionVictims).toBe(3 * measure);
        expect(outcome.init).toHaveLength(init - 3 * measure);
        for (const pods of podsByNode(outcome).values()) expect(pods.map(priorityOf).sort()).toEqual([0, 10]);
      },
  };
};

/** An eviction takes two seconds here; a preemptor comes each 200 ms, and with it some ordinary pods. */
export const preemptionAsync: Happening = async ({ nodes = 0, init = 0, measure = 0 }, start) => {
  let evicting = 0;
  const cluster = await start(client => ({
    ...client,
    remove: async (kind, ref, options) => {
      evicting++;
      await cluster.sleep(2000);
      await client.remove(kind, ref, options);
      evicting--;
    },
  }));
  const low = podsFrom('pod-low-priority', 'low', init);
  await cluster.nodes(defaultNodes(nodes));
  await cluster.pods(low);
  await cluster.pass(100);
  const rounds = 4;
  const high = podsFrom('pod-high-priority', 'high', rounds);
  const seen: object[] = [];
  for (const [round, ordinary] of dealt(podsFrom('pod-default', 'measured', measure), rounds).entries()) {
    await cluster.pods([high[round]!]);
    await cluster.pass(0);
    await cluster.pods(ordinary);
    await cluster.pass(200);
    const [placed, promoted] = [cluster.bound(ordinary).length, cluster.bound(high).length];
    seen.push({ evicting, promoted, waiting: ordinary.length - placed });
  }
  await cluster.until(() => cluster.bound(high).length === high.length);
  return {
    'scheduling of ordinary pods goes on while preemption runs': () => {
      expect(seen).toEqual([1, 2, 3, 4].map(round => ({ evicting: 3 * round, promoted: 0, waiting: 0 })));
      expect(cluster.bound(high)).toHaveLength(rounds);
    },
  };
};

export const unschedulable: Happening = async ({ nodes = 0, init = 0, measure = 0 }, start) => {
  let evictions = 0;
  const cluster = await start(client => ({
    ...client,
    remove: async (kind, ref, options) => {
      evictions++;
      await client.remove(kind, ref, options);
    },
  }));
  const rounds = 10;
  const before = podsFrom('pod-default', 'init', init);
  const measured = podsFrom('pod-default', 'measured', measure);
  const impossible = podsFrom('pod-high-priority-large-cpu', 'impossible', rounds);
  await cluster.nodes(defaultNodes(nodes));
  await cluster.pods(before);
  const slices = dealt(measured, rounds);
  await cluster.repeat(rounds, 200, round => cluster.pods([impossible[round]!, ...slices[round]!]));
  const outcome = cluster.outcome(before, measured);
  return {
    'every measured pod is bound': () => expectAllBound(outcome),
    'no 9-cpu pod is bound; no pod is preempted for one (it could not help)': () => {
      expect(cluster.now(impossible)).toHaveLength(rounds);
      expect(cluster.bound(impossible)).toEqual([]);
      expect([evictions, cluster.counters.preemptionVictims]).toEqual([0, 0]);
      expect(cluster.counters.preemptionAttempts).toBeGreaterThanOrEqual(rounds);
      expect(outcome.init).toHaveLength(init);
    },
  };
};

// ── ResizePreemption ───────────────────────────────────────────────────────

const named = (prefix: string, count: number, cpu: string, priority: number): Pod[] =>
  Array.from({ length: count }, (_, i) => podOf(`${prefix}-${i}`, { requests: { cpu }, priority }));

interface Crowd {
  readonly nodes: number;
  readonly victims: number;
  readonly preemptors: number;
  readonly victimCpu: string;
}

/** Pods of 3 cpu push out as many of the small ones as it takes. */
const crowdOut = async ({ nodes, victims, preemptors, victimCpu }: Crowd, start: Start): Promise<Outcome> => {
  const cluster = await start();
  const low = named('victim', victims, victimCpu, 100);
  const high = named('preemptor', preemptors, '3', 1000);
  await cluster.nodes(defaultNodes(nodes));
  await cluster.pods(low);
  await cluster.pass(100);
  expect(cluster.bound(low)).toHaveLength(victims);
  await cluster.pods(high);
  await cluster.until(() => cluster.bound(high).length === high.length);
  return cluster.outcome(low, high);
};

/**
 * What an agent has granted or not yet taken back counts as long as it is more than the spec says: nobody comes in beside
 * it, whoever pushes in has to push that out too, and when it shrinks the others come in without being asked again.
 */
const expectGrantedSizeCounts = async (nodes: number, start: Start): Promise<void> => {
  const cluster = await start();
  const low = named('low', 4 * nodes, '900m', 100);
  const resized = named('resized', nodes, '200m', 1000).map((pod, i) => ({
    ...pod,
    spec: { ...pod.spec, nodeName: `node-${i}` },
  }));
  await cluster.nodes(defaultNodes(nodes));
  await cluster.pods(low);
  await cluster.pass(100);
  await cluster.pods(resized);
  await cluster.pass(100);
  for (const pod of resized) await cluster.patchPod(pod, granted(pod, '3'), 'status');
  await cluster.pass(100);
  const ordinary = named('ordinary', nodes, '100m', 100);
  const [important] = named('important', 1, '400m', 1000) as [Pod];
  await cluster.pods(ordinary);
  await cluster.pass(5000);
  // v1.35 pushes nobody out for a resize.
  expect(cluster.now(low)).toHaveLength(low.length);
  expect(cluster.bound(ordinary)).toHaveLength(0);
  await cluster.pods([important]);
  await cluster.until(() => cluster.bound([important]).length === 1);
  // 4 cpu less the granted 3: beside 400m not one of 900m has room. By the specs alone one victim would do.
  expect(cluster.now(low)).toHaveLength(low.length - 4);
  for (const pod of resized) await cluster.patchPod(pod, granted(pod, '200m'), 'status');
  await cluster.until(() => cluster.bound(ordinary).length === ordinary.length);
  const outcome = cluster.outcome([...low, ...resized], [important, ...ordinary]);
  expectAllBound(outcome);
};

/** Upstream's four workloads of this name, but for pushing out others on behalf of a resize (see not-run.ts). */
export const resizePreemption: Happening = async ({ nodes = 0, victims = 0, preemptors = 0 }, start) => {
  const variants: readonly (readonly [Crowd, victimsEach: number])[] = [
    [{ nodes, victims, preemptors, victimCpu: '900m' }, 3],
    ...(nodes > 5
      ? []
      : ([
          [{ nodes, victims: nodes, preemptors, victimCpu: '900m' }, 0],
          [{ nodes, victims: 2 * nodes, preemptors, victimCpu: '900m' }, 1],
          [{ nodes, victims: 20 * nodes, preemptors, victimCpu: '50m' }, 0],
          [{ nodes, victims: 50 * nodes, preemptors, victimCpu: '50m' }, 30],
        ] as const)),
  ];
  const outcomes: Outcome[] = [];
  for (const [crowd] of variants) outcomes.push(await crowdOut(crowd, start));
  if (nodes <= 100) await expectGrantedSizeCounts(nodes, start);
  return {
    'alpha upstream; densities of 20 and 50 pods per node, ratios 1, 2, 4': () => {
      for (const [i, [crowd, victimsEach]] of variants.entries()) {
        const outcome = outcomes[i]!;
        expectAllBound(outcome);
        expectRoom(outcome);
        expect(outcome.init).toHaveLength(crowd.victims - victimsEach * crowd.preemptors);
      }
    },
  };
};
