/**
 * Feasible rows grouped by what the late plugins can tell apart. Most workloads with topology rules see few different
 * kinds of node (a zone, a number of matching pods on the host), however many nodes there are; then it is enough to ask
 * the plugins about one node of each group and to know the best standing sums within each. Kept current row by row.
 */
import type { Trait } from '../plugin.ts';

/** More groups than this are not worth it. */
const maxGroups = 384;
const none = -1;

interface Group {
  /** Rows in it. */
  population: number;
  /** First row of the group's list. */
  head: number;
  /** How many rows have which sum. */
  readonly sums: Map<number, number>;
  best: number;
}

/** Empty until `update` has seen the rows; must see every row whose verdict, sum or traits changed. */
export class NodeGroups {
  readonly traits: readonly Trait[];
  readonly groups: Group[] = [];
  /** False when there are too many groups. */
  isUsable = true;
  readonly #groupOf: Int32Array;
  readonly #sumOf: Int32Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Per trait: (what the traits before it came to, its value) to a number. */
  readonly #keys: readonly Map<number, number>[];

  constructor(traits: readonly Trait[], capacity: number) {
    this.traits = traits;
    this.#groupOf = new Int32Array(capacity).fill(none);
    this.#sumOf = new Int32Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
    this.#keys = traits.map(() => new Map<number, number>());
  }

  /** True when the grouping is by the same traits. */
  isBy(traits: readonly Trait[]): boolean {
    if (traits.length !== this.traits.length) return false;
    for (let i = 0; i < traits.length; i++)
      if (traits[i]!.source !== this.traits[i]!.source || traits[i]!.kind !== this.traits[i]!.kind) return false;
    return true;
  }

  /** Puts rows where they belong now; rows that are not feasible belong nowhere. */
  update(rows: Uint32Array, count: number, verdict: Uint8Array, sums: Int32Array): void {
    for (let i = 0; i < count && this.isUsable; i++) {
      const row = rows[i]!;
      this.#leave(row);
      if (verdict[row] === 0) this.#enter(row, this.#find(row), sums[row]!);
    }
  }

  #find(row: number): number {
    let key = 0;
    for (let i = 0; i < this.traits.length; i++) {
      const keys = this.#keys[i]!;
      const pair = key * 0x1000000 + this.traits[i]!.at(row) + 1;
      const known = keys.get(pair);
      key = known ?? keys.size;
      if (known === undefined) keys.set(pair, key);
    }
    while (key >= this.groups.length) this.groups.push({ population: 0, head: none, sums: new Map(), best: none });
    if (this.groups.length > maxGroups) this.isUsable = false;
    return key;
  }

  #enter(row: number, at: number, sum: number): void {
    const group = this.groups[at]!;
    this.#groupOf[row] = at;
    this.#sumOf[row] = sum;
    this.#previous[row] = none;
    this.#next[row] = group.head;
    if (group.head !== none) this.#previous[group.head] = row;
    group.head = row;
    group.population++;
    group.sums.set(sum, (group.sums.get(sum) ?? 0) + 1);
    if (sum > group.best) group.best = sum;
  }

  #leave(row: number): void {
    const at = this.#groupOf[row]!;
    if (at === none) return;
    const group = this.groups[at]!;
    const next = this.#next[row]!;
    const previous = this.#previous[row]!;
    if (previous === none) group.head = next;
    else this.#next[previous] = next;
    if (next !== none) this.#previous[next] = previous;
    this.#groupOf[row] = none;
    group.population--;
    const sum = this.#sumOf[row]!;
    const left = group.sums.get(sum)! - 1;
    if (left > 0) {
      group.sums.set(sum, left);
      return;
    }
    group.sums.delete(sum);
    if (sum !== group.best) return;
    group.best = none;
    for (const other of group.sums.keys()) if (other > group.best) group.best = other;
  }

  /** Writes one row of each group that has any, and how many rows it stands for (by row); returns how many groups. */
  representatives(rows: Uint32Array, population: Int32Array): number {
    let count = 0;
    for (const group of this.groups) {
      if (group.population === 0) continue;
      rows[count++] = group.head;
      population[group.head] = group.population;
    }
    return count;
  }

  /** The group of a feasible row. */
  groupOf(row: number): Group {
    return this.groups[this.#groupOf[row]!]!;
  }

  /** The k-th row, from 0 ascending, whose sum is what `target` says for its group's head row (-1: none of that group). */
  pick(live: Uint32Array, count: number, target: (group: Group) => number, k: number): number {
    const targets = Int32Array.from(this.groups, group => (group.population === 0 ? none : target(group)));
    let left = k;
    for (let i = 0; i < count; i++) {
      const row = live[i]!;
      const at = this.#groupOf[row]!;
      if (at !== none && targets[at] === this.#sumOf[row] && left-- === 0) return row;
    }
    throw new Error('the tie rule gave an index out of range');
  }
}
