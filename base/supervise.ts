/**
 * Keeps long-running services alive: one that throws or returns before its signal aborts is started again after a
 * backoff, and the others go on undisturbed.
 */
import { createBackoff } from './backoff.ts';
import type { Clock, Signal } from './clock.ts';
import type { Log } from './log.ts';
import type { Random } from './random.ts';

export interface Service {
  readonly name: string;
  /** Works until `signal` aborts. */
  run(signal: Signal): Promise<void>;
}

export interface Supervision {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** First restart delay; doubles up to 30 s. Default 500 ms. */
  readonly baseDelayMs?: number;
}

/** A service that ran this long without failing is healthy: its next failure waits the shortest time again. */
const healthyAfterMs = 60_000;
const maxDelayMs = 30_000;

/** Runs the services until `signal` aborts and all of them have ended; never rejects. */
export const supervise = async (services: readonly Service[], deps: Supervision, signal: Signal): Promise<void> => {
  await Promise.all(services.map(service => keepRunning(service, deps, signal)));
};

const keepRunning = async (service: Service, deps: Supervision, signal: Signal): Promise<void> => {
  const { clock, log } = deps;
  const backoff = createBackoff(deps.random, deps.baseDelayMs ?? 500, maxDelayMs);
  while (!signal.aborted) {
    const startedMs = clock.now();
    const failure = await outcomeOf(service, signal);
    if (signal.aborted) {
      if (failure) log.warn({ service: service.name, err: failure }, 'service failed while stopping');
      return;
    }
    if (clock.now() - startedMs >= healthyAfterMs) backoff.reset();
    const delayMs = backoff.next();
    const why = failure ? 'service failed' : 'service ended before it was told to';
    log.error({ service: service.name, err: failure, restartInMs: Math.round(delayMs) }, `${why}; restarting it`);
    await clock.sleep(delayMs, signal);
  }
};

const outcomeOf = async (service: Service, signal: Signal): Promise<unknown> => {
  try {
    await service.run(signal);
    return undefined;
  } catch (error) {
    return error ?? new Error('failed without a reason');
  }
};
