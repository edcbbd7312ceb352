/** Which taints a node gets for its conditions, and how fast (SEMANTICS E.2, E.4). Pure. */
import type { Node, NodeCondition, Taint } from '#api/kinds/core.ts';
import { fromTime, toTime } from '#base/clock.ts';
import type { Timings } from './timings.ts';

export const notReadyTaint = 'node.kubernetes.io/not-ready';
export const unreachableTaint = 'node.kubernetes.io/unreachable';

/** Condition type → status → key of its NoSchedule taint. */
const taintsOfConditions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: notReadyTaint, Unknown: unreachableTaint },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
};
const unschedulableTaint = 'node.kubernetes.io/unschedulable';
const ourNoSchedule = new Set([
  unschedulableTaint,
  ...Object.values(taintsOfConditions).flatMap(byStatus => Object.values(byStatus)),
]);
const ourNoExecute = new Set([notReadyTaint, unreachableTaint]);

export const conditionOf = (node: Node, type: string): NodeCondition | undefined =>
  node.status?.conditions?.find(condition => condition.type === type);

export const readyStatus = (node: Node): string => conditionOf(node, 'Ready')?.status ?? 'Unknown';

/** The NoExecute taint that the node should have once it is its turn, by its Ready condition. */
export const noExecuteTaintFor = (status: string): string | undefined => {
  if (status === 'True') return undefined;
  return status === 'False' ? notReadyTaint : unreachableTaint;
};

export const hasNoExecuteTaint = (node: Node): boolean =>
  (node.spec.taints ?? []).some(taint => taint.effect === 'NoExecute' && ourNoExecute.has(taint.key));

/** All taints of the node, where ours are as they should be and others untouched; undefined when nothing changes. */
export const taintsFor = (
  node: Node,
  conditions: readonly NodeCondition[],
  noExecute: string | undefined,
  nowMs: number,
): Taint[] | undefined => {
  const wanted = new Map<string, Taint>();
  const want = (key: string, effect: Taint['effect']) =>
    wanted.set(`${key}:${effect}`, { key, effect, timeAdded: toTime(nowMs) });
  for (const { type, status } of conditions) {
    const key = taintsOfConditions[type]?.[status];
    if (key) want(key, 'NoSchedule');
  }
  if (node.spec.unschedulable) want(unschedulableTaint, 'NoSchedule');
  if (noExecute) want(noExecute, 'NoExecute');
  const present = node.spec.taints ?? [];
  const isOurs = ({ key, effect }: Taint) =>
    (effect === 'NoSchedule' && ourNoSchedule.has(key)) || (effect === 'NoExecute' && ourNoExecute.has(key));
  const kept = present.filter(taint => !isOurs(taint) || wanted.has(`${taint.key}:${taint.effect}`));
  const has = new Set(kept.map(({ key, effect }) => `${key}:${effect}`));
  const added = [...wanted].filter(([id]) => !has.has(id)).map(([, taint]) => taint);
  return added.length === 0 && kept.length === present.length ? undefined : [...kept, ...added];
};

export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption';

/** Nodes of one zone fail together; without labels all nodes are one zone. */
export const zoneOf = ({ metadata: { labels = {} } }: Node): string =>
  `${labels['topology.kubernetes.io/region'] ?? ''}:${labels['topology.kubernetes.io/zone'] ?? ''}`;

/** Mirrors nodelifecycle ComputeZoneState with --unhealthy-zone-threshold 0.55. */
export const zoneState = (nodes: readonly Node[]): ZoneState => {
  const lost = nodes.filter(node => readyStatus(node) !== 'True').length;
  if (lost > 0 && lost === nodes.length) return 'FullDisruption';
  return lost > 2 && lost / nodes.length >= 0.55 ? 'PartialDisruption' : 'Normal';
};

const largeZone = 50;

/**
 * `now`: the node may get its NoExecute taint; a number: in so many milliseconds, because another node of its zone got
 * one just before; `hold`: not while its (small) zone is mostly lost; `revoke`: nobody is evicted, and taints given
 * already are taken back.
 */
export type EvictionTurn = 'now' | 'hold' | 'revoke' | number;

/**
 * Upstream's rate limits by zone. When every zone is lost it is the network or this server that failed, not the nodes,
 * so upstream evicts nobody then, and neither do we; that holds for a cluster of one node too.
 */
export const evictionTurn = (node: Node, all: readonly Node[], nowMs: number, timings: Timings): EvictionTurn => {
  const zones = Map.groupBy(all, zoneOf);
  if ([...zones.values()].every(nodes => zoneState(nodes) === 'FullDisruption')) return 'revoke';
  const zone = zones.get(zoneOf(node)) ?? [node];
  const partial = zoneState(zone) === 'PartialDisruption';
  if (partial && zone.length <= largeZone) return 'hold';
  const intervalMs = partial ? timings.slowEvictionIntervalMs : timings.evictionIntervalMs;
  const waitMs = Math.max(...zone.map(lastEvictionMs)) + intervalMs - nowMs;
  return waitMs <= 0 ? 'now' : waitMs;
};

const lastEvictionMs = (node: Node): number => {
  const ours = (node.spec.taints ?? []).filter(taint => taint.effect === 'NoExecute' && ourNoExecute.has(taint.key));
  return Math.max(Number.NEGATIVE_INFINITY, ...ours.map(taint => fromTime(taint.timeAdded ?? '') || 0));
};
