/** The scores of the nodes that a pod fits on, plugin by plugin: as computed, normalized to 0..100, and weighted. */
import { normalize } from '../runs.ts';
import type { Judged } from './judged.ts';

export interface ScoreTable {
  readonly plugins: readonly { readonly name: string; readonly weight: number; readonly skipped: boolean }[];
  /** The best first; equal ones in order of arrival. */
  readonly rows: readonly ScoredNode[];
  /** Highest total, and how many nodes have it. */
  readonly best: number;
  readonly ties: number;
  /** Nodes that were scored; `rows` may name fewer. */
  readonly scored: number;
}

export interface ScoredNode {
  readonly node: string;
  readonly total: number;
  /** One per plugin of the table; zeros where it was skipped. */
  readonly parts: readonly ScorePart[];
  /** How many nodes have a higher total, plus 1. */
  readonly rank: number;
}

export interface ScorePart {
  readonly raw: number;
  readonly normalized: number;
  readonly weighted: number;
}

interface PluginColumn {
  readonly name: string;
  readonly weight: number;
  readonly skipped: boolean;
  readonly raw: Int32Array;
  readonly normalized: Int32Array;
}

/** Of the `limit` best rows and of those in `also` that fit; undefined when the pod fits nowhere. */
export const scoreTable = (judged: Judged, limit: number, also: ReadonlySet<number>): ScoreTable | undefined => {
  const { columns, runs, refusals } = judged;
  const rows = columns.live.slice(0, columns.count).filter(row => refusals[row] === 0);
  if (rows.length === 0) return undefined;
  const plugins = runs.scores.map((active): PluginColumn => {
    const raw = new Int32Array(columns.capacity);
    const isScored = active.run.score(rows, rows.length, raw);
    if (!isScored) raw.fill(0);
    const normalized = raw.slice();
    if (isScored) normalize(active, rows, rows.length, normalized);
    return { name: active.plugin.name, weight: active.weight, skipped: !isScored, raw, normalized };
  });
  const totals = new Float64Array(columns.capacity);
  for (const row of rows) for (const { weight, normalized } of plugins) totals[row]! += weight * normalized[row]!;
  const order = rows.slice().sort((a, b) => totals[b]! - totals[a]! || a - b);
  const best = totals[order[0]!]!;
  const ranks = new Map<number, number>();
  order.forEach((row, i) => {
    if (!ranks.has(totals[row]!)) ranks.set(totals[row]!, i + 1);
  });
  const shown = [...order].filter((row, i) => i < limit || also.has(row));
  return {
    plugins: plugins.map(({ name, weight, skipped }) => ({ name, weight, skipped })),
    rows: shown.map(row => ({
      node: columns.names[row]!,
      total: totals[row]!,
      parts: plugins.map(({ weight, raw, normalized }) => ({
        raw: raw[row]!,
        normalized: normalized[row]!,
        weighted: weight * normalized[row]!,
      })),
      rank: ranks.get(totals[row]!)!,
    })),
    best,
    ties: order.filter(row => totals[row] === best).length,
    scored: rows.length,
  };
};
