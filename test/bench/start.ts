/**
 * How long a pod takes from apply to Running, against the same two containers made by bare Engine API calls, in turns in
 * one run; and fifty pods applied at once, against the best rate that bare calls reach at any concurrency.
 */
import { type Bed, onBed } from './bed.ts';
import { benchPod, type Cluster, prepareEngine, startCluster } from './cluster.ts';
import { inParallel, removeMarked, removeRawPod, type Shape, shapeOf, startRawPod } from './raw-engine.ts';
import { type Bench, type BenchResult, quantile, round } from './result.ts';

const pairs = 15;
const burst = 50;
/** The likeliest best first. */
const concurrencies = [4, 8, 2, 16];
/** A loaded machine must not keep the run from ending: what was measured by then counts (and the raw figures show what). */
const pairsLimitMs = 25_000;
const burstLimitMs = 40_000;

export const startBench: Bench = {
  name: 'start',
  about: 'apply → all containers Running, against bare Engine API calls for the same containers',
  run: say => onBed(bed => run(bed, say)),
};

const run = async (bed: Bed, say: (line: string) => void): Promise<BenchResult[]> => {
  await prepareEngine(bed, say);
  const mark = bed.folder.slice(-6);
  bed.defer(() => removeMarked(mark));
  const { cluster } = await startCluster(bed);
  await cluster.apply(benchPod('sample'));
  await cluster.untilRunning(['sample']);
  const shape = await shapeOf(cluster.pod('sample')?.metadata.uid ?? '', mark);
  const context = { cluster, shape, mark };
  return [await oneByOne(context, say), await atOnce(context, say)];
};

interface Context {
  readonly cluster: Cluster;
  readonly shape: Shape;
  readonly mark: string;
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
};

/** The order within a pair alternates; each pair is removed before the next, outside the times. */
const oneByOne = async ({ cluster, shape, mark }: Context, say: (line: string) => void): Promise<BenchResult> => {
  const berthMs: number[] = [];
  const rawMs: number[] = [];
  const berth = async (name: string) => {
    berthMs.push(await timed(() => cluster.apply(benchPod(name)).then(() => cluster.untilRunning([name]))));
    await cluster.remove([name]);
  };
  const raw = async (name: string) => {
    const startMs = performance.now();
    const pod = await startRawPod(`bench-${mark}-${name}`, shape);
    rawMs.push(performance.now() - startMs);
    await removeRawPod(pod);
  };
  const deadlineMs = performance.now() + pairsLimitMs;
  for (let i = 0; i < pairs && (i < 5 || performance.now() < deadlineMs); i++)
    for (const start of i % 2 === 0 ? [berth, raw] : [raw, berth]) await start(`one-${i}`);
  const value = round(quantile(berthMs, 0.5) / quantile(rawMs, 0.5));
  say(`  p50 ${round(quantile(berthMs, 0.5), 0)} ms, bare calls ${round(quantile(rawMs, 0.5), 0)} ms`);
  return {
    name: 'apply → Running, one pod, p50 against bare calls',
    value,
    unit: '×',
    aim: { atMost: 1.5 },
    raw: {
      berthMs: berthMs.map(Math.round),
      rawMs: rawMs.map(Math.round),
      p90Ratio: round(quantile(berthMs, 0.9) / quantile(rawMs, 0.9)),
    },
  };
};

/** Bare rates before and after Berth's, so that a drift of the machine shows. At least the two likeliest are measured. */
const atOnce = async ({ cluster, shape, mark }: Context, say: (line: string) => void): Promise<BenchResult> => {
  const rawMs: Record<string, number> = {};
  const raw = async (width: number) => {
    const names = Array.from({ length: burst }, (_, i) => `bench-${mark}-many-${width}-${i}`);
    rawMs[`raw${width}Ms`] = Math.round(await timed(() => inParallel(names, width, name => startRawPod(name, shape))));
    await removeMarked(mark);
  };
  const names = Array.from({ length: burst }, (_, i) => `many-${i}`);
  const deadlineMs = performance.now() + burstLimitMs;
  await raw(concurrencies[0]!);
  const berthMs = await timed(() =>
    Promise.all([cluster.untilRunning(names), ...names.map(name => cluster.apply(benchPod(name)))]),
  );
  await cluster.remove(names);
  for (const [i, width] of concurrencies.slice(1).entries())
    if (i === 0 || performance.now() < deadlineMs) await raw(width);
  const best = Math.min(...Object.values(rawMs));
  say(`  ${burst} pods in ${Math.round(berthMs)} ms; bare calls ${JSON.stringify(rawMs)}`);
  return {
    name: `${burst} pods applied at once, total against the best bare rate`,
    value: round(berthMs / best),
    unit: '×',
    aim: { atMost: 1.3 },
    raw: { berthMs: Math.round(berthMs), ...rawMs },
  };
};
