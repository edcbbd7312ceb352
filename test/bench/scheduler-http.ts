/**
 * Scheduling through the API: the server with SQLite in one process, the scheduler in another, everything between them over
 * HTTPS. Pods are all there before scheduling starts, so that their creation is not part of the figure; the rate of
 * creation, and that of binding without deciding anything, are reported beside it.
 */
import { namespaceKind, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { createHttpClient, type HttpClient } from '#client/http.ts';
import { type Bed, cpuMsOf, ended, messageOf, onBed, outputOf } from './bed.ts';
import type { ControlPlaneAddress } from './control-plane.ts';
import { inParallel } from './raw-engine.ts';
import { type Bench, type BenchResult, round } from './result.ts';
import type { LoadResult } from './scheduler-load.ts';
import { type Setting, workloads } from './scheduler-workloads.ts';

interface Case {
  readonly name: string;
  readonly workload: string;
  readonly mode: 'scheduler' | 'bind';
  readonly atLeast: number;
}

export const cases: readonly Case[] = [
  { name: 'bindings without decisions', workload: 'SchedulingBasic', mode: 'bind', atLeast: 4500 },
  { name: 'SchedulingBasic', workload: 'SchedulingBasic', mode: 'scheduler', atLeast: 3000 },
  { name: 'SchedulingPodAffinity', workload: 'SchedulingPodAffinity', mode: 'scheduler', atLeast: 2000 },
];

const width = 64;
const loadLimitMs = 60_000;

export const schedulerHttpBench: Bench = {
  name: 'http',
  about: 'pods scheduled per second through HTTPS and SQLite, server and scheduler in processes of their own',
  run: async say => {
    const results: BenchResult[] = [];
    for (const one of cases) results.push(...(await onBed(bed => measure(bed, one, say))));
    return results;
  },
};

export const measure = async (bed: Bed, { name, workload, mode, atLeast }: Case, say: (line: string) => void) => {
  const { build, size } = workloads.find(candidate => candidate.name === workload)!;
  const setting = build(size);
  // BERTH_BENCH_PROFILE=FOLDER writes CPU profiles of both processes there.
  const folder = process.env['BERTH_BENCH_PROFILE'];
  const execArgv = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
  const server = bed.start('test/bench/control-plane.ts', [`${bed.folder}/server`], { execArgv });
  const address = await outputOf(server, text =>
    text.endsWith('\n') ? (JSON.parse(text) as ControlPlaneAddress) : undefined,
  );
  const client = createHttpClient({ ...address, connections: width });
  bed.defer(() => client.close());
  const created = await fill(client, setting);
  const args = [mode, JSON.stringify(address), String(setting.measure.length)];
  const load = bed.start('test/bench/scheduler-load.ts', args, { ipc: true, execArgv });
  await within(loadLimitMs, messageOf<'binding'>(load));
  const cpuBeforeMs = cpuMsOf(server.pid!);
  const result = await within(loadLimitMs, messageOf<LoadResult>(load));
  const serverCpuMs = cpuMsOf(server.pid!) - cpuBeforeMs;
  await within(loadLimitMs, ended(load));
  const value = Math.round(setting.measure.length / result.seconds);
  say(`  ${name}: ${value} pods/s (created at ${created.podsPerSecond} pods/s)`);
  const shown: BenchResult = {
    name: `${name} ${size.nodes}/${size.init}/${size.measure} over HTTPS`,
    value,
    unit: 'pods/s',
    aim: { atLeast },
    raw: {
      seconds: round(result.seconds, 3),
      syncSeconds: round(result.syncSeconds, 3),
      boundEach250ms: result.progress,
      schedulerCpuMicrosPerPod: Math.round((result.cpuSeconds * 1e6) / setting.measure.length),
      serverCpuMicrosPerPod: Math.round((serverCpuMs * 1000) / setting.measure.length),
      podsCreatedPerSecond: created.podsPerSecond,
      nodesCreatedPerSecond: created.nodesPerSecond,
    },
  };
  if (mode !== 'bind') return [shown];
  const creation = { name: 'pods created over HTTPS', value: created.podsPerSecond, unit: 'pods/s', raw: created };
  return [shown, creation];
};

/** Creates namespaces, nodes, bound pods and pending pods. */
const fill = async (client: HttpClient, { namespaces = [], nodes, init, measure }: Setting) => {
  const system = new Set(['default']);
  for (const namespace of namespaces.filter(one => !system.has(one.metadata.name)))
    await client.create(namespaceKind, namespace);
  const nodesPerSecond = await rateOf(nodes, node => client.create(nodeKind, node));
  const bound = init.map((pod, i) => placed(pod, nodes[i % nodes.length]!.metadata.name));
  await inParallel(bound, width, pod => client.create(podKind, pod));
  const podsPerSecond = await rateOf(measure, pod => client.create(podKind, fresh(pod)));
  return { podsPerSecond, nodesPerSecond };
};

const rateOf = async <T>(items: readonly T[], task: (item: T) => Promise<unknown>): Promise<number> => {
  const startMs = performance.now();
  await inParallel(items, width, task);
  return Math.round(items.length / ((performance.now() - startMs) / 1000));
};

/** As a client would send it: priority comes from a class, the uid from the server. */
const fresh = ({ status: _, ...pod }: Pod): Pod => {
  const { priority: __, ...spec } = pod.spec;
  const { uid: ___, ...metadata } = pod.metadata;
  return { ...pod, metadata, spec } as Pod;
};

const placed = (pod: Pod, nodeName: string): Pod => {
  const made = fresh(pod);
  return { ...made, spec: { ...made.spec, nodeName } };
};

const within = async <T>(ms: number, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not all pods were bound within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};
