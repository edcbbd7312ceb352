/**
 * What the agent knows of a pod beyond the API object and the engine's containers: running pulls and hooks, failures
 * with their next try, backoffs, signals sent, evidence gathered from ended containers. Immutable; pod-machine.ts reads
 * it, the reducers below are its only writers. It is lost with the process, as the kubelet's is, and nothing breaks:
 * all of it is rebuilt by trying again.
 */
import { label, type PodSeen } from '../names.ts';

/** Something failed and is tried again no sooner than `retryAtMs`. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly retryAtMs: number;
  readonly delayMs: number;
}

/** Backoff of client-go's flowcontrol: the last delay and when it was taken. */
export interface CrashBackoff {
  readonly delayMs: number;
  readonly updatedAtMs: number;
}

export interface ContainerMemory {
  /** `ready`: found or pulled for the start that comes next. */
  readonly image?: 'pulling' | 'ready';
  readonly imageFailure?: Failure;
  readonly createFailure?: Failure;
  readonly crash?: CrashBackoff;
  /** OOM kills in all its attempts since the agent knows the pod. */
  readonly oomKills?: number;
}

/** Why a running container is being stopped. */
export type StopCause = 'pod' | 'changed' | 'sandbox' | 'liveness' | 'startup' | 'hook';

export interface Stopping {
  readonly cause: StopCause;
  readonly askedAtMs: number;
  readonly graceMs: number;
  /** When the signal that asks to end was sent; undefined while a preStop hook runs. */
  readonly signalledAtMs?: number;
  /** When SIGKILL was last sent. */
  readonly killedAtMs?: number;
}

/** What is known of one container in the engine, by its id. */
export interface InstanceMemory {
  readonly stopping?: Stopping;
  /** The engine could not start it: its words. */
  readonly startFailure?: string;
  readonly failedAtMs?: number;
  /** An `oom` event, or evidence of the cgroup. */
  readonly oom?: boolean;
  /** `oom` events of the engine, and OOM kills that the pod's events have told. */
  readonly oomHeard?: number;
  readonly oomTold?: number;
  /** None of its processes was killed although the engine's event, and then its flag, say so. */
  readonly spared?: boolean;
  /** Ended, and evidence (OOM, termination message) was gathered. */
  readonly settled?: boolean;
  /** OOM kills counted by its cgroup before it started (cgroup v2). */
  readonly killsBefore?: number;
  readonly terminationMessage?: string;
  readonly postStart?: 'running' | 'done' | 'failed';
  readonly startupPassed?: boolean;
  readonly ready?: boolean;
}

export interface PodMemory {
  /** Refused by this node's admission. */
  readonly rejection?: { readonly reason: string; readonly message: string };
  readonly admitted: boolean;
  readonly volumesReady: boolean;
  readonly volumeFailure?: Failure;
  readonly sandboxFailure?: Failure;
  /** Containers, volumes and cgroups are removed. */
  readonly cleaned: boolean;
  readonly cleanFailure?: Failure;
  /** When the agent first saw the pod: status.startTime. */
  readonly startedAtMs: number;
  readonly containers: Readonly<Record<string, ContainerMemory>>;
  readonly instances: Readonly<Record<string, InstanceMemory>>;
}

export const newMemory = (nowMs: number): PodMemory => ({
  admitted: false,
  volumesReady: false,
  cleaned: false,
  startedAtMs: nowMs,
  containers: {},
  instances: {},
});

export const containerMemory = (memory: PodMemory, name: string): ContainerMemory => memory.containers[name] ?? {};
export const instanceMemory = (memory: PodMemory, id: string): InstanceMemory => memory.instances[id] ?? {};

/** Backoffs of containers that an agent before this one started, from their labels. */
export const adopted = (memory: PodMemory, seen: PodSeen): PodMemory =>
  [...seen.containers].reduce((sum, [name, [newest]]) => {
    const delayMs = Number(newest?.labels[label.backoffMs] ?? 0);
    return newest && delayMs > 0
      ? withContainer(sum, name, { crash: { delayMs, updatedAtMs: newest.createdAtMs } })
      : sum;
  }, memory);

/** Replaces fields of a container's memory; a field given as undefined is forgotten. */
export const withContainer = (
  memory: PodMemory,
  name: string,
  change: { readonly [K in keyof ContainerMemory]: ContainerMemory[K] | undefined },
): PodMemory => ({
  ...memory,
  containers: { ...memory.containers, [name]: merged(containerMemory(memory, name), change) },
});

export const withInstance = (
  memory: PodMemory,
  id: string,
  change: { readonly [K in keyof InstanceMemory]?: InstanceMemory[K] | undefined },
): PodMemory => ({
  ...memory,
  instances: { ...memory.instances, [id]: merged(instanceMemory(memory, id), change) },
});

export const withPod = (
  memory: PodMemory,
  change: { readonly [K in keyof PodMemory]?: PodMemory[K] | undefined },
): PodMemory => merged(memory, change);

const merged = <T extends object>(old: T, change: object): T => {
  const all = { ...old, ...change } as Record<string, unknown>;
  for (const key of Object.keys(all)) if (all[key] === undefined) delete all[key];
  return all as T;
};

/** The next failure in a row: its delay doubles from `firstMs` to `mostMs`. */
export const failed = (
  last: Failure | undefined,
  reason: string,
  message: string,
  nowMs: number,
  delays: { readonly firstMs: number; readonly mostMs: number },
): Failure => {
  const delayMs = last ? Math.min(last.delayMs * 2, delays.mostMs) : delays.firstMs;
  return { reason, message, delayMs, retryAtMs: nowMs + delayMs };
};

/** Forgets containers of the engine that are gone, so that memory stays as small as the pod. */
export const forgetGone = (memory: PodMemory, present: ReadonlySet<string>): PodMemory => {
  const kept = Object.entries(memory.instances).filter(([id]) => present.has(id));
  return kept.length === Object.keys(memory.instances).length
    ? memory
    : { ...memory, instances: Object.fromEntries(kept) };
};

/** A ConfigMap or Secret changed: what failed for want of it may be tried at once. */
export const referencesChanged = (memory: PodMemory): PodMemory => {
  const containers = Object.fromEntries(
    Object.entries(memory.containers).map(([name, container]) =>
      container.createFailure?.reason === 'CreateContainerConfigError'
        ? [name, merged(container, { createFailure: undefined })]
        : [name, container],
    ),
  );
  return withPod({ ...memory, containers }, { volumeFailure: undefined });
};
