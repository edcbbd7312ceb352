/** What the scheduler did, as plain numbers, under the meanings of upstream's metrics. */
import type { Columns } from '#engine/columns/columns.ts';
import type { SchedulingQueue } from '#engine/queue/queue.ts';

export type AttemptResult = 'scheduled' | 'unschedulable' | 'error';

export interface SchedulerCounters {
  /** scheduler_schedule_attempts_total */
  readonly attempts: Readonly<Record<AttemptResult, number>>;
  /** Seconds spent deciding, in all. */
  readonly decisionSeconds: number;
  readonly bound: number;
  readonly bindFailures: number;
  /** scheduler_preemption_attempts_total: how often it was tried to make room, with or without success */
  readonly preemptionAttempts: number;
  /** scheduler_preemption_victims, summed: pods that were in the way each time that some of them were told to go */
  readonly preemptionVictims: number;
  /** scheduler_pending_pods by queue */
  readonly pending: {
    readonly active: number;
    readonly backoff: number;
    readonly parked: number;
    readonly gated: number;
  };
  readonly nodes: number;
  readonly placedPods: number;
}

export interface Counters extends SchedulerCounters {
  attempted(result: AttemptResult, durationMs: number): void;
  bind(succeeded: boolean): void;
  preemptionTried(): void;
  preempted(victims: number): void;
}

export const createCounters = (queue: SchedulingQueue, columns: Columns): Counters => {
  const attempts: Record<AttemptResult, number> = { scheduled: 0, unschedulable: 0, error: 0 };
  let decisionSeconds = 0;
  let bound = 0;
  let bindFailures = 0;
  let preemptionAttempts = 0;
  let preemptionVictims = 0;
  return {
    attempts,
    get decisionSeconds() {
      return decisionSeconds;
    },
    get bound() {
      return bound;
    },
    get bindFailures() {
      return bindFailures;
    },
    get preemptionAttempts() {
      return preemptionAttempts;
    },
    get preemptionVictims() {
      return preemptionVictims;
    },
    get pending() {
      return queue.sizes;
    },
    get nodes() {
      return columns.count;
    },
    get placedPods() {
      return columns.placedCount;
    },
    attempted(result, durationMs) {
      attempts[result]++;
      decisionSeconds += durationMs / 1000;
    },
    bind(succeeded) {
      if (succeeded) bound++;
      else bindFailures++;
    },
    preemptionTried() {
      preemptionAttempts++;
    },
    preempted(victims) {
      preemptionVictims += victims;
    },
  };
};
