/**
 * A binary heap whose items have keys: an item is found, replaced or removed by its key in O(log n). At most one item
 * per key is in it. Items that neither order prefers come out in the order they were first added (FIFO).
 */
export class Heap<T> {
  readonly #keyOf: (item: T) => string;
  readonly #before: (a: T, b: T) => boolean;
  readonly #slots: Slot<T>[] = [];
  readonly #byKey = new Map<string, Slot<T>>();
  #order = 0;

  /** `before(a, b)` is true when `a` must come out before `b`. */
  constructor(keyOf: (item: T) => string, before: (a: T, b: T) => boolean) {
    this.#keyOf = keyOf;
    this.#before = before;
  }

  get size(): number {
    return this.#slots.length;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  get(key: string): T | undefined {
    return this.#byKey.get(key)?.item;
  }

  /** Adds the item, or replaces the one with its key (which keeps its turn among equals). */
  set(item: T): void {
    const key = this.#keyOf(item);
    const present = this.#byKey.get(key);
    if (present) {
      present.item = item;
      this.#settle(present);
      return;
    }
    const slot: Slot<T> = { item, key, order: this.#order++, index: this.#slots.length };
    this.#slots.push(slot);
    this.#byKey.set(key, slot);
    this.#up(slot);
  }

  /** Takes the item with that key out, wherever it is. */
  remove(key: string): T | undefined {
    const slot = this.#byKey.get(key);
    if (!slot) return undefined;
    this.#byKey.delete(key);
    const last = this.#slots.pop() as Slot<T>;
    if (last !== slot) {
      this.#put(last, slot.index);
      this.#settle(last);
    }
    return slot.item;
  }

  /** The first item, left in. */
  peek(): T | undefined {
    return this.#slots[0]?.item;
  }

  /** The first item, taken out. */
  pop(): T | undefined {
    const first = this.#slots[0];
    return first === undefined ? undefined : this.remove(first.key);
  }

  /** Every item, in no particular order. */
  values(): T[] {
    return this.#slots.map(slot => slot.item);
  }

  clear(): void {
    this.#slots.length = 0;
    this.#byKey.clear();
  }

  #first(a: Slot<T>, b: Slot<T>): boolean {
    if (this.#before(a.item, b.item)) return true;
    return !this.#before(b.item, a.item) && a.order < b.order;
  }

  #put(slot: Slot<T>, index: number): void {
    slot.index = index;
    this.#slots[index] = slot;
  }

  #settle(slot: Slot<T>): void {
    const index = slot.index;
    this.#up(slot);
    if (slot.index === index) this.#down(slot);
  }

  #up(slot: Slot<T>): void {
    while (slot.index > 0) {
      const at = slot.index;
      const parent = this.#slots[(at - 1) >> 1] as Slot<T>;
      if (!this.#first(slot, parent)) return;
      this.#put(slot, parent.index);
      this.#put(parent, at);
    }
  }

  #down(slot: Slot<T>): void {
    for (;;) {
      const at = slot.index;
      const left = this.#slots[2 * at + 1];
      if (left === undefined) return;
      const right = this.#slots[2 * at + 2];
      const child = right !== undefined && this.#first(right, left) ? right : left;
      if (!this.#first(child, slot)) return;
      this.#put(slot, child.index);
      this.#put(child, at);
    }
  }
}

interface Slot<T> {
  item: T;
  readonly key: string;
  readonly order: number;
  index: number;
}
