/**
 * The store: State plus Journal plus watchers. Commits are queued and flushed together, once per turn, as one
 * synchronous step: check → apply → one journal transaction → tell watchers → resolve. So readers never see what is not
 * durable, and under load many commits share one transaction. When the journal fails, the whole batch is taken back and
 * rejected, and reading goes on.
 *
 * A watcher holds no buffer of its own but a position in the log of changes, which compaction bounds: whoever falls
 * further behind gets Compacted.
 */
import type { Signal } from '#base/clock.ts';
import { type Journal, JournalError } from './journal.ts';
import { type Change, type Entry, folderOf, type Listing, type Op, type Page, type Stamp, State } from './state.ts';
import { type Watch, Watcher } from './watcher.ts';

export type Committed<V> =
  /** The changes in the order of the ops; `check` has none. */
  | { readonly changes: readonly Change<V>[] }
  /** Nothing was written: the op at `index` met this entry (undefined: none). */
  | { readonly conflict: { readonly index: number; readonly found: Entry<V> | undefined } };

export interface Store<V> {
  readonly rev: number;
  readonly compactedRev: number;
  /** Throws Compacted when `atRev` is forgotten. */
  get(key: string, atRev?: number): Entry<V> | undefined;
  list(prefix: string, page?: Page<V>): Listing<V>;
  /** All ops or none. Rejects with JournalError when it could not be made durable, or after `close`. */
  commit(ops: readonly Op<V>[]): Promise<Committed<V>>;
  /** Changes of keys with `prefix` after `afterRev`, in batches, until `signal` aborts. Throws Compacted when behind. */
  watch(prefix: string, afterRev: number, signal: Signal): Watch<V>;
  /** Forgets the past before `rev` (and what only the past needed, in the journal too). */
  compact(rev: number): void;
  close(): void;
}

export interface StoreOptions<V> {
  readonly journal: Journal;
  readonly stamp: Stamp<V>;
  /** Runs the task soon, once this turn of the event loop is over. */
  readonly soon: (task: () => void) => void;
  readonly now: () => number;
  readonly retention?: Retention;
}

/** How much of the past is kept: at least `minChanges`, beyond that for `ageMs`, but never more than `maxChanges`. */
export interface Retention {
  readonly minChanges: number;
  readonly maxChanges: number;
  readonly ageMs: number;
}

const defaultRetention: Retention = { minChanges: 10_000, maxChanges: 50_000, ageMs: 5 * 60_000 };
const maxQueued = 20_000;
const commitsPerTurn = 2_000;
const deadPerTurn = 2_000;

interface Waiting<V> {
  readonly ops: readonly Op<V>[];
  resolve(result: Committed<V>): void;
  reject(error: Error): void;
}

/** Reads the journal and opens the store. Throws JournalError when the journal is damaged. */
export const openStore = <V>(options: StoreOptions<V>): Store<V> => new JournaledStore(options);

class JournaledStore<V> implements Store<V> {
  readonly #state: State<V>;
  readonly #options: StoreOptions<V>;
  readonly #retention: Retention;
  #queue: Waiting<V>[] = [];
  #flushing = false;
  #closed = false;
  readonly #watchers = new Map<string, Set<() => void>>();
  /** Which revision was reached when, at most one per 1/30 of the retention's age. */
  #marks: { readonly rev: number; readonly atMs: number }[] = [];
  #dead: number[] = [];
  #sweeping = false;

  constructor(options: StoreOptions<V>) {
    this.#options = options;
    this.#retention = options.retention ?? defaultRetention;
    this.#state = new State(options.stamp);
    const { compactedRev, rows } = options.journal.load();
    this.#state.begin(compactedRev);
    for (const { rev, key, text } of rows) {
      const dead = this.#state.restore(rev, key, parse<V>(key, rev, text), text);
      if (dead !== undefined) this.#dead.push(dead);
    }
    this.#marks.push({ rev: this.#state.rev, atMs: options.now() });
  }

  get rev(): number {
    return this.#state.rev;
  }

  get compactedRev(): number {
    return this.#state.compactedRev;
  }

  get(key: string, atRev?: number): Entry<V> | undefined {
    return this.#state.get(key, atRev);
  }

  list(prefix: string, page?: Page<V>): Listing<V> {
    return this.#state.list(prefix, page);
  }

  commit(ops: readonly Op<V>[]): Promise<Committed<V>> {
    if (this.#closed) return Promise.reject(new JournalError('the store is closed'));
    if (this.#queue.length >= maxQueued) return Promise.reject(new JournalError('too many writes are waiting'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ ops, resolve, reject });
      this.#flushSoon();
    });
  }

