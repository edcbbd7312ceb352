/** Nodes and what keeps the pod off them: node by node in a small cluster, group by group in a large one. */
import type { VerdictGroup } from '#engine/explain/groups.ts';
import { obstacleText } from '#engine/explain/obstacle.ts';
import type { Explanation } from '#engine/explain/why.ts';
import { type Cell, grid } from './paint.ts';
import type { TextOptions } from './words.ts';

/** Clusters up to this size are shown node by node. */
export const fewNodes = 10;
/** Groups that are shown; the rest are counted. */
const mostGroups = 12;

export const verdictLines = (now: Explanation, options: TextOptions): readonly string[] => {
  if (now.nodes === now.feasible || now.groups.length === 0) return [];
  const rows = now.nodes <= fewNodes ? gridRows(now) : groupRows(now.groups);
  return rows.length === 0 ? [] : grid(rows, options.paint).map(line => `  ${line}`);
};

const ok: Cell = { text: 'ok', code: 'green' };
const no: Cell = { text: 'no', code: 'red' };

/** Only plugins that refuse some node get a column; a node with several obstacles gets as many lines. */
const gridRows = ({ filters, verdicts }: Explanation): readonly (readonly Cell[])[] => {
  const shown = filters.filter(name => verdicts.some(({ refusedBy }) => refusedBy.includes(name)));
  const blank = shown.map(() => '');
  const rows = verdicts.flatMap(({ node, fits, refusedBy, obstacles }): readonly (readonly Cell[])[] => {
    const cells = shown.map(name => (refusedBy.includes(name) ? no : ok));
    const texts = fits ? ['fits'] : obstacles.map(obstacleText);
    return texts.map((text, i) => (i === 0 ? [node, ...cells, text] : ['', ...blank, text]));
  });
  return [['NODE', ...shown, 'WHAT IS IN THE WAY'], ...rows];
};

const groupRows = (groups: readonly VerdictGroup[]): readonly (readonly Cell[])[] => {
  const shown = groups.slice(0, mostGroups);
  const rows = shown.flatMap(({ fits, nodes, nearest, obstacles }): readonly (readonly Cell[])[] => {
    const texts = fits ? ['fits'] : obstacles.map(obstacleText);
    return texts.map((text, i) => (i === 0 ? [String(nodes), nearest[0] ?? '', text] : ['', '', text]));
  });
  const left = groups.slice(mostGroups);
  const rest = left.reduce((sum, { nodes }) => sum + nodes, 0);
  const more = left.length === 0 ? [] : [[String(rest), '', `… ${left.length} more groups, further from fitting`]];
  return [['NODES', 'NEAREST', 'WHAT IS IN THE WAY THERE'], ...rows, ...more];
};
