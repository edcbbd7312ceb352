/** How a loop that has nothing to do sleeps: until somebody rings, or until a time. */
import type { Clock, Signal } from '#base/clock.ts';

export interface Doorbell {
  ring(): void;
  /** Resolves at once when it was rung since the last answer, else when it rings, at `untilMs`, or when all ends. */
  answer(untilMs: number): Promise<void>;
}

export const createDoorbell = (clock: Clock, signal: Signal): Doorbell => {
  let isRung = false;
  let wake: () => void = () => {};
  const ring = (): void => {
    isRung = true;
    wake();
  };
  return {
    ring,
    async answer(untilMs) {
      if (!isRung && !signal.aborted)
        await new Promise<void>(resolve => {
          const cancel = Number.isFinite(untilMs) ? clock.after(Math.max(0, untilMs - clock.now()), resolve) : () => {};
          wake = () => {
            cancel();
            resolve();
          };
        });
      isRung = false;
      wake = () => {};
    },
  };
};
