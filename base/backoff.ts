/** Exponential backoff with jitter, as a value: every retry of a loop waits by it. */
import type { Random } from './random.ts';

export interface Backoff {
  /** The next delay in milliseconds: doubles each time up to the limit, each ± 25 % at random. */
  next(): number;
  /** The work succeeded: start again with the shortest delay. */
  reset(): void;
}

export const createBackoff = (random: Random, baseMs: number, maxMs: number): Backoff => {
  let attempt = 0;
  return {
    next: () => Math.min(baseMs * 2 ** Math.min(attempt++, 30), maxMs) * (0.75 + random.next() / 2),
    reset: () => {
      attempt = 0;
    },
  };
};
