/**
 * Time as a value that is passed in. Everything that waits or asks for the hour takes a `Clock`, so the same code runs
 * live (base/system.ts) and in virtual time (`VirtualClock`). Nothing outside base/system.ts touches Date or timers.
 */

/** The part of AbortSignal that platform-free code needs; an AbortSignal is one. */
export interface Signal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `delayMs`, or at once when `signal` aborts; never rejects. */
  sleep(delayMs: number, signal?: Signal): Promise<void>;
  /** Calls `task` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, task: () => void): () => void;
}

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly task: () => void;
  cancelled: boolean;
}

/** A clock that stands still until `advance` is called; timers of one instant fire in the order they were set. */
export class VirtualClock implements Clock {
  #nowMs: number;
  #order = 0;
  #timers: Timer[] = [];
  readonly #settle: () => Promise<void>;

  /** `settle` lets pending promises run between two instants (in Node: one setImmediate turn). */
  constructor(startMs: number, settle: () => Promise<void>) {
    this.#nowMs = startMs;
    this.#settle = settle;
  }

  now(): number {
    return this.#nowMs;
  }

  sleep(delayMs: number, signal?: Signal): Promise<void> {
    return new Promise(resolve => {
      if (signal?.aborted) return resolve();
      const done = () => {
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.after(delayMs, done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  after(delayMs: number, task: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, task, cancelled: false };
    this.#timers.push(timer);
    return () => {
      timer.cancelled = true;
    };
  }

  /** Lets `durationMs` pass: fires every timer that falls due, in order, settling promises after each instant. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await this.#settle();
    for (;;) {
      this.#timers = this.#timers.filter(timer => !timer.cancelled);
      const nextMs = this.#timers.reduce((least, timer) => Math.min(least, timer.atMs), Number.POSITIVE_INFINITY);
      if (nextMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, nextMs);
      const due = this.#timers.filter(timer => timer.atMs <= this.#nowMs).sort((a, b) => a.order - b.order);
      this.#timers = this.#timers.filter(timer => timer.atMs > this.#nowMs);
      for (const timer of due) if (!timer.cancelled) timer.task();
      await this.#settle();
    }
    this.#nowMs = untilMs;
  }
}

/** RFC 3339 in UTC with whole seconds, as metav1.Time is written: `2026-11-21T19:52:00Z`. */
export const toTime = (ms: number): string => `${isoOf(ms).slice(0, 19)}Z`;

/** RFC 3339 in UTC with microseconds, as metav1.MicroTime is written. */
export const toMicroTime = (ms: number): string => `${isoOf(ms).slice(0, 23)}000Z`;

/** Milliseconds since the epoch of an RFC 3339 time; NaN when it is none. */
export const fromTime = (time: string): number => Date.parse(time);

// Date is used here as a calendar, never as a clock.
const isoOf = (ms: number): string => new Date(ms).toISOString();
