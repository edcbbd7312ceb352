/**
 * Every node judged by every filter of the profile, not only by the first that refuses: what explanations and suggestions
 * are made of. Made anew for each question; nothing of it is kept.
 */
import type { Columns } from '../columns/columns.ts';
import type { Engine } from '../engine.ts';
import { restrictionOf } from '../judge.ts';
import type { ActiveFilter, Runs } from '../runs.ts';
import type { PodView } from '../shapes/shape.ts';

export interface Judged {
  readonly pod: PodView;
  readonly engine: Engine;
  readonly columns: Columns;
  readonly runs: Runs;
  readonly filters: readonly JudgedFilter[];
  /** Pods nominated to rows that the pod must leave room for. */
  readonly reserved: ReadonlyMap<number, readonly PodView[]>;
  /** Rows that the pod's matchFields leave; undefined: all. */
  readonly allowed: ReadonlySet<number> | undefined;
  /** How many filters refuse each row; matchFields count as one. */
  readonly refusals: Uint8Array;
}

export interface JudgedFilter {
  readonly active: ActiveFilter;
  readonly name: string;
  /** By row: 0, or 1 + the index of the plugin's reason. */
  readonly codes: Uint8Array;
  readonly refused: number;
}

/** The pod must be new to the columns (not placed), and its shape of these columns. */
export const judgeEach = (pod: PodView, engine: Engine): Judged => {
  const { columns, profile } = engine;
  const runs = engine.runsOf(pod.shape);
  const rows = columns.live.slice(0, columns.count);
  const reserved = reservedFor(pod, columns);
  const filters = runs.filters.map((active): JudgedFilter => {
    const codes = new Uint8Array(columns.capacity);
    active.run.check(rows, rows.length, codes);
    judgeReserved(active, reserved, codes);
    let refused = 0;
    for (const row of rows) if (codes[row] !== 0) refused++;
    return { active, name: active.plugin.name, codes, refused };
  });
  const restriction = restrictionOf(pod, columns, profile);
  const allowed = restriction !== undefined && 'rows' in restriction ? new Set(restriction.rows) : undefined;
  const refusals = new Uint8Array(columns.capacity);
  for (const row of rows) {
    let count = allowed === undefined || allowed.has(row) ? 0 : 1;
    for (const { codes } of filters) if (codes[row] !== 0) count++;
    refusals[row] = count;
  }
  return { pod, engine, columns, runs, filters, reserved, allowed, refusals };
};

const reservedFor = (pod: PodView, columns: Columns): ReadonlyMap<number, readonly PodView[]> => {
  const reserved = new Map<number, readonly PodView[]>();
  for (const name of columns.nominations.nodeNames()) {
    const slot = columns.slotOf(name);
    const others = slot < 0 ? [] : columns.nominations.before(pod, name);
    if (others.length > 0) reserved.set(slot, others);
  }
  return reserved;
};

/** The pod must fit both with and without the nominated pods (SEMANTICS F.7). */
const judgeReserved = (
  { run }: ActiveFilter,
  reserved: ReadonlyMap<number, readonly PodView[]>,
  codes: Uint8Array,
): void => {
  const trial = reserved.size === 0 ? undefined : run.trial?.();
  if (trial === undefined) return;
  for (const [slot, others] of reserved) {
    if (codes[slot] !== 0) continue;
    trial.reset(slot);
    for (const other of others) trial.add(other);
    codes[slot] = trial.verdict();
  }
};

/** How much of a resource pods nominated to the row will take. */
export const reservedAmount = ({ reserved }: Judged, row: number, column: number): number =>
  (reserved.get(row) ?? []).reduce((sum, { shape: { usage } }) => {
    const at = usage.columns.indexOf(column);
    return at < 0 ? sum : sum + usage.amounts[at]!;
  }, 0);
