/**
 * One attempt to place one pod: decide, look for room to make if it fits nowhere, remember the decision, and hand it to the
 * writer. Synchronous: between the decision and what follows from it for the next pod nothing can happen.
 */
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { below, type Random } from '#base/random.ts';
import type { Columns } from '#engine/columns/columns.ts';
import type { Decision } from '#engine/decision.ts';
import { preempt } from '#engine/preemption/preempt.ts';
import type { Profile } from '#engine/profile.ts';
import type { QueuedPod, SchedulingQueue } from '#engine/queue/queue.ts';
import { schedule, type TieRule } from '#engine/schedule.ts';
import type { AttemptFacts, Ledger } from './ledger.ts';
import type { FollowedCluster } from './scheduling-cluster.ts';
import type { Counters } from './scheduling-counters.ts';
import { schedulerOf } from './scheduling-pods.ts';
import type { ChosenPreemption, Writer } from './scheduling-writes.ts';

export interface AttemptOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly columns: Columns;
  readonly queue: SchedulingQueue;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly tie: TieRule;
  readonly cluster: FollowedCluster;
  readonly writer: Writer;
  readonly counters: Counters;
  readonly ledger: Ledger | undefined;
}

/** Tries to place the pod; never throws. */
export const attempt = (queued: QueuedPod, options: AttemptOptions): void => {
  const { queue, profiles, writer, counters, log, ledger } = options;
  const { view } = queued;
  const profile = profiles.get(schedulerOf(view.pod));
  if (profile === undefined) {
    queue.done(queued);
    return;
  }
  if (view.terminating) {
    writer.skip(queued);
    return;
  }
  try {
    place(queued, profile, options);
  } catch (error) {
    // A bug met with one pod must not cost the others their scheduler.
    log.error({ err: error, pod: view.key }, 'scheduling a pod failed');
    counters.attempted('error', 0);
    ledger?.failed(
      factsOf(queued, options, options.clock.now()),
      error instanceof Error ? error.message : String(error),
    );
    writer.failed(queued, error);
  }
};

const place = (queued: QueuedPod, profile: Profile, options: AttemptOptions): void => {
  const { clock, columns, tie, writer, counters, ledger } = options;
  const startedMs = clock.now();
  const decision = schedule(queued.view, columns, profile, tie);
  const facts = factsOf(queued, options, startedMs);
  if (decision.node !== undefined) {
    counters.attempted('scheduled', facts.durationMs);
    ledger?.placed(facts, decision);
    writer.bind(queued, decision.node.name);
    return;
  }
  counters.attempted('unschedulable', facts.durationMs);
  const preemption = choose(decision, profile, options);
  const promised = preemption.chosen === undefined ? '' : columns.names[preemption.chosen.slot];
  ledger?.refused(facts, decision, preemption, promised);
  writer.refuse(queued, decision, preemption);
};

const factsOf = (
  { view, attempts }: QueuedPod,
  { cluster, clock }: AttemptOptions,
  startedMs: number,
): AttemptFacts => ({
  view,
  attempt: attempts,
  revision: cluster.revision,
  startedMs,
  durationMs: clock.now() - startedMs,
});

/** Whom to push out; of equally good candidates any one. */
const choose = (decision: Decision, profile: Profile, { clock, random, columns }: AttemptOptions): ChosenPreemption => {
  const offset = (limit: number): number => below(random, limit);
  const preemption = preempt(decision, columns, profile, { nowMs: clock.now(), offset });
  const { best } = preemption;
  return { ...preemption, chosen: best.length === 0 ? undefined : best[below(random, best.length)] };
};
