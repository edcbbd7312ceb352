/** Columns of the kinds of group apps. */
import type { Column } from '#api/kind.ts';
import type { ReplicaSet, StatefulSet } from '#api/kinds/apps.ts';
import { ageColumn, containerColumns, nameColumn, selectorText } from './standard.ts';

export const replicaSetColumns: readonly Column<ReplicaSet>[] = [
  nameColumn,
  { name: 'Desired', type: 'integer', description: 'Pods wanted.', cell: set => set.spec.replicas ?? 0 },
  { name: 'Current', type: 'integer', description: 'Pods that exist.', cell: set => set.status?.replicas ?? 0 },
  { name: 'Ready', type: 'integer', description: 'Pods that are ready.', cell: set => set.status?.readyReplicas ?? 0 },
  ageColumn,
  ...containerColumns<ReplicaSet>(set => set.spec.template?.spec),
  {
    name: 'Selector',
    type: 'string',
    description: 'Labels of the pods that are counted.',
    priority: 1,
    cell: set => selectorText(set.spec.selector),
  },
];

export const statefulSetColumns: readonly Column<StatefulSet>[] = [
  nameColumn,
  {
    name: 'Ready',
    type: 'string',
    description: 'Pods that are ready, of those wanted.',
    cell: set => `${set.status?.readyReplicas ?? 0}/${set.spec.replicas ?? 0}`,
  },
  ageColumn,
  ...containerColumns<StatefulSet>(set => set.spec.template?.spec),
];
