/**
 * Which node has which row (slot). Rows are given out in order of arrival, so the lowest row is the node known longest, and
 * those of nodes that went are given out again.
 */
import type { Node } from '#api/kinds/core.ts';

/** `resize` before the first `add`, and whenever `isFull`. */
export class NodeRows {
  /** Rows in use. */
  count = 0;
  /** Rows that there are. */
  capacity = 0;
  /** Rows in use, ascending; valid up to `count`. */
  live: Uint32Array = new Uint32Array(0);
  /** By row; undefined where there is no node. */
  readonly nodes: (Node | undefined)[] = [];
  readonly names: string[] = [];
  readonly #slotOf = new Map<string, number>();
  readonly #free: number[] = [];

  /** Row of a node, -1 when it is not known. */
  slotOf(name: string): number {
    return this.#slotOf.get(name) ?? -1;
  }

  isLive(slot: number): boolean {
    return this.nodes[slot] !== undefined;
  }

  /** True when `add` needs more rows first. */
  get isFull(): boolean {
    return this.count === this.capacity;
  }

  resize(capacity: number): void {
    this.capacity = capacity;
    const live = new Uint32Array(capacity);
    live.set(this.live);
    this.live = live;
  }

  /** Gives a node that has none a row. */
  add(node: Node): number {
    const slot = this.#free.pop() ?? this.count;
    const { name } = node.metadata;
    this.#slotOf.set(name, slot);
    this.names[slot] = name;
    this.nodes[slot] = node;
    if (this.count === 0 || this.live[this.count - 1]! < slot) this.live[this.count++] = slot;
    else {
      this.count++;
      this.#listLive();
    }
    return slot;
  }

  remove(slot: number): void {
    this.#slotOf.delete(this.names[slot]!);
    this.nodes[slot] = undefined;
    this.#free.push(slot);
    this.count--;
    this.#listLive();
  }

  #listLive(): void {
    let at = 0;
    for (let slot = 0; slot < this.capacity; slot++) if (this.isLive(slot)) this.live[at++] = slot;
  }
}
