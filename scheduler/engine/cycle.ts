/** A scheduling cycle of the usual kind: one pod that may go to any node, and what is known before any node is looked at. */
import type { Engine } from './engine.ts';
import type { ActiveFilter, ActiveScore } from './runs.ts';
import type { TieRule } from './schedule.ts';
import type { Standing } from './search/standing.ts';
import type { PodView } from './shapes/shape.ts';

export interface Cycle {
  readonly pod: PodView;
  readonly engine: Engine;
  /** The standing results of the pod's shape, up to date. */
  readonly standing: Standing;
  /** The filters that must be asked for this pod and may refuse some node now. */
  readonly filters: readonly ActiveFilter[];
  /** The scores that must be asked for this pod and may tell nodes apart now. */
  readonly scores: readonly ActiveScore[];
  readonly tie: TieRule;
}

/** Brings what stands for the pod's shape up to date and asks each late plugin whether it has anything to say now. */
export const cycleOf = (pod: PodView, engine: Engine, tie: TieRule): Cycle => {
  const standing = engine.standingOf(pod.shape);
  const filters = speaking(standing.lateFilters);
  const scores = speaking(standing.lateScores);
  return { pod, engine, standing, filters, scores, tie };
};

/** Those that have something to say now. A loop, because this is done for every pod and mostly finds none. */
const speaking = <T extends ActiveFilter | ActiveScore>(all: readonly T[]): readonly T[] => {
  const found: T[] = [];
  for (const one of all) if (one.run.isSilent?.() !== true) found.push(one);
  return found;
};
