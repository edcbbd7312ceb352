/**
 * What the engine needs to know of a pod, computed once for all pods that are alike. Pods of one template differ in
 * name and uid only; what plugins look at is the same for all of them and is their `Shape`. Standing results (verdicts,
 * scores) are kept per shape, so that a pod whose like was seen before costs almost nothing.
 */
import type { Container, Pod } from '#api/kinds/core.ts';
import { fromTime } from '#base/clock.ts';
import type { HeldTerm } from '../columns/held-term.ts';
import type { LabelSet } from '../columns/label-set.ts';
import { type Requests, resizeOf } from '../requests.ts';
import type { Term } from './term.ts';

export interface HostPort {
  readonly protocol: string;
  readonly port: number;
  readonly ip: string;
}

export interface WeightedTerm {
  readonly term: Term;
  readonly weight: number;
}

/** A pod's requests against the cluster's resource columns. */
export interface Usage {
  /** As stated, by resource name. */
  readonly requests: Requests;
  /** What NodeResourcesFit scores a pod to be placed by. */
  readonly scored: Requests;
  /** Columns of what it asks more than nothing of, and how much. */
  readonly columns: readonly number[];
  readonly amounts: readonly number[];
}

/** Kept by the shape table; the fields that change belong to it and to the placements. */
export interface Shape {
  readonly key: string;
  /** Of what plugins that read only the node object look at: shapes that agree in it share those results. */
  readonly nodeKey: string;
  /** `spec.nodeName` of a pod that is to be scheduled all the same; '' for placed pods. */
  readonly nodeName: string;
  /** A pod of this shape; read its spec and labels, but not what tells pods apart, nor its node. */
  readonly sample: Pod;
  labelSet: LabelSet;
  readonly usage: Usage;
  readonly ports: readonly HostPort[];
  readonly requiredAffinity: readonly Term[];
  readonly requiredAntiAffinity: readonly Term[];
  readonly preferredAffinity: readonly WeightedTerm[];
  readonly preferredAntiAffinity: readonly WeightedTerm[];
  /** All its terms, as they are counted once a pod of this shape is placed. */
  held: readonly HeldTerm[];
  /** Placed pods that have it. */
  users: number;
  /** Turn of the shape table at which it was last asked for. */
  lastUsed: number;
  /** True once the table has forgotten it: it must be revived before a pod of it is scheduled or placed. */
  forgotten: boolean;
}

/** One pod as the engine sees it. */
export interface PodView {
  readonly pod: Pod;
  /** `namespace/name` */
  readonly key: string;
  readonly uid: string;
  readonly priority: number;
  readonly shape: Shape;
  readonly terminating: boolean;
  /** Milliseconds; undefined when it has not started. */
  readonly startMs: number | undefined;
  readonly nominatedNodeName: string;
  readonly gates: readonly string[];
}

/** Namespace as the API server would have stored it. */
export const namespaceOf = (pod: Pod): string => pod.metadata.namespace || 'default';

/** Names and uids are told apart here; `shape` must be the pod's. */
export const viewOf = (pod: Pod, shape: Shape): PodView => ({
  pod,
  key: `${namespaceOf(pod)}/${pod.metadata.name}`,
  uid: pod.metadata.uid ?? `${namespaceOf(pod)}/${pod.metadata.name}`,
  priority: pod.spec.priority ?? 0,
  shape,
  terminating: pod.metadata.deletionTimestamp !== undefined,
  startMs: pod.status?.startTime === undefined ? undefined : fromTime(pod.status.startTime),
  nominatedNodeName: pod.status?.nominatedNodeName ?? '',
  gates: pod.spec.schedulingGates?.length ? pod.spec.schedulingGates.map(gate => gate.name) : noGates,
});
const noGates: readonly string[] = [];

/** Equal for pods that no plugin of the default profile can tell apart. */
export const shapeKeyOf = (pod: Pod, placed: boolean): string => {
  const { spec, metadata } = pod;
  return JSON.stringify([
    metadata.namespace,
    metadata.labels,
    controllerOf(pod),
    placed ? '' : spec.nodeName,
    spec.nodeSelector,
    spec.affinity,
    spec.tolerations,
    spec.topologySpreadConstraints,
    spec.overhead,
    spec.resources?.requests,
    spec.containers.map(containerKey),
    spec.initContainers?.map(containerKey),
    placed ? resizeOf(pod) : 0,
  ]);
};

/** Equal for shapes that plugins of scope `node` cannot tell apart. */
export const nodeKeyOf = (pod: Pod, placed: boolean): string => {
  const { spec } = pod;
  return JSON.stringify([
    spec.nodeSelector,
    spec.affinity?.nodeAffinity,
    spec.tolerations,
    placed ? '' : spec.nodeName,
  ]);
};

const containerKey = (container: Container): unknown => [
  container.image,
  container.resources?.requests,
  container.restartPolicy,
  container.ports?.some(port => (port.hostPort ?? 0) > 0) ? container.ports : 0,
];

/** The controlling owner, where its selector can become the pod's default spread selector. */
export const controllerOf = (pod: Pod): readonly [apiVersion: string, kind: string, name: string] | undefined => {
  const owner = pod.metadata.ownerReferences?.find(reference => reference.controller === true);
  return owner !== undefined && selectingKinds.has(owner.kind) ? [owner.apiVersion, owner.kind, owner.name] : undefined;
};
const selectingKinds = new Set(['ReplicaSet', 'StatefulSet', 'ReplicationController']);

/** Host ports of app containers and of init containers that keep running (upstream: plain init containers do not count). */
export const hostPortsOf = (pod: Pod): readonly HostPort[] => {
  const ports: HostPort[] = [];
  const running = (pod.spec.initContainers ?? []).filter(container => container.restartPolicy === 'Always');
  for (const container of [...pod.spec.containers, ...running])
    for (const { hostPort = 0, protocol, hostIP } of container.ports ?? [])
      if (hostPort > 0) ports.push({ protocol: protocol || 'TCP', port: hostPort, ip: hostIP || '0.0.0.0' });
  return ports;
};
