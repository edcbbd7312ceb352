/**
 * Notices nodes that fall silent (SEMANTICS E.4): a node whose Lease and status were not renewed within the grace period
 * gets Unknown conditions, its pods are no longer Ready, and taints follow (node-taints.ts) that keep new pods away and,
 * by taint-eviction.ts, make its pods go. The time of a heartbeat is when we saw it, by our own clock, so that agents
 * whose clocks are wrong are not lost.
 */
import { type Lease, leaseKind } from '#api/kinds/coordination.ts';
import { type Node, type NodeCondition, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { fromTime, toTime } from '#base/clock.ts';
import type { IndexOf, View } from '#client/caches.ts';
import type { Controller, Watch } from '#client/controller.ts';
import { type Note, type Plan, patchOf, type Write } from '#client/plan.ts';
import {
  conditionOf,
  evictionTurn,
  hasNoExecuteTaint,
  noExecuteTaintFor,
  readyStatus,
  taintsFor,
} from './node-taints.ts';
import type { Timings } from './timings.ts';

const leaseNamespace = 'kube-node-lease';

export const podsByNode: IndexOf<Pod> = { kind: podKind, name: 'pods by node', value: pod => pod.spec.nodeName };

/** The last heartbeat: what it said, and when it came. */
export interface Heartbeat {
  readonly said: string;
  readonly seenMs: number;
}

export const nodeLifecycle = (timings: Timings): Controller<Node, Heartbeat> => ({
  name: 'node-lifecycle',
  kind: nodeKind,
  watches: [leases, { kind: podKind }],
  indexes: [podsByNode],
  serial: true,
  reconcile: (node, view, nowMs, memory) => planNode(node, view, nowMs, memory, timings),
});

const leases: Watch<Lease> = {
  kind: leaseKind,
  keys: ({ now }) => (now?.metadata.namespace === leaseNamespace ? [now.metadata.name] : []),
};

const planNode = (
  node: Node,
  view: View,
  nowMs: number,
  memory: Heartbeat | undefined,
  timings: Timings,
): Plan<Heartbeat> => {
  const heartbeat = heardOf(node, view.get(leaseKind, `${leaseNamespace}/${node.metadata.name}`), nowMs, memory);
  const ready = conditionOf(node, 'Ready');
  const graceMs = ready ? timings.nodeGraceMs : timings.nodeStartupGraceMs;
  const leftMs = heartbeat.seenMs + graceMs - nowMs;
  const lost = leftMs < 0 ? unknownConditions(node, nowMs) : [];
  const now = lost.length === 0 ? node : withConditions(node, lost);
  const status = conditionOf(now, 'Ready')?.status;
  const { taints, againInMs } = planTaints(now, view, nowMs, timings);
  const silencedPods = status === 'Unknown' ? view.by(podsByNode, node.metadata.name).filter(isReady) : [];
  const writes: Write[] = [
    ...(lost.length === 0
      ? []
      : [patchOf(nodeKind, node, 'strategic', { status: { conditions: lost } }, { subresource: 'status' })]),
    // The status write has raised the revision, so the taints are written by the next look, which it brings about.
    ...(lost.length > 0 || taints === undefined
      ? []
      : [patchOf(nodeKind, node, 'merge', { spec: { taints } }, { onlyThisRevision: true })]),
    ...silencedPods.map(pod => notReady(pod, nowMs)),
  ];
  const notes: Note[] = [
    ...(ready?.status === 'True' && status !== 'True' ? [nodeNotReady(node)] : []),
    ...silencedPods.map(podNotReady),
  ];
  return {
    writes,
    notes,
    memory: heartbeat,
    againInMs: Math.min(leftMs < 0 ? timings.nodeMonitorMs : leftMs + 1, againInMs ?? Number.POSITIVE_INFINITY),
  };
};

/** A heartbeat is a renewed Lease, or a Ready condition posted anew. A node never heard of counts from its creation. */
const heardOf = (node: Node, lease: Lease | undefined, nowMs: number, memory: Heartbeat | undefined): Heartbeat => {
  const posted = conditionOf(node, 'Ready')?.lastHeartbeatTime ?? '';
  const said = `${lease?.spec.renewTime ?? ''}|${posted}`;
  if (memory?.said === said) return memory;
  const never = lease?.spec.renewTime === undefined && posted === '';
  const createdMs = fromTime(node.metadata.creationTimestamp ?? '');
  return { said, seenMs: never && Number.isFinite(createdMs) ? Math.max(createdMs, memory?.seenMs ?? 0) : nowMs };
};

const watched = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** The conditions of a lost node that have to change. */
const unknownConditions = (node: Node, nowMs: number): NodeCondition[] =>
  watched.flatMap(type => {
    const present = conditionOf(node, type);
    if (present?.status === 'Unknown') return [];
    const lastTransitionTime = toTime(nowMs);
    if (present === undefined) {
      const lastHeartbeatTime = node.metadata.creationTimestamp ?? toTime(nowMs);
      const message = 'Kubelet never posted node status.';
      return [
        { type, status: 'Unknown', reason: 'NodeStatusNeverUpdated', message, lastHeartbeatTime, lastTransitionTime },
      ];
    }
    const message = 'Kubelet stopped posting node status.';
    return [{ ...present, status: 'Unknown', reason: 'NodeStatusUnknown', message, lastTransitionTime }];
  });

const withConditions = (node: Node, changed: readonly NodeCondition[]): Node => {
  const types = new Set(changed.map(condition => condition.type));
  const kept = (node.status?.conditions ?? []).filter(condition => !types.has(condition.type));
  return { ...node, status: { ...node.status, conditions: [...kept, ...changed] } };
};

const planTaints = (node: Node, view: View, nowMs: number, timings: Timings) => {
  const wanted = conditionOf(node, 'Ready') === undefined ? undefined : noExecuteTaintFor(readyStatus(node));
  const turn = wanted === undefined ? 'revoke' : evictionTurn(node, view.list(nodeKind), nowMs, timings);
  // A node that has one of the two taints changes to the other at once; only a first one must wait for its turn.
  const allowed = turn === 'now' || (turn !== 'revoke' && hasNoExecuteTaint(node));
  const taints = taintsFor(node, node.status?.conditions ?? [], allowed ? wanted : undefined, nowMs);
  if (wanted === undefined) return { taints };
  return { taints, againInMs: allowed || typeof turn !== 'number' ? timings.nodeMonitorMs : turn };
};

const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True') ?? false;

const notReady = (pod: Pod, nowMs: number): Write => {
  const conditions = [{ type: 'Ready', status: 'False', lastTransitionTime: toTime(nowMs) }];
  return patchOf(podKind, pod, 'strategic', { status: { conditions } }, { subresource: 'status' });
};

const component = 'node-controller';

const nodeNotReady = (node: Node): Note => ({
  about: node,
  type: 'Normal',
  reason: 'NodeNotReady',
  message: `Node ${node.metadata.name} status is now: NodeNotReady`,
  more: { component },
});

const podNotReady = (pod: Pod): Note => ({
  about: pod,
  type: 'Warning',
  reason: 'NodeNotReady',
  message: 'Node is not ready',
  more: { component },
});
