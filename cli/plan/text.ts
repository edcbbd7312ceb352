/**
 * A plan as people read it: what goes where, what does not, who has to make room, and how full the nodes get. On a page
 * of bounded width and length, whatever the size of the plan; with `-o wide` all of it.
 */
import type { PendingPod, Placement, Plan } from '#engine/plan.ts';
import { sentence } from '../output/page.ts';
import { displacedLines, preemptionLines } from './displaced-text.ts';
import { type Lines, some, type TextOptions, table, titled, waitingLines, within } from './lines.ts';
import { lossLines } from './loss-text.ts';
import { summary } from './summary.ts';
import { usageLines } from './usage-text.ts';

export const planText = (plan: Plan, options: TextOptions): string => {
  const pending = plan.pending.map(one => ({ head: `${one.pod}: ${changeText(one)}`, message: one.message }));
  const sections: readonly Lines[] = [
    placementLines(plan, options),
    titled('Pending', waitingLines(pending, options)),
    titled('Preempted', preemptionLines(plan.preemptions, options)),
    titled('Removed', removedLines(plan, options)),
    objectLines(plan, options),
    drainLines(plan, options),
    lossLines(plan, options),
    usageLines(plan, options),
    plan.notes.flatMap(note => sentence(`Note: ${note}`, 0, 2)),
    sentence(summary(plan), 0, 2),
  ];
  return sections
    .filter(lines => lines.length > 0)
    .map(lines => lines.map(line => `${line}\n`).join(''))
    .join('\n');
};

const placementLines = ({ placements }: Plan, options: TextOptions): Lines => {
  if (placements.length === 0) return [];
  const { wide } = options;
  const head = ['POD', 'NODE', 'SCORE', ...(wide ? ['PRIORITY', 'FITS', 'TIES'] : []), 'CHANGE'];
  const text = (value: number | undefined): string => (value === undefined ? '-' : String(value));
  const { shown, rest } = some(placements, options);
  const rows = shown.map(one => [
    one.pod,
    one.node,
    text(one.score),
    ...(wide ? [String(one.priority), text(one.feasible), text(one.ties)] : []),
    changeText(one),
  ]);
  return [...table([head, ...rows]), ...rest];
};

const changeText = ({ change, owner, from, ...rest }: Placement | PendingPod): string => {
  const words = { new: 'new', replaced: 'replaced', moved: `moved from ${from}`, waiting: 'was pending' }[change];
  const more = [...(owner === undefined ? [] : [owner]), ...('fixed' in rest ? ['node named by the manifest'] : [])];
  return more.length === 0 ? words : `${words} (${more.join(', ')})`;
};

const removedLines = ({ removed }: Plan, options: TextOptions): Lines => {
  const { shown, rest } = some(removed, options);
  const texts = shown.map(({ pod, node, why }) => `${pod}${node === undefined ? '' : ` on ${node}`}: ${why}`);
  return [...texts.flatMap(text => within(text)), ...rest];
};

/** Objects that are no pods, and pods that stay as they are; with -o wide all. */
const objectLines = ({ objects }: Plan, options: TextOptions): Lines => {
  const told = objects.filter(one => options.wide || one.kind !== 'Pod' || one.change !== 'created');
  if (told.length === 0) return [];
  const nameOf = (one: (typeof told)[number]): string =>
    `${one.kind}/${one.namespace === undefined ? '' : `${one.namespace}/`}${one.name}`;
  const { shown, rest } = some(told, options);
  const rows = shown.map(one => [nameOf(one), one.change + (one.note ? ` (${one.note})` : '')]);
  return [...table([['OBJECT', 'CHANGE'], ...rows]), ...rest];
};

const drainLines = ({ drain }: Plan, options: TextOptions): Lines => {
  if (drain === undefined) return [];
  const { node, evicted, blocked, staying, preemptions } = drain;
  const stuck = blocked.map(({ pod, message }) => ({ head: `${pod}: blocked`, message }));
  const stays = some(staying, options);
  const lines = [
    ...displacedLines(evicted, options),
    ...waitingLines(stuck, options),
    ...stays.shown.map(pod => `${pod}: stays, it belongs to the node`),
    ...stays.rest,
    ...(preemptions.length === 0
      ? []
      : ['preempted:', ...preemptionLines(preemptions, options).map(line => `  ${line}`)]),
  ];
  return titled(`Drain of ${node}`, lines.length === 0 ? ['no pods on it'] : lines);
};
