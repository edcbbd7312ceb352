/** Virtual time for tests: a clock that lets every pending promise run between two instants. */
import { setImmediate } from 'node:timers/promises';
import { VirtualClock } from '#base/clock.ts';

/** 2026-01-01T00:00:00Z */
export const startMs = 1_767_225_600_000;

export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await setImmediate();
};

export const virtualClock = (): VirtualClock => new VirtualClock(startMs, settle);
