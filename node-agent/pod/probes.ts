/**
 * Liveness, readiness and startup probes of a pod's running containers (SEMANTICS I.7): one loop per probe of a
 * container, from its start to its end. While a startup probe has not succeeded the other two wait.
 */
import type { Container, Pod, Probe } from '#api/kinds/core.ts';
import { createStop, type Stop } from '#base/stop.ts';
import type { PodSeen } from '../names.ts';
import type { ContainerSeen } from '../runtime.ts';
import { runHandler } from './hooks.ts';
import { type PodDeps, podEvent } from './pod-deps.ts';
import { type InstanceMemory, instanceMemory, type PodMemory } from './pod-memory.ts';
import { allContainers } from './pod-plan.ts';

export interface ProbeEffects {
  changed(id: string, change: Pick<InstanceMemory, 'ready' | 'startupPassed'>): void;
  /** The container is to be stopped, and restarted by policy. */
  unhealthy(
    container: Container,
    seen: ContainerSeen,
    cause: 'liveness' | 'startup',
    graceMs: number | undefined,
  ): void;
}

type Sort = 'Liveness' | 'Readiness' | 'Startup';

interface Running {
  readonly stop: Stop;
  readonly id: string;
  readonly sort: Sort;
}

export class Prober {
  readonly #deps: PodDeps;
  readonly #effects: ProbeEffects;
  readonly #running = new Map<string, Running>();

  constructor(deps: PodDeps, effects: ProbeEffects) {
    this.#deps = deps;
    this.#effects = effects;
  }

  /** Brings the set of running probes in line with the running containers. */
  keep(pod: Pod, seen: PodSeen, memory: PodMemory, podIP: string, isEnding: boolean): void {
    const wanted = new Set<string>();
    for (const container of allContainers(pod)) {
      const [newest] = seen.containers.get(container.name) ?? [];
      if (newest?.phase !== 'running' || instanceMemory(memory, newest.id).stopping) continue;
      for (const [sort, probe] of probesOf(container, instanceMemory(memory, newest.id), isEnding)) {
        const key = `${sort} ${newest.id}`;
        wanted.add(key);
        if (!this.#running.has(key)) this.#begin(key, { pod, container, seen: newest, podIP, sort, probe });
      }
    }
    for (const [key, { stop }] of this.#running) {
      if (wanted.has(key)) continue;
      stop.stop();
      this.#running.delete(key);
    }
  }

  stop(): void {
    for (const { stop } of this.#running.values()) stop.stop();
    this.#running.clear();
  }

  #begin(key: string, subject: Subject): void {
    const stop = createStop();
    this.#running.set(key, { stop, id: subject.seen.id, sort: subject.sort });
    void probing(this.#deps, this.#effects, subject, stop).catch((error: unknown) => {
      this.#deps.log.warn({ err: error, container: subject.seen.name }, 'a probe failed to run');
      this.#running.delete(key);
    });
  }
}

/** The probes that are to run now. */
const probesOf = (
  container: Container,
  memory: InstanceMemory,
  isEnding: boolean,
): readonly (readonly [Sort, Probe])[] => {
  const { startupProbe, livenessProbe, readinessProbe } = container;
  if (startupProbe && memory.startupPassed !== true) return isEnding ? [] : [['Startup', startupProbe]];
  return [
    ...(livenessProbe && !isEnding ? [['Liveness', livenessProbe] as const] : []),
    ...(readinessProbe ? [['Readiness', readinessProbe] as const] : []),
  ];
};

interface Subject {
  readonly pod: Pod;
  readonly container: Container;
  readonly seen: ContainerSeen;
  readonly podIP: string;
  readonly sort: Sort;
  readonly probe: Probe;
}

const probing = async (deps: PodDeps, effects: ProbeEffects, subject: Subject, { signal }: Stop): Promise<void> => {
  const { pod, container, seen, sort, probe } = subject;
  const initialMs = (probe.initialDelaySeconds ?? 0) * 1000;
  const periodMs = (probe.periodSeconds || 10) * 1000;
  const timeoutMs = (probe.timeoutSeconds || 1) * 1000;
  const target = { pod, container, id: seen.id, podIP: subject.podIP, timeoutMs };
  await deps.clock.sleep(Math.max(0, seen.startedAtMs + initialMs - deps.clock.now()), signal);
  let row = { good: true, length: 0 };
  while (!signal.aborted) {
    const { result, output } = await runHandler(deps, probe, target, signal);
    if (signal.aborted) return;
    const good = result === 'success';
    // An errored probe says nothing of the container and counts neither way for liveness and startup.
    const counts = result !== 'errored' || sort === 'Readiness';
    if (!good) {
      const words = result === 'errored' ? 'probe errored' : 'probe failed';
      podEvent(deps, pod, 'Warning', 'Unhealthy', `${sort} ${words}: ${output}`, container);
    }
    if (counts) {
      row = { good, length: row.good === good ? row.length + 1 : 1 };
      if (row.length >= (good ? probe.successThreshold || 1 : probe.failureThreshold || 3))
        take(effects, subject, good);
    }
    await deps.clock.sleep(periodMs, signal);
  }
};

/** A result that has lasted long enough to count. */
const take = (effects: ProbeEffects, { pod, container, seen, sort, probe }: Subject, good: boolean): void => {
  if (sort === 'Readiness') effects.changed(seen.id, { ready: good });
  else if (good) {
    if (sort === 'Startup') effects.changed(seen.id, { startupPassed: true });
  } else {
    const seconds = probe.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds;
    effects.unhealthy(
      container,
      seen,
      sort === 'Startup' ? 'startup' : 'liveness',
      seconds === undefined ? undefined : seconds * 1000,
    );
  }
};
