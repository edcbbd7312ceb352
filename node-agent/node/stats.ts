/**
 * Usage of the node's containers, sampled each second, from the cheaper of two sources: cgroup files kept open
 * (5 to 20 µs a sample, nothing in the engine) where the agent can read them, else the engine's stats endpoint, whose
 * answers cost the engine 2 to 4 ms each (DOCKER-FACTS §2). Rates come of two samples and the times in them, never of
 * the agent's timer.
 */
import type { ContainerUsage, NodeUsage, PodUsage } from '#api/node-calls.ts';
import { type Clock, type Signal, toTime } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { CgroupPath, Machine, UsageReader } from '../machine.ts';
import { isSandbox, label } from '../names.ts';
import { type ContainerRuntime, type ContainerSeen, isFault, type Throttling } from '../runtime.ts';
import { ThrottlingTotals } from './totals.ts';

export interface Sample {
  readonly atMs: number;
  readonly cpuNanos: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryUsageBytes: number;
  readonly throttling: Throttling;
  readonly pids: number;
}

export interface Series {
  readonly startedAtMs: number;
  readonly previous?: Sample;
  readonly last: Sample;
}

/** Adds a sample; one of a new life of the container begins a new series, one of the same instant changes nothing. */
export const withSample = (series: Series | undefined, startedAtMs: number, sample: Sample): Series => {
  if (!series || series.startedAtMs !== startedAtMs || sample.cpuNanos < series.last.cpuNanos)
    return { startedAtMs, last: sample };
  if (sample.atMs <= series.last.atMs) return series;
  return { startedAtMs, previous: series.last, last: sample };
};

/** CPU over the window between the two samples; undefined before there are two. */
export const usageOf = (
  series: Series,
): { cpuNanoCores: number; memoryWorkingSetBytes: number; windowMs: number } | undefined => {
  const { previous, last } = series;
  if (!previous) return undefined;
  const windowMs = last.atMs - previous.atMs;
  const cpuNanoCores = Math.floor(((last.cpuNanos - previous.cpuNanos) * 1000) / windowMs);
  return { cpuNanoCores, memoryWorkingSetBytes: last.memoryWorkingSetBytes, windowMs };
};

export interface SamplerDeps {
  readonly runtime: ContainerRuntime;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly log: Log;
  readonly node: string;
  /** `auto`: cgroup files where they can be read. */
  readonly source: 'auto' | 'engine';
  /** The node's own group, where its share has one; absent: the whole machine counts. */
  readonly group: CgroupPath | undefined;
  /** True: the node is the whole machine, and all that runs on it counts. */
  readonly wholeMachine: boolean;
  running(): readonly ContainerSeen[];
  /** OOM kills of a container over all its attempts. */
  oomKills(podUid: string, container: string): number;
}

const periodMs = 1000;
/** The slow stats of old engines answer after a second whatever their number: ask for many at once. */
const slowAnswerMs = 200;
const atOnce = { fast: 4, slow: 64 };

/** All that is sampled of one container. */
export interface ContainerSeries {
  readonly podUid: string;
  readonly container: string;
  readonly series: Series;
}

export class Sampler {
  readonly #deps: SamplerDeps;
  readonly #series = new Map<string, Series>();
  readonly #readers = new Map<string, UsageReader>();
  readonly #totals = new ThrottlingTotals();
  #node: Series | undefined;
  #nodeReader: UsageReader | undefined;
  #isSlow = false;
  #fromCgroups = 0;
  #fromEngine = 0;

  constructor(deps: SamplerDeps) {
    this.#deps = deps;
  }

