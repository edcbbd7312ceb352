/**
 * Runs a controller that looks at everything from time to time instead of at one object after a change: `plan` is pure,
 * and is carried out under the same barrier as in controller.ts.
 */
import type { Kind } from '#api/kind.ts';
import type { KubeObject } from '#api/object.ts';
import type { Signal } from '#base/clock.ts';
import type { Service } from '#base/supervise.ts';
import { cacheName, makeWrites, type Shown } from './barrier.ts';
import type { View } from './caches.ts';
import type { ControllerDeps } from './controller.ts';
import type { Informer } from './informer.ts';
import type { Plan } from './plan.ts';

export interface Sweep<M> {
  readonly name: string;
  /** What it reads. */
  readonly kinds: readonly Kind<never>[];
  readonly everyMs: number;
  plan(view: Omit<View, 'fetched'>, nowMs: number, memory: M | undefined): Plan<M>;
}

/** The sweep as a service; make it before the caches run. */
export const sweepService = <M>(sweep: Sweep<M>, deps: ControllerDeps): Service => {
  const { caches, clock, client, log, recorder } = deps;
  const informers = new Map(
    sweep.kinds.map(kind => [cacheName(kind), caches.informer(kind) as unknown as Informer<KubeObject>]),
  );
  let memory: M | undefined;
  let waiting: readonly Shown[] = [];

  const sweepOnce = async () => {
    if (!waiting.every(shown => shown())) return;
    const plan = sweep.plan(caches, clock.now(), memory);
    memory = plan.memory;
    const shown: Shown[] = [];
    waiting = shown;
    await makeWrites(client, plan.writes, kind => informers.get(cacheName(kind)), shown);
    for (const { about, type, reason, message, more } of plan.notes ?? []) {
      recorder.event(about, type, reason, message, more);
    }
  };

  const run = async (signal: Signal) => {
    await Promise.all([...informers.values()].map(informer => informer.whenSynced(signal)));
    while (!signal.aborted) {
      try {
        await sweepOnce();
      } catch (error) {
        log.warn({ controller: sweep.name, err: error }, 'controller failed; trying again');
      }
      await clock.sleep(sweep.everyMs, signal);
    }
  };
  return { name: sweep.name, run };
};
