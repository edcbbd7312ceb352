/**
 * Deletes pods from nodes whose NoExecute taints they do not tolerate, at once or when their tolerationSeconds are over
 * (SEMANTICS E.4). The time runs from when we first saw the pod under such taints; a shorter toleration shortens it, and
 * when the taints go, or are tolerated for ever, the deletion is called off.
 */
import { type Node, nodeKind, type Pod, podKind, type Taint } from '#api/kinds/core.ts';
import { keyOf } from '#api/object.ts';
import { tolerates } from '#api/taints.ts';
import { toTime } from '#base/clock.ts';
import { deepEqual } from '#base/deep.ts';
import type { Controller, Watch } from '#client/controller.ts';
import { type Note, type Plan, patchOf, removeOf, type Write } from '#client/plan.ts';
import { podsByNode } from './node-lifecycle.ts';

/** When the pod is to be deleted. */
export interface PlannedEviction {
  readonly dueMs: number;
}

const nodeTaints: Watch<Node> = {
  kind: nodeKind,
  *keys({ was, now }, view) {
    const name = (now ?? was)?.metadata.name;
    if (name === undefined || deepEqual(noExecute(was), noExecute(now))) return;
    for (const pod of view.by(podsByNode, name)) yield keyOf(pod);
  },
};

export const taintEviction: Controller<Pod, PlannedEviction> = {
  name: 'taint-eviction-controller',
  kind: podKind,
  watches: [nodeTaints],
  indexes: [podsByNode],
  // Nearly every pod at nearly every time; when its node gets or loses taints, the watch brings its pods.
  ignores: ({ spec }, view) => !spec.nodeName || noExecute(view.get(nodeKind, spec.nodeName)).length === 0,
  reconcile: (pod, view, nowMs, planned) => {
    const node = pod.spec.nodeName ? view.get(nodeKind, pod.spec.nodeName) : undefined;
    const delayMs = pod.metadata.deletionTimestamp === undefined ? evictionDelayMs(pod, noExecute(node)) : undefined;
    if (delayMs === undefined) return planned ? { writes: [], notes: [cancelled(pod)] } : { writes: [] };
    const dueMs = Math.min(planned?.dueMs ?? Number.POSITIVE_INFINITY, nowMs + delayMs);
    return dueMs <= nowMs ? evict(pod, nowMs) : { writes: [], memory: { dueMs }, againInMs: dueMs - nowMs };
  },
};

const noExecute = (node: Node | undefined): readonly Taint[] =>
  node?.spec.taints?.filter(taint => taint.effect === 'NoExecute') ?? [];

/** Milliseconds that the pod may stay under the taints: 0 when one is not tolerated, undefined when it may for ever. */
export const evictionDelayMs = (pod: Pod, taints: readonly Taint[]): number | undefined => {
  const tolerations = pod.spec.tolerations ?? [];
  const seconds: number[] = [];
  for (const taint of taints) {
    const used = tolerations.find(toleration => tolerates(toleration, taint));
    if (used === undefined) return 0;
    if (used.tolerationSeconds !== undefined) seconds.push(used.tolerationSeconds);
  }
  return seconds.length === 0 ? undefined : Math.max(0, Math.min(...seconds)) * 1000;
};

const evict = (pod: Pod, nowMs: number): Plan<PlannedEviction> => {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
    lastTransitionTime: toTime(nowMs),
  };
  const body = { status: { conditions: [condition] } };
  const mark: Write = patchOf(podKind, pod, 'strategic', body, { subresource: 'status' });
  const { namespace, name } = pod.metadata;
  const marking: Note = {
    about: pod,
    type: 'Normal',
    reason: 'TaintManagerEviction',
    message: `Marking for deletion Pod ${namespace}/${name}`,
    more: { component: 'taint-eviction-controller' },
  };
  return { writes: [mark, removeOf(podKind, pod)], notes: [marking] };
};

const cancelled = (pod: Pod): Note => ({
  about: pod,
  type: 'Normal',
  reason: 'TaintManagerEviction',
  message: `Cancelling deletion of Pod ${pod.metadata.namespace}/${pod.metadata.name}`,
  more: { component: 'taint-eviction-controller' },
});
