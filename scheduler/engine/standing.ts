/**
 * Standing results for one shape of pod: the verdict of every row by the filters whose answers stand (scopes node and
 * usage), the sum of the scores that need no look at other nodes, and where the highest sums are. Before each use
 * `sync` judges the rows again that changed since the last; for pods of which many are alike that is a row or two.
 */
import type { Columns } from './columns.ts';
import { NodeGroups } from './node-groups.ts';
import type { NodeStanding } from './node-standing.ts';
import type { Trait } from './plugin.ts';
import type { Profile } from './profile.ts';
import { type ActiveFilter, type ActiveScore, applyFilters, disposeRuns, prepareRuns, type Runs } from './runs.ts';
import type { Shape } from './shape.ts';
import { allocate, blockBits, type StandingArrays, type Workspace } from './workspace.ts';

const never = -1;
/** Grouping costs more than it saves for a shape that is seen once or twice. */
const usesBeforeGrouping = 3;

/** Where the rows with the highest sum are. */
export interface Best {
  readonly score: number;
  readonly ties: number;
}

export class Standing {
  readonly shape: Shape;
  readonly runs: Runs;
  /** Filters that must be asked for every pod, after the standing ones. */
  readonly lateFilters: readonly ActiveFilter[];
  readonly lateScores: readonly ActiveScore[];
  /** Per row: 0 feasible so far, else the profile's code; `noNode` for rows without a node. */
  get verdict(): Uint8Array {
    return this.#arrays.verdict;
  }
  /** Per row: sum of the weighted scores that stand as they are; only for feasible rows. */
  get sums(): Int32Array {
    return this.#arrays.sums;
  }
  feasibleCount = 0;
  readonly node: NodeStanding;
  readonly #columns: Columns;
  readonly #workspace: Workspace;
  readonly #filters: readonly ActiveFilter[];
  readonly #scores: readonly ActiveScore[];
  #arrays: StandingArrays = none;
  #feasibleIsCurrent = false;
  #cursor = 0;
  #epoch = never;
  #nodeRebuilds = never;
  #groups: NodeGroups | undefined;
  #groupRecounts = 0;
  /** How often it was brought up to date. */
  #uses = 0;
  #versions = never;
  readonly #selectorsRevision: number;

  constructor(shape: Shape, columns: Columns, profile: Profile, context: { node: NodeStanding; workspace: Workspace }) {
    this.shape = shape;
    this.node = context.node;
    this.#workspace = context.workspace;
    this.#columns = columns;
    this.#selectorsRevision = columns.surroundings.selectorsRevision;
    this.runs = prepareRuns(shape, columns, profile);
    const { filters, scores } = this.runs;
    const early = filters.findIndex(({ plugin }) => plugin.scope !== 'node');
    const firstUsage = early < 0 ? filters.length : early;
    const late = filters.findIndex(({ plugin }) => plugin.scope === 'cluster');
    const firstLate = late < 0 ? filters.length : late;
    this.#filters = filters.slice(Math.min(firstUsage, firstLate), firstLate);
    this.lateFilters = filters.slice(firstLate);
    this.#scores = scores.filter(({ plugin }) => plugin.scope === 'usage' && plugin.normalization === 'none');
    this.lateScores = scores.filter(
      ({ plugin }) => plugin.scope === 'cluster' || (plugin.scope === 'usage' && plugin.normalization !== 'none'),
    );
  }

