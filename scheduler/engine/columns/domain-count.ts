/** How many pods of a kind there are per topology domain, which is a value of a node label; and how that tells nodes apart. */

import type { Trait } from '../plugin.ts';
import { grown, type LabelColumn } from './label-column.ts';

/** `counts[id]`: pods on nodes whose label has the value number `id`. Follows what it is told by `add`. */
export class DomainCount {
  readonly column: LabelColumn;
  counts: Int32Array = new Int32Array(16);
  /** Sum over all values. */
  total = 0;
  /** By row: 0 leaves the node out (spread's inclusion policies). Undefined: no node is left out. */
  eligible: Uint8Array | undefined;
  /** Pods on eligible nodes that lack the label. */
  missing = 0;

  constructor(column: LabelColumn) {
    this.column = column;
  }

  /** `by` more pods on the node of this row, or fewer. */
  add(slot: number, by: number): void {
    if (this.eligible !== undefined && this.eligible[slot] === 0) return;
    const id = this.column.ids[slot]!;
    if (id < 0) {
      this.missing += by;
      return;
    }
    if (id >= this.counts.length) this.counts = grown(this.counts, id + 1);
    this.counts[id]! += by;
    this.total += by;
  }

  /** The counts, long enough for every value that the column knows. */
  covering(): Int32Array {
    if (this.counts.length < this.column.values.length) this.counts = grown(this.counts, this.column.values.length);
    return this.counts;
  }

  /**
   * What tells rows apart in this count: the value of the label; or, where no two nodes share one, the count itself,
   * which then is the node's own. `present`: only whether there is any.
   */
  trait(kind: 'count' | 'present'): Trait {
    const { column } = this;
    if (column.shared > 0) return { source: column, kind: 'value', at: row => column.ids[row]! };
    const at = (row: number): number => {
      const id = column.ids[row]!;
      return id < 0 ? -1 : (this.counts[id] ?? 0);
    };
    return { source: this, kind, at: kind === 'count' ? at : row => Math.min(at(row), 1) };
  }

  clear(): void {
    this.counts.fill(0);
    this.total = 0;
    this.missing = 0;
  }

  /** Counts anew from how many there are on each node, by row. */
  rebuild(perNode: Int32Array): void {
    this.clear();
    this.covering();
    for (let slot = 0; slot < perNode.length; slot++) if (perNode[slot] !== 0) this.add(slot, perNode[slot]!);
  }
}
