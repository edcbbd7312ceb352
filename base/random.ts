/** Randomness as a value that is passed in: the system's (base/system.ts) or seeded, for tests and simulation. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A version 4 UUID. */
  uuid(): string;
}

/** A small fast generator (mulberry32); the same seed gives the same sequence on every machine. */
export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const hex = (digits: number) => Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join('');
  const uuid = () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[Math.floor(next() * 4)]}${hex(3)}-${hex(12)}`;
  return { next, uuid };
};

/** An integer in [0, below). */
export const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);

/** `length` characters of Kubernetes' safe alphabet (no vowels, no look-alikes), as generateName appends. */
export const safeSuffix = (random: Random, length = 5): string =>
  Array.from({ length }, () => safeAlphabet[below(random, safeAlphabet.length)]).join('');

const safeAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
