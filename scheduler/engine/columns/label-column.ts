/**
 * One label key over all nodes, as numbers: `ids[node]` is the number of the node's value, -1 where it has none. Values
 * are numbered from 0 in the order they were first seen. Columns are made for the keys that pods ask about.
 */
import type { Node } from '#api/kinds/core.ts';

/** Values are never given another number, but for `adopt`. */
export class LabelColumn {
  readonly key: string;
  readonly values: string[] = [];
  ids: Int32Array;
  /** Nodes per value. */
  population: Int32Array = new Int32Array(16);
  /** Nodes without the label. */
  missing = 0;
  /** Values that more than one node has. */
  shared = 0;
  readonly #idOf = new Map<string, number>();

  constructor(key: string, capacity: number) {
    this.key = key;
    this.ids = new Int32Array(capacity).fill(-1);
  }

  /** The number of a value, -1 when no node ever had it. */
  idOf(value: string): number {
    return this.#idOf.get(value) ?? -1;
  }

  /** The id that the node's labels give, numbering a value that is new. */
  intern(node: Node): number {
    const labels = node.metadata.labels;
    if (labels === undefined || !Object.hasOwn(labels, this.key)) return -1;
    const value = labels[this.key] as string;
    const known = this.#idOf.get(value);
    if (known !== undefined) return known;
    const id = this.values.length;
    this.values.push(value);
    this.#idOf.set(value, id);
    if (id >= this.population.length) this.population = grown(this.population, id + 1);
    return id;
  }

  /** Puts a node that has no place in the column yet. */
  enter(slot: number, node: Node): void {
    const id = this.intern(node);
    this.ids[slot] = id;
    if (id < 0) this.missing++;
    else if (++this.population[id]! === 2) this.shared++;
  }

  /** Takes a node out that entered. */
  leave(slot: number): void {
    const id = this.ids[slot]!;
    this.ids[slot] = -1;
    if (id < 0) this.missing--;
    else if (--this.population[id]! === 1) this.shared--;
  }

  resize(capacity: number): void {
    const ids = new Int32Array(capacity).fill(-1);
    ids.set(this.ids);
    this.ids = ids;
  }

  /** Takes over the numbering of another column of the same key. */
  adopt(other: LabelColumn): void {
    this.values.length = 0;
    this.values.push(...other.values);
    this.#idOf.clear();
    for (let id = 0; id < this.values.length; id++) this.#idOf.set(this.values[id]!, id);
    this.ids = other.ids;
    this.population = other.population;
    this.missing = other.missing;
    this.shared = other.shared;
  }

  /** True when more than `least` values are numbered and most of them are on no node any more. */
  isWasteful(least: number, nodes: number): boolean {
    return this.values.length > least && this.values.length > 2 * nodes;
  }
}

/** A copy with room for at least `length` entries. */
export const grown = (array: Int32Array, length: number): Int32Array => {
  const larger = new Int32Array(Math.max(length, 2 * array.length));
  larger.set(array);
  return larger;
};
