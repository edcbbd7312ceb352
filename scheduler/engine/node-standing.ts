/**
 * Standing results of the plugins that look at node objects only, for all shapes that agree in what those look at
 * (`Shape.nodeKey`): verdicts of the leading node filters, and raw scores. Node objects change seldom, so pods that are
 * otherwise all different still share these.
 */
import type { Columns } from './columns.ts';
import { noNode, type Profile } from './profile.ts';
import { type ActiveFilter, type ActiveScore, applyFilters, prepareRuns } from './runs.ts';
import type { Shape } from './shape.ts';
import type { Workspace } from './workspace.ts';

const never = -1;

export interface RawScores {
  readonly score: ActiveScore;
  /** By row; undefined while all are 0. */
  values: Int32Array | undefined;
}

export class NodeStanding {
  verdict: Uint8Array = new Uint8Array(0);
  /** Weighted scores that need no normalization, summed; undefined while all are 0. */
  flat: Int32Array | undefined;
  /** Raw scores that are normalized over the nodes that a pod fits. */
  readonly raws: readonly RawScores[];
  /** Rows that the node filters refuse. */
  refused = 0;
  /** How often everything was computed anew. */
  rebuilds = 0;
  readonly #columns: Columns;
  readonly #workspace: Workspace;
  readonly #filters: readonly ActiveFilter[];
  readonly #flatScores: readonly ActiveScore[];
  #epoch = never;
  #revision = never;
  #cursor = 0;

  constructor(shape: Shape, columns: Columns, profile: Profile, workspace: Workspace) {
    this.#columns = columns;
    this.#workspace = workspace;
    const nodeOnly: Profile = {
      ...profile,
      filters: leadingNodeFilters(profile),
      scores: profile.scores.filter(({ plugin }) => plugin.scope === 'node'),
    };
    const { filters, scores } = prepareRuns(shape, columns, nodeOnly);
    this.#filters = filters;
    this.#flatScores = scores.filter(({ plugin }) => plugin.normalization === 'none');
    this.raws = scores
      .filter(({ plugin }) => plugin.normalization !== 'none')
      .map(score => ({ score, values: undefined }));
  }

  /** False when the columns changed so that the runs themselves are out of date. */
  get isUsable(): boolean {
    return this.#epoch === never || this.#epoch === this.#columns.epoch;
  }

  sync(): void {
    const columns = this.#columns;
    if (this.#revision === columns.log.nodesRevision && this.#epoch === columns.epoch) {
      this.#cursor = columns.log.end;
      return;
    }
    if (this.#epoch === columns.epoch && columns.log.remembers(this.#cursor)) this.#update();
    else this.#rebuild();
    this.#revision = columns.log.nodesRevision;
    this.#cursor = columns.log.end;
  }

  #rebuild(): void {
    const { live, count, capacity, epoch } = this.#columns;
    this.rebuilds++;
    this.#epoch = epoch;
    if (this.verdict.length !== capacity) this.verdict = new Uint8Array(capacity);
    this.verdict.fill(noNode);
    this.refused = 0;
    this.flat = undefined;
    for (const raw of this.raws) raw.values = undefined;
    this.#judge(live, count);
  }

  #update(): void {
    const columns = this.#columns;
    const changed = new Set<number>();
    for (let at = this.#cursor; at < columns.log.end; at++) {
      if (columns.log.isNodeAt(at)) changed.add(columns.log.slotAt(at));
    }
    for (const slot of changed) {
      if (this.verdict[slot] !== 0 && this.verdict[slot] !== noNode) this.refused--;
      this.verdict[slot] = noNode;
    }
    const rows = Uint32Array.from([...changed].filter(slot => columns.isLive(slot)));
    this.#judge(rows, rows.length);
  }

  #judge(rows: Uint32Array, count: number): void {
    const { capacity } = this.#columns;
    const { left, raw: out } = this.#workspace;
    for (let i = 0; i < count; i++) {
      left[i] = rows[i]!;
      this.verdict[rows[i]!] = 0;
    }
    this.refused += count - applyFilters(this.#filters, left, count, this.verdict);
    if (this.flat !== undefined) for (let i = 0; i < count; i++) this.flat[rows[i]!] = 0;
    for (const { run, weight } of this.#flatScores) {
      if (run.isConstant?.() || !run.score(rows, count, out) || isZero(rows, count, out)) continue;
      this.flat ??= new Int32Array(capacity);
      for (let i = 0; i < count; i++) this.flat[rows[i]!]! += weight * out[rows[i]!]!;
    }
    for (const raw of this.raws) {
      if (raw.values === undefined && raw.score.run.isConstant?.()) continue;
      raw.score.run.score(rows, count, out);
      if (raw.values === undefined && isZero(rows, count, out)) continue;
      raw.values ??= new Int32Array(capacity);
      for (let i = 0; i < count; i++) raw.values[rows[i]!] = out[rows[i]!]!;
    }
  }
}

const isZero = (rows: Uint32Array, count: number, values: Int32Array): boolean => {
  for (let i = 0; i < count; i++) if (values[rows[i]!] !== 0) return false;
  return true;
};

const leadingNodeFilters = (profile: Profile): Profile['filters'] => {
  const end = profile.filters.findIndex(({ scope }) => scope !== 'node');
  return end < 0 ? profile.filters : profile.filters.slice(0, end);
};
