/**
 * What the columns of pods say. Status, Ready and Restarts follow upstream's printer (SEMANTICS I.10): the first unfinished init
 * container speaks for the pod; once initialised the first container in order that has something to say does.
 */
import type { ContainerStatus, Pod } from '#api/kinds/core.ts';
import { none } from './standard.ts';

interface PodSummary {
  readonly ready: number;
  readonly total: number;
  readonly status: string;
  readonly restarts: number;
  /** RFC 3339 of the newest end of a previous run; empty when there was none. */
  readonly lastRestart: string;
}

/** What `kubectl get pods` says about a pod. */
export const podSummary = (pod: Pod): PodSummary => {
  const init = summarizeInit(pod);
  const sidecars = (pod.spec.initContainers ?? []).filter(container => container.restartPolicy === 'Always').length;
  const total = (pod.spec.containers ?? []).length + sidecars;
  if (init.reason !== undefined && !hasCondition(pod, 'Initialized'))
    return { ...init, total, status: withDeletion(pod, init.reason) };
  const app = summarizeContainers(pod, init.reason ?? phaseReason(pod));
  return {
    ready: init.ready + app.ready,
    total,
    status: withDeletion(pod, app.reason),
    restarts: init.sidecarRestarts + app.restarts,
    lastRestart: newer(init.lastSidecarRestart, app.lastRestart),
  };
};

const phaseReason = (pod: Pod): string => {
  const gated = pod.status?.conditions?.some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  return gated ? 'SchedulingGated' : pod.status?.reason || (pod.status?.phase ?? '');
};

const withDeletion = (pod: Pod, reason: string): string => {
  if (pod.metadata.deletionTimestamp === undefined) return reason;
  if (pod.status?.reason === 'NodeLost') return 'Unknown';
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed' ? reason : 'Terminating';
};

interface InitSummary {
  ready: number;
  restarts: number;
  lastRestart: string;
  sidecarRestarts: number;
  lastSidecarRestart: string;
  /** Set while initialisation is under way or has failed. */
  reason: string | undefined;
}

const summarizeInit = (pod: Pod): InitSummary => {
  const specs = pod.spec.initContainers ?? [];
  const sidecars = new Set(specs.filter(spec => spec.restartPolicy === 'Always').map(spec => spec.name));
  const sum: InitSummary = {
    ready: 0,
    restarts: 0,
    lastRestart: '',
    sidecarRestarts: 0,
    lastSidecarRestart: '',
    reason: undefined,
  };
  for (const [i, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const sidecar = sidecars.has(container.name);
    sum.restarts += container.restartCount ?? 0;
    sum.lastRestart = newer(sum.lastRestart, previousEnd(container));
    if (sidecar) {
      sum.sidecarRestarts += container.restartCount ?? 0;
      sum.lastSidecarRestart = newer(sum.lastSidecarRestart, previousEnd(container));
    }
    if (container.state?.terminated?.exitCode === 0) continue;
    if (sidecar && container.started === true) {
      if (container.ready) sum.ready++;
      continue;
    }
    sum.reason = `Init:${initReason(container) ?? `${i}/${specs.length}`}`;
    break;
  }
  return sum;
};

const initReason = (container: ContainerStatus): string | undefined => {
  const { terminated, waiting } = container.state ?? {};
  if (terminated !== undefined) return terminatedReason(terminated);
  return waiting?.reason && waiting.reason !== 'PodInitializing' ? waiting.reason : undefined;
};

const terminatedReason = (terminated: {
  readonly exitCode: number;
  readonly signal?: number;
  readonly reason?: string;
}): string =>
  terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`);

const summarizeContainers = (pod: Pod, initial: string) => {
  let reason = initial;
  let ready = 0;
  let restarts = 0;
  let lastRestart = '';
  for (const container of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    restarts += container.restartCount ?? 0;
    lastRestart = newer(lastRestart, previousEnd(container));
    const { waiting, terminated, running } = container.state ?? {};
    if (waiting?.reason) reason = waiting.reason;
    else if (terminated !== undefined) reason = terminatedReason(terminated);
    else if (container.ready && running !== undefined) ready++;
  }
  if (reason === 'Completed' && ready > 0) reason = hasCondition(pod, 'Ready') ? 'Running' : 'NotReady';
  return { reason, ready, restarts, lastRestart };
};

const previousEnd = (container: ContainerStatus): string => container.lastState?.terminated?.finishedAt ?? '';

// RFC 3339 times in UTC with whole seconds order as texts.
const newer = (a: string, b: string): string => (a > b ? a : b);

const hasCondition = (pod: Pod, type: string): boolean =>
  pod.status?.conditions?.some(condition => condition.type === type && condition.status === 'True') ?? false;

/** Readiness gates that are true, of all; `<none>` without gates. */
export const readinessGates = (pod: Pod): string => {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return none;
  return `${gates.filter(gate => hasCondition(pod, gate.conditionType)).length}/${gates.length}`;
};
