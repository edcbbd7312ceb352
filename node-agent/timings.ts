/**
 * How often an agent says that it lives, as two profiles of the names that the controllers know
 * (scheduler/controllers/timings.ts). An agent must be at least as fast as its server: one with `kubernetes` timings
 * is taken for lost by a server with `fast` ones, between any two of its heartbeats.
 */
export interface AgentTimings {
  /** spec.leaseDurationSeconds of the node's Lease. */
  readonly leaseSeconds: number;
  readonly leaseEveryMs: number;
  /** Longest pause before another try when the Lease could not be renewed. */
  readonly leaseRetryMs: number;
  /** How often the node's status is worked out; it is written when it changed (nodeStatusUpdateFrequency). */
  readonly statusEveryMs: number;
  /** A status that does not change is written this often all the same (nodeStatusReportFrequency). */
  readonly reportAtLeastMs: number;
  /** How often an engine that has nothing to tell is asked whether it is there. */
  readonly pingMs: number;
}

export type TimingsName = 'kubernetes' | 'fast';

export const agentTimings: Readonly<Record<TimingsName, AgentTimings>> = {
  // SEMANTICS E.4: the defaults of the kubelet.
  kubernetes: {
    leaseSeconds: 40,
    leaseEveryMs: 10_000,
    leaseRetryMs: 7000,
    statusEveryMs: 10_000,
    reportAtLeastMs: 5 * 60_000,
    pingMs: 10_000,
  },
  // Four heartbeats within the grace of five seconds.
  fast: {
    leaseSeconds: 4,
    leaseEveryMs: 1000,
    leaseRetryMs: 1000,
    statusEveryMs: 1000,
    reportAtLeastMs: 30_000,
    pingMs: 1000,
  },
};
