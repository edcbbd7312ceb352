/**
 * Gives back what a pod used: containers, sandbox, volumes, cgroups, and in the end the API object. Like everything the
 * pod machine decides (pod-actions.ts), each may be repeated and finds what an earlier try left.
 */
import type { Pod } from '#api/kinds/core.ts';
import { podKind } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import { podPath } from '../container/cgroup-plan.ts';
import { podDirectory } from '../container/volumes.ts';
import { label } from '../names.ts';
import { isFault } from '../runtime.ts';
import { type Change, syncDelays } from './pod-actions.ts';
import { type PodDeps, podEvent } from './pod-deps.ts';
import { failed, type PodMemory, withPod } from './pod-memory.ts';

/** Removes containers of the pod at once. */
export const removeContainers = async (deps: PodDeps, ids: readonly string[]): Promise<Change> => {
  await Promise.all(
    ids.map(async id => {
      await deps.runtime.remove(id);
      deps.observer.removed(id);
    }),
  );
  return memory => memory;
};

/** Tries of removing a cgroup: its last process may still be leaving. */
const cgroupTries = 20;
const cgroupPauseMs = 50;

const removeCgroup = async (deps: PodDeps, uid: string): Promise<void> => {
  for (let tries = 1; ; tries++) {
    try {
      return await deps.machine.cgroups.remove(podPath(deps.owner, uid));
    } catch (error) {
      if (tries === cgroupTries) throw error;
      await deps.clock.sleep(cgroupPauseMs);
    }
  }
};

export interface CleanOptions {
  /** Its containers go too, and with them their logs. */
  readonly containers: boolean;
  /** It may have volumes in the engine. */
  readonly volumes: boolean;
  /** Hears of a failure; absent for one whose object is gone. */
  readonly pod?: Pod;
}

/** Gives back what the pod used: sandbox, volumes, cgroups, and on demand its containers. */
export const cleanPod = async (deps: PodDeps, uid: string, options: CleanOptions): Promise<Change> => {
  const { observer, machine, runtime } = deps;
  const seen = observer.pod(uid);
  const ids = [...seen.sandboxes, ...(options.containers ? [...seen.containers.values()].flat() : [])].map(
    ({ id }) => id,
  );
  try {
    await deps.removals.run(() => removeContainers(deps, ids));
    const volumes = options.volumes ? await runtime.volumes({ [label.podUid]: uid }) : [];
    for (const volume of volumes) await runtime.removeVolume(volume);
    if (deps.enforcesCgroups) await removeCgroup(deps, uid);
    await machine.files.remove(podDirectory(deps.dataDir, uid));
    deps.references.release(uid);
    return memory => withPod(memory, { cleaned: true, cleanFailure: undefined });
  } catch (error) {
    if (isFault(error, 'unavailable')) throw error;
    const message = (error as Error).message;
    deps.log.warn({ err: error, uid }, 'cleaning up after a pod failed');
    if (options.pod) podEvent(deps, options.pod, 'Warning', 'FailedKillPod', `error killing pod: ${message}`);
    const next = (memory: PodMemory) =>
      failed(memory.cleanFailure, 'FailedKillPod', message, deps.clock.now(), syncDelays);
    return memory => withPod(memory, { cleanFailure: next(memory) });
  }
};

/** Deletes the API object; true when it is gone. */
export const finishPod = async (deps: PodDeps, pod: Pod): Promise<boolean> => {
  const { name, namespace = '', uid = '' } = pod.metadata;
  try {
    await deps.client.remove(podKind, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
    return true;
  } catch (error) {
    if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return true;
    deps.log.warn({ err: error, pod: name }, 'cannot delete the pod object');
    return false;
  }
};
