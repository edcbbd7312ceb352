/** A pod's status out of its containers' states, as the kubelet reports it (SEMANTICS I.1 to I.3); pure. */
import type { Container, ContainerState, ContainerStatus, Pod, PodCondition, PodStatus } from '#api/kinds/core.ts';
import { qosClass } from '#api/qos.ts';
import { fromTime, toTime } from '#base/clock.ts';
import { label } from '../names.ts';
import type { ContainerSeen } from '../runtime.ts';
import { type Ended, endedOf, hasDone, hasStarted, type Instance, isSidecar } from './instance.ts';
import { isTerminal, type Phase, phaseOf } from './pod-phase.ts';
import type { Plan, View } from './pod-plan.ts';

/** What neither the pod nor its containers say. */
export interface StatusFacts {
  readonly hostIP: string;
  /** Before container ids: `docker`. */
  readonly runtime: string;
}

type Terminated = NonNullable<ContainerState['terminated']>;

const terminatedOf = (ended: Ended, containerID: string): Terminated => ({
  exitCode: ended.exitCode,
  reason: ended.reason,
  ...(ended.message === '' ? {} : { message: ended.message }),
  ...(ended.startedAtMs === undefined ? {} : { startedAt: toTime(ended.startedAtMs) }),
  ...(ended.finishedAtMs === undefined ? {} : { finishedAt: toTime(ended.finishedAtMs) }),
  containerID,
});

/** The status before, of the same container. */
const before = (pod: Pod, name: string): ContainerStatus | undefined =>
  [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].find(
    status => status.name === name,
  );

/** How the attempt before the present one ended: from the engine, or once that has forgotten it, from the last status. */
const lastStateOf = (
  view: View,
  instance: Instance,
  old: ContainerStatus | undefined,
  runtime: string,
): ContainerState => {
  const { previous } = instance;
  const ended = previous && endedOf(previous, view.memory);
  const id = `${runtime}://${previous?.id ?? ''}`;
  // A status written while the container was still there knows more of its end (OOM evidence, message).
  const written = old?.state?.terminated ?? old?.lastState?.terminated;
  if (written && (!previous || written.containerID === id)) return { terminated: written };
  return previous && ended ? { terminated: terminatedOf(ended, id) } : {};
};

const waitingState = (reason: string, message?: string): ContainerState => ({
  waiting: { reason, ...(message === undefined ? {} : { message }) },
});

const stateOf = (view: View, plan: Plan, container: Container, instance: Instance, runtime: string): ContainerState => {
  const waiting = plan.waiting.get(container.name);
  const { seen, ended } = instance;
  if (instance.state === 'running') return { running: { startedAt: toTime(seen!.startedAtMs) } };
  if (waiting) return waitingState(waiting.reason, waiting.message);
  const isInit = !view.pod.spec.containers.includes(container);
  if (ended && (instance.current || plan.ending || hasDone(view.pod, instance, isInit)))
    return { terminated: terminatedOf(ended, `${runtime}://${instance.id}`) };
  if (plan.over) return { terminated: neverRan };
  return waitingState(isInitPending(view) ? 'PodInitializing' : 'ContainerCreating');
};

/** A container of a pod that ended before the container's turn came. */
const neverRan: Terminated = {
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
};

/** Some init container that must end before the apps has not yet. */
const isInitPending = ({ pod, instances }: View): boolean =>
  (pod.spec.initContainers ?? []).some(container => {
    const instance = instances.get(container.name)!;
    if (isSidecar(container)) return !hasStarted(instance);
    return !(instance.current && instance.ended?.exitCode === 0);
  }) &&
  !pod.spec.containers.some(container => {
    const instance = instances.get(container.name)!;
    return instance.current && instance.attempt >= 0;
  });

const containerStatus = (
  view: View,
  plan: Plan,
  container: Container,
  isInit: boolean,
  facts: StatusFacts,
): ContainerStatus => {
  const instance = view.instances.get(container.name)!;
  const old = before(view.pod, container.name);
  const state = stateOf(view, plan, container, instance, facts.runtime);
  const started = hasStarted(instance);
  const isOnce = isInit && !isSidecar(container);
  // An init container that runs once is ready when it has done its work.
  const ready = isOnce
    ? instance.ended?.exitCode === 0
    : started && instance.ready && !(instance.stopping !== undefined && plan.ending);
  const waitsAfterEnd = state.waiting !== undefined && instance.ended !== undefined;
  const lastState = waitsAfterEnd
    ? { terminated: terminatedOf(instance.ended!, `${facts.runtime}://${instance.id}`) }
    : lastStateOf(view, instance, instance.attempt > 0 ? old : undefined, facts.runtime);
  return {
    name: container.name,
    state,
    lastState: state.terminated && lastState.terminated?.containerID === state.terminated.containerID ? {} : lastState,
    ready,
    restartCount: Math.max(0, instance.attempt),
    image: container.image ?? '',
    imageID: instance.seen ? imageIdOf(instance.seen, facts.runtime) : (old?.imageID ?? ''),
    ...(instance.attempt < 0 ? {} : { containerID: `${facts.runtime}://${instance.id}`, ...grantedOf(container) }),
    started,
  };
};

/** What the node has granted and what is in force: what the container was made with, as nothing changes it afterwards. */
const grantedOf = ({ resources = {} }: Container): Pick<ContainerStatus, 'allocatedResources' | 'resources'> => ({
  ...(resources.requests === undefined ? {} : { allocatedResources: resources.requests }),
  resources,
});

