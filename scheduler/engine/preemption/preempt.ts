/**
 * DefaultPreemption (SEMANTICS G): when a pod fits nowhere, which less important pods would have to go, and from which
 * node. Decides only; evicting, nominating and telling are the caller's. Disruption budgets are respected where another
 * choice exists, never otherwise.
 */
import type { Columns, PlacedView } from '../columns/columns.ts';
import type { Decision, Verdicts } from '../decision.ts';
import { Engine } from '../engine.ts';
import { fitError, postFilterSuffix } from '../fit-error.ts';
import { judgeAll } from '../judge.ts';
import { noNode, type Profile } from '../profile.ts';
import type { PodView } from '../shapes/shape.ts';
import { type Candidate, type Vain, VictimSearch } from './victims.ts';

export interface Preemption {
  /** False: the pod may not push others out, and why. */
  readonly ineligible?: string;
  readonly candidates: readonly Candidate[];
  /** Nodes that were tried in vain, with the reasons. */
  readonly vain: readonly Vain[];
  /** Candidates that no criterion prefers another to. */
  readonly best: readonly Candidate[];
  /** What becomes of status.nominatedNodeName. */
  readonly nomination: 'set' | 'cleared' | 'unchanged';
  /** Ended by this internal error of upstream's. */
  readonly error?: string;
  /** What the failure's sentence gets appended. */
  readonly suffix: string;
}

/** Time and chance, which upstream takes from the clock and the random generator. */
export interface PreemptOptions {
  /** For pods without a start time. */
  readonly nowMs: number;
  /** A whole number below `limit`: where among the nodes to begin. */
  readonly offset: (limit: number) => number;
}

/** What preemption comes to for a decision without a node, on the same columns. Changes nothing. */
export const preempt = (
  { pod, failure }: Decision,
  columns: Columns,
  profile: Profile,
  options: PreemptOptions,
): Preemption => {
  if (columns.count === 0 || failure?.preEnqueue !== undefined)
    return nothing({ nomination: columns.count === 0 ? 'cleared' : 'unchanged', suffix: '' });
  // Upstream's DynamicResources runs before preemption, finds no state of its own when pre-filtering ended early, and ends it.
  if (failure?.preFilter !== undefined && profile.dynamicResources)
    return nothing({ nomination: 'unchanged', error: 'not found', suffix: ' not found' });
  if (profile.preemption === undefined)
    return nothing({ nomination: 'unchanged', suffix: postFilterSuffix(profile.dynamicResources) });
  const engine = Engine.of(columns, profile);
  // Rejected before any node was looked at: no node can be helped.
  const verdicts = failure?.preFilter === undefined ? (failure?.verdicts ?? judgeAll(pod, engine)) : undefined;
  const ineligible = ineligibility(pod, columns, profile, verdicts);
  if (ineligible !== undefined) {
    const suffix = postFilterSuffix(profile.dynamicResources, ineligible);
    return nothing({ ineligible, nomination: 'unchanged', suffix });
  }
  const { candidates, vain } = verdicts === undefined ? nowhere : dryRun(pod, engine, verdicts, options);
  if (candidates.length === 0) {
    const suffix = postFilterSuffix(profile.dynamicResources, vainMessage(columns.count, vain));
    return nothing({ vain, nomination: 'cleared', suffix });
  }
  return { candidates, vain, best: pickBest(candidates, options.nowMs), nomination: 'set', suffix: '' };
};

const nothing = (outcome: Partial<Preemption> & Pick<Preemption, 'nomination' | 'suffix'>): Preemption => ({
  candidates: [],
  vain: [],
  best: [],
  ...outcome,
});

const vainMessage = (nodes: number, vain: readonly Vain[]): string => {
  const counts = new Map<string, number>();
  for (const { reasons } of vain) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  if (vain.length < nodes) counts.set('Preemption is not helpful for scheduling', nodes - vain.length);
  return fitError(nodes, counts);
};

