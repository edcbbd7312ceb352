/** The scores of the nodes that fit: weighted in the table; with `--scores` also raw and normalized. */
import type { ScorePart } from '#engine/explain/scores.ts';
import type { Explanation } from '#engine/explain/why.ts';
import { type Cell, grid } from './paint.ts';
import type { WhyReport } from './report.ts';
import type { TextOptions } from './words.ts';

export const scoreLines = (now: Explanation, report: WhyReport, options: TextOptions): readonly string[] => {
  const { scores } = now;
  if (scores === undefined || (scores.scored < 2 && !options.allScores)) return [];
  const marked = report.state === 'scheduled' ? report.node : now.chosen?.node;
  const shown = scores.plugins.flatMap((plugin, i) => (plugin.skipped && !options.allScores ? [] : [{ ...plugin, i }]));
  const head = shown.map(({ name, weight }) => (weight === 1 ? name : `${name} ×${weight}`));
  const isMarked = scores.rows.some(({ node }) => node === marked);
  const mark = (cell: Cell): readonly Cell[] => (isMarked ? [cell] : []);
  const rows = scores.rows.map(({ node, total, parts }): readonly Cell[] => [
    ...mark(node === marked ? { text: '→', code: 'green' } : ''),
    node,
    String(total),
    ...shown.map(({ i, weight, skipped }) => partText(parts[i]!, { weight, skipped, all: options.allScores })),
  ]);
  const left = scores.scored - scores.rows.length;
  return [
    '',
    `scores${options.allScores ? ' (raw → normalized × weight = points)' : ''}${tieText(now)}:`,
    ...grid([[...mark(''), 'NODE', 'TOTAL', ...head], ...rows], options.paint).map(line => `  ${line}`),
    ...(left > 0 ? [`  … and ${left} more nodes`] : []),
  ];
};

const tieText = ({ scores }: Explanation): string => {
  if (scores === undefined || scores.ties < 2) return '';
  return `, ${scores.ties} nodes tie at ${scores.best} and any of them may be taken`;
};

export const partText = (
  { raw, normalized, weighted }: ScorePart,
  { weight, skipped, all }: { weight: number; skipped: boolean; all: boolean },
): string => {
  if (skipped) return 'skipped';
  return all ? `${raw} → ${normalized} × ${weight} = ${weighted}` : String(weighted);
};
