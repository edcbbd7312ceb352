/**
 * CFS counters by pod and container name, summed over the container's attempts: the kernel's own end with each of them.
 * What an attempt counted after its last sample is lost.
 */
import type { Throttling } from '../runtime.ts';

interface Total {
  /** Of attempts that have ended. */
  readonly before: Throttling;
  /** The attempt that counts, and its counters. */
  readonly id: string;
  readonly now: Throttling;
}

const none: Throttling = { periods: 0, throttledPeriods: 0, throttledNanos: 0 };

const sum = (a: Throttling, b: Throttling): Throttling => ({
  periods: a.periods + b.periods,
  throttledPeriods: a.throttledPeriods + b.throttledPeriods,
  throttledNanos: a.throttledNanos + b.throttledNanos,
});

export class ThrottlingTotals {
  readonly #pods = new Map<string, Map<string, Total>>();

  /** Counters of an attempt as they were last read. */
  put(podUid: string, container: string, id: string, now: Throttling): void {
    const totals = this.#pods.get(podUid) ?? new Map<string, Total>();
    this.#pods.set(podUid, totals);
    const last = totals.get(container);
    const before = !last ? none : last.id === id ? last.before : sum(last.before, last.now);
    totals.set(container, { before, id, now });
  }

  of(podUid: string, container: string): Throttling {
    const total = this.#pods.get(podUid)?.get(container);
    return total ? sum(total.before, total.now) : none;
  }

  /** The pod is gone. */
  forget(podUid: string): void {
    this.#pods.delete(podUid);
  }
}
