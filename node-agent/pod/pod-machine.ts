/**
 * The life of a pod on its node as one pure function: what is (API object, engine, memory, hour) → what to do next and
 * what to report. It is called after every change and after every action, so it never has to remember where it was.
 * Order: volumes → sandbox → init containers one after the other, sidecars among them → app containers in order.
 * Restarts follow restartPolicy with Kubernetes' backoff (SEMANTICS I.4). Ending is in pod-ending.ts.
 */
import type { Container, Pod } from '#api/kinds/core.ts';
import { fromTime } from '#base/clock.ts';
import { attemptOf, type PodSeen } from '../names.ts';
import { hasDone, hasStarted, type Instance, instanceOf, isSidecar } from './instance.ts';
import { endPod } from './pod-ending.ts';
import { type CrashBackoff, containerMemory, type Failure, type PodMemory } from './pod-memory.ts';
import { isTerminal } from './pod-phase.ts';
import {
  type Action,
  allContainers,
  defaultPolicy,
  graceOf,
  type MachinePolicy,
  never,
  nothing,
  type Plan,
  type Step,
  stopEach,
  type View,
  type Waiting,
} from './pod-plan.ts';
import { type StatusFacts, statusOf } from './pod-status.ts';

/** How long a failed pull shows before its back-off does: about one sync of the kubelet. */
const pullErrorShownMs = 2000;

/** What to do next with the pod, and its status; pure. */
export const advance = (
  pod: Pod,
  memory: PodMemory,
  seen: PodSeen,
  nowMs: number,
  facts: StatusFacts,
  policy: MachinePolicy = defaultPolicy,
): Step => {
  const view = viewOf(pod, memory, seen, nowMs, policy);
  const plan = planOf(view);
  const isFixed = isTerminal(pod.status?.phase) || (plan.hold === true && pod.status !== undefined);
  const status = isFixed ? pod.status! : statusOf(view, plan, facts);
  return { actions: plan.actions, status, ...(plan.wakeAtMs === never ? {} : { wakeAtMs: plan.wakeAtMs }) };
};

const viewOf = (pod: Pod, memory: PodMemory, seen: PodSeen, nowMs: number, policy: MachinePolicy): View => {
  const newest = seen.sandboxes[0];
  const sandbox = newest?.phase === 'running' ? newest : undefined;
  const instances = new Map(
    allContainers(pod).map(container => [container.name, instanceOf(pod, container, memory, seen, newest)]),
  );
  return { pod, memory, seen, nowMs, policy, sandbox, instances };
};

const deadlineMs = ({ pod, memory }: View): number => {
  const seconds = pod.spec.activeDeadlineSeconds;
  if (seconds === undefined) return never;
  return (fromTime(pod.status?.startTime ?? '') || memory.startedAtMs) + seconds * 1000;
};

