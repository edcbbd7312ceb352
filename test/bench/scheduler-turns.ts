/**
 * How long scheduling keeps the event loop from everybody else: API server, SQLite store, controllers and scheduler in one process
 * as in `berth up`, all pods of a workload pending when the scheduler starts, until the last is bound. The figure is the most
 * CPU time that one turn of the event loop took, which other programs of the machine do not make longer; beside it what
 * monitorEventLoopDelay saw by the clock.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { silentLog } from '#base/log.ts';
import { systemClock, systemRandom } from '#base/system.ts';
import type { Client } from '#client/client.ts';
import { startScheduler } from '#loops/scheduling.ts';
import { startControlPlane } from '#scheduler/main.ts';
import { onBed } from './bed.ts';
import { inParallel } from './raw-engine.ts';
import { type Bench, type BenchResult, round } from './result.ts';
import { workloads } from './scheduler-workloads.ts';

const width = 64;
const pollMs = 100;
const limitMs = 60_000;

export const schedulerTurnsBench: Bench = {
  name: 'turns',
  about: 'how long scheduling 10,000 pending pods blocks the event loop at most',
  run: say =>
    onBed(async bed => {
      const options = { clock: systemClock, random: systemRandom, log: silentLog };
      const plane = await startControlPlane({ ...options, dataDir: `${bed.folder}/server`, scheduler: false });
      bed.defer(() => plane.stop());
      const client = plane.client();
      const { size, build } = workloads[0]!;
      const { nodes, measure } = build({ ...size, init: 0 });
      await inParallel(nodes, width, node => client.create(nodeKind, node));
      await inParallel(measure, width, pod => client.create(podKind, fresh(pod)));
      const result = await measureTurns(client, measure.length);
      say(`  longest turn ${result.value} ms`);
      return [result];
    }),
};

const measureTurns = async (client: Client, pods: number): Promise<BenchResult> => {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const turns = watchTurns();
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const scheduler = startScheduler({
    client,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    yieldTurn: () => new Promise(resolve => setImmediate(resolve)),
  });
  try {
    while (scheduler.counters.bound < pods) {
      if (performance.now() - startMs > limitMs) throw new Error(`not all pods were bound within ${limitMs / 1000} s`);
      await systemClock.sleep(pollMs);
    }
  } finally {
    delay.disable();
    turns.stop();
    await scheduler.stop();
  }
  const { user, system } = process.cpuUsage(startCpu);
  const ms = (nanos: number) => round(nanos / 1e6, 1);
  return {
    name: `longest turn, ${pods} pods pending`,
    value: round(turns.longest[0]!.cpuMs, 1),
    unit: 'ms',
    aim: { atMost: 20 },
    raw: {
      longest: turns.longest.map(({ cpuMs, atMs }) => ({ cpuMs: round(cpuMs, 1), atMs: Math.round(atMs - startMs) })),
      max: ms(delay.max),
      p50: ms(delay.percentile(50)),
      p99: ms(delay.percentile(99)),
      p999: ms(delay.percentile(99.9)),
      seconds: round((performance.now() - startMs) / 1000, 2),
      cpuMicrosPerPod: Math.round((user + system) / pods),
    },
  };
};

interface Turn {
  readonly cpuMs: number;
  readonly atMs: number;
}

const kept = 10;

/** CPU time of this thread from one turn's timers to the next's; the longest ten. */
const watchTurns = (): { readonly longest: readonly Turn[]; stop(): void } => {
  let longest: Turn[] = [];
  let isOver = false;
  const cpuMs = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let lastMs = cpuMs();
  const turn = (): void => {
    const nowMs = cpuMs();
    if (nowMs - lastMs > (longest[kept - 1]?.cpuMs ?? -1))
      longest = [...longest, { cpuMs: nowMs - lastMs, atMs: performance.now() }]
        .sort((a, b) => b.cpuMs - a.cpuMs)
        .slice(0, kept);
    lastMs = nowMs;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    get longest() {
      return longest;
    },
    stop: () => {
      isOver = true;
    },
  };
};

const fresh = ({ status: _, ...pod }: Pod): Pod => {
  const { priority: __, ...spec } = pod.spec;
  const { uid: ___, ...metadata } = pod.metadata;
  return { ...pod, metadata, spec } as Pod;
};
