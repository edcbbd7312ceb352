/** `--history`: the scheduler's decisions about the pod, oldest first. */
import { humanDuration } from '#api/duration.ts';
import { fromTime } from '#base/clock.ts';
import type { DecisionRecord } from '#engine/decision.ts';
import { grid } from '../output/page.ts';
import { milliseconds, type TextOptions } from './words.ts';

export const historyLines = (
  history: readonly DecisionRecord[],
  { nowMs, paint }: Pick<TextOptions, 'nowMs' | 'paint'>,
): readonly string[] => {
  if (history.length === 0) return ['', 'history: the scheduler remembers no decision about it'];
  const rows = history.map(record => [
    `${humanDuration(Math.max(0, nowMs - fromTime(record.time)))} ago`,
    String(record.attempt),
    String(record.revision),
    milliseconds(record.durationMs),
    resultText(record),
  ]);
  const head = ['WHEN', 'ATTEMPT', 'REVISION', 'TOOK', 'RESULT'];
  return ['', 'history:', ...grid([head, ...rows], paint)];
};

/** `n1, of 3 that it fitted on, 520 points, one of 2 equally good` */
export const placedText = ({ node = '', feasible = 0, score, ties = 1 }: DecisionRecord): string => {
  const among = feasible === 1 ? 'the only one that it fitted on' : `of ${feasible} that it fitted on`;
  const points = score === undefined ? '' : `, ${score} points`;
  return `${node}, ${among}${points}${ties > 1 ? `, one of ${ties} equally good` : ''}`;
};

const resultText = (record: DecisionRecord): string => {
  const { outcome, message = '' } = record;
  switch (outcome) {
    case 'scheduled':
      return `→ ${placedText(record)}`;
    case 'gated':
      return `gated: ${message}`;
    case 'error':
      return `failed: ${message}`;
    case 'unschedulable': {
      const reasons = Object.entries(record.reasons ?? {}).map(([reason, count]) => `${count} ${reason}`);
      return `fits nowhere: ${reasons.length > 0 ? reasons.join(', ') : message}${promisedText(record)}`;
    }
  }
};

const promisedText = ({ nominatedNode, victims = [] }: DecisionRecord): string =>
  nominatedNode
    ? `; node ${nominatedNode} promised, ${victims.length} ${victims.length === 1 ? 'pod' : 'pods'} asked to leave`
    : '';
