/** Asking containers to end, with their preStop hooks, and killing those that do not. */
import type { Container, Pod } from '#api/kinds/core.ts';
import type { Signal } from '#base/clock.ts';
import type { ContainerSeen } from '../runtime.ts';
import { runHandler } from './hooks.ts';
import type { Change } from './pod-actions.ts';
import { type PodDeps, podEvent } from './pod-deps.ts';
import { instanceMemory, type StopCause, withInstance } from './pod-memory.ts';

/** What a container gets between its preStop hook and SIGKILL at least (kubelet minimumGracePeriodInSeconds). */
const shortestGraceMs = 2000;

const killingMessage = (container: Container, cause: StopCause, isInit: boolean): string => {
  const prefix = isInit ? 'Init container' : 'Container';
  switch (cause) {
    case 'changed':
      return `Container ${container.name} definition changed, will be restarted`;
    case 'liveness':
      return `${prefix} ${container.name} failed liveness probe${isInit ? '' : ', will be restarted'}`;
    case 'startup':
      return `${prefix} ${container.name} failed startup probe${isInit ? '' : ', will be restarted'}`;
    case 'hook':
      return 'FailedPostStartHook';
    default:
      return `Stopping container ${container.name}`;
  }
};

export interface StopRequest {
  readonly container: Container;
  readonly seen: ContainerSeen;
  readonly cause: StopCause;
  readonly graceMs: number;
  readonly podIP: string;
}

/** What is remembered at once: the stop has begun. */
export const beginStop = (deps: PodDeps, pod: Pod, { container, seen, cause, graceMs }: StopRequest): Change => {
  const isInit = (pod.spec.initContainers ?? []).some(({ name }) => name === container.name);
  podEvent(deps, pod, 'Normal', 'Killing', killingMessage(container, cause, isInit), container);
  const askedAtMs = deps.clock.now();
  return memory => withInstance(memory, seen.id, { stopping: { cause, askedAtMs, graceMs } });
};

/** Runs the preStop hook, then sends the stop signal. Long: the worker does not wait for it. */
export const carryOutStop = async (deps: PodDeps, pod: Pod, request: StopRequest, signal: Signal): Promise<Change> => {
  const { container, seen, graceMs } = request;
  const hook = container.lifecycle?.preStop;
  if (hook && request.cause !== 'sandbox') {
    const target = { pod, container, id: seen.id, podIP: request.podIP, timeoutMs: graceMs };
    const { result } = await runHandler(deps, hook, target, signal);
    if (result !== 'success') podEvent(deps, pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', container);
  }
  await deps.runtime.signal(seen.id, seen.stopSignal);
  const signalledAtMs = deps.clock.now();
  return memory => {
    const { stopping } = instanceMemory(memory, seen.id);
    if (!stopping) return memory;
    const graceLeft = Math.max(stopping.graceMs, hook ? signalledAtMs - stopping.askedAtMs + shortestGraceMs : 0);
    return withInstance(memory, seen.id, { stopping: { ...stopping, signalledAtMs, graceMs: graceLeft } });
  };
};

export const killContainer = async (deps: PodDeps, id: string): Promise<Change> => {
  await deps.runtime.signal(id, 'SIGKILL');
  const killedAtMs = deps.clock.now();
  return memory => {
    const { stopping } = instanceMemory(memory, id);
    return stopping ? withInstance(memory, id, { stopping: { ...stopping, killedAtMs } }) : memory;
  };
};

/** postStart: what follows waits for it; a failure ends the container. */
export const runPostStart = async (
  deps: PodDeps,
  pod: Pod,
  container: Container,
  seen: ContainerSeen,
  podIP: string,
  signal: Signal,
): Promise<Change> => {
  const hook = container.lifecycle?.postStart;
  if (!hook) return memory => withInstance(memory, seen.id, { postStart: 'done' });
  const target = { pod, container, id: seen.id, podIP, timeoutMs: 24 * 3600 * 1000 };
  const { result } = await runHandler(deps, hook, target, signal);
  if (result === 'success' || signal.aborted) return memory => withInstance(memory, seen.id, { postStart: 'done' });
  podEvent(deps, pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', container);
  return memory => withInstance(memory, seen.id, { postStart: 'failed' });
};
