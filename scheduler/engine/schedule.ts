/**
 * Decides where a pod goes, as kube-scheduler v1.35 does (SEMANTICS F): pre-filter, filter, score, pick. A decision
 * depends on nothing but the columns, the profile and the tie rule; what is kept between calls only saves work. Placing
 * the pod is the caller's business, and so is what follows when no node fits (preempt.ts).
 */
import type { Columns } from './columns.ts';
import type { Decision, Failure } from './decision.ts';
import { Engine } from './engine.ts';
import { noNodesError, preFilterError } from './fit-error.ts';
import { diagnose, judgeAll, judgeWithNominated, restrictionOf } from './judge.ts';
import type { Trait } from './plugin.ts';
import { noNode, type Profile } from './profile.ts';
import { type ActiveFilter, type ActiveScore, applyFilters, normalize, type Runs } from './runs.ts';
import { moveOn, sample } from './sampling.ts';
import type { PodView } from './shape.ts';
import type { Standing } from './standing.ts';

/** Which of the best nodes: an index below `ties`, counted in the order in which the nodes came. */
export type TieRule = (pod: PodView, ties: number) => number;

/** The node known longest. */
export const firstOfTies: TieRule = () => 0;

/** Any of them, but always the same for one pod and seed: as good as upstream's random choice, and repeatable. */
export const hashOfTies =
  (seed: number): TieRule =>
  (pod, ties) => {
    if (ties === 1) return 0;
    let hash = seed ^ 0x811c9dc5;
    for (let i = 0; i < pod.uid.length; i++) hash = Math.imul(hash ^ pod.uid.charCodeAt(i), 0x01000193);
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0x2c1b3c6d);
    hash ^= hash >>> 13;
    return (hash >>> 0) % ties;
  };

export const schedule = (pod: PodView, columns: Columns, profile: Profile, tie: TieRule = firstOfTies): Decision => {
  if (pod.gates.length > 0) return gated(pod);
  if (columns.count === 0) return failed(pod, { plugins: [], message: noNodesError });
  const restriction = restrictionOf(pod, columns, profile);
  if (restriction !== undefined && 'rejection' in restriction) {
    const { plugin, reasons } = restriction.rejection;
    const message = preFilterError(columns.count, reasons.join(', '));
    return failed(pod, { preFilter: restriction.rejection, plugins: [plugin], message });
  }
  const engine = Engine.of(columns, profile);
  if (pod.nominatedNodeName !== '') {
    const decision = tryNominated(pod, engine, restriction?.rows);
    if (decision !== undefined) return decision;
  }
  return restriction === undefined ? amongAll(pod, engine, tie) : amongFew(pod, engine, restriction.rows, tie);
};

const gated = (pod: PodView): Decision => ({
  pod,
  outcome: 'gated',
  feasible: 0,
  failure: {
    preEnqueue: {
      plugin: 'SchedulingGates',
      code: 'UnschedulableAndUnresolvable',
      reasons: [`waiting for scheduling gates: [${pod.gates.join(' ')}]`],
    },
    plugins: ['SchedulingGates'],
    message: '',
  },
});

const failed = (pod: PodView, failure: Failure): Decision => ({ pod, outcome: 'unschedulable', feasible: 0, failure });

/** Tries the node that was nominated to the pod alone, as upstream does first. */
const tryNominated = (pod: PodView, engine: Engine, rows: readonly number[] | undefined): Decision | undefined => {
  const { columns } = engine;
  const slot = columns.slotOf(pod.nominatedNodeName);
  if (slot < 0 || (rows !== undefined && !rows.includes(slot))) return undefined;
  const runs = engine.runsOf(pod.shape);
  const { verdict } = engine.workspace;
  verdict[slot] = 0;
  if (applyFilters(runs.filters, Uint32Array.of(slot), 1, verdict) === 0) return undefined;
  if (judgeWithNominated(pod, slot, runs, engine) !== undefined) return undefined;
  const node = { slot, name: columns.names[slot]! };
  return { pod, outcome: 'scheduled', node, feasible: 1, shortcut: 'nominatedNode' };
};

