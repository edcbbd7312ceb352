/**
 * The store's state machine: keys with values under one global revision, and the recent changes of each folder of keys.
 * Synchronous and without I/O; what is durable and who is told is store.ts's business.
 *
 * Invariants: revisions only grow; the changes of a folder are in revision order; undoing the newest changes in reverse
 * restores the state exactly. The past down to `compactedRev` is read by walking recent changes backwards, so the
 * present costs nothing extra.
 */
import { assert } from '#base/assert.ts';
import { ChangeLog, Compacted } from './change-log.ts';
import { SortedKeys } from './sorted-keys.ts';

/** A value at a revision. The value is frozen and shared: nobody copies it, nobody changes it. */
export class Entry<V> {
  readonly key: string;
  /** The revision that wrote it. */
  readonly rev: number;
  readonly value: V;
  #text: string | undefined;

  constructor(key: string, rev: number, value: V, text?: string) {
    this.key = key;
    this.rev = rev;
    this.value = value;
    this.#text = text;
  }

  /** The value as JSON, made once for journal, responses and watchers. */
  get text(): string {
    this.#text ??= JSON.stringify(this.value);
    return this.#text;
  }
}

export interface Change<V> {
  readonly rev: number;
  readonly was: Entry<V> | undefined;
  readonly now: Entry<V> | undefined;
  /** `now`, or, for a removal, the last value stamped with the revision of the removal. */
  readonly last: Entry<V>;
}

/**
 * One step of a commit. `ifRev` is the revision that the key must have (0: it must not exist; absent: whatever it is).
 * `check` changes nothing: it makes the commit depend on another key standing still.
 */
export type Op<V> =
  | { readonly put: string; readonly value: V; readonly ifRev?: number }
  | { readonly remove: string; readonly ifRev?: number }
  | { readonly check: string; readonly ifRev: number };

export interface Page<V> {
  /** Only keys after this one. */
  readonly after?: string;
  /** At most so many entries; absent: all. */
  readonly limit?: number;
  /** As of this revision; absent: now. */
  readonly atRev?: number;
  /** Entries that do not satisfy it are passed over and do not count. */
  readonly where?: (entry: Entry<V>) => boolean;
}

export interface Listing<V> {
  readonly entries: readonly Entry<V>[];
  /** The revision that the listing shows. */
  readonly rev: number;
  /** How many keys (whether or not they satisfy `where`) come after the last entry; 0: the listing is complete. */
  readonly remaining: number;
}

/** Makes the value to keep: with the revision in it, and frozen. */
export type Stamp<V> = (value: V, rev: number) => V;

export class State<V> {
  #rev = 0;
  #compactedRev = 0;
  /** What is older was forgotten before this process began. */
  #firstRev = 0;
  readonly #entries = new Map<string, Entry<V>>();
  readonly #keys = new SortedKeys();
  readonly #logs = new Map<string, ChangeLog<V>>();
  readonly #stamp: Stamp<V>;

  constructor(stamp: Stamp<V>) {
    this.#stamp = stamp;
  }

  get rev(): number {
    return this.#rev;
  }

