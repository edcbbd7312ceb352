/**
 * An ordered set of strings in chunks: insertion and removal move at most one chunk, a scan from any key is a walk, and
 * the position of a key costs one step per chunk. It gives listings their order without ever sorting everything.
 */
const maxChunk = 512;

export class SortedKeys {
  #chunks: string[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(key: string): void {
    if (this.#chunks.length === 0) {
      this.#chunks.push([key]);
      this.#size = 1;
      return;
    }
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at]!;
    const i = lowerBound(chunk, key);
    if (chunk[i] === key) return;
    chunk.splice(i, 0, key);
    this.#size++;
    if (chunk.length > maxChunk) this.#chunks.splice(at + 1, 0, chunk.splice(chunk.length >> 1));
  }

  delete(key: string): void {
    if (this.#chunks.length === 0) return;
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at]!;
    const i = lowerBound(chunk, key);
    if (chunk[i] !== key) return;
    chunk.splice(i, 1);
    this.#size--;
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Keys from `start` (included) on that begin with `prefix`, in order. */
  *scan(prefix: string, start: string): Generator<string> {
    if (this.#chunks.length === 0) return;
    const from = start > prefix ? start : prefix;
    let at = this.#chunkOf(from);
    let i = lowerBound(this.#chunks[at]!, from);
    for (; at < this.#chunks.length; at++, i = 0) {
      const chunk = this.#chunks[at]!;
      for (; i < chunk.length; i++) {
        const key = chunk[i]!;
        if (!key.startsWith(prefix)) return;
        yield key;
      }
    }
  }

  /** How many keys that begin with `prefix` come at or after `start`. */
  count(prefix: string, start: string): number {
    const from = start > prefix ? start : prefix;
    return Math.max(0, this.#rank(afterPrefix(prefix)) - this.#rank(from));
  }

  #rank(key: string): number {
    if (this.#chunks.length === 0) return 0;
    const at = this.#chunkOf(key);
    let before = 0;
    for (let i = 0; i < at; i++) before += this.#chunks[i]!.length;
    return before + lowerBound(this.#chunks[at]!, key);
  }

  /** The last chunk whose first key is not after `key`. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#chunks[middle]![0]! <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** A string that is after every string with that prefix (keys hold no character U+FFFF). */
const afterPrefix = (prefix: string): string => `${prefix}\uffff`;

const lowerBound = (sorted: readonly string[], key: string): number => {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
};
