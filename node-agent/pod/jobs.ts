/** Long work beside a loop (pulls, hooks, stops): what a piece of it gives is handed on at its end, its undo when it failed. */
import type { Clock, Signal } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { isFault } from '../runtime.ts';

/** Before a failed piece may be begun again. */
const restMs = 1000;

export interface JobDeps {
  readonly clock: Clock;
  readonly log: Log;
}

export class Jobs<Result> {
  readonly #deps: JobDeps;
  /** For the log. */
  readonly #about: object;
  readonly #ended: (result: Result) => void;
  readonly #signal: Signal;
  readonly #running = new Set<Promise<void>>();

  constructor(deps: JobDeps, about: object, ended: (result: Result) => void, signal: Signal) {
    this.#deps = deps;
    this.#about = about;
    this.#ended = ended;
    this.#signal = signal;
  }

  begin(work: () => Promise<Result>, undo: Result): void {
    const { clock, log } = this.#deps;
    const job = work()
      .catch(async (error: unknown) => {
        if (!isFault(error, 'unavailable')) log.warn({ err: error, ...this.#about }, 'job failed');
        await clock.sleep(restMs, this.#signal);
        return undo;
      })
      .then(result => {
        this.#running.delete(job);
        this.#ended(result);
      });
    this.#running.add(job);
  }

  /** Resolves when all that were begun have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }
}
