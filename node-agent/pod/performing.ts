/** Which part of the agent carries out which action of the pod machine; what takes long is begun beside the worker's loop. */
import type { Container, Pod } from '#api/kinds/core.ts';
import type { Signal } from '#base/clock.ts';
import type { PodSeen } from '../names.ts';
import type { ContainerSeen } from '../runtime.ts';
import { settle } from './evidence.ts';
import { type Change, createContainer, createSandbox, setUpVolumes, startContainer } from './pod-actions.ts';
import { cleanPod, removeContainers } from './pod-cleanup.ts';
import type { PodDeps } from './pod-deps.ts';
import { instanceMemory, type PodMemory, type StopCause, withContainer, withInstance } from './pod-memory.ts';
import { type Action, graceOf } from './pod-plan.ts';
import { pullImage } from './pulling.ts';
import { beginStop, carryOutStop, killContainer, runPostStart } from './stopping.ts';

/** The pod as its worker has it at this moment, and where work goes on. */
export interface Round {
  readonly deps: PodDeps;
  readonly pod: Pod;
  readonly memory: PodMemory;
  readonly seen: PodSeen;
  readonly signal: Signal;
  /** Long work: what it gives changes the memory at its end, `undo` does when it failed. */
  begin(work: () => Promise<Change>, undo: Change): void;
  /** Changes the memory at once. */
  change(change: Change): void;
}

export const same: Change = memory => memory;

export const podIPOf = ({ deps, pod, seen }: Pick<Round, 'deps' | 'pod' | 'seen'>): string =>
  pod.spec.hostNetwork ? deps.hostIP : (seen.sandboxes[0]?.ip ?? '');

/** Deleting the object (`finish`) is the worker's own: it ends with it. */
export const perform = async (round: Round, action: Exclude<Action, { do: 'finish' }>): Promise<Change> => {
  const { deps, pod, seen, memory, signal } = round;
  switch (action.do) {
    case 'volumes':
      return setUpVolumes(deps, pod, podIPOf(round), signal);
    case 'sandbox':
      return createSandbox(deps, pod, action.attempt);
    case 'pull':
      return pull(round, action.container);
    case 'create':
      return createContainer(deps, pod, seen.sandboxes[0]!, action);
    case 'start':
      return deps.starts.run(() => startContainer(deps, pod, action.container, action.id));
    case 'post-start':
      return postStart(round, action.container, found(round, action.id));
    case 'settle':
      return settle(deps, pod, action.container, found(round, action.id), memory);
    case 'stop':
      stopContainer(round, action.container, found(round, action.id), action.cause, action.graceMs);
      return same;
    case 'kill':
      return killContainer(deps, action.id);
    case 'remove':
      return removeContainers(deps, [action.id]);
    case 'clean': {
      const volumes = pod.spec.volumes?.some(({ emptyDir }) => emptyDir?.medium === 'Memory') === true;
      return cleanPod(deps, pod.metadata.uid ?? '', { containers: action.containers, volumes, pod });
    }
  }
};

const found = ({ deps }: Round, id: string): ContainerSeen => {
  const seen = deps.observer.all().find(candidate => candidate.id === id);
  if (!seen) throw new Error(`container ${id} has gone`);
  return seen;
};

const pull = ({ deps, pod, signal, begin }: Round, container: Container): Change => {
  const work = () => pullImage(deps, pod, container, signal);
  begin(work, memory => withContainer(memory, container.name, { image: undefined }));
  return memory => withContainer(memory, container.name, { image: 'pulling' });
};

const postStart = (round: Round, container: Container, seen: ContainerSeen): Change => {
  const { deps, pod, signal, begin } = round;
  const hook = () => runPostStart(deps, pod, container, seen, podIPOf(round), signal);
  begin(hook, memory => withInstance(memory, seen.id, { postStart: undefined }));
  return memory => withInstance(memory, seen.id, { postStart: 'running' });
};

/** Begins to stop a container, unless that has begun. */
export const stopContainer = (
  round: Round,
  container: Container,
  seen: ContainerSeen,
  cause: StopCause,
  graceMs = graceOf(round.pod),
): void => {
  const { deps, pod, memory, signal, begin, change } = round;
  if (instanceMemory(memory, seen.id).stopping) return;
  const request = { container, seen, cause, graceMs, podIP: podIPOf(round) };
  change(beginStop(deps, pod, request));
  const carryOut = () => carryOutStop(deps, pod, request, signal);
  begin(carryOut, now => withInstance(now, seen.id, { stopping: undefined }));
};