  /** How the samples are taken at present, in words. */
  get source(): string {
    if (this.#fromCgroups > 0 && this.#fromEngine === 0) return 'cgroup files';
    return this.#fromCgroups > 0
      ? 'cgroup files and the stats endpoint'
      : `stats endpoint${this.#isSlow ? ' (slow)' : ''}`;
  }

  counters(): readonly ContainerSeries[] {
    return this.#deps.running().flatMap(seen => {
      const series = this.#series.get(seen.id);
      if (!series) return [];
      return [{ podUid: seen.labels[label.podUid] ?? '', container: seen.labels[label.containerName] ?? '', series }];
    });
  }

  async run(signal: Signal): Promise<void> {
    while (!signal.aborted) {
      const begunMs = this.#deps.clock.now();
      try {
        await this.sample();
      } catch (error) {
        if (!isFault(error, 'unavailable')) this.#deps.log.warn({ err: error }, 'sampling usage failed');
      }
      await this.#deps.clock.sleep(Math.max(0, periodMs - (this.#deps.clock.now() - begunMs)), signal);
    }
    for (const reader of this.#readers.values()) reader.close();
    this.#nodeReader?.close();
  }

  /** Takes one sample of everything. */
  async sample(): Promise<void> {
    const running = this.#deps.running();
    const present = new Set(running.map(({ id }) => id));
    for (const id of [...this.#series.keys()]) if (!present.has(id)) this.#forget(id);
    for (const id of [...this.#readers.keys()]) if (!present.has(id)) this.#forget(id);
    const left = running.filter(seen => !this.#readFiles(seen));
    this.#fromCgroups = running.length - left.length;
    this.#fromEngine = left.length;
    await this.#askEngine(left);
    this.#sampleNode();
  }

  #readFiles(seen: ContainerSeen): boolean {
    if (this.#deps.source === 'engine') return false;
    const reader = this.#readers.get(seen.id) ?? this.#deps.machine.containerUsage(seen.pid, seen.id);
    if (!reader) return false;
    this.#readers.set(seen.id, reader);
    const sample = reader.read();
    if (sample) this.#put(seen, sample);
    return true;
  }

  /** One container's failure does not keep the others from being sampled; the first failure is thrown in the end. */
  async #askEngine(containers: readonly ContainerSeen[]): Promise<void> {
    const { runtime, clock } = this.#deps;
    const workers: Promise<void>[] = [];
    let next = 0;
    let failure: unknown;
    const work = async () => {
      for (let seen = containers[next++]; seen && !isFault(failure, 'unavailable'); seen = containers[next++]) {
        const begunMs = clock.now();
        try {
          const sample = await runtime.stats(seen.id);
          if (sample) this.#put(seen, sample);
        } catch (error) {
          failure ??= error;
        }
        this.#isSlow = clock.now() - begunMs > slowAnswerMs;
        start();
      }
    };
    const start = () => {
      const most = this.#isSlow ? atOnce.slow : atOnce.fast;
      while (workers.length < most && next < containers.length) workers.push(work());
    };
    start();
    // More may be started meanwhile.
    for (const worker of workers) await worker;
    if (failure !== undefined) throw failure;
  }

  #put(seen: ContainerSeen, sample: Sample): void {
    this.#series.set(seen.id, withSample(this.#series.get(seen.id), seen.startedAtMs, sample));
    const { [label.podUid]: uid = '', [label.containerName]: name = '' } = seen.labels;
    if (!isSandbox(seen)) this.#totals.put(uid, name, seen.id, sample.throttling);
  }

  /** The pod is gone. */
  forgetPod(uid: string): void {
    this.#totals.forget(uid);
  }

  #withCounters(pod: PodUsage): PodUsage {
    const containers = pod.containers.map(usage => {
      const { periods, throttledPeriods, throttledNanos } = this.#totals.of(pod.uid, usage.name);
      const counters = {
        oomKills: this.#deps.oomKills(pod.uid, usage.name),
        cfsPeriods: periods,
        cfsThrottledPeriods: throttledPeriods,
        cfsThrottledNanos: throttledNanos,
      };
      return { ...usage, counters };
    });
    return { ...pod, containers };
  }

  #forget(id: string): void {
    this.#readers.get(id)?.close();
    this.#readers.delete(id);
    this.#series.delete(id);
  }

  /** The node: its own cgroup, or the whole machine, or else the sum of what runs. */
  #sampleNode(): void {
    const { machine, group, wholeMachine, clock } = this.#deps;
    const sample = wholeMachine ? machineSample(machine, clock.now()) : group && this.#readGroup(group);
    if (sample) this.#node = withSample(this.#node, 0, sample);
  }

  #readGroup(group: CgroupPath): Sample | undefined {
    this.#nodeReader ??= this.#deps.machine.cgroups.usage(group);
    const sample = this.#nodeReader?.read();
    if (sample) return sample;
    this.#nodeReader?.close();
    this.#nodeReader = undefined;
    return undefined;
  }

  /** Undefined while there is no pair of samples of anything. */
  usage(): NodeUsage | undefined {
    const pods = podUsages(
      this.#deps.running().filter(seen => !isSandbox(seen)),
      this.#series,
    );
    const node = this.#node ? usageOf(this.#node) : sumOf(pods);
    if (!node) return undefined;
    const atMs = this.#node?.last.atMs ?? this.#deps.clock.now();
    return { node: this.#deps.node, timestamp: toTime(atMs), ...node, pods: pods.map(pod => this.#withCounters(pod)) };
  }
}

