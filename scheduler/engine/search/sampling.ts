/**
 * Looking at part of the nodes only, as upstream does by default (SEMANTICS F.4): from a start that moves on with every
 * pod, in the order of node-order.ts, until enough nodes fit.
 */
import type { Engine } from '../engine.ts';
import type { NodeList } from '../runs.ts';

/** How many nodes that fit are enough. `percentage` 0: upstream's adaptive share (numFeasibleNodesToFind). */
export const nodesToFind = (nodes: number, percentage: number): number => {
  if (nodes < 100) return nodes;
  const share = percentage === 0 ? Math.max(50 - Math.trunc(nodes / 125), 5) : percentage;
  return share >= 100 ? nodes : Math.max(Math.trunc((nodes * share) / 100), 100);
};

/** The first nodes in upstream's order whose `verdict` (by row) is 0, as many as are enough. Moves the start on. */
export const sample = ({ columns, profile, workspace }: Engine, verdict: Uint8Array): NodeList => {
  const order = columns.order.list();
  // Without scores the first that fits is as good as any.
  const enough = profile.scores.length === 0 ? 1 : nodesToFind(order.length, profile.percentageOfNodesToScore);
  const { left: nodes } = workspace;
  let count = 0;
  let looked = 0;
  for (; looked < order.length && count < enough; looked++) {
    const slot = order[(columns.order.start + looked) % order.length]!;
    if (verdict[slot] === 0) nodes[count++] = slot;
  }
  columns.order.moveOn(looked, order.length);
  return { nodes, count };
};
