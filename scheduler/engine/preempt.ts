/**
 * DefaultPreemption (SEMANTICS G): when a pod fits nowhere, which less important pods would have to go, and from which
 * node. Decides only; evicting, nominating and telling are the caller's. Disruption budgets are respected where another
 * choice exists, never otherwise.
 */

import { BudgetTally } from './budgets.ts';
import type { Columns, PlacedView } from './columns.ts';
import type { Decision, Verdicts } from './decision.ts';
import { Engine } from './engine.ts';
import { fitError, preemptionSuffix } from './fit-error.ts';
import { noNode, type Profile } from './profile.ts';
import { NodeTrial, type Runs } from './runs.ts';
import { judgeAll } from './schedule.ts';
import type { PodView } from './shape.ts';

export interface Candidate {
  readonly slot: number;
  /** Most important first. */
  readonly victims: readonly PlacedView[];
  readonly pdbViolations: number;
}

export interface Preemption {
  /** False: the pod may not push others out, and why. */
  readonly ineligible?: string;
  readonly candidates: readonly Candidate[];
  /** Nodes that were tried in vain, with the reasons. */
  readonly rejected: ReadonlyMap<number, readonly string[]>;
  /** Candidates that no criterion prefers another to. */
  readonly best: readonly Candidate[];
  /** What becomes of status.nominatedNodeName. */
  readonly nomination: 'set' | 'cleared' | 'unchanged';
  /** Ended by this internal error of upstream's. */
  readonly error?: string;
  /** What the failure's sentence gets appended. */
  readonly suffix: string;
}

export interface PreemptOptions {
  /** For pods without a start time. */
  readonly nowMs: number;
  /** A whole number below `limit`: where among the nodes to begin. */
  readonly offset: (limit: number) => number;
}

export const preempt = (
  { pod, failure }: Decision,
  columns: Columns,
  profile: Profile,
  options: PreemptOptions,
): Preemption => {
  if (columns.count === 0 || profile.preemption === undefined || failure?.preEnqueue !== undefined)
    return nothing({ nomination: columns.count === 0 ? 'cleared' : 'unchanged', suffix: '' });
  // Upstream's DynamicResources runs before preemption, finds no state of its own when pre-filtering ended early, and ends it.
  if (failure?.preFilter !== undefined)
    return nothing({ nomination: 'unchanged', error: 'not found', suffix: ' not found' });
  const engine = Engine.of(columns, profile);
  const verdicts = judgeAll(pod, engine);
  const ineligible = ineligibility(pod, columns, profile, verdicts);
  if (ineligible !== undefined)
    return nothing({ ineligible, nomination: 'unchanged', suffix: preemptionSuffix(ineligible) });
  const { candidates, rejected } = dryRun(pod, engine, verdicts, options);
  if (candidates.length === 0) {
    const suffix = preemptionSuffix(vainMessage(columns.count, rejected));
    return nothing({ rejected, nomination: 'cleared', suffix });
  }
  return { candidates, rejected, best: pickBest(candidates, options.nowMs), nomination: 'set', suffix: '' };
};

const nothing = (outcome: Partial<Preemption> & Pick<Preemption, 'nomination' | 'suffix'>): Preemption => ({
  candidates: [],
  rejected: new Map(),
  best: [],
  ...outcome,
});

const vainMessage = (nodes: number, rejected: ReadonlyMap<number, readonly string[]>): string => {
  const counts = new Map<string, number>();
  for (const reasons of rejected.values())
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  if (rejected.size < nodes) counts.set('Preemption is not helpful for scheduling', nodes - rejected.size);
  return fitError(nodes, counts);
};

const isUnresolvable = (slot: number, profile: Profile, { codes }: Verdicts): boolean =>
  codes[slot] === noNode || profile.verdicts[codes[slot]!]!.unresolvable;

