/** The scores of the nodes that fit: weighted in the table; with `--scores` also raw and normalized. */
import type { ScorePart, ScoreTable } from '#engine/explain/scores.ts';
import type { Explanation } from '#engine/explain/why.ts';
import { type Cell, figureBlocks } from '../output/page.ts';
import type { WhyReport } from './report.ts';
import type { TextOptions } from './words.ts';

/** Blocks of nodes below each other; where all are equally good one says it all. */
const blocksOf = ({ rows, best }: ScoreTable): number => (rows.every(({ total }) => total === best) ? 1 : 3);

/** A row per plugin, a column per node, the best first; `→` is at the node that the pod is on, or would get. */
export const scoreLines = (now: Explanation, report: WhyReport, options: TextOptions): readonly string[] => {
  const { scores } = now;
  const { paint, allScores } = options;
  if (scores === undefined || (scores.scored < 2 && !allScores)) return [];
  const marked = report.state === 'scheduled' ? report.node : now.chosen?.node;
  const plugins = scores.plugins.flatMap((plugin, i) => (plugin.skipped && !allScores ? [] : [{ ...plugin, i }]));
  const names = plugins.map(({ name, weight }) => (weight === 1 || allScores ? name : `${name} ×${weight}`));
  const items = scores.rows.map(({ node, total, parts }): readonly Cell[] => [
    node === marked ? { text: `→ ${node}`, code: 'green' } : node,
    ...plugins.map(({ i, weight, skipped }) => partText(parts[i]!, { weight, skipped, all: allScores })),
    { text: String(total), code: 'bold' },
  ]);
  const blocks = (order: readonly (readonly Cell[])[]) =>
    figureBlocks(['', ...names, 'total'], order, { paint, mostBlocks: blocksOf(scores) });
  const at = scores.rows.findIndex(({ node }) => node === marked);
  const first = blocks(items);
  // The node that it is about is shown whatever its place.
  const { lines, shown } = at < first.shown ? first : blocks([items[at]!, ...items.filter((_, i) => i !== at)]);
  const left = scores.scored - shown;
  return [
    '',
    `scores${allScores ? ' (raw → normalized × weight = points)' : ''}${tieText(scores)}:`,
    ...lines,
    ...(left > 0 ? [`  … and ${left} more nodes`] : []),
  ];
};

const tieText = ({ ties, best }: ScoreTable): string =>
  ties < 2 ? '' : `, ${ties} nodes tie at ${best} and any of them may be taken`;

export const partText = (
  { raw, normalized, weighted }: ScorePart,
  { weight, skipped, all }: { weight: number; skipped: boolean; all: boolean },
): string => {
  if (skipped) return 'skipped';
  return all ? `${raw} → ${normalized} × ${weight} = ${weighted}` : String(weighted);
};
