/**
 * A profile's plugins, made ready for one shape of pod, and the plain way to use them: judge some rows by every filter in
 * order, score some rows by every score plugin. The quick way with standing results is in standing.ts.
 */
import type { Columns } from './columns/columns.ts';
import type { FilterPlugin, FilterRun, ScorePlugin, ScoreRun, Trial } from './plugin.ts';
import type { Profile } from './profile.ts';
import type { PodView, Shape } from './shapes/shape.ts';

export interface ActiveFilter {
  readonly plugin: FilterPlugin;
  readonly run: FilterRun;
  /** Verdict code before its first. */
  readonly base: number;
}

export interface ActiveScore {
  readonly plugin: ScorePlugin;
  readonly run: ScoreRun;
  readonly weight: number;
}

export interface Runs {
  readonly filters: readonly ActiveFilter[];
  readonly scores: readonly ActiveScore[];
}

/** The rows `nodes[0..count)`. */
export interface NodeList {
  readonly nodes: Uint32Array;
  readonly count: number;
}

/** Asks the profile's plugins about the shape; those that have nothing to say are left out. To be given to `disposeRuns`. */
export const prepareRuns = (shape: Shape, columns: Columns, profile: Profile): Runs => {
  const filters: ActiveFilter[] = [];
  profile.filters.forEach((plugin, i) => {
    const run = plugin.prepare(shape, columns);
    if (run !== undefined) filters.push({ plugin, run, base: profile.bases[i]! });
  });
  const scores: ActiveScore[] = [];
  for (const { plugin, weight } of profile.scores) {
    const run = weight === 0 ? undefined : plugin.prepare(shape, columns);
    if (run !== undefined) scores.push({ plugin, run, weight });
  }
  return { filters, scores };
};

/** Lets the plugins release what they counted. */
export const disposeRuns = ({ filters, scores }: Runs): void => {
  for (const { run } of filters) run.dispose?.();
  for (const { run } of scores) run.dispose?.();
};

/**
 * Runs filters over `nodes[0..count)`, whose verdicts are 0, and leaves in `nodes` those that passed, in order. Returns
 * how many. Verdicts become the profile's codes.
 */
export const applyFilters = (
  filters: readonly ActiveFilter[],
  nodes: Uint32Array,
  count: number,
  verdict: Uint8Array,
): number => {
  let left = count;
  for (const { run, base } of filters) {
    if (left === 0) return 0;
    if (run.isSilent?.() === true || !run.check(nodes, left, verdict)) continue;
    let kept = 0;
    for (let i = 0; i < left; i++) {
      const node = nodes[i]!;
      if (verdict[node] === 0) nodes[kept++] = node;
      else verdict[node]! += base;
    }
    left = kept;
  }
  return left;
};

/** Writes those of the rows whose verdict is 0 to `out`, which may be `rows`, in their order; returns how many. */
export const passing = (rows: Uint32Array, count: number, verdict: Uint8Array, out: Uint32Array): number => {
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    if (verdict[row] === 0) out[kept++] = row;
  }
  return kept;
};

/** Turns raw scores into 0..100 as the plugin wants it (upstream's DefaultNormalizeScore, or its own). */
export const normalize = (
  { plugin, run }: ActiveScore,
  nodes: Uint32Array,
  count: number,
  scores: Int32Array,
): void => {
  if (plugin.normalization === 'none') return;
  if (plugin.normalization === 'own') {
    run.normalize?.(nodes, count, scores);
    return;
  }
  let most = 0;
  for (let i = 0; i < count; i++) if (scores[nodes[i]!]! > most) most = scores[nodes[i]!]!;
  const reversed = plugin.normalization === 'reversed';
  if (most === 0) {
    if (reversed) for (let i = 0; i < count; i++) scores[nodes[i]!] = 100;
    return;
  }
  for (let i = 0; i < count; i++) {
    const score = ((100 * scores[nodes[i]!]!) / most) | 0;
    scores[nodes[i]!] = reversed ? 100 - score : score;
  }
};

/** Where scores of rows are worked out: both by row. */
interface ScoreArrays {
  readonly raw: Int32Array;
  readonly totals: Int32Array;
}

/** Normalizes the scores in `raw` and adds them, weighted, to `totals`. */
export const addNormalized = (score: ActiveScore, { nodes, count }: NodeList, { raw, totals }: ScoreArrays): void => {
  const { weight } = score;
  normalize(score, nodes, count, raw);
  for (let i = 0; i < count; i++) totals[nodes[i]!]! += weight * raw[nodes[i]!]!;
};

/** Adds what these plugins give the nodes to `totals`. `population`: how many nodes each stands for; absent: itself. */
export const addScores = (
  scores: readonly ActiveScore[],
  list: NodeList,
  arrays: ScoreArrays,
  population?: Int32Array,
): void => {
  for (const score of scores)
    if (score.run.score(list.nodes, list.count, arrays.raw, population)) addNormalized(score, list, arrays);
};

/** Single nodes judged as if pods came and went there; the columns stay as they are. */
export class NodeTrial {
  readonly #filters: readonly ActiveFilter[];
  readonly #trials: readonly (Trial | undefined)[];
  /** Those of `#trials` that exist. */
  readonly #moving: readonly Trial[];
  /** Verdicts of filters to which pods make no difference. */
  readonly #fixed: number[];
  readonly #row = new Uint32Array(1);
  readonly #scratch: Uint8Array;

  /** `scratch` has a byte per row; what is in it does not matter. */
  constructor({ filters }: Runs, scratch: Uint8Array) {
    this.#filters = filters;
    this.#trials = filters.map(({ run }) => run.trial?.());
    this.#moving = this.#trials.filter(trial => trial !== undefined);
    this.#fixed = filters.map(() => 0);
    this.#scratch = scratch;
  }

  /** Begins with a node, as it is. */
  reset(node: number): void {
    this.#row[0] = node;
    for (let i = 0; i < this.#trials.length; i++) {
      const trial = this.#trials[i];
      if (trial !== undefined) {
        trial.reset(node);
        continue;
      }
      this.#scratch[node] = 0;
      this.#filters[i]!.run.check(this.#row, 1, this.#scratch);
      this.#fixed[i] = this.#scratch[node]!;
    }
  }

  add(pod: PodView): void {
    for (const trial of this.#moving) trial.add(pod);
  }

  remove(pod: PodView): void {
    for (const trial of this.#moving) trial.remove(pod);
  }

  /** The profile's code of the first filter that refuses, or 0. */
  verdict(): number {
    for (let i = 0; i < this.#filters.length; i++) {
      const verdict = this.#trials[i]?.verdict() ?? this.#fixed[i]!;
      if (verdict !== 0) return this.#filters[i]!.base + verdict;
    }
    return 0;
  }

  /** All reasons of the filter that refuses, where it can have several. */
  explain(): readonly string[] | undefined {
    for (const [i, trial] of this.#trials.entries())
      if ((trial?.verdict() ?? this.#fixed[i]!) !== 0) return trial?.explain?.();
    return undefined;
  }
}