const isUnresolvable = (slot: number, profile: Profile, { codes }: Verdicts): boolean =>
  codes[slot] === noNode || profile.verdicts[codes[slot]!]!.unresolvable;

/** May the pod push out others at all? Not again while those that it pushed out are still leaving. */
const ineligibility = (
  pod: PodView,
  columns: Columns,
  profile: Profile,
  verdicts: Verdicts | undefined,
): string | undefined => {
  if (pod.pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const slot = pod.nominatedNodeName === '' ? -1 : columns.slotOf(pod.nominatedNodeName);
  if (slot < 0 || verdicts === undefined || isUnresolvable(slot, profile, verdicts)) return undefined;
  const isLeaving = columns.podsOn[slot]!.some(({ view }) => view.priority < pod.priority && wasPreempted(view));
  return isLeaving ? 'not eligible due to a terminating pod on the nominated node.' : undefined;
};

const wasPreempted = ({ pod, terminating }: PodView): boolean =>
  terminating &&
  (pod.status?.conditions?.some(
    ({ type, status, reason }) =>
      type === 'DisruptionTarget' && status === 'True' && reason === 'PreemptionByScheduler',
  ) ??
    false);

interface DryRun {
  readonly candidates: readonly Candidate[];
  readonly vain: readonly Vain[];
}

const nowhere: DryRun = { candidates: [], vain: [] };

const dryRun = (pod: PodView, engine: Engine, verdicts: Verdicts, options: PreemptOptions): DryRun => {
  const { columns, profile } = engine;
  const potential: number[] = [];
  for (let i = 0; i < columns.count; i++) {
    const slot = columns.live[i]!;
    if (verdicts.codes[slot] !== 0 && !isUnresolvable(slot, profile, verdicts)) potential.push(slot);
  }
  const vain: Vain[] = [];
  const violating: Candidate[] = [];
  const clean: Candidate[] = [];
  if (potential.length === 0) return { candidates: [], vain };
  const enough = candidatesWanted(potential.length, profile);
  const offset = options.offset(potential.length);
  const search = new VictimSearch(pod, engine, options.nowMs);
  for (let i = 0; i < potential.length; i++) {
    const at = offset + i;
    const result = search.on(potential[at < potential.length ? at : at - potential.length]!);
    if ('reasons' in result) vain.push(result);
    else (result.pdbViolations > 0 ? violating : clean).push(result);
    if (clean.length > 0 && clean.length + violating.length >= enough) break;
  }
  return { candidates: [...clean, ...violating], vain };
};

const candidatesWanted = (nodes: number, { preemption }: Profile): number => {
  const share = Math.trunc((nodes * (preemption?.minCandidateNodesPercentage ?? 0)) / 100);
  return Math.min(Math.max(share, preemption?.minCandidateNodesAbsolute ?? 0), nodes);
};

const priorityShift = 2 ** 31;

/** Upstream's criteria one after the other; all that remain are equally good. */
const pickBest = (candidates: readonly Candidate[], nowMs: number): readonly Candidate[] => {
  const criteria: readonly ((candidate: Candidate) => number)[] = [
    ({ pdbViolations }) => pdbViolations,
    ({ victims }) => victims[0]!.view.priority,
    ({ victims }) => victims.reduce((sum, { view }) => sum + view.priority + priorityShift, 0),
    ({ victims }) => victims.length,
    ({ victims }) => -earliestStart(victims, nowMs),
  ];
  let best = candidates;
  for (const criterion of criteria) {
    if (best.length === 1) break;
    const values = best.map(criterion);
    const least = values.reduce((least, value) => Math.min(least, value));
    best = best.filter((_, i) => values[i] === least);
  }
  return best;
};

/** When the longest running of the most important victims started. */
const earliestStart = (victims: readonly PlacedView[], nowMs: number): number => {
  const priority = victims[0]!.view.priority;
  return victims
    .filter(({ view }) => view.priority === priority)
    .reduce((earliest, { view }) => Math.min(earliest, view.startMs ?? nowMs), Number.POSITIVE_INFINITY);
};
