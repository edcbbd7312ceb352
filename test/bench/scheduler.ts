/** The table of issue 3 §3: the engine on scheduler_perf's workloads, in one process, every node scored for every pod. */

import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Pod } from '#api/kinds/core.ts';
import type { Columns } from '#engine/columns/columns.ts';
import { preempt } from '#engine/preemption/preempt.ts';
import { defaultProfile, type Profile } from '#engine/profile.ts';
import { firstOfTies, hashOfTies, schedule } from '#engine/schedule.ts';
import { nodeFrom, podFrom } from '#test/workloads/templates.ts';
import { type Bench, type BenchResult, quantile, round } from './result.ts';
import { columnsFor, type Setting, type Size, type Workload, workloads } from './scheduler-workloads.ts';

/** A figure of this bench also says it in the words of the issue. */
type Speed = BenchResult & { readonly podsPerSecond: number; readonly size?: string };

const profile = defaultProfile();

/** Decides and places one pod; false when it fits nowhere. */
export const place = (pod: Pod, columns: Columns, by: Profile = profile): boolean => {
  const view = columns.view(pod);
  const { node } = schedule(view, columns, by, tie);
  if (node === undefined) return false;
  columns.placeView(view, node.name);
  return true;
};
const tie = hashOfTies(1);

export interface Run {
  readonly podsPerSecond: number;
  /** By the process's own CPU time: on a machine that others use as well this is the steadier figure. */
  readonly podsPerCpuSecond: number;
  readonly pending: number;
  /** Of single decisions, in microseconds. */
  readonly latencies: Float64Array;
}

export const measure = (setting: Setting): Run => {
  const columns = columnsFor(setting);
  for (const pod of setting.init) place(pod, columns);
  const { measure: pods, impossible } = setting;
  const latencies = new Float64Array(pods.length);
  let pending = 0;
  let refused = 0;
  const startCpu = process.cpuUsage();
  const startNs = process.hrtime.bigint();
  let lastNs = performance.now();
  for (let i = 0; i < pods.length; i++) {
    if (impossible !== undefined && i % impossible.every === 0) {
      const view = columns.view(impossible.pods[refused++ % impossible.pods.length]!);
      const decision = schedule(view, columns, profile, tie);
      if (decision.node !== undefined) throw new Error('a pod that fits nowhere was placed');
      const outcome = preempt(decision, columns, profile, { nowMs: 0, offset: () => 0 });
      if (outcome.candidates.length > 0) throw new Error('a pod was to be pushed out in vain');
    }
    if (!place(pods[i]!, columns)) pending++;
    const nowNs = performance.now();
    latencies[i] = (nowNs - lastNs) * 1000;
    lastNs = nowNs;
  }
  const seconds = Number(process.hrtime.bigint() - startNs) / 1e9;
  const { user, system } = process.cpuUsage(startCpu);
  const podsPerCpuSecond = pods.length / ((user + system) / 1e6);
  return { podsPerSecond: pods.length / seconds, podsPerCpuSecond, pending, latencies };
};

const runs = 3;

const sizeText = ({ nodes, init, measure: measured }: Size): string => `${nodes}/${init}/${measured}`;

const speedOf = (workload: Workload, size: Size, say: (line: string) => void): Speed => {
  const results = Array.from({ length: runs }, () => measure(workload.build(size)));
  const speeds = results.map(({ podsPerSecond }) => podsPerSecond);
  const value = Math.round(quantile(speeds, 0.5));
  const pending = results[0]!.pending;
  const latencies = [...results[0]!.latencies];
  say(`  ${workload.name} ${sizeText(size)}: ${value} pods/s`);
  return {
    name: `${workload.name} ${sizeText(size)}`,
    size: sizeText(size),
    value,
    podsPerSecond: value,
    unit: 'pods/s',
    ...(size === workload.size ? { aim: { atLeast: workload.atLeast } } : {}),
    raw: {
      speeds: speeds.map(Math.round),
      perCpuSecond: results.map(({ podsPerCpuSecond }) => Math.round(podsPerCpuSecond)),
      pending,
      p50Microseconds: round(quantile(latencies, 0.5)),
      p99Microseconds: round(quantile(latencies, 0.99)),
    },
  };
};