/** The usual way: all nodes, through the standing results of the pod's shape. */
const amongAll = (pod: PodView, engine: Engine, tie: TieRule): Decision => {
  const standing = engine.standingOf(pod.shape);
  const { columns, profile, workspace } = engine;
  const active = standing.lateFilters.filter(({ run }) => run.isSilent?.() !== true);
  const looksAtAll = profile.percentageOfNodesToScore === 100;
  if (
    active.length === 0 &&
    columns.nominations.size === 0 &&
    looksAtAll &&
    standing.feasibleCount > 1 &&
    canPickFromBlocks(standing)
  )
    return pickStanding(pod, engine, standing, tie);
  if (columns.nominations.size === 0 && looksAtAll && standing.feasibleCount > 1) {
    const decision = amongGroups(pod, engine, standing, active, tie);
    if (decision !== undefined) return decision;
  }
  let count = standing.feasibleCount;
  let nodes = standing.feasible();
  if (count > 0 && active.length > 0) {
    workspace.verdict.set(standing.verdict);
    const { left } = workspace;
    left.set(nodes.subarray(0, count));
    count = applyFilters(active, left, count, workspace.verdict);
    nodes = left;
  }
  if (columns.nominations.size > 0) {
    const kept = withoutReserved(pod, engine, standing.runs, nodes, count);
    if (kept < count) nodes = workspace.left;
    count = kept;
  }
  if (!looksAtAll && count > 0) {
    count = sample(engine, verdictsFrom(nodes, count, workspace.verdict), workspace.left);
    nodes = workspace.left;
  }
  if (count === 0) return failed(pod, diagnose(pod, engine, judgeAll(pod, engine)));
  if (count === 1) return taken(pod, engine, nodes[0]!, { feasible: 1, shortcut: 'singleFeasible' });
  return count === standing.feasibleCount && canPickFromBlocks(standing)
    ? pickStanding(pod, engine, standing, tie)
    : pickAmong(pod, engine, standing, { nodes, count }, tie);
};

/** Scores that were computed for the node objects and are to be normalized. */
const rawScores = (standing: Standing) => standing.node.raws.filter(({ values }) => values !== undefined);

/** What tells the nodes apart for the plugins that must still be asked; undefined when one of them cannot say. */
const traitsOf = (standing: Standing, filters: readonly ActiveFilter[], scores: readonly ActiveScore[]) => {
  const traits: Trait[] = [];
  for (const { run } of [...filters, ...scores]) {
    if (run.traits === undefined) return undefined;
    traits.push(...run.traits());
  }
  for (const { values } of rawScores(standing))
    if (values !== undefined) traits.push({ source: values, kind: 'raw', at: row => values[row]! });
  return traits;
};

/** As pickAmong over all nodes, but asking about one node of each group; undefined when there are too many groups. */
const amongGroups = (
  pod: PodView,
  engine: Engine,
  standing: Standing,
  filters: readonly ActiveFilter[],
  tie: TieRule,
): Decision | undefined => {
  const scores = standing.lateScores.filter(({ run }) => run.isSilent?.() !== true);
  const traits = traitsOf(standing, filters, scores);
  const groups = traits === undefined ? undefined : standing.grouped(traits);
  if (groups === undefined) return undefined;
  const { workspace, columns } = engine;
  const { population, verdict, totals, raw } = workspace;
  const nodes = workspace.left;
  let count = groups.representatives(nodes, population);
  for (let i = 0; i < count; i++) verdict[nodes[i]!] = 0;
  count = applyFilters(filters, nodes, count, verdict);
  let feasible = 0;
  for (let i = 0; i < count; i++) feasible += population[nodes[i]!]!;
  if (feasible === 0) return failed(pod, diagnose(pod, engine, judgeAll(pod, engine)));
  if (feasible === 1) return taken(pod, engine, nodes[0]!, { feasible: 1, shortcut: 'singleFeasible' });
  for (let i = 0; i < count; i++) totals[nodes[i]!] = constantOf(standing);
  const add = (score: ActiveScore): void => {
    normalize(score, nodes, count, raw);
    for (let i = 0; i < count; i++) totals[nodes[i]!]! += score.weight * raw[nodes[i]!]!;
  };
  for (const { score, values } of rawScores(standing)) {
    for (let i = 0; i < count; i++) raw[nodes[i]!] = values![nodes[i]!]!;
    add(score);
  }
  for (const score of scores) if (score.run.score(nodes, count, raw, population)) add(score);
  let best = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) best = Math.max(best, totals[nodes[i]!]! + groups.groupOf(nodes[i]!).best);
  let ties = 0;
  const wanted = new Map<object, number>();
  for (let i = 0; i < count; i++) {
    const group = groups.groupOf(nodes[i]!);
    if (totals[nodes[i]!]! + group.best !== best) continue;
    ties += group.sums.get(group.best)!;
    wanted.set(group, group.best);
  }
  const slot = groups.pick(columns.live, columns.count, group => wanted.get(group) ?? -1, tie(pod, ties));
  return taken(pod, engine, slot, { feasible, score: best, ties });
};

const verdictsFrom = (nodes: Uint32Array, count: number, verdict: Uint8Array): Uint8Array => {
  verdict.fill(noNode);
  for (let i = 0; i < count; i++) verdict[nodes[i]!] = 0;
  return verdict;
};

/** Leaves out nodes whose room pods nominated there need; how many are left, in `workspace.left` when fewer. */
const withoutReserved = (pod: PodView, engine: Engine, runs: Runs, nodes: Uint32Array, count: number): number => {
  const { columns, workspace } = engine;
  const reserved = new Set<number>();
  for (const name of columns.nominations.nodeNames()) {
    const slot = columns.slotOf(name);
    if (slot >= 0 && judgeWithNominated(pod, slot, runs, engine) !== undefined) reserved.add(slot);
  }
  if (reserved.size === 0) return count;
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const node = nodes[i]!;
    if (!reserved.has(node)) workspace.left[kept++] = node;
  }
  return kept;
};

