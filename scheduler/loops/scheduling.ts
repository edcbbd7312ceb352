/**
 * The scheduler as a running service: follows the cluster by list and watch, takes pods from the queue, decides
 * (engine), assumes the decision at once and writes it in the background. It shares its process with the API server, so
 * it hands over after a few milliseconds of work. Nothing it knows is needed after a restart: all is read again.
 */
import type { Clock, Signal } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createStop } from '#base/stop.ts';
import { supervise } from '#base/supervise.ts';
import type { Client } from '#client/client.ts';
import { createRecorder } from '#client/events.ts';
import { Columns } from '#engine/columns/columns.ts';
import { defaultProfile, type Profile, tellApartBy } from '#engine/profile.ts';
import { defaultQueueOptions, type QueueOptions, SchedulingQueue } from '#engine/queue/queue.ts';
import { hashOfTies } from '#engine/schedule.ts';
import { createDoorbell, type Doorbell } from './doorbell.ts';
import type { Ledger } from './ledger.ts';
import { type AttemptOptions, attempt } from './scheduling-attempt.ts';
import { followCluster } from './scheduling-cluster.ts';
import { createCounters, type SchedulerCounters } from './scheduling-counters.ts';
import { Writer } from './scheduling-writes.ts';

export interface SchedulerConfig {
  /** By schedulerName; default: upstream's default profile as `default-scheduler`. */
  readonly profiles?: readonly Profile[];
  readonly queue?: QueueOptions;
}

export interface SchedulerOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly config?: SchedulerConfig;
  /** Gets every decision; absent: none is remembered. */
  readonly ledger?: Ledger;
  /** Lets other work of the process run; default: a sleep of no length. */
  readonly yieldTurn?: () => Promise<void>;
}

export interface RunningScheduler {
  /** What it has done so far, and how long its queue is. */
  readonly counters: SchedulerCounters;
  /** Ends it; resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** Work in one go, in milliseconds, before others of the process get their turn. */
const turnMs = 5;
/** Upstream looks for pods that were parked too long this often. */
const parkedFlushMs = 30_000;
/** While pods wait to be placed, an event is sent only this often by each sender: bindings go first. */
const eventHoldMs = 50;

export const startScheduler = (options: SchedulerOptions): RunningScheduler => {
  const { client, clock, random, log, ledger } = options;
  const { signal, stop } = createStop();
  const yieldTurn = options.yieldTurn ?? (() => clock.sleep(0, signal));
  const profiles = new Map((options.config?.profiles ?? [defaultProfile()]).map(one => [one.schedulerName, one]));
  const columns = new Columns();
  columns.shapes.tellApart = tellApartBy(profiles);
  const queue = new SchedulingQueue(options.config?.queue ?? defaultQueueOptions);
  const counters = createCounters(queue, columns);
  const component = [...profiles.keys()][0] ?? 'default-scheduler';
  const turn = async (): Promise<void> => {
    if (queue.sizes.active > 0) await clock.sleep(eventHoldMs, signal);
  };
  const recorder = createRecorder({ client, clock, random, log, component, signal, turn });
  const doorbell = createDoorbell(clock, signal);
  const wake = doorbell.ring;
  const cluster = followCluster({ client, clock, random, log, columns, queue, profiles, yieldTurn, wake });
  const writer = new Writer({ client, clock, log, recorder, columns, queue, cluster, counters, wake });
  const tie = hashOfTies(Math.floor(random.next() * 2 ** 32));
  const parts = { clock, random, log, columns, queue, profiles, tie, cluster, writer, counters, ledger };
  const following = cluster.run(signal);
  const service = { name: 'scheduler', run: (inner: Signal) => run(parts, doorbell, yieldTurn, inner) };
  const running = supervise([service], { clock, random, log }, signal);
  return {
    counters,
    async stop() {
      stop();
      wake();
      await Promise.all([running, following, writer.background.settled()]);
      await recorder.flush();
    },
  };
};

/** The loop: take in what changed, place pods, sleep when there is nothing to do. */
const run = async (
  parts: AttemptOptions,
  doorbell: Doorbell,
  yieldTurn: () => Promise<void>,
  signal: Signal,
): Promise<void> => {
  const { clock, queue, cluster, writer } = parts;
  await cluster.whenSynced(signal);
  let nextFlushMs = clock.now() + parkedFlushMs;
  while (!signal.aborted) {
    const isIdle = takeTurn(parts);
    if (clock.now() >= nextFlushMs) {
      queue.flushParked(clock.now());
      nextFlushMs = clock.now() + parkedFlushMs;
    } else if (!writer.background.hasRoom) await writer.background.room();
    else if (isIdle) await doorbell.answer(Math.min(queue.nextReadyMs() ?? Infinity, nextFlushMs));
    else await yieldTurn();
  }
};

/** Works until the turn is over, or nothing more can be done now: true when there is nothing to do. */
const takeTurn = (parts: AttemptOptions): boolean => {
  const { clock, queue, cluster, writer } = parts;
  const endsMs = clock.now() + turnMs;
  while (clock.now() < endsMs) {
    if (cluster.applyOne()) continue;
    if (!writer.background.hasRoom) return false;
    const queued = queue.pop(clock.now());
    if (queued === undefined) return true;
    attempt(queued, parts);
  }
  return false;
};
