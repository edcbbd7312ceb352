/** `--node`: everything about one node. */
import { shownAmount } from '#engine/explain/amounts.ts';
import type { NodeFigures } from '#engine/explain/node-figures.ts';
import { obstacleText } from '#engine/explain/obstacle.ts';
import type { Explanation } from '#engine/explain/why.ts';
import { type Cell, grid, sentence } from '../output/page.ts';
import type { Paint } from '../output/paint.ts';
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
  return [
    ...sentence(facts.join(', '), 2, 2),
    '',
    ...grid([['RESOURCE', 'ASKED', 'FREE', 'USED', 'NOMINATED', 'ALLOCATABLE', ''], ...amounts], paint),
    '',
    ...podLines(figures, paint),
    ...grid([['FILTER', '', ''], ...verdicts], paint),
    ...(score === undefined || parts === undefined
      ? []
      : [
          '',
          ...grid([['SCORE', 'raw → normalized × weight = points'], ...parts], paint),
          `  total ${score.total}, number ${score.rank} of ${now.feasible}`,
        ]),
  ];
};

/** The pods that take most of the node. */
const podLines = ({ largest, resources, pods }: NodeFigures, paint: Paint): readonly string[] => {
  if (largest.length === 0) return [];
  const head = ['POD', 'PRIORITY', ...resources.map(({ resource }) => resource.toUpperCase())];
  const rows = largest.map(({ pod, priority, amounts }) => [
    pod,
    String(priority),
    ...amounts.map((amount, i) => shownAmount(resources[i]!.resource, amount)),
  ]);
  const left = pods.used - largest.length;
  return [...grid([head, ...rows], paint), ...(left > 0 ? [`  … and ${left} more pods`] : []), ''];
};
