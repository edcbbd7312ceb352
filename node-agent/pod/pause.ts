/** The rest of a loop between two rounds, which anybody may end; a wake-up that comes during a round is not lost. */
import type { Clock, Signal } from '#base/clock.ts';

/** Timers count in 32 bits: a longer rest is taken in parts, each ended by one more round. */
const longestMs = 2 ** 31 - 1;

export class Pause {
  readonly #clock: Clock;
  readonly #signal: Signal;
  #isWoken = true;
  #end: () => void = () => {};

  /** When `signal` aborts nobody rests any more. */
  constructor(clock: Clock, signal: Signal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Somebody asked for another round since this one began. */
  get isWoken(): boolean {
    return this.#isWoken;
  }

  /** A round begins: it sees all that has happened so far. */
  begin(): void {
    this.#isWoken = false;
  }

  wake(): void {
    this.#isWoken = true;
    this.#end();
  }

  /** Resolves after `delayMs` (infinite: never), or at a wake-up, one since `begin` included. */
  async rest(delayMs: number): Promise<void> {
    if (delayMs <= 0 || this.#isWoken || this.#signal.aborted) return;
    await new Promise<void>(resolve => {
      const cancel =
        delayMs === Number.POSITIVE_INFINITY ? () => {} : this.#clock.after(Math.min(delayMs, longestMs), resolve);
      this.#end = () => {
        cancel();
        resolve();
      };
      this.#signal.addEventListener('abort', this.#end, { once: true });
    });
    this.#signal.removeEventListener('abort', this.#end);
    this.#end = () => {};
  }
}
