/** What the loss of each node would bring; of many nodes only of those that the pods do not survive. */
import type { Displaced, NodeLoss, Plan } from '#engine/plan.ts';
import { displacedLines, preemptionLines } from './displaced-text.ts';
import { type Lines, some, type TextOptions, table, titled } from './lines.ts';

/** Nodes whose loss is told pod by pod. */
const mostTold = 10;

export const lossLines = ({ nodeLoss: losses }: Plan, options: TextOptions): Lines => {
  if (losses === undefined) return [];
  const isMany = some(losses, options).rest.length > 0;
  const worst = isMany ? losses.filter(({ survives }) => !survives) : losses;
  const survived = losses.length - worst.length;
  if (worst.length === 0) return [`The loss of any one of ${survived} nodes is survived.`];
  const { shown, rest } = some(worst, options);
  const others = survived === 0 ? [] : [`The loss of any one of the ${survived} other nodes is survived.`];
  const details = some(worst, options, mostTold).shown.flatMap(loss => {
    const lines = detailsOf(loss, options);
    return lines.length === 0 ? [] : ['', ...titled(`Without ${loss.node}`, lines)];
  });
  const head = ['LOST NODE', 'SURVIVES', 'MOVED', 'PENDING', 'LOST', 'PREEMPTED'];
  return [...table([head, ...shown.map(rowOf)]), ...rest, ...others, ...details];
};

const rowOf = ({ node, survives, displaced, preemptions }: NodeLoss): readonly string[] => {
  const count = (has: (one: Displaced) => unknown): string => String(displaced.filter(has).length);
  const victims = preemptions.flatMap(preemption => preemption.victims).length;
  const cells = [count(one => one.to), count(one => one.pending), count(one => one.lost), String(victims)];
  return [node, survives ? 'yes' : 'no', ...cells];
};

const detailsOf = ({ displaced, preemptions }: NodeLoss, options: TextOptions): Lines => [
  ...displacedLines(
    displaced.filter(one => options.wide || one.to === undefined),
    options,
  ),
  ...preemptionLines(preemptions, options),
];
