/**
 * Looking at part of the nodes only, as upstream does by default (SEMANTICS F.4): from a start that moves on with every
 * pod, in the order of node-order.ts, until enough nodes fit.
 */
import type { Columns } from './columns.ts';
import type { Engine } from './engine.ts';

/** How many nodes that fit are enough. */
export const nodesToFind = (nodes: number, percentage: number): number => {
  if (nodes < 100) return nodes;
  const share = percentage === 0 ? Math.max(50 - Math.trunc(nodes / 125), 5) : percentage;
  return share >= 100 ? nodes : Math.max(Math.trunc((nodes * share) / 100), 100);
};

/** Where to go on, for each cluster: all profiles share it, as upstream. */
const starts = new WeakMap<Columns, number>();

/** Moves the start on by the nodes that were looked at. */
export const moveOn = (columns: Columns, looked: number): void => {
  if (columns.count > 0) starts.set(columns, ((starts.get(columns) ?? 0) + looked) % columns.count);
};

/** Writes the first nodes that fit (`verdict` 0), as many as are enough, to `out`; how many. Moves the start on. */
export const sample = ({ columns, profile }: Engine, verdict: Uint8Array, out: Uint32Array): number => {
  const order = columns.order.list();
  // Without scores the first that fits is as good as any.
  const enough = profile.scores.length === 0 ? 1 : nodesToFind(order.length, profile.percentageOfNodesToScore);
  const start = starts.get(columns) ?? 0;
  let found = 0;
  let looked = 0;
  for (; looked < order.length && found < enough; looked++) {
    const slot = order[(start + looked) % order.length]!;
    if (verdict[slot] === 0) out[found++] = slot;
  }
  moveOn(columns, looked);
  return found;
};
