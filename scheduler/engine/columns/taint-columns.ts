/** What keeps pods away from nodes: cordons, and taints. Equal lists of taints share a number, because lists are few and nodes many. */
import type { Node, Taint } from '#api/kinds/core.ts';

/** Told of every node that comes, changes or goes. */
export class TaintColumns {
  /** By row: 1 when the node is cordoned (`spec.unschedulable`). */
  unschedulable: Uint8Array = new Uint8Array(0);
  /** How many nodes are. */
  cordoned = 0;
  /** By row: number of the node's list of taints in `lists`. */
  taints: Int32Array = new Int32Array(0);
  /** The empty list is number 0. */
  readonly lists: (readonly Taint[])[] = [[]];
  readonly #listOf = new Map<string, number>([['[]', 0]]);

  resize(capacity: number): void {
    const unschedulable = new Uint8Array(capacity);
    unschedulable.set(this.unschedulable);
    this.unschedulable = unschedulable;
    const taints = new Int32Array(capacity);
    taints.set(this.taints);
    this.taints = taints;
  }

  set(slot: number, { spec }: Node): void {
    this.#cordon(slot, spec?.unschedulable === true);
    this.taints[slot] = this.#numberOf(spec?.taints ?? []);
  }

  clear(slot: number): void {
    this.#cordon(slot, false);
    this.taints[slot] = 0;
  }

  #cordon(slot: number, on: boolean): void {
    this.cordoned += (on ? 1 : 0) - this.unschedulable[slot]!;
    this.unschedulable[slot] = on ? 1 : 0;
  }

  #numberOf(taints: readonly Taint[]): number {
    const key = JSON.stringify(taints.map(({ key, value, effect }) => [key, value ?? '', effect]));
    const known = this.#listOf.get(key);
    if (known !== undefined) return known;
    const id = this.lists.length;
    this.lists.push(taints);
    this.#listOf.set(key, id);
    return id;
  }
}
