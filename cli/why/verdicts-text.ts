/** Nodes and what keeps the pod off them: node by node in a small cluster, group by group in a large one. */
import type { VerdictGroup } from '#engine/explain/groups.ts';
import { type Obstacle, obstacleText } from '#engine/explain/obstacle.ts';
import type { Explanation, NodeVerdict } from '#engine/explain/why.ts';
import { type Cell, grid } from '../output/page.ts';
import type { TextOptions } from './words.ts';

/** Clusters up to this size are shown node by node. */
export const fewNodes = 10;
/** Groups that are shown; the rest are counted. */
const mostGroups = 12;

export const verdictLines = (now: Explanation, { paint }: TextOptions): readonly string[] => {
  if (now.groups.length === 0) return [];
  if (now.nodes === now.feasible)
    return [now.nodes === 1 ? '  it fits on the only node' : `  it fits on all ${now.nodes} nodes`];
  return grid(now.nodes <= fewNodes ? nodeRows(now.verdicts) : groupRows(now.groups), paint);
};

type Row = readonly Cell[];

const nodeRows = (verdicts: readonly NodeVerdict[]): readonly Row[] => [
  ['NODE', 'REFUSED BY', 'WHAT IS IN THE WAY'],
  ...verdicts.flatMap(({ node, fits, obstacles }) => rowsOf([node], fits, obstacles)),
];

const groupRows = (groups: readonly VerdictGroup[]): readonly Row[] => {
  const shown = groups.slice(0, mostGroups);
  const left = groups.slice(mostGroups);
  const rest = left.reduce((sum, { nodes }) => sum + nodes, 0);
  return [
    ['NODES', 'NEAREST', 'REFUSED BY', 'WHAT IS IN THE WAY THERE'],
    ...shown.flatMap(({ fits, nodes, nearest, obstacles }) =>
      rowsOf([String(nodes), nearest[0] ?? ''], fits, obstacles),
    ),
    ...(left.length === 0 ? [] : [[String(rest), '', '', `… ${left.length} more groups, further from fitting`]]),
  ];
};

/** A line per obstacle; a plugin is named once for all of its own. */
const rowsOf = (head: readonly string[], fits: boolean, obstacles: readonly Obstacle[]): readonly Row[] => {
  if (fits) return [[...head, '', { text: 'fits', code: 'green' }]];
  const blank = head.map(() => '');
  return obstacles.map((obstacle, i): Row => {
    const { plugin } = obstacle;
    const named: Cell = obstacles[i - 1]?.plugin === plugin ? '' : { text: plugin, code: 'red' };
    return [...(i === 0 ? head : blank), named, obstacleText(obstacle)];
  });
};
