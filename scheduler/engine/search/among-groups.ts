/**
 * The quick way to the best node where plugins must be asked: nodes that all those plugins see as alike are one group, and one
 * node of each group, its head, is asked about. Within a group the standing sums decide. Gives what among-nodes.ts would.
 */
import type { Cycle } from '../cycle.ts';
import { type Decision, scheduledOn, unschedulable } from '../decision.ts';
import { diagnose, judgeAll } from '../judge.ts';
import type { Trait } from '../plugin.ts';
import { addNormalized, addScores, applyFilters, type NodeList } from '../runs.ts';
import type { NodeGroups } from './node-groups.ts';

/** For a pod that nobody is nominated before. Undefined when the nodes cannot be grouped, or not into few groups. */
export const amongGroups = (cycle: Cycle): Decision | undefined => {
  const { pod, engine, standing, tie } = cycle;
  const { columns, workspace } = engine;
  const traits = traitsOf(cycle);
  const groups = traits === undefined ? undefined : standing.grouped(traits);
  if (groups === undefined) return undefined;
  const heads = feasibleHeads(cycle, groups);
  let feasible = 0;
  for (let i = 0; i < heads.count; i++) feasible += workspace.population[heads.nodes[i]!]!;
  if (feasible === 0) return unschedulable(pod, diagnose(pod, engine, judgeAll(pod, engine)));
  if (feasible === 1) return scheduledOn(heads.nodes[0]!, pod, columns.names, { feasible, shortcut: 'singleFeasible' });
  scoreHeads(cycle, heads);
  const { score, ties, sumOf } = bestOf(groups, heads, workspace.totals);
  const slot = groups.pick(columns.live, columns.count, group => sumOf.get(group) ?? -1, tie(pod, ties));
  return scheduledOn(slot, pod, columns.names, { feasible, score, ties });
};

/** What tells the nodes apart for the plugins that must still be asked; undefined when one of them cannot say. */
const traitsOf = ({ standing, filters, scores }: Cycle): readonly Trait[] | undefined => {
  const traits: Trait[] = [];
  for (const { run } of [...filters, ...scores]) {
    if (run.traits === undefined) return undefined;
    traits.push(...run.traits());
  }
  for (const { values } of standing.rawScores)
    if (values !== undefined) traits.push({ source: values, kind: 'raw', at: row => values[row]! });
  return traits;
};

/** The heads that the filters let pass, and in `workspace.population` how many nodes each stands for. */
const feasibleHeads = ({ engine, filters }: Cycle, groups: NodeGroups): NodeList => {
  const { left: nodes, population, verdict } = engine.workspace;
  const count = groups.representatives(nodes, population);
  for (let i = 0; i < count; i++) verdict[nodes[i]!] = 0;
  return { nodes, count: applyFilters(filters, nodes, count, verdict) };
};

/** Writes to `workspace.totals` what a head's nodes get beside their sums. */
const scoreHeads = ({ engine, standing, scores }: Cycle, heads: NodeList): void => {
  const { workspace } = engine;
  const { totals, raw, population } = workspace;
  const { nodes, count } = heads;
  const { constant } = standing;
  for (let i = 0; i < count; i++) totals[nodes[i]!] = constant;
  for (const { score, values } of standing.rawScores) {
    if (values === undefined) continue;
    for (let i = 0; i < count; i++) raw[nodes[i]!] = values[nodes[i]!]!;
    addNormalized(score, heads, workspace);
  }
  addScores(scores, heads, workspace, population);
};

/** The highest total score, how many nodes have it, and which sum those have, by their group. */
const bestOf = (
  groups: NodeGroups,
  { nodes, count }: NodeList,
  totals: Int32Array,
): { readonly score: number; readonly ties: number; readonly sumOf: ReadonlyMap<object, number> } => {
  let score = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) score = Math.max(score, totals[nodes[i]!]! + groups.groupOf(nodes[i]!).best);
  let ties = 0;
  const sumOf = new Map<object, number>();
  for (let i = 0; i < count; i++) {
    const group = groups.groupOf(nodes[i]!);
    if (totals[nodes[i]!]! + group.best !== score) continue;
    ties += group.sums.get(group.best)!;
    sumOf.set(group, group.best);
  }
  return { score, ties, sumOf };
};
