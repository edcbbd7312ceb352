/**
 * Lower bounds of what is free, by blocks of nodes: as long as a cluster is not nearly full, a few dozen comparisons tell that a
 * pod fits every node, instead of one for each. Kept by the columns' change log; a bound is found again when a node of its
 * block has changed.
 */

import { blockBits, blocksOf } from './block-best.ts';
import type { Columns } from './columns.ts';

const never = -1;

/** Brings itself up to date when it is asked. */
export class Room {
  readonly #columns: Columns;
  /** Per resource column: the least that is free on a node of each block. */
  #least: Float64Array[] = [];
  #leastPods: Float64Array = new Float64Array(0);
  #stale: Uint8Array = new Uint8Array(0);
  #epoch = never;
  #liveCount = 0;
  #cursor = 0;

  constructor(columns: Columns) {
    this.#columns = columns;
  }

  /** True when every node has room for a pod that wants this much of these resource columns. */
  isEverywhere(wanted: { readonly columns: readonly number[]; readonly amounts: readonly number[] }): boolean {
    this.#sync();
    const pods = this.#leastPods;
    for (let block = 0; block < pods.length; block++) if (pods[block]! < 1) return false;
    for (let i = 0; i < wanted.columns.length; i++) {
      const least = this.#least[wanted.columns[i]!]!;
      const amount = wanted.amounts[i]!;
      for (let block = 0; block < least.length; block++) if (least[block]! < amount) return false;
    }
    return true;
  }

  #sync(): void {
    const columns = this.#columns;
    const isKnown =
      this.#epoch === columns.epoch &&
      this.#liveCount === columns.count &&
      this.#least.length === columns.resources.free.length &&
      columns.log.remembers(this.#cursor);
    if (!isKnown) this.#begin();
    else if (this.#cursor === columns.log.end) return;
    else for (let at = this.#cursor; at < columns.log.end; at++) this.#stale[columns.log.slotAt(at) >> blockBits] = 1;
    this.#cursor = columns.log.end;
    for (let block = 0; block < this.#stale.length; block++) if (this.#stale[block] === 1) this.#find(block);
  }

  #begin(): void {
    const { capacity, count, epoch, resources } = this.#columns;
    const blocks = blocksOf(capacity);
    this.#epoch = epoch;
    this.#liveCount = count;
    this.#least = resources.free.map(() => new Float64Array(blocks));
    this.#leastPods = new Float64Array(blocks);
    this.#stale = new Uint8Array(blocks).fill(1);
  }

  #find(block: number): void {
    const { resources, capacity } = this.#columns;
    this.#stale[block] = 0;
    const first = block << blockBits;
    const end = Math.min(first + (1 << blockBits), capacity);
    for (const [i, least] of this.#least.entries()) least[block] = this.#leastOf(resources.free[i]!, first, end);
    this.#leastPods[block] = this.#leastOf(resources.podRoom, first, end);
  }

  #leastOf(values: Float64Array, first: number, end: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (let row = first; row < end; row++) if (values[row]! < least && this.#columns.isLive(row)) least = values[row]!;
    return least;
  }
}
