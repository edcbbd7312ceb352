/**
 * The state of each container of a pod, worked out of what the engine shows, what the agent remembers, and (for a
 * container that vanished from the engine) what the last status said; pure.
 */
import type { Container, ContainerStatus, Pod } from '#api/kinds/core.ts';
import { fromTime } from '#base/clock.ts';
import { attemptOf, label, type PodSeen, specHash } from '../names.ts';
import type { ContainerSeen } from '../runtime.ts';
import { instanceMemory, type PodMemory, type Stopping } from './pod-memory.ts';

export interface Ended {
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  /** Absent: nobody knows. */
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
}

export interface Instance {
  readonly state: 'none' | 'created' | 'running' | 'ended';
  /** Of the newest attempt; -1 when there was none. */
  readonly attempt: number;
  readonly seen?: ContainerSeen;
  readonly id: string;
  /** It belongs to the pod's present sandbox. */
  readonly current: boolean;
  readonly ended?: Ended;
  /** Evidence of an ended container was gathered. */
  readonly settled: boolean;
  readonly stopping?: Stopping;
  /** Image or name differ from the specification. */
  readonly changed: boolean;
  /** postStart has ended well, or there is none. */
  readonly hooked: boolean;
  readonly startupPassed: boolean;
  readonly ready: boolean;
  /** The attempt before the newest, while the engine still has it. */
  readonly previous?: ContainerSeen;
}

/** How a start that failed looks in the engine: it stays `created` and carries an error (DOCKER-FACTS §8.2). */
const startFailureOf = (seen: ContainerSeen, memory: PodMemory): string | undefined => {
  if (seen.phase !== 'created') return undefined;
  const remembered = instanceMemory(memory, seen.id).startFailure;
  if (remembered !== undefined) return remembered;
  return seen.error !== '' || seen.exitCode !== 0 ? seen.error || `exit code ${seen.exitCode}` : undefined;
};

/** Reason, code and times of an ended container, in Kubernetes' words. */
export const endedOf = (seen: ContainerSeen, memory: PodMemory): Ended | undefined => {
  const remembered = instanceMemory(memory, seen.id);
  const startFailure = startFailureOf(seen, memory);
  if (startFailure !== undefined) {
    const finishedAtMs = remembered.failedAtMs ?? seen.createdAtMs;
    return { exitCode: 128, reason: 'StartError', message: startFailure, startedAtMs: 0, finishedAtMs };
  }
  if (seen.phase !== 'exited') return undefined;
  // A container that we killed ended by our doing, whatever else was going on.
  const stoppedByUs = remembered.stopping?.killedAtMs !== undefined && seen.exitCode === 137;
  const isOom = !stoppedByUs && (remembered.oom === true || (seen.oomKilled && remembered.spared !== true));
  return {
    exitCode: seen.exitCode,
    reason: isOom ? 'OOMKilled' : seen.exitCode === 0 ? 'Completed' : 'Error',
    message: remembered.terminationMessage ?? '',
    startedAtMs: seen.startedAtMs,
    finishedAtMs: seen.finishedAtMs,
  };
};

const none: Instance = {
  state: 'none',
  attempt: -1,
  id: '',
  current: false,
  settled: true,
  changed: false,
  hooked: false,
  startupPassed: false,
  ready: false,
};

/**
 * A container that the last status shows as having run, and that the engine has no more: removed by hand, or with all
 * others while the node was down. Then it also belongs to a sandbox of before, as its start tells.
 */
const vanished = (pod: Pod, status: ContainerStatus | undefined, sandbox: ContainerSeen | undefined) => {
  const { state, lastState, containerID } = status ?? {};
  if (!status || !containerID) return undefined;
  const end = state?.terminated ?? (state?.waiting ? lastState?.terminated : undefined);
  // Created, and never started.
  if (!end && !state?.running) return { ...none, attempt: status.restartCount - 1 };
  const startedAtMs = fromTime(end?.startedAt ?? state?.running?.startedAt ?? '') || 0;
  const gone: Instance = {
    ...none,
    state: 'ended',
    attempt: status.restartCount,
    id: containerID.replace(/^[a-z]+:\/\//, ''),
    current: sandbox !== undefined && startedAtMs + secondMs > sandbox.createdAtMs,
    ended: end ? toEnded(end) : unknownEnd(pod.metadata.deletionTimestamp !== undefined),
  };
  return gone;
};

/** Times in a status have whole seconds. */
const secondMs = 1000;

const toEnded = (end: NonNullable<NonNullable<ContainerStatus['state']>['terminated']>): Ended => ({
  exitCode: end.exitCode,
  reason: end.reason ?? '',
  message: end.message ?? '',
  ...(end.startedAt ? { startedAtMs: fromTime(end.startedAt) } : {}),
  ...(end.finishedAt ? { finishedAtMs: fromTime(end.finishedAt) } : {}),
});

const unknownEnd = (isDeleted: boolean): Ended => {
  const when = isDeleted ? 'deleted' : 'terminated';
  const message = `The container could not be located when the pod was ${when}.  The container used to be Running`;
  return { exitCode: 137, reason: 'ContainerStatusUnknown', message };
};

/** State of one container of the pod. `sandbox`: the newest one. */
export const instanceOf = (
  pod: Pod,
  container: Container,
  memory: PodMemory,
  seen: PodSeen,
  sandbox: ContainerSeen | undefined,
): Instance => {
  const [newest, previous] = seen.containers.get(container.name) ?? [];
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const status = statuses.find(candidate => candidate.name === container.name);
  if (!newest) return vanished(pod, status, sandbox) ?? none;
  const remembered = instanceMemory(memory, newest.id);
  const ended = endedOf(newest, memory);
  // After a restart of the agent the last status says what has passed before.
  const reported = status?.containerID?.endsWith(`://${newest.id}`) ? status : undefined;
  const hasRun = reported?.started === true;
  const hooked =
    container.lifecycle?.postStart === undefined || (remembered.postStart ? remembered.postStart === 'done' : hasRun);
  const startupPassed = container.startupProbe === undefined || (remembered.startupPassed ?? hasRun);
  return {
    state: ended ? 'ended' : newest.phase === 'running' ? 'running' : 'created',
    attempt: attemptOf(newest),
    seen: newest,
    id: newest.id,
    current: newest.labels[label.sandboxId] === (sandbox?.id ?? ''),
    ...(ended ? { ended } : {}),
    settled: !ended || remembered.settled === true || newest.phase === 'created',
    ...(remembered.stopping ? { stopping: remembered.stopping } : {}),
    changed: newest.labels[label.specHash] !== specHash(container),
    hooked,
    startupPassed,
    ready: container.readinessProbe === undefined || (remembered.ready ?? reported?.ready ?? false),
    ...(previous ? { previous } : {}),
  };
};

/** Running, its postStart hook done and its startup probe passed: status `started`. */
export const hasStarted = (instance: Instance): boolean =>
  instance.state === 'running' && instance.hooked && instance.startupPassed;

/**
 * An app container that has succeeded under restartPolicy OnFailure: it stays so also in a new sandbox, whereas all
 * others run again there (kuberuntime computePodActions).
 */
export const hasDone = (pod: Pod, instance: Instance, isInit: boolean): boolean =>
  !isInit && pod.spec.restartPolicy === 'OnFailure' && instance.ended?.exitCode === 0;

export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';