/** As kubelets on Docker wrote it: the digest that can be pulled again where there is one, else the engine's own id. */
const imageIdOf = (seen: ContainerSeen, runtime: string): string => {
  const digest = seen.labels[label.imageDigest];
  return digest === undefined ? `${runtime}://${seen.imageId}` : `${runtime}-pullable://${digest}`;
};

interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

const yes: Verdict = { status: 'True' };
const no = (reason: string, message?: string): Verdict => ({
  status: 'False',
  reason,
  ...(message === undefined ? {} : { message }),
});

const initialized = (
  pod: Pod,
  init: readonly ContainerStatus[],
  apps: readonly ContainerStatus[],
  phase: Phase,
): Verdict => {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  // Once an app container has run, the pod has been initialized.
  if (apps.some(status => status.state?.running || status.containerID)) return yes;
  const sidecars = new Set((pod.spec.initContainers ?? []).filter(isSidecar).map(container => container.name));
  const unfinished = init.filter(status => (sidecars.has(status.name) ? !status.started : !status.ready));
  if (unfinished.length === 0) return yes;
  return no('ContainersNotInitialized', `containers with incomplete status: [${namesOf(unfinished)}]`);
};

const namesOf = (statuses: readonly ContainerStatus[]): string => statuses.map(status => status.name).join(' ');

const containersReady = (counted: readonly ContainerStatus[], phase: Phase): Verdict => {
  if (phase === 'Succeeded') return no('PodCompleted');
  if (phase === 'Failed') return no('PodFailed');
  const unready = counted.filter(status => !status.ready);
  return unready.length === 0 ? yes : no('ContainersNotReady', `containers with unready status: [${namesOf(unready)}]`);
};

const podReady = (pod: Pod, containers: Verdict): Verdict => {
  if (containers.status === 'False') return containers;
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const condition = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (!condition)
      return no(
        'ReadinessGatesNotReady',
        `corresponding condition of pod readiness gate "${conditionType}" does not exist.`,
      );
    if (condition.status !== 'True')
      return no(
        'ReadinessGatesNotReady',
        `the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`,
      );
  }
  return yes;
};

const ownConditions = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady'] as const;

/** The pod's conditions with ours brought up to date; those of others stay as they are. */
const conditionsOf = (
  view: View,
  verdicts: Readonly<Record<(typeof ownConditions)[number], Verdict>>,
): PodCondition[] => {
  const old = view.pod.status?.conditions ?? [];
  const now = toTime(view.nowMs);
  const generation = view.pod.metadata.generation;
  const own = ownConditions.map((type): PodCondition => {
    const last = old.find(condition => condition.type === type);
    const verdict = verdicts[type];
    const same = last?.status === verdict.status;
    return {
      type,
      ...verdict,
      lastTransitionTime: (same ? last?.lastTransitionTime : undefined) ?? now,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
  });
  return [...own, ...old.filter(({ type }) => !(ownConditions as readonly string[]).includes(type))];
};

export const statusOf = (view: View, plan: Plan, facts: StatusFacts): PodStatus => {
  const { pod, memory, sandbox } = view;
  const init = (pod.spec.initContainers ?? []).map(container => containerStatus(view, plan, container, true, facts));
  const apps = pod.spec.containers.map(container => containerStatus(view, plan, container, false, facts));
  const worked = phaseOf(pod, init, apps, plan.over);
  const verdict = plan.over ? plan.verdict : undefined;
  // While anything runs the phase cannot be final: the status manager of the kubelet holds it back likewise.
  const phase: Phase = verdict?.phase ?? (isTerminal(worked) && !plan.over ? (pod.status?.phase ?? 'Pending') : worked);
  const sidecars = new Set((pod.spec.initContainers ?? []).filter(isSidecar).map(container => container.name));
  const ready = containersReady([...init.filter(status => sidecars.has(status.name)), ...apps], phase);
  const rejected = memory.rejection !== undefined;
  const podIP = pod.spec.hostNetwork ? facts.hostIP : (sandbox?.ip ?? '') || (pod.status?.podIP ?? '');
  // What others have written stays; a reason is ours alone.
  const { reason: _reason, message: _message, ...others } = pod.status ?? {};
  return {
    ...others,
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: rejected
      ? [...(pod.status?.conditions ?? [])]
      : conditionsOf(view, {
          PodReadyToStartContainers: sandbox ? yes : { status: 'False' },
          Initialized: initialized(pod, init, apps, phase),
          Ready: podReady(pod, ready),
          ContainersReady: ready,
        }),
    ...(verdict ? { reason: verdict.reason, message: verdict.message } : {}),
    startTime: pod.status?.startTime ?? toTime(memory.startedAtMs),
    qosClass: pod.status?.qosClass ?? qosClass(pod),
    ...(rejected
      ? {}
      : {
          hostIP: facts.hostIP,
          hostIPs: [{ ip: facts.hostIP }],
          ...(podIP === '' ? {} : { podIP, podIPs: [{ ip: podIP }] }),
          ...(init.length === 0 ? {} : { initContainerStatuses: init }),
          containerStatuses: apps,
        }),
  };
};

/** Milliseconds of the status's start; 0 before it has one. */
export const startOf = (pod: Pod): number => fromTime(pod.status?.startTime ?? '') || 0;
