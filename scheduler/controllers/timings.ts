/** How fast node and pod controllers act. `kubernetes` are upstream's defaults; `fast` suits demos and tests. */
export interface Timings {
  /** A node that was not heard of for this long is lost (--node-monitor-grace-period, 50 s since 1.32). */
  readonly nodeGraceMs: number;
  /** The same for a node that never posted its Ready condition (--node-startup-grace-period). */
  readonly nodeStartupGraceMs: number;
  /** How often an unhealthy node is looked at again (--node-monitor-period). */
  readonly nodeMonitorMs: number;
  /** Between two nodes of a zone that get a NoExecute taint (1 / --node-eviction-rate). */
  readonly evictionIntervalMs: number;
  /** The same in a large zone that is mostly lost (1 / --secondary-node-eviction-rate). */
  readonly slowEvictionIntervalMs: number;
  readonly podGcMs: number;
  /** A node must be gone this long before its pods are removed. */
  readonly podGcQuarantineMs: number;
}

export const timings: Readonly<Record<'kubernetes' | 'fast', Timings>> = {
  kubernetes: {
    nodeGraceMs: 50_000,
    nodeStartupGraceMs: 60_000,
    nodeMonitorMs: 5_000,
    evictionIntervalMs: 10_000,
    slowEvictionIntervalMs: 100_000,
    podGcMs: 20_000,
    podGcQuarantineMs: 40_000,
  },
  // The agents must renew their leases every second for this.
  fast: {
    nodeGraceMs: 5_000,
    nodeStartupGraceMs: 6_000,
    nodeMonitorMs: 500,
    evictionIntervalMs: 500,
    slowEvictionIntervalMs: 5_000,
    podGcMs: 2_000,
    podGcQuarantineMs: 4_000,
  },
};
