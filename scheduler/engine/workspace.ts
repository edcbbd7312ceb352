/** Arrays that all standings of one engine share, because each uses them only while it is at work, and those to be used again. */

/** Blocks of rows whose best is remembered. */
export const blockBits = 6;
export const blockSize = 1 << blockBits;

export class Workspace {
  rows: Uint32Array = new Uint32Array(0);
  left: Uint32Array = new Uint32Array(0);
  raw: Int32Array = new Int32Array(0);
  totals: Int32Array = new Int32Array(0);
  population: Int32Array = new Int32Array(0);
  verdict: Uint8Array = new Uint8Array(0);
  /** For judging single nodes. */
  scratch: Uint8Array = new Uint8Array(0);
  stamps: Uint32Array = new Uint32Array(0);
  stamp = 0;
  /** Arrays of standings that were dropped, for the next ones. */
  readonly spare: StandingArrays[] = [];

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

export interface StandingArrays {
  readonly verdict: Uint8Array;
  readonly sums: Int32Array;
  readonly feasible: Uint32Array;
  readonly blockBest: Int32Array;
  readonly blockTies: Int32Array;
  readonly blockStale: Uint8Array;
}

/** Fresh arrays for `capacity` rows. */
export const allocate = (capacity: number): StandingArrays => {
  const blocks = (capacity + blockSize - 1) >> blockBits;
  return {
    verdict: new Uint8Array(capacity),
    sums: new Int32Array(capacity),
    feasible: new Uint32Array(capacity),
    blockBest: new Int32Array(blocks),
    blockTies: new Int32Array(blocks),
    blockStale: new Uint8Array(blocks),
  };
};
