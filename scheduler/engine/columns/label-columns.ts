/** The label keys that pods ask about, each as a column over all nodes. A column is made when its key is first asked for. */
import type { Node } from '#api/kinds/core.ts';
import { LabelColumn } from './label-column.ts';
import type { NodeRows } from './node-rows.ts';

/** Reads the rows in use when a column is made or renumbered; of all else it must be told. */
export class LabelColumns {
  readonly #rows: NodeRows;
  readonly #columns = new Map<string, LabelColumn>();

  constructor(rows: NodeRows) {
    this.#rows = rows;
  }

  of(key: string): LabelColumn {
    let column = this.#columns.get(key);
    if (column === undefined) {
      column = this.#over(key);
      this.#columns.set(key, column);
    }
    return column;
  }

  resize(capacity: number): void {
    for (const column of this.#columns.values()) column.resize(capacity);
  }

  enter(slot: number, node: Node): void {
    for (const column of this.#columns.values()) column.enter(slot, node);
  }

  leave(slot: number): void {
    for (const column of this.#columns.values()) column.leave(slot);
  }

  /** The columns in which a node gets another value than its row has now. */
  changing(slot: number, node: Node): readonly LabelColumn[] {
    return [...this.#columns.values()].filter(column => column.intern(node) !== column.ids[slot]);
  }

  /**
   * Numbers the values in use from 0 again in columns where more than `least` values are numbered and most of them are on
   * no node any more; returns those columns. Without this, labels that come and go with nodes would fill memory.
   */
  renumberWasteful(least: number): readonly LabelColumn[] {
    const wasteful = [...this.#columns.values()].filter(column => column.isWasteful(least, this.#rows.count));
    for (const column of wasteful) column.adopt(this.#over(column.key));
    return wasteful;
  }

  #over(key: string): LabelColumn {
    const { live, count, nodes, capacity } = this.#rows;
    const column = new LabelColumn(key, capacity);
    for (let i = 0; i < count; i++) column.enter(live[i]!, nodes[live[i]!] as Node);
    return column;
  }
}
