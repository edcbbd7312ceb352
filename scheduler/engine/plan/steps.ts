/** What becomes of a pod object when it is bound, and when it is pushed out: copies, the pod itself stays as it is. */
import type { Node, Pod } from '#api/kinds/core.ts';
import { toTime } from '#base/clock.ts';

const topologyKeys = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'] as const;

/** On the node, with the labels that say where that is (PodTopologyLabels), and promised to none any more. */
export const bound = (pod: Pod, node: Node | undefined, nodeName: string): Pod => {
  const labels = node?.metadata.labels ?? {};
  const added = topologyKeys.flatMap(key => (labels[key] === undefined ? [] : [[key, labels[key]] as const]));
  const { nominatedNodeName: _, ...status } = pod.status ?? {};
  const metadata = { ...pod.metadata, labels: { ...pod.metadata.labels, ...Object.fromEntries(added) } };
  return { ...pod, ...(added.length === 0 ? {} : { metadata }), spec: { ...pod.spec, nodeName }, status };
};

export const terminating = (pod: Pod, nowMs: number): Pod => {
  const condition = { type: 'DisruptionTarget', status: 'True' as const, reason: 'PreemptionByScheduler' };
  return {
    ...pod,
    metadata: { ...pod.metadata, deletionTimestamp: toTime(nowMs) },
    status: { ...pod.status, conditions: [...(pod.status?.conditions ?? []), condition] },
  };
};
