/**
 * OOM kills as events of the pod, which Kubernetes has none of, and as counts that outlive the container. An `oom` event
 * of the engine says only that a limit above a container was reached: on cgroup v1 every container below that limit gets
 * one, killed or not. So a container that still runs a moment later is asked for its own counter; one that has ended is
 * judged by its evidence (evidence.ts). Where counters cannot be read the engine's event is believed.
 */
import type { Container, Pod } from '#api/kinds/core.ts';
import { quantityOf, wholeValue } from '#api/quantity.ts';
import { containerPath, wasAtLimit } from '../container/cgroup-plan.ts';
import type { ContainerSeen } from '../runtime.ts';
import { endedOf } from './instance.ts';
import type { Change } from './pod-actions.ts';
import { type PodDeps, podEvent } from './pod-deps.ts';
import { containerMemory, instanceMemory, type PodMemory, withContainer, withInstance } from './pod-memory.ts';

/** A main process that was killed has been reaped by then: `die` follows `oom` within 75 ms (DOCKER-FACTS §3). */
export const oomSettlesMs = 300;

/** What the engine's event means at once: perhaps it was this container. */
export const heardOom = (memory: PodMemory, id: string): PodMemory => {
  const { oomHeard = 0 } = instanceMemory(memory, id);
  return withInstance(memory, id, { oom: true, spared: undefined, oomHeard: oomHeard + 1 });
};

/** Kills so far in a container that runs: undefined where nobody counts them. */
export const killsIn = (deps: PodDeps, seen: ContainerSeen): number | undefined => {
  const reader = deps.machine.containerUsage(seen.pid, seen.id);
  const kills = reader?.read()?.oomKills;
  reader?.close();
  return kills;
};

/** What has become of a container that ran on after the engine's event, of which `kills` were counted in all. */
export const livedOn = (memory: PodMemory, name: string, id: string, kills: number | undefined) => {
  const { oomHeard = 0, oomTold = 0 } = instanceMemory(memory, id);
  const fresh = Math.max(0, (kills ?? oomHeard) - oomTold);
  const told = withInstance(memory, id, { oomTold: oomTold + fresh });
  const spared = kills === 0 ? withInstance(told, id, { oom: undefined, spared: true }) : told;
  return { fresh, memory: counted(spared, name, fresh) };
};

const counted = (memory: PodMemory, name: string, kills: number): PodMemory =>
  kills === 0
    ? memory
    : withContainer(memory, name, { oomKills: (containerMemory(memory, name).oomKills ?? 0) + kills });

/**
 * Tells of an ended container, once, if it was OOM-killed, and counts that. Its last kill may have been told already,
 * when a child was killed and the main process ended because of it.
 */
export const tellOomEnd = async (
  deps: PodDeps,
  pod: Pod,
  container: Container,
  seen: ContainerSeen,
  memory: PodMemory,
): Promise<Change> => {
  const ended = endedOf(seen, memory);
  if (ended?.reason !== 'OOMKilled' || isReported(pod, container.name, seen.id)) return now => now;
  const { oomHeard = 0, oomTold = 0 } = instanceMemory(memory, seen.id);
  const kills = Math.max(1, Math.min(oomHeard, oomTold + 1)) - oomTold;
  if (kills <= 0) return now => now;
  const limit = await limitReached(deps, pod, container);
  tell(deps, pod, container, `Killed container ${container.name}, exit code ${seen.exitCode} (${limit})`);
  return now => withInstance(counted(now, container.name, kills), seen.id, { oomTold: oomTold + kills });
};

/** Tells of a kill in a container that lives on. */
export const tellOomInside = async (deps: PodDeps, pod: Pod, container: Container, kills: number): Promise<void> => {
  const limit = await limitReached(deps, pod, container);
  const what = kills === 1 ? 'a process' : `${kills} processes`;
  tell(deps, pod, container, `Killed ${what} of container ${container.name}, whose main process goes on (${limit})`);
};

/** Reason and first words are those of the node problem detector, which people search for. */
const tell = (deps: PodDeps, pod: Pod, container: Container, what: string): void =>
  podEvent(deps, pod, 'Warning', 'OOMKilling', `Memory cgroup out of memory: ${what}`, container);

/** An agent before this one has seen that end. */
const isReported = (pod: Pod, name: string, id: string): boolean =>
  [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
    .filter(status => status.name === name)
    .some(({ state, lastState }) =>
      [state?.terminated, lastState?.terminated].some(end => end?.containerID?.endsWith(`://${id}`)),
    );

/** Which limit it was, in words: the container's own, unless its group never came near that. */
const limitReached = async (deps: PodDeps, pod: Pod, container: Container): Promise<string> => {
  const own = container.resources?.limits?.['memory'];
  if (own !== undefined && (await reached(deps, pod, container, own))) return `memory limit ${own}`;
  const ofPod = pod.spec.resources?.limits?.['memory'];
  if (ofPod !== undefined) return `memory limit ${ofPod} of the pod`;
  return `memory of node ${deps.owner.node}, ${quantityOf(deps.limits.memoryCapacityBytes, 'BinarySI')}`;
};

const reached = async (deps: PodDeps, pod: Pod, container: Container, limit: string): Promise<boolean> => {
  if (!deps.enforcesCgroups) return true;
  const { cgroups } = deps.machine;
  const evidence = await cgroups.evidence(containerPath(deps.owner, pod, container.name));
  return wasAtLimit(cgroups.version, evidence, wholeValue(limit));
};
