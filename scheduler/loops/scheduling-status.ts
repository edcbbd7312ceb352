/** What the scheduler writes into a pod's status: why it is not placed yet, and the node that is kept for it. */
import { type Pod, type PodCondition, podKind } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import { toTime } from '#base/clock.ts';
import type { Client } from '#client/client.ts';
import { namespaceOf, type PodView } from '#engine/shapes/shape.ts';

/** Writes fields of a pod's status. A pod that is gone, or another one of that name, needs nothing. */
export const patchPodStatus = async (client: Client, { pod }: PodView, status: object): Promise<void> => {
  const ref = { namespace: namespaceOf(pod), name: pod.metadata.name };
  const body = { metadata: { uid: pod.metadata.uid }, status };
  try {
    await client.patch(podKind, ref, { type: 'strategic', body }, { subresource: 'status' });
  } catch (error) {
    if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
  }
};

/** Why a pod was not placed, as condition PodScheduled tells. */
export interface Refusal {
  readonly reason: 'Unschedulable' | 'SchedulerError';
  readonly message: string;
  /** What status.nominatedNodeName becomes, '' for none; undefined: it stays. */
  readonly nominated: string | undefined;
}

/** The status fields to write; undefined when they say so already. */
export const refusalPatch = (pod: Pod, { reason, message, nominated }: Refusal, nowMs: number): object | undefined => {
  const present = pod.status?.conditions?.find(({ type }: PodCondition) => type === 'PodScheduled');
  const saysSo = present?.status === 'False' && present.reason === reason && present.message === message;
  const isNominated = nominated === undefined || nominated === (pod.status?.nominatedNodeName ?? '');
  if (saysSo && isNominated) return undefined;
  const lastTransitionTime =
    present?.status === 'False' ? (present.lastTransitionTime ?? toTime(nowMs)) : toTime(nowMs);
  return {
    conditions: [{ type: 'PodScheduled', status: 'False', reason, message, lastTransitionTime }],
    ...(nominated === undefined ? {} : { nominatedNodeName: nominated === '' ? null : nominated }),
  };
};
