/** A pod's phase out of its containers' statuses (kubelet getPhase, SEMANTICS I.1); pure. */
import type { ContainerStatus, Pod, PodStatus } from '#api/kinds/core.ts';
import { isSidecar } from './instance.ts';

export type Phase = NonNullable<PodStatus['phase']>;

export const isTerminal = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed';

interface Counts {
  pendingInit: number;
  failedInit: number;
  pendingSidecars: number;
  running: number;
  waiting: number;
  stopped: number;
  succeeded: number;
  unknown: number;
}

const countInit = (pod: Pod, statuses: ReadonlyMap<string, ContainerStatus>, counts: Counts): void => {
  for (const container of pod.spec.initContainers ?? []) {
    const status = statuses.get(container.name);
    const { state, lastState } = status ?? {};
    const sidecar = isSidecar(container);
    if (state?.running) {
      if (sidecar) {
        counts.running++;
        if (!status?.started) counts.pendingSidecars++;
      } else counts.pendingInit++;
    } else if (state?.terminated) {
      if (!sidecar && state.terminated.exitCode !== 0) counts.failedInit++;
    } else if (state?.waiting && lastState?.terminated) {
      if (sidecar) continue;
      if (lastState.terminated.exitCode !== 0) counts.failedInit++;
      else counts.pendingInit++;
    } else if (sidecar) {
      counts.pendingSidecars++;
      counts.waiting++;
    } else counts.pendingInit++;
  }
};

const countApps = (pod: Pod, statuses: ReadonlyMap<string, ContainerStatus>, counts: Counts): void => {
  for (const container of pod.spec.containers) {
    const status = statuses.get(container.name);
    if (!status) counts.unknown++;
    else if (status.state?.running) counts.running++;
    else if (status.state?.terminated) {
      counts.stopped++;
      if (status.state.terminated.exitCode === 0) counts.succeeded++;
    } else if (status.lastState?.terminated) counts.stopped++;
    else counts.waiting++;
  }
};

/** `ending`: the pod is being ended for good, so nothing of it will be restarted. */
export const phaseOf = (
  pod: Pod,
  init: readonly ContainerStatus[],
  apps: readonly ContainerStatus[],
  ending: boolean,
): Phase => {
  const counts: Counts = {
    pendingInit: 0,
    failedInit: 0,
    pendingSidecars: 0,
    running: 0,
    waiting: 0,
    stopped: 0,
    succeeded: 0,
    unknown: 0,
  };
  countInit(pod, new Map(init.map(status => [status.name, status])), counts);
  countApps(pod, new Map(apps.map(status => [status.name, status])), counts);
  const policy = pod.spec.restartPolicy ?? 'Always';
  const anyAppStarted = apps.some(
    status => status.state?.running || status.state?.terminated || status.lastState?.terminated,
  );
  if (counts.failedInit > 0 && (policy === 'Never' || ending)) return 'Failed';
  if (!ending) {
    if (counts.pendingInit > 0) return 'Pending';
    if (counts.pendingSidecars > 0 && !anyAppStarted) return 'Pending';
  }
  if (counts.waiting > 0 && !ending) return 'Pending';
  if (counts.running > 0 && counts.unknown === 0) return 'Running';
  if (counts.running > 0 || counts.unknown > 0) return 'Pending';
  const allSucceeded = counts.stopped > 0 && counts.stopped === counts.succeeded;
  if (ending) return allSucceeded && counts.waiting === 0 ? 'Succeeded' : 'Failed';
  if (counts.stopped === 0) return 'Pending';
  if (policy === 'Always') return 'Running';
  if (allSucceeded) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
};
