/** Pods that have to go, and what becomes of them. */
import type { Displaced, PlannedPreemption } from '#engine/plan.ts';
import { counted, type Lines, some, type TextOptions, waitingLines, within } from './lines.ts';

/** Those that find a node or are lost, then those that wait, by what they wait for. */
export const displacedLines = (all: readonly Displaced[], options: TextOptions): Lines => {
  const settled = some(
    all.filter(({ pending }) => pending === undefined),
    options,
  );
  const waiting = all.flatMap(one =>
    one.pending === undefined ? [] : [{ head: `${headOf(one)}: pending`, message: one.pending }],
  );
  return [
    ...settled.shown.flatMap(one =>
      within(`${headOf(one)}: ${one.to === undefined ? 'lost, nothing makes it again' : `moves to ${one.to}`}`),
    ),
    ...settled.rest,
    ...waitingLines(waiting, options),
  ];
};

const headOf = ({ pod, owner, priority }: Displaced): string =>
  `${pod} (${owner === undefined ? '' : `${owner}, `}priority ${priority})`;

export const preemptionLines = (all: readonly PlannedPreemption[], options: TextOptions): Lines => {
  const { shown, rest } = some(all, options);
  const lines = shown.flatMap(({ by, node, victims, pdbViolations }) => [
    `on ${node}, for ${by}${pdbViolations === 0 ? '' : ` (against ${counted(pdbViolations, 'disruption budget')})`}:`,
    ...displacedLines(victims, options).map(line => `  ${line}`),
  ]);
  return [...lines, ...rest];
};
