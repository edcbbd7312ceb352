/**
 * Makes the room that preemption decided on: marks the victims, deletes them, tells (SEMANTICS G.4). The pod they go for
 * waits meanwhile; if one of them cannot be told to go, it is tried again after its backoff.
 */
import { type PodCondition, podKind } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import { toTime } from '#base/clock.ts';
import { namespaceOf, type PodView } from '#engine/shapes/shape.ts';
import { schedulerOf } from './scheduling-pods.ts';
import { patchPodStatus } from './scheduling-status.ts';
import type { WriterOptions } from './scheduling-writes.ts';

export type EvictionOptions = Pick<WriterOptions, 'client' | 'clock' | 'recorder' | 'queue' | 'wake'>;

/** Evicts the pods all at once; rejects, with the first failure, when one of them could not be. */
export const evictAll = async (
  preemptor: PodView,
  victims: readonly PodView[],
  nodeName: string,
  options: EvictionOptions,
): Promise<void> => {
  const { queue, clock, wake } = options;
  queue.preempting(preemptor.key, true, clock.now());
  const results = await Promise.allSettled(victims.map(victim => evict(preemptor, victim, nodeName, options)));
  const failure = results.find(({ status }) => status === 'rejected');
  queue.preempting(preemptor.key, false, clock.now(), failure !== undefined);
  wake();
  if (failure?.status === 'rejected') throw failure.reason;
};

const evict = async (
  preemptor: PodView,
  victim: PodView,
  nodeName: string,
  { client, clock, recorder }: EvictionOptions,
): Promise<void> => {
  const { name, uid } = victim.pod.metadata;
  const component = schedulerOf(preemptor.pod);
  const condition = {
    type: 'DisruptionTarget',
    status: 'True' as const,
    reason: 'PreemptionByScheduler',
    message: `${component}: preempting to accommodate a higher priority pod`,
  };
  if (!isMarked(victim, condition))
    await patchPodStatus(client, victim, {
      conditions: [{ ...condition, lastTransitionTime: toTime(clock.now()) }],
    });
  try {
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    await client.remove(podKind, { namespace: namespaceOf(victim.pod), name }, preconditions);
  } catch (error) {
    if (isReason(error, 'NotFound')) return;
    throw error;
  }
  const by = preemptor.pod.metadata.uid ?? '';
  recorder.event(victim.pod, 'Normal', 'Preempted', `Preempted by pod ${by} on node ${nodeName}`, { component });
};

const isMarked = (
  { pod }: PodView,
  { type, status, reason, message }: Readonly<Omit<PodCondition, 'lastTransitionTime'>>,
) =>
  pod.status?.conditions?.some(
    present =>
      present.type === type && present.status === status && present.reason === reason && present.message === message,
  ) ?? false;
