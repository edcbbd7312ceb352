/**
 * Which rows changed lately, in order, for everything that keeps results per row: a reader remembers how far it has read
 * and looks at the rest again. The log is a ring; a reader that fell behind by more than its length starts over.
 */

const length = 1 << 14;

/** Positions count all entries ever made; `at` ones must be remembered. */
export class ChangeLog {
  /** Position after the last entry; positions only rise. */
  end = 0;
  /** Raised when a node object changed in a way that plugins can see, or a node came or went. */
  nodesRevision = 0;
  /** The row, doubled, plus 1 when its node object changed. */
  readonly #ring = new Int32Array(length);

  /** Pods came to or left the node of this row. */
  podsChanged(slot: number): void {
    this.#ring[this.end++ & (length - 1)] = slot << 1;
  }

  nodeChanged(slot: number): void {
    this.nodesRevision++;
    this.#ring[this.end++ & (length - 1)] = (slot << 1) | 1;
  }

  /** True when everything since `position` is still there. */
  remembers(position: number): boolean {
    return this.end - position <= length;
  }

  /** The row that the entry at a remembered position is about. */
  slotAt(position: number): number {
    return this.#ring[position & (length - 1)]! >> 1;
  }

  /** True when that entry is about the node object itself. */
  isNodeAt(position: number): boolean {
    return (this.#ring[position & (length - 1)]! & 1) === 1;
  }
}
