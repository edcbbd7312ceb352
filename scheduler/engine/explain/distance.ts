/**
 * How far a node is from taking a pod: 0 when it fits; a shortage counts as the share of the request that does not fit,
 * a full node as one half, too much skew as less than 1, all else that stands in the way as 1. Cheap enough for every node of a big cluster.
 */

import { leastOf, SpreadRun } from '../plugins/spread-filter.ts';
import { unschedulableTaint } from './apply-edits.ts';
import type { Judged } from './judged.ts';

export const distances = (judged: Judged): Float64Array => {
  const { columns, filters, allowed } = judged;
  const total = new Float64Array(columns.capacity);
  for (const { name, codes, active } of filters) {
    if (active.run instanceof SpreadRun) {
      addSkew(judged, active.run, codes, total);
      continue;
    }
    const isFit = name === 'NodeResourcesFit';
    const isTaint = name === 'TaintToleration';
    for (let i = 0; i < columns.count; i++) {
      const row = columns.live[i]!;
      if (codes[row] === 0 || (isTaint && isTheCordons(judged, row))) continue;
      total[row]! += isFit ? shortage(judged, row) : 1;
    }
  }
  if (allowed !== undefined)
    for (let i = 0; i < columns.count; i++) if (!allowed.has(columns.live[i]!)) total[columns.live[i]!]! += 1;
  return total;
};

/** The more a constraint is exceeded, the more it counts. */
const addSkew = ({ columns }: Judged, run: SpreadRun, codes: Uint8Array, total: Float64Array): void => {
  const limits = run.counts.map(count => count.stated.maxSkew + leastOf(count).least - (count.selfMatches ? 1 : 0));
  for (let i = 0; i < columns.count; i++) {
    const row = columns.live[i]!;
    if (codes[row] === 0) continue;
    let sum = 0;
    run.counts.forEach((count, at) => {
      const id = count.column.ids[row]!;
      const over = id < 0 ? Number.POSITIVE_INFINITY : count.domain.covering()[id]! - limits[at]!;
      if (over > 0) sum += over === Number.POSITIVE_INFINITY ? 1 : over / (over + 1);
    });
    total[row]! += sum === 0 ? 0.5 : sum;
  }
};

/** The node is cordoned, which counts by itself, and has no taint but the one that comes with that. */
const isTheCordons = ({ columns }: Judged, row: number): boolean =>
  columns.unschedulable[row] === 1 &&
  columns.taintLists[columns.taints[row]!]!.every(({ key }) => key === unschedulableTaint);

const shortage = ({ pod, columns, reserved }: Judged, row: number): number => {
  const { usage } = pod.shape;
  const isFull = columns.podCount[row]! + (reserved.get(row)?.length ?? 0) >= columns.podLimit[row]!;
  let sum = isFull ? 0.5 : 0;
  for (let r = 0; r < usage.columns.length; r++) {
    const column = usage.columns[r]!;
    const free = columns.allocatable[column]![row]! - columns.used[column]![row]!;
    const asked = usage.amounts[r]!;
    if (asked > free) sum += Math.min(1, (asked - free) / asked);
  }
  // Refused for pods that are nominated to it alone.
  return sum === 0 ? 0.5 : sum;
};

/** Rows from the nearest; equally near ones in order of arrival. */
export const byDistance = ({ columns }: Judged, distance: Float64Array): Uint32Array =>
  columns.live.slice(0, columns.count).sort((a, b) => distance[a]! - distance[b]! || a - b);
