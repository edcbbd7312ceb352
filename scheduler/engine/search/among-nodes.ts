/**
 * The plain way to the best node: every node that is left is asked about by every plugin that must be asked. Used where the
 * quick ways cannot be: pods nominated to nodes, a share of the nodes looked at, pods that name the few nodes they may go to.
 */

import type { Cycle } from '../cycle.ts';
import { type Decision, scheduledOn, unschedulable } from '../decision.ts';
import type { Engine } from '../engine.ts';
import { diagnose, judgeAll, judgeWithNominated } from '../judge.ts';
import { addNormalized, addScores, applyFilters, type NodeList, passing, type Runs } from '../runs.ts';
import type { TieRule } from '../schedule.ts';
import type { PodView } from '../shapes/shape.ts';
import { amongStanding, isRankedBySums } from './among-standing.ts';
import { sample } from './sampling.ts';

/** Among all nodes that the standing filters let pass. */
export const amongNodes = (cycle: Cycle): Decision => {
  const { pod, engine, standing, tie } = cycle;
  const feasible = feasibleNodes(cycle);
  // Nothing was left out, so what is known of all of them holds.
  if (feasible.count > 1 && feasible.count === standing.feasibleCount && isRankedBySums(cycle))
    return amongStanding(cycle);
  if (feasible.count > 1) scoreNodes(cycle, feasible);
  return pickFrom(feasible, pod, engine, tie);
};

/** Among a few rows, with nothing that stands: for pods that name their nodes. */
export const amongFew = (pod: PodView, engine: Engine, rows: readonly number[], tie: TieRule): Decision => {
  const { columns, workspace } = engine;
  const runs = engine.runsOf(pod.shape);
  const nodes = Uint32Array.from(rows).sort();
  columns.order.moveOn(nodes.length, columns.count);
  for (const row of nodes) workspace.verdict[row] = 0;
  const passed = applyFilters(runs.filters, nodes, nodes.length, workspace.verdict);
  const feasible = { nodes, count: withoutReserved(pod, engine, runs, { nodes, count: passed }) };
  if (feasible.count > 1) {
    for (const row of nodes) workspace.totals[row] = 0;
    addScores(runs.scores, feasible, workspace);
  }
  return pickFrom(feasible, pod, engine, tie);
};

const feasibleNodes = ({ pod, engine, standing, filters }: Cycle): NodeList => {
  const { columns, profile, workspace } = engine;
  const { left: nodes, verdict } = workspace;
  if (standing.feasibleCount === 0) return { nodes, count: 0 };
  verdict.set(standing.verdict);
  const standingCount = passing(columns.live, columns.count, verdict, nodes);
  const passed = applyFilters(filters, nodes, standingCount, verdict);
  const count = withoutReserved(pod, engine, standing.runs, { nodes, count: passed });
  return profile.percentageOfNodesToScore === 100 ? { nodes, count } : sample(engine, verdict);
};

/** Any verdict but 0: nobody is told the reason here. */
const reserved = 1;

/** Refuses nodes whose room pods nominated there need, and takes them off the list; returns how many are left. */
const withoutReserved = (pod: PodView, engine: Engine, runs: Runs, { nodes, count }: NodeList): number => {
  const { columns, workspace } = engine;
  if (columns.nominations.size === 0) return count;
  for (const name of columns.nominations.nodeNames()) {
    const slot = columns.slotOf(name);
    if (slot >= 0 && judgeWithNominated(pod, slot, runs, engine) !== undefined) workspace.verdict[slot] = reserved;
  }
  return passing(nodes, count, workspace.verdict, nodes);
};

/** Writes total scores to `workspace.totals`. */
const scoreNodes = ({ engine, standing, scores }: Cycle, list: NodeList): void => {
  const { workspace } = engine;
  const { totals, raw } = workspace;
  const { nodes, count } = list;
  const { sums, constant } = standing;
  for (let i = 0; i < count; i++) totals[nodes[i]!] = sums[nodes[i]!]! + constant;
  for (const { score, values } of standing.rawScores) {
    if (values === undefined) continue;
    for (let i = 0; i < count; i++) raw[nodes[i]!] = values[nodes[i]!]!;
    addNormalized(score, list, workspace);
  }
  addScores(scores, list, workspace);
};

/** The tie rule's choice among the feasible nodes with the highest total; one that is alone needs no scores. */
const pickFrom = ({ nodes, count }: NodeList, pod: PodView, engine: Engine, tie: TieRule): Decision => {
  const { names } = engine.columns;
  if (count === 0) return unschedulable(pod, diagnose(pod, engine, judgeAll(pod, engine)));
  if (count === 1) return scheduledOn(nodes[0]!, pod, names, { feasible: 1, shortcut: 'singleFeasible' });
  const { totals } = engine.workspace;
  let score = Number.NEGATIVE_INFINITY;
  let ties = 0;
  for (let i = 0; i < count; i++) {
    const total = totals[nodes[i]!]!;
    if (total < score) continue;
    ties = total > score ? 1 : ties + 1;
    score = total;
  }
  let left = tie(pod, ties);
  for (let i = 0; i < count; i++)
    if (totals[nodes[i]!] === score && left-- === 0)
      return scheduledOn(nodes[i]!, pod, names, { feasible: count, score, ties });
  throw new RangeError('the tie rule gave an index out of range');
};
