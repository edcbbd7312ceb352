/** The kinds of group apps that Berth has so far: data only, for the scheduler's default spreading. */
import { replicaSetColumns, statefulSetColumns } from '#api/columns/apps.ts';
import { defaultStatefulSet } from '#api/defaults-kinds.ts';
import { defaultTemplate } from '#api/defaults-pod.ts';
import { allVerbs, type Kind } from '#api/kind.ts';
import { unsupportedInReplicaSet, unsupportedInStatefulSet } from '#api/unsupported.ts';
import { validateReplicaSet, validateStatefulSet } from '#api/validate-workload.ts';
import { warningsOfTemplate } from '#api/warnings-pod.ts';
import { deepEqual } from '#base/deep.ts';
import type { KubeObject } from '../object.ts';
import type { PodTemplateSpec } from './pod.ts';
import { type ReplicaSet, replicaSetSchema, type StatefulSet, statefulSetSchema } from './workload.ts';

export type * from './workload.ts';

const apps = {
  group: 'apps',
  version: 'v1',
  verbs: allVerbs,
  categories: ['all'],
  namespaced: true,
  hasStatus: true,
  hasGeneration: true,
  subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
} as const;

type Workload = KubeObject & { readonly spec: { readonly template?: PodTemplateSpec } };

const warningsOfWorkload = ({ metadata, spec }: Workload, old: Workload | undefined): readonly string[] =>
  spec.template === undefined || (old !== undefined && deepEqual(spec.template, old.spec.template))
    ? []
    : warningsOfTemplate(metadata.name, spec.template);

export const replicaSetKind: Kind<ReplicaSet> = {
  ...apps,
  kind: 'ReplicaSet',
  plural: 'replicasets',
  singular: 'replicaset',
  shortNames: ['rs'],
  schema: replicaSetSchema,
  columns: replicaSetColumns,
  selectable: { 'status.replicas': set => String(set.status?.replicas ?? 0) },
  defaults: set => defaultTemplate(set.spec.template),
  prepareCreate: set => {
    set.status = { replicas: 0 };
  },
  validate: validateReplicaSet,
  warnings: warningsOfWorkload,
  unsupported: unsupportedInReplicaSet,
};

export const statefulSetKind: Kind<StatefulSet> = {
  ...apps,
  kind: 'StatefulSet',
  plural: 'statefulsets',
  singular: 'statefulset',
  shortNames: ['sts'],
  schema: statefulSetSchema,
  columns: statefulSetColumns,
  selectable: {},
  defaults: defaultStatefulSet,
  prepareCreate: set => {
    set.status = { replicas: 0, availableReplicas: 0 };
  },
  validate: validateStatefulSet,
  warnings: warningsOfWorkload,
  unsupported: unsupportedInStatefulSet,
};
