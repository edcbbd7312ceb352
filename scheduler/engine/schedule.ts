/**
 * Decides where a pod goes, as kube-scheduler v1.35 does (SEMANTICS F): pre-filter, filter, score, pick. A decision
 * depends on nothing but the columns, the profile and the tie rule; what is kept between calls only saves work. Placing
 * the pod is the caller's business, and so is what follows when no node fits (preempt.ts).
 */

import type { Columns } from './columns/columns.ts';
import { type Cycle, cycleOf } from './cycle.ts';
import { type Decision, type Rejection, scheduledOn, unschedulable } from './decision.ts';
import { Engine } from './engine.ts';
import { noNodesError, preFilterError } from './fit-error.ts';
import { judgeWithNominated, restrictionOf } from './judge.ts';
import type { Profile } from './profile.ts';
import { applyFilters } from './runs.ts';
import { amongGroups } from './search/among-groups.ts';
import { amongFew, amongNodes } from './search/among-nodes.ts';
import { amongStanding, isRankedBySums } from './search/among-standing.ts';
import type { PodView } from './shapes/shape.ts';

/** Which of the best nodes: an index below `ties`, counted in the order in which the nodes came. */
export type TieRule = (pod: PodView, ties: number) => number;

/** The node known longest. */
export const firstOfTies: TieRule = () => 0;

/** Any of them, but always the same for one pod and seed: as good as upstream's random choice, and repeatable. */
export const hashOfTies =
  (seed: number): TieRule =>
  (pod, ties) => {
    if (ties === 1) return 0;
    // FNV-1a, then a mix of the bits, without which similar uids would fall on neighbouring nodes.
    let hash = seed ^ 0x811c9dc5;
    for (let i = 0; i < pod.uid.length; i++) hash = Math.imul(hash ^ pod.uid.charCodeAt(i), 0x01000193);
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0x2c1b3c6d);
    hash ^= hash >>> 13;
    return (hash >>> 0) % ties;
  };

/** One attempt at a pod. Throws only what a custom plugin throws (PluginError), or a tie rule out of range. */
export const schedule = (pod: PodView, columns: Columns, profile: Profile, tie: TieRule = firstOfTies): Decision => {
  if (pod.gates.length > 0) return gated(pod);
  if (columns.count === 0) return unschedulable(pod, { plugins: [], message: noNodesError });
  const restriction = restrictionOf(pod, columns, profile);
  if (restriction !== undefined && 'rejection' in restriction) return rejected(pod, columns, restriction.rejection);
  const engine = Engine.of(columns, profile);
  const few = restriction?.rows;
  const nominated = tryNominated(pod, engine, few);
  if (nominated !== undefined) return nominated;
  return few === undefined ? amongAll(cycleOf(pod, engine, tie)) : amongFew(pod, engine, few, tie);
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

const rejected = (pod: PodView, columns: Columns, rejection: Rejection): Decision =>
  unschedulable(pod, {
    preFilter: rejection,
    plugins: [rejection.plugin],
    message: preFilterError(columns.count, rejection.reasons.join(', ')),
  });

/** Tries the node that was nominated to the pod alone, as upstream does first. */
const tryNominated = (pod: PodView, engine: Engine, few: readonly number[] | undefined): Decision | undefined => {
  if (pod.nominatedNodeName === '') return undefined;
  const { columns, workspace } = engine;
  const slot = columns.slotOf(pod.nominatedNodeName);
  if (slot < 0 || (few !== undefined && !few.includes(slot))) return undefined;
  const runs = engine.runsOf(pod.shape);
  workspace.verdict[slot] = 0;
  if (applyFilters(runs.filters, Uint32Array.of(slot), 1, workspace.verdict) === 0) return undefined;
  if (judgeWithNominated(pod, slot, runs, engine) !== undefined) return undefined;
  return scheduledOn(slot, pod, columns.names, { feasible: 1, shortcut: 'nominatedNode' });
};

/** The usual way, by what stands for the pod's shape: the less there is to ask, the quicker. */
const amongAll = (cycle: Cycle): Decision => {
  const { engine, standing, filters } = cycle;
  const isFree = engine.columns.nominations.size === 0 && engine.profile.percentageOfNodesToScore === 100;
  if (!isFree || standing.feasibleCount < 2) return amongNodes(cycle);
  if (filters.length === 0 && isRankedBySums(cycle)) return amongStanding(cycle);
  return amongGroups(cycle) ?? amongNodes(cycle);
};
