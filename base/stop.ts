/** The source of a Signal for platform-free code, which has no AbortController. */
import type { Signal } from './clock.ts';

export interface Stop {
  readonly signal: Signal;
  /** Aborts the signal; later calls do nothing. */
  stop(): void;
}

/** A signal that is not aborted yet, and what aborts it. With `parent` it aborts with the parent too. */
export const createStop = (parent?: Signal): Stop => {
  const listeners = new Set<() => void>();
  let aborted = parent?.aborted ?? false;
  const stop = () => {
    if (aborted) return;
    aborted = true;
    parent?.removeEventListener('abort', stop);
    const called = [...listeners];
    listeners.clear();
    for (const listener of called) listener();
  };
  if (!aborted) parent?.addEventListener('abort', stop, { once: true });
  const signal: Signal = {
    get aborted() {
      return aborted;
    },
    addEventListener: (_type, listener) => {
      listeners.add(listener);
    },
    removeEventListener: (_type, listener) => {
      listeners.delete(listener);
    },
  };
  return { signal, stop };
};
