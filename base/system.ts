/** The system's clock and randomness: the only file that touches Date.now, timers and crypto for them. */
import { randomFillSync, randomUUID } from 'node:crypto';
import type { Clock, Signal } from './clock.ts';
import type { Random } from './random.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (delayMs: number, signal?: Signal) =>
    new Promise(resolve => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      signal?.addEventListener('abort', done, { once: true });
    }),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Random bytes are asked for in bulk: each call costs about 10 µs, whatever its size. */
const bytesAtOnce = 6 * 512;
const pool = Buffer.alloc(bytesAtOnce);
let used = bytesAtOnce;

const nextRandom = (): number => {
  if (used === bytesAtOnce) {
    randomFillSync(pool);
    used = 0;
  }
  used += 6;
  return pool.readUIntBE(used - 6, 6) / 2 ** 48;
};

export const systemRandom: Random = {
  next: nextRandom,
  uuid: () => randomUUID(),
};
