/** `--node`: everything about one node. */
import { shownAmount } from '#engine/explain/amounts.ts';
import type { NodeFigures } from '#engine/explain/node-figures.ts';
import { obstacleText } from '#engine/explain/obstacle.ts';
import type { Explanation } from '#engine/explain/why.ts';
import { type Cell, grid } from './paint.ts';
import { partText } from './scores-text.ts';
import type { TextOptions } from './words.ts';

export const figuresLines = (figures: NodeFigures, now: Explanation, { paint }: TextOptions): readonly string[] => {
  const { node, pods, resources, taints, cordoned, filters, nominated } = figures;
  const amounts = resources.map(({ resource, asked, free, used, reserved, allocatable }) => [
    resource,
    ...[asked, free, used, reserved, allocatable].map(amount => shownAmount(resource, amount)),
    asked > 0 && asked > free ? `short by ${shownAmount(resource, asked - free)}` : '',
  ]);
  const verdicts = filters.flatMap(({ name, obstacles }): readonly (readonly Cell[])[] =>
    obstacles.length === 0
      ? [[name, { text: 'ok', code: 'green' }, '']]
      : obstacles.map((obstacle, i) => [i === 0 ? name : '', { text: 'no', code: 'red' }, obstacleText(obstacle)]),
  );
  const score = now.scores?.rows.find(row => row.node === node);
  const parts = score?.parts.map((part, i): readonly string[] => {
    const { name, weight, skipped } = now.scores!.plugins[i]!;
    return [name, partText(part, { weight, skipped, all: true })];
  });
  const facts = [
    `node ${node}: ${pods.used} of ${pods.limit} pods`,
    ...(cordoned ? ['cordoned'] : []),
    ...taints.map(taint => `taint ${taint}`),
    ...(nominated.length === 0 ? [] : [`room kept for ${nominated.join(', ')}`]),
  ];
  const indent = (lines: readonly string[]): readonly string[] => lines.map(line => (line === '' ? '' : `  ${line}`));
  return [
    ...indent([facts.join(', '), '']),
    ...indent(grid([['RESOURCE', 'ASKED', 'FREE', 'USED', 'NOMINATED', 'ALLOCATABLE', ''], ...amounts], paint)),
    '',
    ...indent(grid([['FILTER', '', ''], ...verdicts], paint)),
    ...(score === undefined || parts === undefined
      ? []
      : [
          '',
          ...indent(grid([['SCORE', 'raw → normalized × weight = points'], ...parts], paint)),
          `  total ${score.total}, number ${score.rank} of ${now.feasible}`,
        ]),
  ];
};
