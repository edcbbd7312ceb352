/**
 * The recent changes of one folder of keys, in revision order: what watchers read on from, and what the past is found by. Walking
 * it backwards from the present gives any state down to the newest change that was dropped.
 */
import type { Change, Entry } from './state.ts';

/** Revisions up to `rev` are forgotten: what was asked for can no longer be shown. */
export class Compacted extends Error {
  override name = 'Compacted';
  readonly rev: number;
  constructor(rev: number) {
    super(`revisions before ${rev} have been compacted`);
    this.rev = rev;
  }
}

export class ChangeLog<V> {
  readonly #changes: Change<V>[] = [];
  /** Revision of the newest change that was dropped from it. */
  #droppedRev: number;

  constructor(droppedRev: number) {
    this.#droppedRev = droppedRev;
  }

  /** The change must be newer than all others. */
  add(change: Change<V>): void {
    this.#changes.push(change);
  }

  /** Takes the newest change off again. */
  undo(): void {
    this.#changes.pop();
  }

  /** What became of the key first after `rev`; undefined: it is as it was. */
  firstAfter(rev: number, key: string): Change<V> | undefined {
    for (let i = this.#after(rev); i < this.#changes.length; i++)
      if (this.#changes[i]!.last.key === key) return this.#changes[i];
    return undefined;
  }

  /** What each key with `prefix` that changed after `rev` held at `rev`. */
  heldAt(rev: number, prefix: string): ReadonlyMap<string, Entry<V> | undefined> {
    const held = new Map<string, Entry<V> | undefined>();
    for (let i = this.#changes.length - 1; i >= 0 && this.#changes[i]!.rev > rev; i--) {
      const { last, was } = this.#changes[i]!;
      if (last.key.startsWith(prefix)) held.set(last.key, was);
    }
    return held;
  }

  /** At most `limit` changes after `afterRev`, of keys with `prefix` or (undefined) of all. Throws Compacted when some are forgotten. */
  since(afterRev: number, limit: number, prefix: string | undefined): readonly Change<V>[] {
    if (afterRev < this.#droppedRev) throw new Compacted(this.#droppedRev);
    const found: Change<V>[] = [];
    for (let i = this.#after(afterRev); i < this.#changes.length && found.length < limit; i++) {
      const change = this.#changes[i]!;
      if (prefix === undefined || change.last.key.startsWith(prefix)) found.push(change);
    }
    return found;
  }

  /** Forgets the changes up to `rev`; their rows that nobody can ask for any more are added to `dead`. */
  drop(rev: number, dead: number[]): void {
    for (const change of this.#changes.splice(0, this.#after(rev))) {
      if (change.was !== undefined) dead.push(change.was.rev);
      if (change.now === undefined) dead.push(change.rev);
      this.#droppedRev = change.rev;
    }
  }

  /** Index of the first change after `rev`. */
  #after(rev: number): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#changes[middle]!.rev <= rev) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