/** Four low pods per node, then as many high ones as there are nodes: each pushes three out and takes their place. */
export const preemption = (nodes: number): { podsPerSecond: number; victims: number; bound: number } => {
  const columns = columnsFor({
    nodes: Array.from({ length: nodes }, (_, i) => nodeFrom('node-default', `node-${i}`)),
    init: [],
    measure: [],
  });
  for (let i = 0; i < 4 * nodes; i++) {
    const pod = podFrom('pod-low-priority', `low-${i}`);
    columns.addPod({ ...pod, status: { startTime: '2026-01-01T00:00:00Z' } }, `node-${i % nodes}`);
  }
  const pods = Array.from({ length: nodes }, (_, i) => podFrom('pod-high-priority', `high-${i}`));
  let seed = 1;
  const offset = (limit: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed % limit;
  };
  let victims = 0;
  let bound = 0;
  const startNs = process.hrtime.bigint();
  for (const pod of pods) {
    const view = columns.view(pod);
    let decision = schedule(view, columns, profile, firstOfTies);
    if (decision.node === undefined) {
      const { best } = preempt(decision, columns, profile, { nowMs: 0, offset });
      if (best.length === 0) continue;
      const chosen = best[0]!;
      const nominated = { ...view, nominatedNodeName: columns.names[chosen.slot]! };
      columns.nominations.set(nominated, nominated.nominatedNodeName);
      for (const victim of chosen.victims) columns.removePod(victim.view.key);
      victims += chosen.victims.length;
      decision = schedule(nominated, columns, profile, firstOfTies);
    }
    if (decision.node === undefined) continue;
    columns.nominations.remove(view.key);
    columns.placeView(view, decision.node.name);
    bound++;
  }
  const seconds = Number(process.hrtime.bigint() - startNs) / 1e9;
  return { podsPerSecond: pods.length / seconds, victims, bound };
};

const preemptionSpeed = (nodes: number, say: (line: string) => void): Speed => {
  const { podsPerSecond, victims, bound } = preemption(nodes);
  const value = Math.round(podsPerSecond);
  say(`  PreemptionBasic ${nodes}: ${value} pods/s`);
  return {
    name: `PreemptionBasic ${nodes}/${4 * nodes}/${nodes}`,
    value,
    podsPerSecond: value,
    unit: 'pods/s',
    aim: { atLeast: 500 },
    raw: { victims, bound },
  };
};

/** Collects garbage, which Node offers to those who ask for it by flag only. */
const gc: () => void = (() => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
})();

/** What is in use, once nothing more can be collected: buffers are given back by finalizers, which a later collection runs. */
const bytesInUse = async (): Promise<number> => {
  let least = Number.POSITIVE_INFINITY;
  for (let rounds = 0; rounds < 20; rounds++) {
    gc();
    await setImmediate();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    if (heapUsed + arrayBuffers >= least) break;
    least = heapUsed + arrayBuffers;
  }
  return least;
};

/** Columns of 5,000 nodes each that are kept beside one another: the more bytes, the less the rest of the heap disturbs. */
const copies = 8;

/**
 * Bytes that columns and standing results take, by the difference that nodes and pods make to what is in use. The API
 * objects themselves are made before and not counted.
 */
export const memoryPer = async (): Promise<{ node: number; pod: number }> => {
  const settings = Array.from({ length: copies }, () => workloads[0]!.build({ nodes: 5000, init: 0, measure: 10_000 }));
  // What the first use of the code costs is not the nodes' cost.
  place(settings[0]!.measure[0]!, columnsFor(settings[0]!));
  const before = await bytesInUse();
  const all = settings.map(setting => {
    const columns = columnsFor(setting);
    place(setting.measure[0]!, columns);
    return columns;
  });
  const withNodes = await bytesInUse();
  all.forEach((columns, i) => {
    for (const pod of settings[i]!.measure.slice(1)) place(pod, columns);
  });
  const withPods = await bytesInUse();
  // Read afterwards, or they would be garbage by now.
  const nodes = all.reduce((sum, { count }) => sum + count, 0);
  const pods = all.reduce((sum, { placedCount }) => sum + placedCount - 1, 0);
  return { node: (withNodes - before) / nodes, pod: (withPods - withNodes) / pods };
};

export const schedulerBench: Bench = {
  name: 'scheduler',
  about: 'pods placed per second by the engine in process, all nodes scored (issue 3 §3)',
  run: async say => {
    measure(workloads[0]!.build({ nodes: 500, init: 100, measure: 2000 }));
    const results: BenchResult[] = workloads.map(workload => speedOf(workload, workload.size, say));
    results.push(preemptionSpeed(5000, say));
    for (const name of ['SchedulingBasic', 'SchedulingPodAffinity', 'DefaultTopologySpreading', 'AllDifferent']) {
      const workload = workloads.find(one => one.name === name)!;
      for (const nodes of [500, 1000, 5000, 15_000])
        results.push(speedOf(workload, { nodes, init: nodes, measure: 3000 }, say));
    }
    const memory = await memoryPer();
    results.push(
      { name: 'memory per node', value: Math.round(memory.node), unit: 'bytes', raw: { nodes: 5000 * copies } },
      { name: 'memory per pod', value: Math.round(memory.pod), unit: 'bytes', raw: { pods: 10_000 * copies } },
    );
    return results;
  },
};
