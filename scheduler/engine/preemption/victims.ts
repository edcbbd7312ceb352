/**
 * Which pods of a node would have to go for a pod to fit there (SEMANTICS G.2). What was found for a node stands for all
 * pods alike until the node's pods change, as long as only that node's pods matter.
 */

import type { PlacedView } from '../columns/columns.ts';
import type { Engine } from '../engine.ts';
import { NodeTrial } from '../runs.ts';
import type { PodView } from '../shapes/shape.ts';
import { BudgetTally } from './budgets.ts';

export interface Candidate {
  readonly slot: number;
  /** Most important first. */
  readonly victims: readonly PlacedView[];
  readonly pdbViolations: number;
}

/** A node that was tried in vain. */
export interface Vain {
  readonly slot: number;
  readonly reasons: readonly string[];
}

/** Findings by row, as far as `cursor` of the change log. */
export interface VictimFindings {
  readonly epoch: number;
  readonly budgetsRevision: number;
  readonly byRow: (Candidate | Vain | undefined)[];
  cursor: number;
}

/** For one pod at one time; the columns must not change meanwhile. */
export class VictimSearch {
  readonly #pod: PodView;
  readonly #engine: Engine;
  readonly #nowMs: number;
  readonly #node: ReservedTrial;
  readonly #findings: VictimFindings | undefined;

  constructor(pod: PodView, engine: Engine, nowMs: number) {
    this.#pod = pod;
    this.#engine = engine;
    this.#nowMs = nowMs;
    this.#node = new ReservedTrial(pod, engine);
    const isLocal = engine
      .runsOf(pod.shape)
      .filters.every(({ plugin, run }) => plugin.scope !== 'cluster' || run.isIndifferent?.() === true);
    this.#findings = isLocal ? currentFindings(pod, engine) : undefined;
  }

  /** What it would take on this node. */
  on(slot: number): Candidate | Vain {
    const { nominations, names } = this.#engine.columns;
    const stands =
      this.#findings !== undefined && (nominations.size === 0 || nominations.on(names[slot]!).length === 0);
    const known = stands ? this.#findings?.byRow[slot] : undefined;
    if (known !== undefined) return known;
    const found = this.#select(slot);
    if (stands && this.#findings !== undefined) this.#findings.byRow[slot] = found;
    return found;
  }

  /**
   * Takes all less important pods off the node; if the pod then fits, puts them back one by one, the most important
   * first, those under a violated budget before the others, as long as it still fits. Who cannot come back is a victim.
   */
  #select(slot: number): Candidate | Vain {
    const { columns } = this.#engine;
    const node = this.#node;
    const { priority } = this.#pod;
    const potential = columns.podsOn[slot]!.filter(({ view }) => view.priority < priority);
    if (potential.length === 0) return { slot, reasons: noVictims };
    node.reset(slot);
    for (const { view } of potential) node.remove(view);
    if (!node.fits()) return { slot, reasons: node.reasons() };
    const moreImportant = byImportance(this.#nowMs);
    if (potential.length > 1) potential.sort(moreImportant);
    const budgets = columns.surroundings.budgets();
    const tally = budgets.length === 0 ? undefined : new BudgetTally(budgets);
    const isViolating = potential.map(({ view }) => tally?.take(view) ?? false);
    const victims: PlacedView[] = [];
    let pdbViolations = 0;
    const reprieve = (violating: boolean): void => {
      for (let i = 0; i < potential.length; i++) {
        if (isViolating[i] !== violating) continue;
        const victim = potential[i]!;
        node.add(victim.view);
        if (node.fits()) continue;
        node.remove(victim.view);
        victims.push(victim);
        if (violating) pdbViolations++;
      }
    };
    if (tally !== undefined) reprieve(true);
    reprieve(false);
    if (victims.length > 1) victims.sort(moreImportant);
    return { slot, victims, pdbViolations };
  }
}

const noVictims: readonly string[] = ['No preemption victims found for incoming pod'];

/** The findings for pods of this shape and priority, without those of rows that changed. */
const currentFindings = (pod: PodView, engine: Engine): VictimFindings => {
  const { columns } = engine;
  const { budgetsRevision } = columns.surroundings;
  const known = engine.victimFindings(pod.shape, pod.priority);
  if (
    known !== undefined &&
    known.epoch === columns.epoch &&
    known.budgetsRevision === budgetsRevision &&
    columns.log.remembers(known.cursor)
  ) {
    for (let at = known.cursor; at < columns.log.end; at++) known.byRow[columns.log.slotAt(at)] = undefined;
    known.cursor = columns.log.end;
    return known;
  }
  const fresh: VictimFindings = {
    epoch: columns.epoch,
    budgetsRevision,
    byRow: new Array<undefined>(columns.capacity).fill(undefined),
    cursor: columns.log.end,
  };
  engine.keepVictimFindings(pod.shape, pod.priority, fresh);
  return fresh;
};

/** A node in thought on which the pods nominated to it must find room too: both with and without them the pod must fit. */
class ReservedTrial {
  readonly #pod: PodView;
  readonly #engine: Engine;
  readonly #plain: NodeTrial;
  /** In use while pods are nominated to the node. */
  readonly #withNominated: NodeTrial;
  #reserved: NodeTrial | undefined;

  constructor(pod: PodView, engine: Engine) {
    const runs = engine.runsOf(pod.shape);
    this.#pod = pod;
    this.#engine = engine;
    this.#plain = new NodeTrial(runs, engine.workspace.scratch);
    this.#withNominated = new NodeTrial(runs, engine.workspace.scratch);
  }

  reset(slot: number): void {
    const { nominations, names } = this.#engine.columns;
    this.#plain.reset(slot);
    this.#reserved = undefined;
    if (nominations.size === 0) return;
    const others = nominations.before(this.#pod, names[slot]!);
    if (others.length === 0) return;
    this.#reserved = this.#withNominated;
    this.#reserved.reset(slot);
    for (const other of others) this.#reserved.add(other);
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
    return trial.explain() ?? [this.#engine.profile.verdicts[trial.verdict()]!.text];
  }
}

/** Higher priority first, then longer running first (upstream's MoreImportantPod). */
const byImportance =
  (nowMs: number) =>
  (a: PlacedView, b: PlacedView): number =>
    b.view.priority - a.view.priority || (a.view.startMs ?? nowMs) - (b.view.startMs ?? nowMs);