  watch(prefix: string, afterRev: number, signal: Signal): Watch<V> {
    const folder = folderOf(prefix);
    const wakes = this.#watchers.get(folder) ?? new Set();
    this.#watchers.set(folder, wakes);
    return new Watcher(this.#state, wakes, { prefix, afterRev, signal });
  }

  compact(rev: number): void {
    this.#dead.push(...this.#state.compact(Math.min(rev, this.#state.rev)));
    this.#sweepSoon();
  }

  close(): void {
    if (this.#closed) return;
    while (this.#queue.length > 0) this.#flush();
    while (this.#dead.length > 0) if (!this.#sweep()) break;
    this.#closed = true;
    this.#options.journal.close();
    for (const wakes of this.#watchers.values()) for (const wake of wakes) wake();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.soon(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#closed || this.#queue.length === 0) return;
    const batch = this.#queue.splice(0, commitsPerTurn);
    if (this.#queue.length > 0) this.#flushSoon();
    const changes: Change<V>[] = [];
    const results = batch.map(({ ops }) => this.#tryApply(ops, changes));
    try {
      if (changes.length > 0)
        this.#options.journal.append(changes.map(({ rev, last, now }) => ({ rev, key: last.key, text: now?.text })));
    } catch (error) {
      this.#state.undo(changes);
      const failure = error instanceof Error ? error : new JournalError(String(error));
      for (const { reject } of batch) reject(failure);
      return;
    }
    this.#wake(changes);
    batch.forEach(({ resolve, reject }, i) => {
      const result = results[i]!;
      if (result instanceof Error) reject(result);
      else resolve(result);
    });
    this.#retain();
  }

  /** Applies one commit tentatively, its changes at the end of `changes`; or says why not, leaving no trace. */
  #tryApply(ops: readonly Op<V>[], changes: Change<V>[]): Committed<V> | Error {
    const mine: Change<V>[] = [];
    for (const [index, op] of ops.entries()) {
      const objection = this.#state.objection(op);
      if (objection !== undefined) {
        this.#state.undo(mine);
        return { conflict: { index, found: objection.found } };
      }
      try {
        const change = this.#state.apply(op);
        if (change !== undefined) mine.push(change);
      } catch (error) {
        this.#state.undo(mine);
        return error instanceof Error ? error : new Error(String(error));
      }
    }
    changes.push(...mine);
    return { changes: mine };
  }

  #wake(changes: readonly Change<V>[]): void {
    const folders = new Set(changes.map(change => folderOf(change.last.key)));
    for (const folder of folders) for (const wake of this.#watchers.get(folder) ?? []) wake();
  }

  /** Compacts what the retention no longer asks for, in steps large enough to be worth it. */
  #retain(): void {
    const { minChanges, maxChanges, ageMs } = this.#retention;
    const nowMs = this.#options.now();
    if (nowMs - this.#marks.at(-1)!.atMs >= ageMs / 30) this.#marks.push({ rev: this.#state.rev, atMs: nowMs });
    const old = this.#marks.filter(mark => mark.atMs <= nowMs - ageMs).at(-1);
    const byAge = Math.min(old?.rev ?? 0, this.#state.rev - minChanges);
    const target = Math.max(byAge, this.#state.rev - maxChanges);
    if (target - this.#state.compactedRev < minChanges / 10) return;
    if (old !== undefined) this.#marks = this.#marks.filter(mark => mark.atMs >= old.atMs);
    this.compact(target);
  }

  #sweepSoon(): void {
    if (this.#sweeping || this.#closed) return;
    this.#sweeping = true;
    this.#options.soon(() => {
      this.#sweeping = false;
      if (!this.#closed && this.#sweep() && this.#dead.length > 0) this.#sweepSoon();
    });
  }

  /**
   * Removes a slice of dead rows from the journal; false when that failed. They stay for the next time: rows at or
   * before the file's compactedRev that later rows supersede cost room, never truth.
   */
  #sweep(): boolean {
    const slice = this.#dead.slice(0, deadPerTurn);
    try {
      this.#options.journal.compact(this.#state.compactedRev, slice);
    } catch (error) {
      if (error instanceof JournalError) return false;
      throw error;
    }
    this.#dead = this.#dead.slice(slice.length);
    return true;
  }
}

const parse = <V>(key: string, rev: number, text: string | undefined): V | undefined => {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as V;
  } catch {
    throw new JournalError(`the store is damaged: row ${rev} (${key}) is not JSON`);
  }
};