  get compactedRev(): number {
    return this.#compactedRev;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, atRev?: number): Entry<V> | undefined {
    const now = this.#entries.get(key);
    if (atRev === undefined || atRev >= this.#rev) return now;
    this.#mustRemember(atRev);
    const first = this.#logs.get(folderOf(key))?.firstAfter(atRev, key);
    return first === undefined ? now : first.was;
  }

  /** Entries whose key begins with `prefix`, in key order. */
  list(prefix: string, page: Page<V> = {}): Listing<V> {
    const rev = page.atRev ?? this.#rev;
    const past = rev < this.#rev ? this.#changedSince(prefix, rev) : undefined;
    const limit = page.limit ?? Number.POSITIVE_INFINITY;
    const start = page.after === undefined ? prefix : `${page.after}\u0000`;
    const entries: Entry<V>[] = [];
    for (const entry of this.#entriesFrom(prefix, start, past)) {
      if (page.where !== undefined && !page.where(entry)) continue;
      if (entries.length === limit) return { entries, rev, remaining: this.#remaining(prefix, entries, past) };
      entries.push(entry);
    }
    return { entries, rev, remaining: 0 };
  }

  /** The entry that stands against this op, if any; `{ found: undefined }` says that the key does not exist. */
  objection(op: Op<V>): { readonly found: Entry<V> | undefined } | undefined {
    const found = this.#entries.get(keyOfOp(op));
    if (op.ifRev !== undefined && (found?.rev ?? 0) !== op.ifRev) return { found };
    if ('remove' in op && found === undefined) return { found };
    return undefined;
  }

  /** Applies an op that has no objection and gives its change; `check` changes nothing. */
  apply(op: Op<V>): Change<V> | undefined {
    if ('check' in op) return undefined;
    const rev = this.#rev + 1;
    const key = keyOfOp(op);
    const was = this.#entries.get(key);
    const now = 'put' in op ? new Entry(key, rev, this.#stamp(op.value, rev)) : undefined;
    assert(now !== undefined || was !== undefined, 'a key that does not exist cannot be removed');
    const last = now ?? new Entry(key, rev, this.#stamp(was!.value, rev));
    const change: Change<V> = { rev, was, now, last };
    this.#admit(change);
    return change;
  }

  /** Takes back the newest changes, newest first. */
  undo(changes: readonly Change<V>[]): void {
    for (const change of [...changes].reverse()) {
      assert(change.rev === this.#rev, 'only the newest change can be undone');
      this.#logs.get(folderOf(change.last.key))!.undo();
      this.#set(change.last.key, change.was);
      this.#rev--;
    }
  }

  /**
   * Puts a recorded row back at start-up; rows come in revision order, `text` is the row's JSON. Returns the revision of
   * a row that compaction had not yet removed when the process ended.
   */
  restore(rev: number, key: string, value: V | undefined, text: string | undefined): number | undefined {
    const was = this.#entries.get(key);
    const now = value === undefined ? undefined : new Entry(key, rev, value, text);
    if (rev <= this.#compactedRev) {
      this.#set(key, now);
      return now === undefined ? rev : was?.rev;
    }
    const gone = was === undefined ? undefined : new Entry(key, rev, this.#stamp(was.value, rev));
    const last = now ?? gone;
    if (last !== undefined) this.#admit({ rev, was, now, last });
    this.#rev = rev;
    return undefined;
  }

  /** Sets both revisions at start-up, before the rows are restored. */
  begin(compactedRev: number): void {
    this.#compactedRev = compactedRev;
    this.#firstRev = compactedRev;
    this.#rev = compactedRev;
  }

  /** At most `limit` changes of keys with `prefix` after `afterRev`. Throws Compacted when some are forgotten. */
  since(prefix: string, afterRev: number, limit: number): readonly Change<V>[] {
    const folder = folderOf(prefix);
    return this.#logs.get(folder)?.since(afterRev, limit, prefix === `${folder}/` ? undefined : prefix) ?? [];
  }

  /** Forgets changes up to `rev`; returns the revisions of rows that nobody can ask for any more. */
  compact(rev: number): readonly number[] {
    if (rev <= this.#compactedRev) return [];
    assert(rev <= this.#rev, 'the future cannot be compacted');
    const dead: number[] = [];
    for (const log of this.#logs.values()) log.drop(rev, dead);
    this.#compactedRev = rev;
    return dead;
  }

  /** Throws Compacted when the state of that revision can no longer be shown. */
  #mustRemember(rev: number): void {
    if (rev < this.#compactedRev) throw new Compacted(this.#compactedRev);
  }

  #admit(change: Change<V>): void {
    const folder = folderOf(change.last.key);
    let log = this.#logs.get(folder);
    if (log === undefined) {
      log = new ChangeLog(this.#firstRev);
      this.#logs.set(folder, log);
    }
    log.add(change);
    this.#set(change.last.key, change.now);
    this.#rev = change.rev;
  }

  #set(key: string, entry: Entry<V> | undefined): void {
    if (entry === undefined) {
      this.#entries.delete(key);
      this.#keys.delete(key);
      return;
    }
    if (!this.#entries.has(key)) this.#keys.add(key);
    this.#entries.set(key, entry);
  }

  /** What each key changed since `rev` held at `rev`. */
  #changedSince(prefix: string, rev: number): ReadonlyMap<string, Entry<V> | undefined> {
    this.#mustRemember(rev);
    return this.#logs.get(folderOf(prefix))?.heldAt(rev, prefix) ?? new Map();
  }

  *#entriesFrom(
    prefix: string,
    start: string,
    past: ReadonlyMap<string, Entry<V> | undefined> | undefined,
  ): Generator<Entry<V>> {
    if (past === undefined || past.size === 0) {
      for (const key of this.#keys.scan(prefix, start)) yield this.#entries.get(key)!;
      return;
    }
    const gone = [...past.keys()].filter(key => key >= start && !this.#entries.has(key)).sort();
    let g = 0;
    for (const key of this.#keys.scan(prefix, start)) {
      for (; g < gone.length && gone[g]! < key; g++) {
        const entry = past.get(gone[g]!);
        if (entry !== undefined) yield entry;
      }
      const entry = past.has(key) ? past.get(key) : this.#entries.get(key);
      if (entry !== undefined) yield entry;
    }
    for (; g < gone.length; g++) {
      const entry = past.get(gone[g]!);
      if (entry !== undefined) yield entry;
    }
  }

  #remaining(
    prefix: string,
    entries: readonly Entry<V>[],
    past: ReadonlyMap<string, Entry<V> | undefined> | undefined,
  ): number {
    const lastKey = entries.at(-1)?.key;
    const start = lastKey === undefined ? prefix : `${lastKey}\u0000`;
    if (past === undefined) return this.#keys.count(prefix, start);
    let count = 0;
    for (const _ of this.#entriesFrom(prefix, start, past)) count++;
    return count;
  }
}

export const keyOfOp = <V>(op: Op<V>): string => ('put' in op ? op.put : 'remove' in op ? op.remove : op.check);

/** `pods` of `pods/default/web`: changes are kept and watchers woken by folder. */
export const folderOf = (key: string): string => {
  const slash = key.indexOf('/');
  return slash === -1 ? key : key.slice(0, slash);
};
