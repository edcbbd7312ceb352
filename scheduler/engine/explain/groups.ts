/** Nodes that refuse a pod for the same reasons, taken together, the nearest to fitting first. */
import type { Node } from '#api/kinds/core.ts';
import { unschedulableTaint } from './apply-edits.ts';
import type { Judged, JudgedFilter } from './judged.ts';
import { unmatchedBy } from './labels-wanted.ts';
import { type Obstacle, requirementText, taintText } from './obstacle.ts';
import { obstaclesOn, untoleratedOn } from './obstacles.ts';

export interface VerdictGroup {
  readonly fits: boolean;
  /** How many nodes. */
  readonly nodes: number;
  /** Names of some of them, the nearest to fitting first. */
  readonly nearest: readonly string[];
  /** Of the nearest: see distance.ts. */
  readonly distance: number;
  /** What is the same for all of them, in a few words each. */
  readonly reasons: readonly string[];
  /** What keeps the pod off the nearest of them. */
  readonly obstacles: readonly Obstacle[];
}

/** Nodes named per group. */
const named = 3;

interface Draft {
  readonly reasons: readonly string[];
  readonly rows: number[];
}

/** `order`: the rows, the nearest first. */
export const groupsOf = (judged: Judged, order: Uint32Array, distance: Float64Array): readonly VerdictGroup[] => {
  const drafts = new Map<string, Draft>();
  const read = reasonReader(judged);
  for (const row of order) {
    const reasons = judged.refusals[row] === 0 ? [] : read(row);
    const key = reasons.join('\n');
    const draft = drafts.get(key);
    if (draft === undefined) drafts.set(key, { reasons, rows: [row] });
    else draft.rows.push(row);
  }
  return [...drafts.values()].map(({ reasons, rows }) => ({
    fits: reasons.length === 0,
    nodes: rows.length,
    nearest: rows.slice(0, named).map(row => judged.columns.names[row]!),
    distance: distance[rows[0]!]!,
    reasons,
    obstacles: reasons.length === 0 ? [] : obstaclesOn(judged, rows[0]!),
  }));
};

/** What stands in the way on a row, without numbers, so that like nodes say the same. */
const reasonReader = (judged: Judged): ((row: number) => readonly string[]) => {
  const taints = new Map<number, readonly string[]>();
  const untolerated = (row: number): readonly string[] => {
    const list = judged.columns.taints[row]!;
    let known = taints.get(list);
    if (known === undefined) {
      known = untoleratedOn(judged.pod, judged.columns.taintLists[list]!)
        .filter(({ key }) => key !== unschedulableTaint || judged.columns.unschedulable[row] === 0)
        .map(taint => `taint ${taintText(taint)}`);
      taints.set(list, known);
    }
    return known;
  };
  const reasonsOf = (filter: JudgedFilter, row: number): readonly string[] => {
    switch (filter.name) {
      case 'NodeUnschedulable':
        return ['cordoned'];
      case 'TaintToleration':
        return untolerated(row);
      case 'NodeAffinity':
        return unmatchedReasons(judged, row) ?? plain(filter, row);
      default:
        return filter.active.run.explain?.(row) ?? plain(filter, row);
    }
  };
  return row => [
    ...(judged.allowed === undefined || judged.allowed.has(row) ? [] : ['not among the nodes that the pod names']),
    ...judged.filters.flatMap(filter => (filter.codes[row] === 0 ? [] : reasonsOf(filter, row))),
  ];
};

const plain = ({ active, codes }: JudgedFilter, row: number): readonly string[] => [
  (active.plugin.reasons[codes[row]! - 1]?.text ?? active.plugin.name).replace(/^node\(s\) /, ''),
];

const unmatchedReasons = ({ pod, columns }: Judged, row: number): readonly string[] | undefined => {
  const parts = unmatchedBy(pod.pod, columns.nodes[row] as Node).flatMap(({ of, requirements }) =>
    requirements.map(requirement => `wants ${requirementText(requirement, of === 'nodeSelector')}`),
  );
  return parts.length === 0 ? undefined : parts;
};
