/** The shapes of pod-machine.ts: what it sees, what it may ask for, what it found; and how containers are stopped. */
import type { Container, Pod, PodStatus } from '#api/kinds/core.ts';
import type { PodSeen } from '../names.ts';
import type { ContainerSeen } from '../runtime.ts';
import type { Instance } from './instance.ts';
import type { CrashBackoff, PodMemory, StopCause } from './pod-memory.ts';

export type Action =
  | { readonly do: 'volumes' }
  | { readonly do: 'sandbox'; readonly attempt: number }
  | { readonly do: 'pull'; readonly container: Container }
  | {
      readonly do: 'create';
      readonly container: Container;
      readonly attempt: number;
      readonly crash: CrashBackoff | undefined;
    }
  | { readonly do: 'start'; readonly container: Container; readonly id: string }
  | { readonly do: 'post-start'; readonly container: Container; readonly id: string }
  /** Gathers evidence of an ended container: OOM, termination message. */
  | { readonly do: 'settle'; readonly container: Container; readonly id: string }
  /** Asks to end: preStop hook where there is one, then the stop signal; SIGKILL at once without grace. */
  | {
      readonly do: 'stop';
      readonly container: Container;
      readonly id: string;
      readonly cause: StopCause;
      readonly graceMs: number;
    }
  | { readonly do: 'kill'; readonly container: Container; readonly id: string }
  | { readonly do: 'remove'; readonly id: string }
  /** Removes sandbox, volumes and cgroups, with `containers` the containers too. */
  | { readonly do: 'clean'; readonly containers: boolean }
  /** Deletes the API object for good. */
  | { readonly do: 'finish' };

/** Why a container waits, for its status. */
export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

export interface Step {
  /** All of these may be done at the same time. */
  readonly actions: readonly Action[];
  readonly status: PodStatus;
  /** When to call again even if nothing happens. */
  readonly wakeAtMs?: number;
}

export interface MachinePolicy {
  readonly crashInitialMs: number;
  /** kubelet's crashLoopBackOff.maxContainerRestartPeriod. */
  readonly crashMaxMs: number;
}

export const defaultPolicy: MachinePolicy = { crashInitialMs: 10_000, crashMaxMs: 300_000 };

/** The pod as the decisions see it. */
export interface View {
  readonly pod: Pod;
  readonly memory: PodMemory;
  readonly seen: PodSeen;
  readonly nowMs: number;
  readonly policy: MachinePolicy;
  /** The sandbox that runs. */
  readonly sandbox: ContainerSeen | undefined;
  readonly instances: ReadonlyMap<string, Instance>;
}

/** What a stage of the plan found. */
export interface Plan {
  readonly actions: readonly Action[];
  readonly waiting: ReadonlyMap<string, Waiting>;
  readonly wakeAtMs: number;
  /** Every container has ended for good. */
  readonly over: boolean;
  /** The pod is on its way out; nothing is restarted. */
  readonly ending: boolean;
  /** Evidence is missing: report nothing new yet. */
  readonly hold?: boolean;
  /** Phase, reason and message that replace those worked out of the containers, once all have ended. */
  readonly verdict?: { readonly phase: 'Failed'; readonly reason: string; readonly message: string };
}

export const never = Number.POSITIVE_INFINITY;
export const nothing: Plan = { actions: [], waiting: new Map(), wakeAtMs: never, over: false, ending: false };

export const allContainers = (pod: Pod): readonly Container[] => [
  ...(pod.spec.initContainers ?? []),
  ...pod.spec.containers,
];

/**
 * Stops containers that run, and waits for them. `graceMs` caps the grace of all, `askMs` is what those not asked yet
 * are given.
 */
export const stopEach = (
  view: View,
  containers: readonly Container[],
  cause: StopCause,
  graceMs: number,
  askMs = graceMs,
): Plan => {
  const actions: Action[] = [];
  let wakeAtMs = never;
  for (const container of containers) {
    const { state, id, stopping } = view.instances.get(container.name)!;
    if (state !== 'running') continue;
    if (!stopping) {
      actions.push({ do: 'stop', container, id, cause, graceMs: askMs });
      continue;
    }
    const grace = Math.min(stopping.graceMs, graceMs);
    // A process in an uninterruptible sleep outlives SIGKILL for a while: say it again now and then.
    const killAtMs = stopping.killedAtMs === undefined ? stopping.askedAtMs + grace : stopping.killedAtMs + 5000;
    if (view.nowMs >= killAtMs) actions.push({ do: 'kill', container, id });
    else wakeAtMs = Math.min(wakeAtMs, killAtMs);
  }
  return { ...nothing, actions, wakeAtMs };
};

/** The grace of the pod's own specification. */
export const graceOf = (pod: Pod): number => (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