const planOf = (view: View): Plan => {
  const { pod, memory, nowMs } = view;
  const unsettled = allContainers(pod).filter(container => !view.instances.get(container.name)!.settled);
  if (unsettled.length > 0 && !isTerminal(pod.status?.phase))
    return {
      ...nothing,
      hold: true,
      actions: unsettled.map(container => ({ do: 'settle', container, id: view.instances.get(container.name)!.id })),
    };
  if (memory.rejection) {
    const { reason, message } = memory.rejection;
    return endPod(view, { phase: 'Failed', reason, message: `Pod was rejected: ${message}` });
  }
  if (pod.metadata.deletionTimestamp !== undefined || isTerminal(pod.status?.phase)) return endPod(view);
  if (nowMs >= deadlineMs(view))
    return endPod(view, {
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
  const plan = syncPod(view);
  return { ...plan, wakeAtMs: Math.min(plan.wakeAtMs, deadlineMs(view)) };
};

/** True when the container, ended like this, is started again under the pod's policy (kubelet ShouldContainerBeRestarted). */
export const restarts = (pod: Pod, container: Container, isInit: boolean, exitCode: number): boolean => {
  if (isInit && isSidecar(container)) return true;
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (policy === 'Never') return false;
  return policy === 'OnFailure' || isInit ? exitCode !== 0 : true;
};

/** True when the pod has nothing left to run. */
const isDone = ({ pod, instances }: View): boolean => {
  const failedInit = (pod.spec.initContainers ?? []).some(container => {
    const instance = instances.get(container.name)!;
    return (
      !isSidecar(container) &&
      instance.ended &&
      instance.ended.exitCode !== 0 &&
      !restarts(pod, container, true, instance.ended.exitCode)
    );
  });
  const appsDone = pod.spec.containers.every(container => {
    const { ended } = instances.get(container.name)!;
    return ended !== undefined && !restarts(pod, container, false, ended.exitCode);
  });
  return (
    appsDone ||
    (failedInit && pod.spec.containers.every(container => instances.get(container.name)!.state !== 'running'))
  );
};

const syncPod = (view: View): Plan => {
  if (isDone(view)) return endPod(view);
  if (!view.memory.admitted) return nothing;
  const failure = view.memory.volumeFailure;
  if (!view.memory.volumesReady) {
    if (failure && view.nowMs < failure.retryAtMs) return { ...nothing, wakeAtMs: failure.retryAtMs };
    return { ...nothing, actions: [{ do: 'volumes' }] };
  }
  return view.sandbox ? startContainers(view) : replaceSandbox(view);
};

/** No sandbox runs: end what still runs in a dead one, then make a new one unless the pod must not be restarted. */
const replaceSandbox = (view: View): Plan => {
  const { pod, seen, memory, nowMs } = view;
  const stale = allContainers(pod).filter(container => view.instances.get(container.name)!.state === 'running');
  const hasRun = allContainers(pod).some(container => view.instances.get(container.name)!.attempt >= 0);
  if (seen.sandboxes.length > 0 && hasRun && pod.spec.restartPolicy === 'Never') return endPod(view);
  if (stale.length > 0) return stopEach(view, stale, 'sandbox', 2000);
  const failure = memory.sandboxFailure;
  if (failure && nowMs < failure.retryAtMs) return { ...nothing, wakeAtMs: failure.retryAtMs };
  const newest = seen.sandboxes[0];
  const attempt = newest ? attemptOf(newest) + 1 : 0;
  // One that was created and never started is used, not counted.
  return { ...nothing, actions: [{ do: 'sandbox', attempt: newest?.phase === 'created' ? attempt - 1 : attempt }] };
};

const startContainers = (view: View): Plan => {
  const { pod, instances } = view;
  const waiting = new Map<string, Waiting>();
  const begun = pod.spec.containers.some(container => {
    const instance = instances.get(container.name)!;
    return instance.current && instance.attempt >= 0;
  });
  let plan: Plan = { ...nothing, waiting, actions: leftovers(view) };
  const take = (container: Container, isInit: boolean): boolean => {
    const next = keepRunning(view, container, isInit);
    if (next.waiting) waiting.set(container.name, next.waiting);
    plan = {
      ...plan,
      actions: plan.actions.length > 0 ? plan.actions : next.actions,
      wakeAtMs: Math.min(plan.wakeAtMs, next.wakeAtMs),
    };
    return next.good;
  };
  for (const container of pod.spec.initContainers ?? []) {
    if (!isSidecar(container) && begun) continue;
    const good = take(container, true);
    if (!good && !begun) return plan;
  }
  // Each container waits until those before it have been started, and their postStart hooks have ended.
  for (const container of pod.spec.containers) {
    take(container, false);
    if (plan.actions.length > 0) break;
    const instance = instances.get(container.name)!;
    if (instance.state === 'running' && !instance.hooked) break;
  }
  return plan;
};

interface Next {
  readonly actions: readonly Action[];
  readonly waiting?: Waiting;
  readonly wakeAtMs: number;
  /** The container is as it should be: the next may start. */
  readonly good: boolean;
}

const keepRunning = (view: View, container: Container, isInit: boolean): Next => {
  const instance = view.instances.get(container.name)!;
  const idle: Next = { actions: [], wakeAtMs: never, good: false };
  if (instance.stopping && instance.state === 'running')
    return { ...idle, ...pick(stopEach(view, [container], instance.stopping.cause, instance.stopping.graceMs)) };
  if (instance.state === 'running' && instance.current) {
    if (instance.changed) return { ...idle, ...pick(stopEach(view, [container], 'changed', graceOf(view.pod))) };
    const hook = view.memory.instances[instance.id]?.postStart;
    if (hook === 'failed') return { ...idle, ...pick(stopEach(view, [container], 'hook', graceOf(view.pod))) };
    if (!instance.hooked)
      return { ...idle, actions: hook === undefined ? [{ do: 'post-start', container, id: instance.id }] : [] };
    return { ...idle, good: isSidecar(container) && isInit ? hasStarted(instance) : !isInit };
  }
  if (instance.state === 'running') return { ...idle, ...pick(stopEach(view, [container], 'sandbox', 2000)) };
  if (instance.state === 'created' && instance.current && !instance.changed)
    return { ...idle, actions: [{ do: 'start', container, id: instance.id }] };
  if (instance.state === 'ended' && instance.current) {
    const { exitCode, finishedAtMs = 0 } = instance.ended!;
    if (!restarts(view.pod, container, isInit, exitCode) && !instance.changed) return { ...idle, good: exitCode === 0 };
    return restart(view, container, instance, finishedAtMs);
  }
  if (hasDone(view.pod, instance, isInit)) return { ...idle, good: true };
  return launch(view, container, instance.attempt + 1, containerMemory(view.memory, container.name).crash);
};

const pick = ({ actions, wakeAtMs }: Plan) => ({ actions, wakeAtMs });

/** An ended container comes back: at once, or when its backoff is over. */
const restart = (view: View, container: Container, instance: Instance, finishedAtMs: number): Next => {
  const { policy, nowMs, pod, memory } = view;
  const { crash } = containerMemory(memory, container.name);
  const { name, namespace = '', uid = '' } = pod.metadata;
  const isFresh = crash !== undefined && nowMs - crash.updatedAtMs < 2 * policy.crashMaxMs;
  if (isFresh && nowMs - finishedAtMs < crash.delayMs) {
    const message = `back-off ${goDuration(crash.delayMs)} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`;
    return {
      actions: [],
      waiting: { reason: 'CrashLoopBackOff', message },
      wakeAtMs: finishedAtMs + crash.delayMs,
      good: false,
    };
  }
  const isReset = crash === undefined || finishedAtMs - crash.updatedAtMs > 2 * policy.crashMaxMs;
  const initialMs = Math.min(policy.crashInitialMs, policy.crashMaxMs);
  const delayMs = isReset ? initialMs : Math.min(crash.delayMs * 2, policy.crashMaxMs);
  return launch(view, container, instance.attempt + 1, { delayMs, updatedAtMs: nowMs });
};

/** Gets the image, then creates and starts an attempt; waits while either has just failed. */
const launch = (view: View, container: Container, attempt: number, crash: CrashBackoff | undefined): Next => {
  const { image, imageFailure, createFailure } = containerMemory(view.memory, container.name);
  const idle: Next = { actions: [], wakeAtMs: never, good: false };
  const failure: Shown | undefined =
    createFailure ?? (imageFailure && pullFailure(imageFailure, container, view.nowMs));
  if (failure && view.nowMs < failure.retryAtMs)
    return {
      ...idle,
      waiting: { reason: failure.reason, message: failure.message },
      wakeAtMs: failure.wakeAtMs ?? failure.retryAtMs,
    };
  const waiting = failure ? { waiting: { reason: failure.reason, message: failure.message } } : {};
  if (image === 'pulling') return { ...idle, ...waiting };
  if (image === 'ready') return { ...idle, actions: [{ do: 'create', container, attempt, crash }] };
  return { ...idle, ...waiting, actions: [{ do: 'pull', container }] };
};

/** A failure as it shows at present; `wakeAtMs`: when it will show otherwise. */
type Shown = Failure & { readonly wakeAtMs?: number };

/** A failed pull shows as itself first, then, while it is not tried again yet, as back-off (SEMANTICS I.5). */
const pullFailure = (failure: Failure, container: Container, nowMs: number): Shown => {
  if (failure.reason !== 'ErrImagePull') return failure;
  const showsUntilMs = failure.retryAtMs - failure.delayMs + pullErrorShownMs;
  if (nowMs < showsUntilMs) return { ...failure, wakeAtMs: showsUntilMs };
  const message = `Back-off pulling image "${container.image}": ErrImagePull: ${failure.message}`;
  return { ...failure, reason: 'ImagePullBackOff', message };
};

/** Dead containers that nobody can ask for any more: of each name all but the newest two, of sandboxes all but the newest. */
const leftovers = ({ seen }: View): readonly Action[] => {
  const sandboxes = seen.sandboxes.slice(1);
  const containers = [...seen.containers.values()].flatMap(list => list.slice(2));
  return [...sandboxes, ...containers].map(({ id }) => ({ do: 'remove', id }));
};

/** As Go prints durations of whole seconds: 10s, 1m20s, 5m0s. */
export const goDuration = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
};
