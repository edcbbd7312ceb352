/**
 * The scheduler as a running service: follows the cluster by list and watch, takes pods from the queue, decides
 * (engine), assumes the decision at once and writes it in the background. It shares its process with the API server, so
 * it hands over after a few milliseconds of work. Nothing it knows is needed after a restart: all is read again.
 */
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { below } from '#base/random.ts';
import { createStop } from '#base/stop.ts';
import type { Client } from '#client/client.ts';
import { createRecorder } from '#client/events.ts';
import { Columns } from '#engine/columns.ts';
import { type Preemption, preempt } from '#engine/preempt.ts';
import { defaultProfile, type Profile, tellApartBy } from '#engine/profile.ts';
import { defaultQueueOptions, type QueuedPod, type QueueOptions, SchedulingQueue } from '#engine/queue.ts';
import { hashOfTies, schedule } from '#engine/schedule.ts';
import type { Ledger } from './ledger.ts';
import { followCluster } from './scheduling-cluster.ts';
import { createCounters, type SchedulerCounters } from './scheduling-counters.ts';
import { createWriter } from './scheduling-writes.ts';

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
  const stop = createStop();
  const yieldTurn = options.yieldTurn ?? (() => clock.sleep(0, stop.signal));
  const profiles = new Map((options.config?.profiles ?? [defaultProfile()]).map(one => [one.schedulerName, one]));
  const columns = new Columns();
  columns.shapes.tellApart = tellApartBy(profiles);
  const queue = new SchedulingQueue(options.config?.queue ?? defaultQueueOptions);
  const counters = createCounters(queue, columns);
  const recorder = createRecorder({
    client,
    clock,
    random,
    log,
    component: [...profiles.keys()][0] ?? 'default-scheduler',
    signal: stop.signal,
    turn: async () => {
      if (queue.sizes.active > 0) await clock.sleep(eventHoldMs, stop.signal);
    },
  });
  const tie = hashOfTies(Math.floor(random.next() * 2 ** 32));
  const wake = createWake(clock, stop.signal);
  const cluster = followCluster({ client, clock, random, log, columns, queue, profiles, yieldTurn, wake: wake.now });
  const writer = createWriter({
    client,
    clock,
    random,
    log,
    recorder,
    columns,
    queue,
    cluster,
    counters,
    wake: wake.now,
  });

  const attempt = (queued: QueuedPod): void => {
    const { view } = queued;
    const profile = profiles.get(view.pod.spec.schedulerName ?? 'default-scheduler');
    if (profile === undefined) {
      queue.done(queued);
      return;
    }
    if (view.terminating) {
      writer.skipped(queued);
      return;
    }
    const startedMs = clock.now();
    const decision = schedule(view, columns, profile, tie);
    const durationMs = clock.now() - startedMs;
    const facts = { view, attempt: queued.attempts, revision: cluster.revision, startedMs, durationMs };
    if (decision.node !== undefined) {
      counters.attempted('scheduled', durationMs);
      ledger?.placed(facts, decision);
      writer.bind(queued, decision.node.name);
      return;
    }
    counters.attempted('unschedulable', durationMs);
    const preemption = withChoice(
      preempt(decision, columns, profile, { nowMs: clock.now(), offset: limit => below(random, limit) }),
      random,
    );
    const { chosen } = preemption;
    ledger?.refused(facts, decision, preemption, chosen === undefined ? '' : columns.names[chosen.slot]);
    writer.refuse(queued, decision, preemption);
  };

  const run = async (): Promise<void> => {
    await cluster.whenSynced(stop.signal);
    let lastParkedFlushMs = clock.now();
    while (!stop.signal.aborted) {
      const turnEndsMs = clock.now() + turnMs;
      let isIdle = false;
      while (clock.now() < turnEndsMs && !isIdle) {
        if (cluster.applyOne()) continue;
        if (!writer.hasRoom) break;
        const queued = queue.pop(clock.now());
        if (queued === undefined) isIdle = true;
        else guarded(queued);
      }
      if (clock.now() - lastParkedFlushMs >= parkedFlushMs) {
        lastParkedFlushMs = clock.now();
        queue.flushParked(lastParkedFlushMs);
        isIdle = false;
      }
      if (!writer.hasRoom) await writer.room();
      else if (isIdle) await wake.next(Math.min(queue.nextReadyMs() ?? Infinity, lastParkedFlushMs + parkedFlushMs));
      else await yieldTurn();
    }
  };

  // A bug met with one pod must not cost the others their scheduler.
  const guarded = (queued: QueuedPod): void => {
    try {
      attempt(queued);
    } catch (error) {
      counters.attempted('error', 0);
      const { view, attempts } = queued;
      const facts = { view, attempt: attempts, revision: cluster.revision, startedMs: clock.now(), durationMs: 0 };
      ledger?.failed(facts, error instanceof Error ? error.message : String(error));
      log.error({ err: error, pod: queued.view.key }, 'scheduling a pod failed');
      writer.failed(queued, error);
    }
  };

  const following = cluster.run(stop.signal);
  const running = run().catch(error => log.error({ err: error }, 'the scheduler ended'));
  return {
    counters,
    async stop() {
      stop.stop();
      wake.now();
      await Promise.all([running, following, writer.settled()]);
      await recorder.flush();
    },
  };
};

/** Of equally good candidates any one. */
const withChoice = (preemption: Preemption, random: Random) => ({
  ...preemption,
  chosen: preemption.best.length === 0 ? undefined : preemption.best[below(random, preemption.best.length)],
});

/** A doorbell: `next` resolves when `now` was called since the last `next`, or at a time. */
const createWake = (clock: Clock, signal: Parameters<Clock['sleep']>[1]) => {
  let isRung = false;
  let ring: () => void = () => {};
  return {
    now: (): void => {
      isRung = true;
      ring();
    },
    next: async (untilMs: number): Promise<void> => {
      if (!isRung && !signal?.aborted)
        await new Promise<void>(resolve => {
          ring = resolve;
          const cancel = Number.isFinite(untilMs) ? clock.after(Math.max(0, untilMs - clock.now()), resolve) : () => {};
          const rung = ring;
          ring = () => {
            cancel();
            rung();
          };
        });
      isRung = false;
      ring = () => {};
    },
  };
};
