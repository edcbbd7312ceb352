/**
 * Standing results of the plugins that look at node objects only, for all shapes that agree in what those look at
 * (`Shape.nodeKey`): verdicts of the leading node filters, and raw scores that are to be normalized. Node objects change
 * seldom, so pods that are otherwise all different still share these.
 */
import type { Columns } from '../columns/columns.ts';
import { noNode, type Profile } from '../profile.ts';
import { type ActiveFilter, type ActiveScore, applyFilters, prepareRuns } from '../runs.ts';
import type { Shape } from '../shapes/shape.ts';
import type { Workspace } from './workspace.ts';

const never = -1;

export interface RawScores {
  readonly score: ActiveScore;
  /** By row; undefined while all are 0. */
  values: Int32Array | undefined;
}

/** Valid after `sync`, until the columns change. */
export class NodeStanding {
  /** By row: 0, or the profile's code; `noNode` for rows without a node. */
  verdict: Uint8Array = new Uint8Array(0);
  /** Of the node scores that are normalized over the nodes that a pod fits. */
  readonly raws: readonly RawScores[];
  /** Rows that the node filters refuse. */
  refused = 0;
  /** How often everything was computed anew. */
  rebuilds = 0;
  readonly #columns: Columns;
  readonly #workspace: Workspace;
  readonly #filters: readonly ActiveFilter[];
  #epoch = never;
  #revision = never;
  #cursor = 0;

  constructor(shape: Shape, columns: Columns, profile: Profile, workspace: Workspace) {
    this.#columns = columns;
    this.#workspace = workspace;
    const { filters, scores } = prepareRuns(shape, columns, {
      ...profile,
      filters: leadingNodeFilters(profile),
      scores: profile.scores.filter(({ plugin }) => plugin.scope === 'node' && plugin.normalization !== 'none'),
    });
    this.#filters = filters;
    this.raws = scores.map(score => ({ score, values: undefined }));
  }

  /** False when the columns changed so that the runs themselves are out of date. */
  get isUsable(): boolean {
    return this.#epoch === never || this.#epoch === this.#columns.epoch;
  }

  /** Brings everything up to the columns' present state. */
  sync(): void {
    const columns = this.#columns;
    const { log } = columns;
    if (this.#revision !== log.nodesRevision || this.#epoch !== columns.epoch) {
      if (this.#epoch === columns.epoch && log.remembers(this.#cursor)) this.#update();
      else this.#rebuild();
    }
    this.#revision = log.nodesRevision;
    this.#cursor = log.end;
  }

  #rebuild(): void {
    const { live, count, capacity, epoch } = this.#columns;
    this.rebuilds++;
    this.#epoch = epoch;
    if (this.verdict.length !== capacity) this.verdict = new Uint8Array(capacity);
    this.verdict.fill(noNode);
    this.refused = 0;
    for (const raw of this.raws) raw.values = undefined;
    this.#judge(live, count);
  }

  #update(): void {
    const columns = this.#columns;
    const { log } = columns;
    const changed = new Set<number>();
    for (let at = this.#cursor; at < log.end; at++) if (log.isNodeAt(at)) changed.add(log.slotAt(at));
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
    for (const raw of this.raws) {
      if (raw.values === undefined && raw.score.run.isConstant?.()) continue;
      if (!raw.score.run.score(rows, count, out)) for (let i = 0; i < count; i++) out[rows[i]!] = 0;
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