const noThrottling: Throttling = { periods: 0, throttledPeriods: 0, throttledNanos: 0 };

const machineSample = (machine: Machine, atMs: number): Sample | undefined => {
  const usage = machine.usage();
  return usage && { atMs, ...usage, memoryUsageBytes: usage.memoryWorkingSetBytes, throttling: noThrottling, pids: 0 };
};

const sumOf = (pods: readonly PodUsage[]) => {
  const containers = pods.flatMap(pod => pod.containers);
  if (containers.length === 0) return { cpuNanoCores: 0, memoryWorkingSetBytes: 0, windowMs: periodMs };
  return {
    cpuNanoCores: containers.reduce((sum, usage) => sum + usage.cpuNanoCores, 0),
    memoryWorkingSetBytes: containers.reduce((sum, usage) => sum + usage.memoryWorkingSetBytes, 0),
    windowMs: Math.max(...pods.map(pod => pod.windowMs)),
  };
};

/** Usage by pod; a pod of which a running container has no pair of samples yet is left out (SEMANTICS J.1). */
export const podUsages = (
  containers: readonly ContainerSeen[],
  series: ReadonlyMap<string, Series>,
): readonly PodUsage[] => {
  const byPod = new Map<string, ContainerSeen[]>();
  for (const seen of containers) {
    const uid = seen.labels[label.podUid] ?? '';
    byPod.set(uid, [...(byPod.get(uid) ?? []), seen]);
  }
  return [...byPod].flatMap(([uid, members]) => {
    const usages: (ContainerUsage & { readonly windowMs: number; readonly atMs: number })[] = [];
    for (const seen of members) {
      const own = series.get(seen.id);
      const usage = own && usageOf(own);
      if (!usage) return [];
      usages.push({ name: seen.labels[label.containerName] ?? '', ...usage, atMs: own.last.atMs });
    }
    // The window of a pod is that of its oldest point (metrics-server pkg/storage/pod.go).
    const oldest = usages.reduce((a, b) => (b.atMs < a.atMs ? b : a));
    const { labels } = members[0]!;
    return [
      {
        namespace: labels[label.podNamespace] ?? '',
        name: labels[label.podName] ?? '',
        uid,
        timestamp: toTime(oldest.atMs),
        windowMs: oldest.windowMs,
        containers: usages.map(({ name, cpuNanoCores, memoryWorkingSetBytes }) => ({
          name,
          cpuNanoCores,
          memoryWorkingSetBytes,
        })),
      },
    ];
  });
};
