/**
 * What an agent costs that looks after 50 running containers and samples their usage each second, from cgroup files and from
 * the engine's stats endpoint: its CPU and memory, and
 * the CPU of dockerd and containerd while it runs, less what they use in the same run while it does not.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { leftoversOf, sweep } from '#cli/demo/leftovers.ts';
import { findRunning } from '#cli/local/instance.ts';
import { clusterIdOf, parseJoin } from '#cli/local/join.ts';
import { type Bed, cpuMsOf, end, onBed, outputOf, rssBytesOf } from './bed.ts';
import { benchPod, Cluster, prepareEngine } from './cluster.ts';
import { inParallel } from './raw-engine.ts';
import { type Bench, type BenchResult, quantile, round } from './result.ts';

const pods = 50;
const windowMs = 1000;
/** Windows with the agent, then without it. */
const windows = { settling: 4, with: 10, without: 10 };

export const agentBench: Bench = {
  name: 'agent',
  about: `CPU and memory of an agent with ${pods} running containers sampled each second, and dockerd's CPU that it causes`,
  run: say => onBed(bed => run(bed, say)),
};

const run = async (bed: Bed, say: (line: string) => void): Promise<BenchResult[]> => {
  const engineApi = await prepareEngine(bed, say);
  const data = `${bed.folder}/server`;
  const server = bed.start('cli/bin.js', ['server', '--data', data, '--port', '0']);
  await outputOf(server, text => (text.includes('berth token') ? true : undefined));
  const { join } = findRunning(data)!;
  const startAgent = (stats: string) =>
    bed.start('cli/bin.js', [
      ...['agent', '--node', 'bench', '--data', `${bed.folder}/agent`, '--join', join, '--stats', stats],
    ]);
  let agent = startAgent('auto');
  // An agent that ends leaves its containers running.
  const { caPem } = parseJoin(join);
  bed.defer(async () => {
    await end(agent);
    const found = await leftoversOf(engineApi, clusterIdOf(caPem));
    await sweep(engineApi, clusterIdOf(caPem), found);
  });
  const cluster = await Cluster.connect(bed, `${data}/kubeconfig`);
  const names = Array.from({ length: pods }, (_, i) => `sampled-${i}`);
  await inParallel(names, 8, name => cluster.apply(benchPod(name)));
  await cluster.untilRunning(names);
  const engine = enginePids();
  const measured: { source: string; windows: number[][]; rss: number }[] = [];
  for (const [stats, source] of [
    ['auto', 'cgroup files'],
    ['engine', 'stats endpoint'],
  ] as const) {
    if (stats !== 'auto') {
      await end(agent);
      agent = startAgent(stats);
    }
    say(`  ${pods} pods run; sampling from ${source}`);
    await untilSampled(cluster);
    await sample([], windows.settling);
    measured.push({
      source,
      windows: await sample([agent.pid!, ...engine], windows.with),
      rss: rssBytesOf(agent.pid!),
    });
  }
  await end(agent);
  const without = (await sample(engine, windows.without)).map(sum);
  return measured.flatMap(each => resultsOf(each, without, engine.length));
};

const untilSampled = async (cluster: Cluster): Promise<void> => {
  const deadlineMs = performance.now() + 60_000;
  while ((await cluster.sampledPods()) < pods) {
    if (performance.now() > deadlineMs) throw new Error(`the usage of ${pods} pods is not known after a minute`);
    await new Promise(resolve => setTimeout(resolve, 200));
  }
};

const resultsOf = (
  { source, windows, rss }: { source: string; windows: readonly number[][]; rss: number },
  engineWithout: readonly number[],
  processes: number,
): BenchResult[] => {
  const agentPercent = windows.map(percents => percents[0]!);
  const engineWith = windows.map(percents => sum(percents.slice(1)));
  const name = `agent, ${pods} containers, ${source}`;
  return [
    {
      name: `${name}: CPU, mean`,
      value: round(mean(agentPercent)),
      unit: '% core',
      raw: { percentEachSecond: agentPercent, p50: round(quantile(agentPercent, 0.5)) },
    },
    { name: `${name}: RSS`, value: round(rss / 2 ** 20, 0), unit: 'MiB', raw: { bytes: rss } },
    {
      name: `${name}: CPU of dockerd and containerd it causes`,
      value: round(mean(engineWith) - mean(engineWithout)),
      unit: '% core',
      raw: { withAgent: engineWith, withoutAgent: engineWithout, processes },
    },
  ];
};

const mean = (values: readonly number[]): number => sum(values) / values.length;
const sum = (values: readonly number[]): number => round(values.reduce((total, value) => total + value, 0));

/** Per window the CPU of each process in percent of a core. */
const sample = async (pids: readonly number[], count: number): Promise<number[][]> => {
  const rows: number[][] = [];
  let last = pids.map(cpuMsOf);
  let lastMs = performance.now();
  for (let i = 0; i < count; i++) {
    await new Promise(resolve => setTimeout(resolve, windowMs));
    const now = pids.map(cpuMsOf);
    const nowMs = performance.now();
    rows.push(now.map((ms, p) => round((100 * (ms - last[p]!)) / (nowMs - lastMs))));
    last = now;
    lastMs = nowMs;
  }
  return rows;
};

/** The engine's processes where they are to be seen (an engine on another machine is not). */
const enginePids = (): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => ['dockerd', 'containerd'].includes(commandOf(pid)));

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    // It has ended meanwhile.
    return '';
  }
};
