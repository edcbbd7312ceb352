/**
 * Where the highest sums are. The best of each block of 64 rows is remembered, and only blocks in which a row changed are
 * searched again: after a pod was placed that is one block, however many nodes there are.
 */

/** Rows in a block: 2 to this power. */
export const blockBits = 6;

/** Blocks that hold so many rows. */
export const blocksOf = (rows: number): number => (rows + (1 << blockBits) - 1) >> blockBits;

/** The highest sum among feasible rows, and how many rows have it. */
export interface Best {
  readonly score: number;
  readonly ties: number;
}

/** Below every sum. */
const never = -1;

/** Reads two arrays by row that others write: `verdict`, 0 where a row is feasible, and `sums`. */
export class BlockBest {
  readonly #best: Int32Array;
  readonly #ties: Int32Array;
  readonly #stale: Uint8Array;

  constructor(capacity: number) {
    const blocks = blocksOf(capacity);
    this.#best = new Int32Array(blocks);
    this.#ties = new Int32Array(blocks);
    this.#stale = new Uint8Array(blocks).fill(1);
  }

  /** The row's verdict or sum changed. */
  touch(row: number): void {
    this.#stale[row >> blockBits] = 1;
  }

  touchAll(): void {
    this.#stale.fill(1);
  }

  /** There must be a feasible row. */
  find(verdict: Uint8Array, sums: Int32Array): Best {
    let score = never;
    let ties = 0;
    for (let block = 0; block < this.#best.length; block++) {
      if (this.#stale[block] === 1) this.#search(block, verdict, sums);
      const here = this.#best[block]!;
      if (here < score) continue;
      if (here > score) ties = 0;
      score = here;
      ties += this.#ties[block]!;
    }
    return { score, ties };
  }

  /** The k-th row, from 0 ascending, of those that `find` counted last. */
  row({ score }: Best, k: number, verdict: Uint8Array, sums: Int32Array): number {
    let left = k;
    for (let block = 0; block < this.#best.length; block++) {
      if (this.#best[block] !== score) continue;
      if (left >= this.#ties[block]!) {
        left -= this.#ties[block]!;
        continue;
      }
      const end = Math.min((block + 1) << blockBits, verdict.length);
      for (let row = block << blockBits; row < end; row++)
        if (verdict[row] === 0 && sums[row] === score && left-- === 0) return row;
    }
    throw new RangeError('the tie rule gave an index out of range');
  }

  #search(block: number, verdict: Uint8Array, sums: Int32Array): void {
    this.#stale[block] = 0;
    let best = never - 1;
    let ties = 0;
    const end = Math.min((block + 1) << blockBits, verdict.length);
    for (let row = block << blockBits; row < end; row++) {
      const sum = sums[row]!;
      if (sum < best || verdict[row] !== 0) continue;
      if (sum === best) ties++;
      else {
        best = sum;
        ties = 1;
      }
    }
    this.#best[block] = best;
    this.#ties[block] = ties;
  }
}