  /** False when the columns changed so that the runs themselves are out of date. */
  get isUsable(): boolean {
    return (
      (this.#epoch === never || this.#epoch === this.#columns.epoch) &&
      this.#selectorsRevision === this.#columns.surroundings.selectorsRevision
    );
  }

  /** Brings everything up to the columns' present state. */
  sync(): void {
    const columns = this.#columns;
    this.#uses++;
    this.node.sync();
    const versions = this.#versionsNow();
    const mustRebuild =
      this.#versions !== versions ||
      this.#epoch !== columns.epoch ||
      this.#nodeRebuilds !== this.node.rebuilds ||
      !columns.log.remembers(this.#cursor) ||
      columns.log.end - this.#cursor > columns.count;
    if (mustRebuild) {
      if (this.#epoch !== never) this.#follow(columns.live, columns.count, true);
      this.#versions = versions;
      this.#rebuild();
    } else if (this.#cursor !== columns.log.end) this.#update();
    this.#cursor = columns.log.end;
  }

  /** Versions only rise, so their sum tells whether one changed. */
  #versionsNow(): number {
    let sum = 0;
    for (const { run } of this.#scores) if (run.version !== undefined) sum += run.version();
    return sum;
  }

  #rebuild(): void {
    const columns = this.#columns;
    if (this.verdict.length !== columns.capacity)
      this.#arrays = this.#workspace.spare.pop() ?? allocate(columns.capacity);
    this.#epoch = columns.epoch;
    this.#nodeRebuilds = this.node.rebuilds;
    this.verdict.set(this.node.verdict);
    this.feasibleCount = this.#judge(columns.live, columns.count);
    this.#arrays.blockStale.fill(1);
    this.#feasibleIsCurrent = false;
    this.#groups = undefined;
  }

  #update(): void {
    const columns = this.#columns;
    const { rows, stamps } = this.#workspace;
    const { verdict, blockStale } = this.#arrays;
    const stamp = ++this.#workspace.stamp;
    let count = 0;
    let nodesChanged = false;
    for (let at = this.#cursor; at < columns.log.end; at++) {
      const slot = columns.log.slotAt(at);
      if (columns.log.isNodeAt(at)) nodesChanged = true;
      if (stamps[slot] === stamp) continue;
      stamps[slot] = stamp;
      rows[count++] = slot;
    }
    this.#follow(rows, count, nodesChanged);
    let wasFeasible = 0;
    for (let i = 0; i < count; i++) {
      const slot = rows[i]!;
      if (verdict[slot] === 0) wasFeasible++;
      blockStale[slot >> blockBits] = 1;
      verdict[slot] = this.node.verdict[slot]!;
    }
    const isFeasible = this.#judge(rows, count);
    this.feasibleCount += isFeasible - wasFeasible;
    if (nodesChanged) this.#groups = undefined;
    else this.#groups?.update(rows, count, verdict, this.#arrays.sums);
    // Of several rows one may have become feasible and another not.
    if (isFeasible !== wasFeasible || (count > 1 && isFeasible < count)) this.#feasibleIsCurrent = false;
  }

  #follow(rows: Uint32Array, count: number, nodesChanged: boolean): void {
    for (const { run } of this.lateFilters) run.follow?.(rows, count, nodesChanged);
    for (const { run } of this.lateScores) run.follow?.(rows, count, nodesChanged);
  }

  /** Judges and scores rows whose verdict is that of the node filters; returns how many are feasible. */
  #judge(rows: Uint32Array, count: number): number {
    const { left, raw } = this.#workspace;
    const { verdict, sums } = this.#arrays;
    let candidates = count;
    if (rows === this.#columns.live && this.node.refused === 0) left.set(rows.subarray(0, count));
    else {
      candidates = 0;
      for (let i = 0; i < count; i++) if (verdict[rows[i]!] === 0) left[candidates++] = rows[i]!;
    }
    const feasible = applyFilters(this.#filters, left, candidates, verdict);
    const { flat } = this.node;
    let isFirst = true;
    for (const { run, weight } of this.#scores) {
      if (run.isSilent?.() === true) continue;
      // The first may write where the sums go; it then needs no adding up.
      if (isFirst && weight === 1 && run.score(left, feasible, sums)) {
        isFirst = false;
        continue;
      }
      if (run.addTo !== undefined && !isFirst) {
        run.addTo(left, feasible, sums, weight);
        continue;
      }
      if (!run.score(left, feasible, raw)) continue;
      if (isFirst) for (let i = 0; i < feasible; i++) sums[left[i]!] = weight * raw[left[i]!]!;
      else for (let i = 0; i < feasible; i++) sums[left[i]!]! += weight * raw[left[i]!]!;
      isFirst = false;
    }
    if (isFirst) for (let i = 0; i < feasible; i++) sums[left[i]!] = 0;
    if (flat !== undefined) for (let i = 0; i < feasible; i++) sums[left[i]!]! += flat[left[i]!]!;
    return feasible;
  }

  /** The feasible rows grouped by these traits; undefined when that is not worth it. */
  grouped(traits: readonly Trait[]): NodeGroups | undefined {
    if (this.#uses < usesBeforeGrouping) return undefined;
    const { live, count, capacity, index } = this.#columns;
    if (this.#groups === undefined || this.#groupRecounts !== index.recounts || !this.#groups.isBy(traits)) {
      this.#groupRecounts = index.recounts;
      this.#groups = new NodeGroups(traits, capacity);
      this.#groups.update(live, count, this.#arrays.verdict, this.#arrays.sums);
    }
    return this.#groups.isUsable ? this.#groups : undefined;
  }

  /** How many of the late scores can add nothing to any node now. */
  silentScores(): number {
    let silent = 0;
    for (const { run } of this.lateScores) if (run.isSilent?.() === true) silent++;
    return silent;
  }

  /** The feasible rows, ascending; valid up to `feasibleCount` and until the next sync. */
  feasible(): Uint32Array {
    const { verdict, feasible } = this.#arrays;
    if (this.#feasibleIsCurrent) return feasible;
    const { live, count } = this.#columns;
    let at = 0;
    for (let i = 0; i < count; i++) if (verdict[live[i]!] === 0) feasible[at++] = live[i]!;
    this.#feasibleIsCurrent = true;
    return feasible;
  }

  /** The highest sum among the feasible rows, of which there must be one, and how many rows have it. */
  best(): Best {
    this.#refreshBlocks();
    const { blockBest, blockTies } = this.#arrays;
    let score = never;
    let ties = 0;
    for (let block = 0; block < blockBest.length; block++) {
      const here = blockBest[block]!;
      if (here < score) continue;
      if (here > score) ties = 0;
      score = here;
      ties += blockTies[block]!;
    }
    return { score, ties };
  }

  /** The row of the k-th (from 0, ascending) of the rows with the highest sum. */
  bestRow({ score }: Best, k: number): number {
    const { verdict, sums, blockBest, blockTies } = this.#arrays;
    let left = k;
    for (let block = 0; block < blockBest.length; block++) {
      if (blockBest[block] !== score) continue;
      if (left >= blockTies[block]!) {
        left -= blockTies[block]!;
        continue;
      }
      const end = Math.min((block + 1) << blockBits, verdict.length);
      for (let row = block << blockBits; row < end; row++)
        if (verdict[row] === 0 && sums[row] === score && left-- === 0) return row;
    }
    return -1;
  }

  #refreshBlocks(): void {
    const { verdict, sums, blockBest, blockTies, blockStale } = this.#arrays;
    for (let block = 0; block < blockStale.length; block++) {
      if (blockStale[block] === 0) continue;
      blockStale[block] = 0;
      let best = never - 1;
      let ties = 0;
      const end = Math.min((block + 1) << blockBits, verdict.length);
      for (let row = block << blockBits; row < end; row++) {
        const sum = sums[row]!;
        if (sum < best || verdict[row] !== 0) continue;
        if (sum === best) ties++;
        else {
          best = sum;
          ties = 1;
        }
      }
      blockBest[block] = best;
      blockTies[block] = ties;
    }
  }

  /** Gives back what it holds; it must not be used any more. */
  dispose(): void {
    disposeRuns(this.runs);
    if (this.#arrays.verdict.length === this.#workspace.rows.length && this.#workspace.spare.length < maxSpare)
      this.#workspace.spare.push(this.#arrays);
    this.#arrays = none;
  }
}

const maxSpare = 8;
const none: StandingArrays = allocate(0);
