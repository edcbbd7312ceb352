/**
 * Removes pods that nobody else will remove (SEMANTICS E.5): of nodes that are gone, unscheduled ones that are being
 * deleted, those stuck on a node that is out of service, and the oldest finished ones above a limit.
 */
import { type Node, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { toTime } from '#base/clock.ts';
import { type Plan, patchOf, removeOf, type Write } from '#client/plan.ts';
import type { Sweep } from '#client/sweep.ts';
import { readyStatus } from './node-taints.ts';
import type { Timings } from './timings.ts';

/** --terminated-pod-gc-threshold */
export const terminatedPodLimit = 12_500;
/** Removals per sweep: the next one follows soon. */
const removalsPerSweep = 1000;
const outOfServiceTaint = 'node.kubernetes.io/out-of-service';

/** Names of nodes that pods are bound to and that are gone, with the time since when we know. */
export type Quarantine = ReadonlyMap<string, number>;

export const podGc = (timings: Timings): Sweep<Quarantine> => ({
  name: 'pod-garbage-collector-controller',
  kinds: [podKind, nodeKind],
  everyMs: timings.podGcMs,
  plan: (view, nowMs, quarantine) => {
    const nodes = new Map(view.list(nodeKind).map(node => [node.metadata.name, node]));
    return planPodGc(view.list(podKind), nodes, nowMs, quarantine ?? new Map(), timings.podGcQuarantineMs);
  },
});

export const planPodGc = (
  pods: readonly Pod[],
  nodes: ReadonlyMap<string, Node>,
  nowMs: number,
  quarantine: Quarantine,
  quarantineMs: number,
): Plan<Quarantine> => {
  const missing = new Map<string, number>();
  for (const { spec } of pods) {
    if (spec.nodeName && !nodes.has(spec.nodeName)) missing.set(spec.nodeName, quarantine.get(spec.nodeName) ?? nowMs);
  }
  const isOrphan = ({ spec: { nodeName = '' } }: Pod) => nowMs - (missing.get(nodeName) ?? nowMs) >= quarantineMs;
  const orphans = pods.filter(isOrphan).flatMap(pod => removeOrphan(pod, nowMs));
  const abandoned = pods.filter(pod => !isOrphan(pod) && isAbandoned(pod, nodes)).flatMap(pod => remove(pod));
  const finished = beyondLimit(pods.filter(pod => isFinished(pod) && !isOrphan(pod))).flatMap(pod => remove(pod));
  return { writes: [...orphans, ...abandoned, ...finished].slice(0, removalsPerSweep * 2), memory: missing };
};

/** Being deleted, and no agent is there to finish it. */
const isAbandoned = ({ metadata, spec }: Pod, nodes: ReadonlyMap<string, Node>): boolean => {
  if (metadata.deletionTimestamp === undefined) return false;
  if (!spec.nodeName) return true;
  const node = nodes.get(spec.nodeName);
  return (
    node !== undefined &&
    readyStatus(node) !== 'True' &&
    (node.spec.taints ?? []).some(taint => taint.key === outOfServiceTaint)
  );
};

const isFinished = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** Evicted ones first, then the oldest. */
const beyondLimit = (finished: readonly Pod[]): readonly Pod[] => {
  const excess = finished.length - terminatedPodLimit;
  if (excess <= 0) return [];
  const isEvicted = (pod: Pod) => (pod.status?.phase === 'Failed' && pod.status.reason === 'Evicted' ? 0 : 1);
  const created = (pod: Pod) => pod.metadata.creationTimestamp ?? '';
  const inOrder = finished.toSorted(
    (a, b) =>
      isEvicted(a) - isEvicted(b) ||
      created(a).localeCompare(created(b)) ||
      a.metadata.name.localeCompare(b.metadata.name),
  );
  return inOrder.slice(0, excess);
};

const removeOrphan = (pod: Pod, nowMs: number): Write[] => {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByPodGC',
    message: 'PodGC: node no longer exists',
    lastTransitionTime: toTime(nowMs),
  };
  return remove(pod, { conditions: [condition] });
};

/** A pod that had not finished has failed; then it goes without grace. */
const remove = (pod: Pod, status: Readonly<Record<string, unknown>> = {}): Write[] => {
  const gone = removeOf(podKind, pod, { gracePeriodSeconds: 0 });
  if (isFinished(pod)) return [gone];
  const body = { status: { ...status, phase: 'Failed' } };
  return [patchOf(podKind, pod, 'strategic', body, { subresource: 'status' }), gone];
};