/** May the pod push out others at all? Not again while those that it pushed out are still leaving. */
const ineligibility = (pod: PodView, columns: Columns, profile: Profile, verdicts: Verdicts): string | undefined => {
  if (pod.pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const slot = pod.nominatedNodeName === '' ? -1 : columns.slotOf(pod.nominatedNodeName);
  if (slot < 0 || isUnresolvable(slot, profile, verdicts)) return undefined;
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
  readonly rejected: ReadonlyMap<number, readonly string[]>;
}

const dryRun = (pod: PodView, engine: Engine, verdicts: Verdicts, options: PreemptOptions): DryRun => {
  const { columns, profile } = engine;
  const potential: number[] = [];
  for (let i = 0; i < columns.count; i++) {
    const slot = columns.live[i]!;
    if (verdicts.codes[slot] !== 0 && !isUnresolvable(slot, profile, verdicts)) potential.push(slot);
  }
  const rejected = new Map<number, readonly string[]>();
  const violating: Candidate[] = [];
  const clean: Candidate[] = [];
  if (potential.length === 0) return { candidates: [], rejected };
  const enough = candidatesWanted(potential.length, profile);
  const offset = options.offset(potential.length);
  const runs = engine.runsOf(pod.shape);
  for (let i = 0; i < potential.length; i++) {
    const slot = potential[(offset + i) % potential.length]!;
    const result = selectVictims(pod, slot, { engine, runs, nowMs: options.nowMs });
    if ('reasons' in result) rejected.set(slot, result.reasons);
    else (result.pdbViolations > 0 ? violating : clean).push(result);
    if (clean.length > 0 && clean.length + violating.length >= enough) break;
  }
  return { candidates: [...clean, ...violating], rejected };
};

const candidatesWanted = (nodes: number, { preemption }: Profile): number => {
  const share = Math.trunc((nodes * (preemption?.minCandidateNodesPercentage ?? 0)) / 100);
  return Math.min(Math.max(share, preemption?.minCandidateNodesAbsolute ?? 0), nodes);
};

interface Context {
  readonly engine: Engine;
  readonly runs: Runs;
  readonly nowMs: number;
}

/**
 * Takes all less important pods off the node; if the pod then fits, puts them back one by one, the most important
 * first, those under a violated budget before the others, as long as it still fits. Who cannot come back is a victim.
 */
const selectVictims = (
  pod: PodView,
  slot: number,
  { engine, runs, nowMs }: Context,
): Candidate | { readonly reasons: readonly string[] } => {
  const { columns } = engine;
  const potential = columns.podsOn[slot]!.filter(({ view }) => view.priority < pod.priority);
  if (potential.length === 0) return { reasons: ['No preemption victims found for incoming pod'] };
  const node = new ReservedTrial(pod, slot, engine, runs);
  for (const { view } of potential) node.remove(view);
  if (!node.fits()) return { reasons: node.reasons() };
  const moreImportant = byImportance(nowMs);
  potential.sort(moreImportant);
  const budgets = columns.surroundings.budgets();
  const violates = budgets.length === 0 ? undefined : new BudgetTally(budgets);
  const isViolating = potential.map(({ view }) => violates?.take(view) ?? false);
  const victims: PlacedView[] = [];
  let pdbViolations = 0;
  for (const turn of violates === undefined ? [false] : [true, false])
    for (const [i, victim] of potential.entries()) {
      if (isViolating[i] !== turn) continue;
      node.add(victim.view);
      if (node.fits()) continue;
      node.remove(victim.view);
      victims.push(victim);
      if (turn) pdbViolations++;
    }
  victims.sort(moreImportant);
  return { slot, victims, pdbViolations };
};

/** A node in thought on which the pods nominated to it must find room too: both with and without them the pod must fit. */
class ReservedTrial {
  readonly #plain: NodeTrial;
  readonly #reserved: NodeTrial | undefined;
  readonly #profile: Profile;

  constructor(pod: PodView, slot: number, engine: Engine, runs: Runs) {
    const { columns, workspace, profile } = engine;
    this.#profile = profile;
    this.#plain = new NodeTrial(runs, slot, workspace.scratch);
    const others = columns.nominations.size === 0 ? [] : columns.nominations.before(pod, columns.names[slot]!);
    this.#reserved = others.length === 0 ? undefined : new NodeTrial(runs, slot, workspace.scratch);
    for (const other of others) this.#reserved?.add(other);
  }

  add(pod: PodView): void {
    this.#plain.add(pod);
    this.#reserved?.add(pod);
  }

  remove(pod: PodView): void {
    this.#plain.remove(pod);
    this.#reserved?.remove(pod);
  }

  fits(): boolean {
    return (this.#reserved?.verdict() ?? 0) === 0 && this.#plain.verdict() === 0;
  }

  reasons(): readonly string[] {
    const trial = this.#reserved !== undefined && this.#reserved.verdict() !== 0 ? this.#reserved : this.#plain;
    return trial.explain() ?? [this.#profile.verdicts[trial.verdict()]!.text];
  }
}

/** Higher priority first, then longer running first (upstream's MoreImportantPod). */
const byImportance =
  (nowMs: number) =>
  (a: PlacedView, b: PlacedView): number =>
    b.view.priority - a.view.priority || (a.view.startMs ?? nowMs) - (b.view.startMs ?? nowMs);

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
