/**
 * Arrays over rows that all standings of one engine share, because each uses them only while it is at work, and arrays of
 * standings that were given up, for the next ones.
 */
import { BlockBest } from '../columns/block-best.ts';

/** Nothing in it survives a call to another part of the engine. */
export class Workspace {
  rows: Uint32Array = new Uint32Array(0);
  left: Uint32Array = new Uint32Array(0);
  raw: Int32Array = new Int32Array(0);
  totals: Int32Array = new Int32Array(0);
  population: Int32Array = new Int32Array(0);
  verdict: Uint8Array = new Uint8Array(0);
  /** For judging single nodes. */
  scratch: Uint8Array = new Uint8Array(0);
  /** By row: the `stamp` of the last round in which the row was met. */
  stamps: Uint32Array = new Uint32Array(0);
  stamp = 0;
  readonly spare: StandingArrays[] = [];

  /** Makes all arrays this long. */
  fit(capacity: number): void {
    if (this.rows.length === capacity) return;
    this.rows = new Uint32Array(capacity);
    this.left = new Uint32Array(capacity);
    this.raw = new Int32Array(capacity);
    this.totals = new Int32Array(capacity);
    this.population = new Int32Array(capacity);
    this.verdict = new Uint8Array(capacity);
    this.scratch = new Uint8Array(capacity);
    this.stamps = new Uint32Array(capacity);
    this.stamp = 0;
    this.spare.length = 0;
  }
}

/** What one standing keeps by row. */
export interface StandingArrays {
  readonly verdict: Uint8Array;
  readonly sums: Int32Array;
  readonly blocks: BlockBest;
}

/** Fresh arrays for `capacity` rows. */
export const allocate = (capacity: number): StandingArrays => ({
  verdict: new Uint8Array(capacity),
  sums: new Int32Array(capacity),
  blocks: new BlockBest(capacity),
});