const taken = (
  pod: PodView,
  engine: Engine,
  slot: number,
  rest: Pick<Decision, 'feasible' | 'score' | 'ties' | 'shortcut'>,
): Decision => ({
  pod,
  outcome: 'scheduled',
  node: { slot, name: engine.columns.names[slot]! },
  ...rest,
});

const canPickFromBlocks = (standing: Standing): boolean =>
  standing.lateScores.length === standing.silentScores() &&
  standing.node.raws.every(({ values }) => values === undefined);

/** Raw scores that are 0 everywhere give every node the same. */
const constantOf = (standing: Standing): number => {
  let sum = 0;
  for (const { score, values } of standing.node.raws)
    if (values === undefined && score.plugin.normalization === 'reversed') sum += 100 * score.weight;
  return sum;
};

const pickStanding = (pod: PodView, engine: Engine, standing: Standing, tie: TieRule): Decision => {
  const best = standing.best();
  const slot = standing.bestRow(best, tie(pod, best.ties));
  const score = best.score + constantOf(standing);
  return taken(pod, engine, slot, { feasible: standing.feasibleCount, score, ties: best.ties });
};

interface Field {
  readonly nodes: Uint32Array;
  readonly count: number;
}

const pickAmong = (pod: PodView, engine: Engine, standing: Standing, field: Field, tie: TieRule): Decision => {
  const totals = totalsOf(engine, standing, field);
  const { nodes, count } = field;
  let best = totals[nodes[0]!]!;
  let ties = 0;
  for (let i = 0; i < count; i++) {
    const total = totals[nodes[i]!]!;
    if (total < best) continue;
    if (total > best) {
      best = total;
      ties = 1;
    } else ties++;
  }
  let left = tie(pod, ties);
  for (let i = 0; i < count; i++)
    if (totals[nodes[i]!] === best && left-- === 0)
      return taken(pod, engine, nodes[i]!, { feasible: count, score: best, ties });
  throw new Error('the tie rule gave an index out of range');
};

/** Total scores of the nodes in the field, by row. */
const totalsOf = (engine: Engine, standing: Standing, { nodes, count }: Field): Int32Array => {
  const { totals, raw } = engine.workspace;
  const { sums } = standing;
  const constant = constantOf(standing);
  for (let i = 0; i < count; i++) totals[nodes[i]!] = sums[nodes[i]!]! + constant;
  const add = (weight: number): void => {
    for (let i = 0; i < count; i++) totals[nodes[i]!]! += weight * raw[nodes[i]!]!;
  };
  for (const { score, values } of standing.node.raws) {
    if (values === undefined) continue;
    for (let i = 0; i < count; i++) raw[nodes[i]!] = values[nodes[i]!]!;
    normalize(score, nodes, count, raw);
    add(score.weight);
  }
  for (const score of standing.lateScores) {
    if (!score.run.score(nodes, count, raw)) continue;
    normalize(score, nodes, count, raw);
    add(score.weight);
  }
  return totals;
};

/** For pods that may run on a few named nodes: no need to look at any other. */
const amongFew = (pod: PodView, engine: Engine, rows: readonly number[], tie: TieRule): Decision => {
  const { columns, workspace } = engine;
  const runs = engine.runsOf(pod.shape);
  const nodes = Uint32Array.from(rows).sort();
  moveOn(columns, nodes.length);
  for (const row of nodes) workspace.verdict[row] = 0;
  let count = applyFilters(runs.filters, nodes, nodes.length, workspace.verdict);
  if (columns.nominations.size > 0) {
    const open = nodes.subarray(0, count).filter(row => judgeWithNominated(pod, row, runs, engine) === undefined);
    nodes.set(open);
    count = open.length;
  }
  if (count === 0) return failed(pod, diagnose(pod, engine, judgeAll(pod, engine)));
  if (count === 1) return taken(pod, engine, nodes[0]!, { feasible: 1, shortcut: 'singleFeasible' });
  const { totals } = workspace;
  for (let i = 0; i < count; i++) totals[nodes[i]!] = 0;
  for (const score of runs.scores) {
    if (!score.run.score(nodes, count, workspace.raw)) continue;
    normalize(score, nodes, count, workspace.raw);
    for (let i = 0; i < count; i++) totals[nodes[i]!]! += score.weight * workspace.raw[nodes[i]!]!;
  }
  const candidates = nodes.subarray(0, count);
  const best = candidates.reduce((most, row) => Math.max(most, totals[row]!), Number.NEGATIVE_INFINITY);
  const tied = candidates.filter(row => totals[row] === best);
  const slot = tied[tie(pod, tied.length)]!;
  return taken(pod, engine, slot, { feasible: count, score: best, ties: tied.length });
};
