/**
 * Standing results for one shape of pod: the verdict of every row by the filters whose answers stand (scopes node and
 * usage), the sum of the scores that need no look at other nodes, and where the highest sums are. Before each use
 * `sync` judges the rows again that changed since the last; for pods of which many are alike that is a row or two.
 */
import type { Best } from '../columns/block-best.ts';
import type { Columns } from '../columns/columns.ts';
import type { Trait } from '../plugin.ts';
import type { Profile } from '../profile.ts';
import {
  type ActiveFilter,
  type ActiveScore,
  applyFilters,
  disposeRuns,
  passing,
  prepareRuns,
  type Runs,
} from '../runs.ts';
import type { Shape } from '../shapes/shape.ts';
import { NodeGroups } from './node-groups.ts';
import type { NodeStanding, RawScores } from './node-standing.ts';
import { allocate, type StandingArrays, type Workspace } from './workspace.ts';

const never = -1;
/** Grouping costs more than it saves for a shape that is seen once or twice. */
const usesBeforeGrouping = 3;
/** Arrays of given-up standings that are kept for the next. */
const maxSpare = 8;

/** Valid after `sync`, until the columns change; to be disposed of. */
export class Standing {
  readonly shape: Shape;
  readonly runs: Runs;
  /** Filters that must be asked for every pod, after the standing ones. */
  readonly lateFilters: readonly ActiveFilter[];
  /** Scores that must be asked for every pod. */
  readonly lateScores: readonly ActiveScore[];
  /** Rows that no standing filter refuses. */
  feasibleCount = 0;
  readonly #node: NodeStanding;
  readonly #columns: Columns;
  readonly #workspace: Workspace;
  readonly #filters: readonly ActiveFilter[];
  readonly #scores: readonly ActiveScore[];
  #arrays: StandingArrays = none;
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
    this.#node = context.node;
    this.#workspace = context.workspace;
    this.#columns = columns;
    this.#selectorsRevision = columns.surroundings.selectorsRevision;
    this.runs = prepareRuns(shape, columns, profile);
    const { filters, scores } = this.runs;
    // The filters before `usage` are in the node standing. The order of filters decides who is named as the one that refuses.
    const usage = indexOrEnd(filters, ({ plugin }) => plugin.scope !== 'node');
    const late = indexOrEnd(filters, ({ plugin }) => plugin.scope === 'cluster');
    this.#filters = filters.slice(usage, late);
    this.lateFilters = filters.slice(late);
    this.#scores = scores.filter(({ plugin }) => plugin.scope !== 'cluster' && plugin.normalization === 'none');
    this.lateScores = scores.filter(
      ({ plugin }) => plugin.scope === 'cluster' || (plugin.scope === 'usage' && plugin.normalization !== 'none'),
    );
  }

  /** Per row: 0 feasible so far, else the profile's code; `noNode` for rows without a node. */
  get verdict(): Uint8Array {
    return this.#arrays.verdict;
  }

  /** Per row: sum of the weighted scores that stand as they are; only for feasible rows. */
  get sums(): Int32Array {
    return this.#arrays.sums;
  }

  /** Scores that stand but must be normalized over the feasible nodes; those that are 0 everywhere have no values. */
  get rawScores(): readonly RawScores[] {
    return this.#node.raws;
  }

  /** True while none of them tells nodes apart. */
  get areRawScoresZero(): boolean {
    for (const { values } of this.#node.raws) if (values !== undefined) return false;
    return true;
  }

  // ── keeping it current ─────────────────────────────────────────────────────

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
    this.#node.sync();
    const versions = this.#versionsNow();
    const mustRebuild =
      this.#versions !== versions ||
      this.#epoch !== columns.epoch ||
      this.#nodeRebuilds !== this.#node.rebuilds ||
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
    this.#nodeRebuilds = this.#node.rebuilds;
    this.verdict.set(this.#node.verdict);
    this.feasibleCount = this.#judge(columns.live, columns.count);
    this.#arrays.blocks.touchAll();
    this.#groups = undefined;
  }

  #update(): void {
    const { rows } = this.#workspace;
    const { verdict, sums, blocks } = this.#arrays;
    const { count, nodesChanged } = this.#changedRows(rows);
    this.#follow(rows, count, nodesChanged);
    let wasFeasible = 0;
    for (let i = 0; i < count; i++) {
      const slot = rows[i]!;
      if (verdict[slot] === 0) wasFeasible++;
      blocks.touch(slot);
      verdict[slot] = this.#node.verdict[slot]!;
    }
    this.feasibleCount += this.#judge(rows, count) - wasFeasible;
    if (nodesChanged) this.#groups = undefined;
    else this.#groups?.update(rows, count, verdict, sums);
  }

  /** Writes the rows that the log names since the last sync, each once. */
  #changedRows(rows: Uint32Array): { count: number; nodesChanged: boolean } {
    const { log } = this.#columns;
    const { stamps } = this.#workspace;
    const stamp = ++this.#workspace.stamp;
    let count = 0;
    let nodesChanged = false;
    for (let at = this.#cursor; at < log.end; at++) {
      const slot = log.slotAt(at);
      if (log.isNodeAt(at)) nodesChanged = true;
      if (stamps[slot] === stamp) continue;
      stamps[slot] = stamp;
      rows[count++] = slot;
    }
    return { count, nodesChanged };
  }

  #follow(rows: Uint32Array, count: number, nodesChanged: boolean): void {
    for (const { run } of this.lateFilters) run.follow?.(rows, count, nodesChanged);
    for (const { run } of this.lateScores) run.follow?.(rows, count, nodesChanged);
  }

  /** Judges and scores rows whose verdict is that of the node filters; returns how many are feasible. */
  #judge(rows: Uint32Array, count: number): number {
    const { left } = this.#workspace;
    const { verdict } = this.#arrays;
    let candidates = count;
    // A copy in one go is worth 5 % of the time of pods that are all different.
    if (rows === this.#columns.live && this.#node.refused === 0) left.set(rows.subarray(0, count));
    else candidates = passing(rows, count, verdict, left);
    const feasible = applyFilters(this.#filters, left, candidates, verdict);
    this.#sumUp(left, feasible);
    return feasible;
  }

  /** Writes the sums of these rows. */
  #sumUp(nodes: Uint32Array, count: number): void {
    const { raw } = this.#workspace;
    const { sums } = this.#arrays;
    let isFirst = true;
    for (const { run, weight } of this.#scores) {
      if (run.isSilent?.() === true) continue;
      // The first writes where the sums go, and a plugin may add to them itself. Without either, pods that are all
      // different would take a fifth longer: a pass over all nodes each.
      if (isFirst && weight === 1 && run.score(nodes, count, sums)) {
        isFirst = false;
        continue;
      }
      if (run.addTo !== undefined && !isFirst) {
        run.addTo(nodes, count, sums, weight);
        continue;
      }
      if (!run.score(nodes, count, raw)) continue;
      if (isFirst) for (let i = 0; i < count; i++) sums[nodes[i]!] = weight * raw[nodes[i]!]!;
      else for (let i = 0; i < count; i++) sums[nodes[i]!]! += weight * raw[nodes[i]!]!;
      isFirst = false;
    }
    if (isFirst) for (let i = 0; i < count; i++) sums[nodes[i]!] = 0;
  }

  // ── what came of it, as of the last sync ───────────────────────────────────

  /** What every total score has beside its sum: raw scores that are 0 everywhere give all nodes the same. */
  get constant(): number {
    let sum = 0;
    for (const { score, values } of this.rawScores)
      if (values === undefined && score.plugin.normalization === 'reversed') sum += 100 * score.weight;
    return sum;
  }

  /** The highest sum among the feasible rows, of which there must be one, and how many rows have it. */
  best(): Best {
    const { verdict, sums, blocks } = this.#arrays;
    return blocks.find(verdict, sums);
  }

  /** The row of the k-th (from 0, ascending) of the rows with the highest sum. */
  bestRow(best: Best, k: number): number {
    const { verdict, sums, blocks } = this.#arrays;
    return blocks.row(best, k, verdict, sums);
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

  /** Gives back what it holds; it must not be used any more. */
  dispose(): void {
    disposeRuns(this.runs);
    if (this.#arrays.verdict.length === this.#workspace.rows.length && this.#workspace.spare.length < maxSpare)
      this.#workspace.spare.push(this.#arrays);
    this.#arrays = none;
  }
}

const none: StandingArrays = allocate(0);

const indexOrEnd = <T>(items: readonly T[], is: (item: T) => boolean): number => {
  const at = items.findIndex(is);
  return at < 0 ? items.length : at;
};
