/**
 * A work queue of keys on the clock. A key waits at most once however often it is added, is worked on by one worker at
 * a time, and comes back after `done` when it was added meanwhile. Failures are retried with exponential backoff.
 * Its size is bounded by the number of different keys.
 */
import type { Clock, Signal } from './clock.ts';
import { Heap } from './heap.ts';

export interface QueueOptions {
  readonly clock: Clock;
  /** Delay after the first failure; doubles with each. Default 5 ms, as client-go. */
  readonly baseDelayMs?: number;
  /** Default 1000 s, as client-go. */
  readonly maxDelayMs?: number;
}

interface Delayed {
  readonly key: string;
  readonly atMs: number;
}

export class WorkQueue {
  readonly #clock: Clock;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  /** Ready keys in order; a Set keeps insertion order. */
  readonly #ready = new Set<string>();
  readonly #working = new Set<string>();
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #delayed = new Heap<Delayed>(
    item => item.key,
    (a, b) => a.atMs < b.atMs,
  );
  #waiting: ((key: string | undefined) => void)[] = [];
  #timer: { atMs: number; cancel: () => void } | undefined;
  #closed = false;

  constructor(options: QueueOptions) {
    this.#clock = options.clock;
    this.#baseDelayMs = options.baseDelayMs ?? 5;
    this.#maxDelayMs = options.maxDelayMs ?? 1_000_000;
  }

  /** Keys ready to be taken. */
  get length(): number {
    return this.#ready.size;
  }

  /** Keys waiting for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** True when nothing is ready and nobody works (keys may still wait for their time). */
  get idle(): boolean {
    return this.#ready.size === 0 && this.#working.size === 0;
  }

  add(key: string): void {
    if (this.#closed) return;
    this.#delayed.remove(key);
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    if (this.#ready.has(key)) return;
    this.#ready.add(key);
    this.#serve();
  }

  /** Adds the key when `delayMs` have passed; of several delays of a key the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const atMs = this.#clock.now() + delayMs;
    const present = this.#delayed.get(key);
    if (present && present.atMs <= atMs) return;
    this.#delayed.set({ key, atMs });
    this.#arm();
  }

  /** Adds the key after its backoff: for work that failed. */
  retry(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.addAfter(key, Math.min(this.#baseDelayMs * 2 ** Math.min(failures, 40), this.#maxDelayMs));
  }

  /** The work succeeded: its next failure starts with the shortest delay again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** How often the key failed in a row. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, as soon as there is one; undefined when the queue was closed or `signal` aborted. Call `done` after. */
  take(signal?: Signal): Promise<string | undefined> {
    if (this.#closed || signal?.aborted) return Promise.resolve(undefined);
    const key = this.#shift();
    if (key !== undefined) return Promise.resolve(key);
    return new Promise(resolve => {
      const give = (next: string | undefined) => {
        signal?.removeEventListener('abort', abort);
        resolve(next);
      };
      const abort = () => {
        this.#waiting = this.#waiting.filter(other => other !== give);
        resolve(undefined);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(give);
    });
  }

  /** The worker is through with the key. */
  done(key: string): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Wakes every waiting worker with undefined and refuses further keys. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#ready.clear();
    this.#delayed.clear();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const give of waiting) give(undefined);
  }

  #shift(): string | undefined {
    const [key] = this.#ready;
    if (key === undefined) return undefined;
    this.#ready.delete(key);
    this.#working.add(key);
    return key;
  }

  #serve(): void {
    while (this.#waiting.length > 0 && this.#ready.size > 0) this.#waiting.shift()?.(this.#shift());
  }

  #arm(): void {
    const next = this.#delayed.peek();
    if (next === undefined || (this.#timer && this.#timer.atMs <= next.atMs)) return;
    this.#timer?.cancel();
    const cancel = this.#clock.after(next.atMs - this.#clock.now(), () => {
      this.#timer = undefined;
      this.#release();
    });
    this.#timer = { atMs: next.atMs, cancel };
  }

  #release(): void {
    const nowMs = this.#clock.now();
    for (let next = this.#delayed.peek(); next && next.atMs <= nowMs; next = this.#delayed.peek()) this.add(next.key);
    this.#arm();
  }
}
