/** A map that keeps what was used last: the least recently used entry goes when there are more than a limit. */
export class Recent<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #dropped: (value: V) => void;
  #limit: number;

  /** `dropped` gets every value that goes, also one that is replaced. */
  constructor(limit: number, dropped: (value: V) => void = () => {}) {
    this.#limit = limit;
    this.#dropped = dropped;
  }

  /** Takes effect with the next `set`. */
  set limit(limit: number) {
    this.#limit = limit;
  }

  /** The value, which counts as used now. */
  use(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.remove(key);
    this.#entries.set(key, value);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limit) return;
      this.remove(oldest);
    }
  }

  remove(key: K): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#dropped(value);
  }
}
