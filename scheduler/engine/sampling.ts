/**
 * Looking at part of the nodes only, as upstream does by default (SEMANTICS F.4): from a start that moves on with every
 * pod, in the order of node-order.ts, until enough nodes fit.
 */
import type { Engine } from './engine.ts';

/** How many nodes that fit are enough. */
export const nodesToFind = (nodes: number, percentage: number): number => {
  if (nodes < 100) return nodes;
  const share = percentage === 0 ? Math.max(50 - Math.trunc(nodes / 125), 5) : percentage;
  return share >= 100 ? nodes : Math.max(Math.trunc((nodes * share) / 100), 100);
};

/** Writes the first nodes that fit (`verdict` 0), as many as are enough, to `out`; how many. Moves the start on. */
export const sample = (engine: Engine, verdict: Uint8Array, out: Uint32Array): number => {
  const order = engine.columns.order.list();
  const enough = nodesToFind(order.length, engine.profile.percentageOfNodesToScore);
  let found = 0;
  let looked = 0;
  for (; looked < order.length && found < enough; looked++) {
    const slot = order[(engine.nextStart + looked) % order.length]!;
    if (verdict[slot] === 0) out[found++] = slot;
  }
  engine.nextStart = (engine.nextStart + looked) % order.length;
  return found;
};
