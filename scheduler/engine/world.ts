/**
 * The cluster as plain lists, as an API server gives them out, and the columns that the engine decides on. Made for
 * questions about a cluster (`why`, `plan`): whoever asks what would be if something were different makes changed lists
 * and columns of them; nothing here is kept up to date.
 */
import type { Namespace, Node, Pod, Service } from '#api/kinds/core.ts';
import type { PodDisruptionBudget } from '#api/kinds/policy.ts';
import type { PriorityClass } from '#api/kinds/scheduling.ts';
import { Columns } from './columns/columns.ts';
import type { Workload } from './columns/surroundings.ts';
import { namespaceOf } from './shapes/shape.ts';

/** Everything that decisions read. Workloads may come without kind and apiVersion, as items of lists do. */
export interface ClusterState {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
  readonly services: readonly Service[];
  readonly replicaSets: readonly Omit<Workload, 'kind' | 'apiVersion'>[];
  readonly statefulSets: readonly Omit<Workload, 'kind' | 'apiVersion'>[];
  readonly podDisruptionBudgets: readonly PodDisruptionBudget[];
  readonly priorityClasses: readonly PriorityClass[];
}

/** A cluster with nothing in it. */
export const emptyState: ClusterState = {
  nodes: [],
  pods: [],
  namespaces: [],
  services: [],
  replicaSets: [],
  statefulSets: [],
  podDisruptionBudgets: [],
  priorityClasses: [],
};

/** What is different in a copy of a state. Objects that are set replace those of the same name, or are added at the end. */
export interface StateChanges {
  readonly setNodes?: readonly Node[];
  /** Names; the pods on them stay until they are removed too, as in a cluster. */
  readonly removeNodes?: readonly string[];
  readonly setPods?: readonly Pod[];
  /** `namespace/name` */
  readonly removePods?: readonly string[];
}

/** `namespace/name` */
export const podKey = (pod: Pod): string => `${namespaceOf(pod)}/${pod.metadata.name}`;

/** Pods that have ended count for nothing (SEMANTICS F.1). */
export const isOver = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** Which profile is to place the pod. */
export const schedulerOf = (pod: Pod): string => pod.spec.schedulerName || 'default-scheduler';

export interface WorldOptions {
  /** Nominations of other schedulers' pods do not count; absent: all count. */
  readonly schedulers?: ReadonlySet<string>;
  /** What plugins of the profiles tell pods apart by beyond the engine (profile.ts, tellApartBy). */
  readonly tellApart?: ((pod: Pod) => string) | undefined;
}

/** Columns of a state. They belong to the caller and may be changed. */
export const columnsOf = (state: ClusterState, { schedulers, tellApart }: WorldOptions = {}): Columns => {
  const columns = new Columns({ capacity: Math.max(64, state.nodes.length) });
  columns.shapes.tellApart = tellApart;
  const { surroundings } = columns;
  for (const namespace of state.namespaces) surroundings.setNamespace(namespace);
  for (const service of state.services) surroundings.setService(service);
  for (const set of state.replicaSets) surroundings.setWorkload({ ...set, apiVersion: 'apps/v1', kind: 'ReplicaSet' });
  for (const set of state.statefulSets)
    surroundings.setWorkload({ ...set, apiVersion: 'apps/v1', kind: 'StatefulSet' });
  for (const budget of state.podDisruptionBudgets) surroundings.setBudget(budget);
  for (const node of state.nodes) columns.setNode(node);
  for (const pod of state.pods) {
    if (isOver(pod)) continue;
    if (pod.spec.nodeName) columns.addPod(pod);
    else if (pod.status?.nominatedNodeName && schedulers?.has(schedulerOf(pod)) !== false)
      columns.nominations.set(columns.view(pod), pod.status.nominatedNodeName);
  }
  return columns;
};

/** A copy of the state with the changes; the state itself stays as it is. */
export const withChanges = (state: ClusterState, changes: StateChanges): ClusterState => ({
  ...state,
  nodes: replaced(state.nodes, changes.setNodes ?? [], new Set(changes.removeNodes), node => node.metadata.name),
  pods: replaced(state.pods, changes.setPods ?? [], new Set(changes.removePods), podKey),
});

const replaced = <T>(
  present: readonly T[],
  set: readonly T[],
  removed: ReadonlySet<string>,
  keyOf: (one: T) => string,
): readonly T[] => {
  if (set.length === 0 && removed.size === 0) return present;
  const fresh = new Map(set.map(one => [keyOf(one), one]));
  const kept: T[] = [];
  for (const one of present) {
    const key = keyOf(one);
    const other = fresh.get(key);
    fresh.delete(key);
    if (other !== undefined) kept.push(other);
    else if (!removed.has(key)) kept.push(one);
  }
  return [...kept, ...fresh.values()];
};
