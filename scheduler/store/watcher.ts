/**
 * One watcher of the store: a position in the log of its folder. It holds no changes of its own, so a slow one costs
 * nothing; it is told Compacted when the log has been cut behind it.
 */
import type { Signal } from '#base/clock.ts';
import { Compacted } from './change-log.ts';
import type { Change, State } from './state.ts';

export interface Watch<V> extends AsyncIterable<readonly Change<V>[]> {
  /** Every change up to this revision has been delivered. Throws Compacted when behind. */
  readonly rev: number;
}

export interface Watched {
  readonly prefix: string;
  readonly afterRev: number;
  readonly signal: Signal;
}

const batchLimit = 1_000;

export class Watcher<V> implements Watch<V>, AsyncIterator<readonly Change<V>[]> {
  readonly #state: State<V>;
  readonly #prefix: string;
  readonly #signal: Signal;
  readonly #wakes: Set<() => void>;
  #rev: number;
  #ended = false;
  #wakeUp: (() => void) | undefined;
  readonly #onWake = () => this.#wakeUp?.();

  /** `wakes` is where the store calls when the folder changed. */
  constructor(state: State<V>, wakes: Set<() => void>, { prefix, afterRev, signal }: Watched) {
    if (afterRev < state.compactedRev) throw new Compacted(state.compactedRev);
    this.#state = state;
    this.#prefix = prefix;
    this.#rev = afterRev;
    this.#signal = signal;
    this.#wakes = wakes;
    wakes.add(this.#onWake);
    signal.addEventListener('abort', this.#end, { once: true });
    if (signal.aborted) this.#end();
  }

  get rev(): number {
    return this.#state.since(this.#prefix, this.#rev, 1).length === 0 ? this.#state.rev : this.#rev;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<readonly Change<V>[]>> {
    for (;;) {
      if (this.#ended) return { done: true, value: undefined };
      const changes = this.#take();
      if (changes.length > 0) return { done: false, value: changes };
      await new Promise<void>(resolve => {
        this.#wakeUp = resolve;
      });
      this.#wakeUp = undefined;
    }
  }

  return(): Promise<IteratorResult<readonly Change<V>[]>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #take(): readonly Change<V>[] {
    try {
      const changes = this.#state.since(this.#prefix, this.#rev, batchLimit);
      this.#rev = changes.length === batchLimit ? changes.at(-1)!.rev : Math.max(this.#rev, this.#state.rev);
      return changes;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  readonly #end = (): void => {
    this.#ended = true;
    this.#wakes.delete(this.#onWake);
    this.#signal.removeEventListener('abort', this.#end);
    this.#wakeUp?.();
  };
}
