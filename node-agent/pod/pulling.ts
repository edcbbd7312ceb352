/** Getting a container's image as a part of its pod's life: events, and the failure that its status shows. */
import type { Container, Pod } from '#api/kinds/core.ts';
import type { Signal } from '#base/clock.ts';
import { type Change, configDelays } from './pod-actions.ts';
import { type PodDeps, podEvent, unlessAborted } from './pod-deps.ts';
import { containerMemory, failed, withContainer } from './pod-memory.ts';

/** Only a pull that failed backs off; everything else is looked at again with each sync (SEMANTICS I.5). */
const pullDelays = { firstMs: 10_000, mostMs: 300_000 };

/** Long: the worker does not wait for it. */
export const pullImage = async (deps: PodDeps, pod: Pod, container: Container, signal: Signal): Promise<Change> => {
  const pulling = (message: string) => podEvent(deps, pod, 'Normal', 'Pulling', message, container);
  const outcome = await unlessAborted(deps.images.ensure(container, pulling, signal), signal);
  if (!outcome) return memory => memory;
  const { events, failure } = outcome;
  for (const { type, reason, message } of events) podEvent(deps, pod, type, reason, message, container);
  if (!failure) return memory => withContainer(memory, container.name, { image: 'ready' });
  podEvent(deps, pod, 'Warning', 'Failed', `Error: ${failure.reason}`, container);
  const delays = failure.reason === 'ErrImagePull' ? pullDelays : configDelays;
  return memory => {
    const last = containerMemory(memory, container.name).imageFailure;
    const imageFailure = failed(last, failure.reason, failure.message, deps.clock.now(), delays);
    return withContainer(memory, container.name, { image: undefined, imageFailure });
  };
};
