/** Builds the engine's columns from a golden case or workload, as an API server and informers would have. */

import type { Namespace, Node, Pod, Service } from '#api/kinds/core.ts';
import type { PodDisruptionBudget } from '#api/kinds/policy.ts';
import { Columns } from '#engine/columns/columns.ts';
import type { Workload } from '#engine/columns/surroundings.ts';
import { createProfile, defaultFilters, defaultProfile, defaultScores, type Profile } from '#engine/profile.ts';

export interface World {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly namespaces?: readonly Namespace[];
  readonly services?: readonly Service[];
  readonly replicasets?: readonly Workload[];
  readonly statefulsets?: readonly Workload[];
  readonly pdbs?: readonly PodDisruptionBudget[];
}

export const isOver = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

export const columnsOf = (world: World): Columns => {
  const columns = new Columns();
  for (const namespace of world.namespaces ?? []) columns.surroundings.setNamespace(namespace);
  for (const service of world.services ?? []) columns.surroundings.setService(service);
  for (const set of world.replicasets ?? [])
    columns.surroundings.setWorkload({ ...set, apiVersion: 'apps/v1', kind: 'ReplicaSet' });
  for (const set of world.statefulsets ?? [])
    columns.surroundings.setWorkload({ ...set, apiVersion: 'apps/v1', kind: 'StatefulSet' });
  for (const budget of world.pdbs ?? []) columns.surroundings.setBudget(budget);
  for (const node of world.nodes) columns.setNode(node);
  for (const pod of world.pods) {
    if (isOver(pod)) continue;
    if (pod.spec.nodeName) columns.addPod(pod);
    else if (pod.status?.nominatedNodeName) columns.nominations.set(columns.view(pod), pod.status.nominatedNodeName);
  }
  return columns;
};

const usual = defaultProfile();
const numericTaints = createProfile({
  filters: defaultFilters({ taintToleration: { comparison: true } }),
  scores: defaultScores({ taintToleration: { comparison: true } }),
});

/** Only the cases of `taints-numeric` were made with the feature gate for Gt and Lt. */
export const profileFor = (source: string): Profile => (source.includes('taints-numeric') ? numericTaints : usual);
