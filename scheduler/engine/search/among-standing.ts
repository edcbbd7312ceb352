/** The quickest way to the best node: no plugin needs to be asked, the standing sums decide. */
import type { Cycle } from '../cycle.ts';
import { type Decision, scheduledOn } from '../decision.ts';

/** True when nothing but the standing sums tells nodes apart now. */
export const isRankedBySums = ({ standing, scores }: Cycle): boolean =>
  scores.length === 0 && standing.areRawScoresZero;

/** Among all rows that the standing filters let pass, of which there must be two or more. */
export const amongStanding = ({ pod, engine, standing, tie }: Cycle): Decision => {
  const best = standing.best();
  const slot = standing.bestRow(best, tie(pod, best.ties));
  const score = best.score + standing.constant;
  return scheduledOn(slot, pod, engine.columns.names, { feasible: standing.feasibleCount, score, ties: best.ties });
};
