/**
 * Standing results of the plugins that look at node objects only, for all shapes that agree in what those look at
 * (`Shape.nodeKey`): verdicts of the leading node filters, and raw scores. Node objects change seldom, so pods that are
 * otherwise all different still share these.
 */
import type { Columns } from './columns.ts';
import { noNode, type Profile } from './profile.ts';
import { type ActiveFilter, type ActiveScore, applyFilters, prepareRuns } from './runs.ts';
import type { Shape } from './shape.ts';

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
  /** How often everything was computed anew. */
  rebuilds = 0;
  readonly #columns: Columns;
  readonly #filters: readonly ActiveFilter[];
  readonly #flatScores: readonly ActiveScore[];
  #versions: readonly number[] = [];
  #epoch = never;
  #revision = never;
  #cursor = 0;

  constructor(shape: Shape, columns: Columns, profile: Profile) {
    this.#columns = columns;
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
    const versions = this.#flatScores.map(({ run }) => run.version?.() ?? 0);
    const versionsChanged = versions.some((version, i) => version !== this.#versions[i]);
    if (this.#revision === columns.nodesRevision && this.#epoch === columns.epoch && !versionsChanged) {
      this.#cursor = columns.logEnd;
      return;
    }
    this.#versions = versions;
    const isFresh = this.#epoch === columns.epoch && !versionsChanged && columns.remembers(this.#cursor);
    if (isFresh) this.#update();
    else this.#rebuild();
    this.#revision = columns.nodesRevision;
    this.#cursor = columns.logEnd;
  }

  #rebuild(): void {
    const columns = this.#columns;
    this.rebuilds++;
    this.#epoch = columns.epoch;
    this.verdict = new Uint8Array(columns.capacity).fill(noNode);
    this.flat = undefined;
    for (const raw of this.raws) raw.values = undefined;
    this.#judge(columns.live.slice(0, columns.count));
  }

  #update(): void {
    const columns = this.#columns;
    const changed = new Set<number>();
    for (let at = this.#cursor; at < columns.logEnd; at++) {
      const entry = columns.logAt(at);
      if ((entry & 1) === 1) changed.add(entry >> 1);
    }
    for (const slot of changed) this.verdict[slot] = noNode;
    this.#judge(Uint32Array.from([...changed].filter(slot => columns.isLive(slot))));
  }

  #judge(rows: Uint32Array): void {
    const { capacity } = this.#columns;
    for (const row of rows) this.verdict[row] = 0;
    applyFilters(this.#filters, rows.slice(), rows.length, this.verdict);
    const out = new Int32Array(capacity);
    if (this.flat !== undefined) for (const row of rows) this.flat[row] = 0;
    for (const { run, weight } of this.#flatScores) {
      if (!run.score(rows, rows.length, out)) continue;
      if (!rows.some(row => out[row] !== 0)) continue;
      this.flat ??= new Int32Array(capacity);
      for (const row of rows) this.flat[row]! += weight * out[row]!;
    }
    for (const raw of this.raws) {
      raw.score.run.score(rows, rows.length, out);
      if (raw.values === undefined && !rows.some(row => out[row] !== 0)) continue;
      raw.values ??= new Int32Array(capacity);
      for (const row of rows) raw.values[row] = out[row]!;
    }
  }
}

const leadingNodeFilters = (profile: Profile): Profile['filters'] => {
  const end = profile.filters.findIndex(({ scope }) => scope !== 'node');
  return end < 0 ? profile.filters : profile.filters.slice(0, end);
};
