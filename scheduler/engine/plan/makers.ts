/**
 * The kinds that make pods, as a table: which pods an object of the kind would make beside those that it has, and which of
 * those it would delete. A kind whose controller arrives in Berth changes its line (`runs`); a new kind is a new line.
 */
import type { ReplicaSet, StatefulSet } from '#api/kinds/apps.ts';
import type { Pod, PodTemplateSpec } from '#api/kinds/core.ts';
import type { KubeObject, OwnerReference } from '#api/object.ts';

/** A pod as its controller would send it: without defaults. `name` or `generateName` is set. */
export interface PodDraft {
  readonly name?: string;
  readonly generateName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec: object;
}

export interface Making {
  readonly create: readonly PodDraft[];
  readonly remove: readonly Pod[];
}

export interface Maker {
  readonly apiVersion: string;
  readonly kind: string;
  /** Berth runs its controller. */
  readonly runs: boolean;
  /** `own`: its pods that have not ended. `hasNewTemplate`: the template is not the one that they were made of. */
  make(object: never, own: readonly Pod[], hasNewTemplate: boolean): Making;
}

/** A ReplicaSet leaves pods of an older template alone. */
const makeReplicas = ({ metadata, spec }: ReplicaSet, own: readonly Pod[]): Making => {
  const missing = (spec.replicas ?? 1) - own.length;
  if (missing <= 0) return { create: [], remove: [...own].sort(leastMissedFirst).slice(0, -missing) };
  const draft = { ...draftOf(spec.template), generateName: `${metadata.name}-` };
  return { create: Array.from({ length: missing }, () => draft), remove: [] };
};

/** Unassigned, then pending, then unready pods go first, of the rest the newest (SEMANTICS K.1). */
const leastMissedFirst = (a: Pod, b: Pod): number =>
  rank(a) - rank(b) ||
  (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '') ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

const rank = ({ spec, status }: Pod): number => {
  if (!spec.nodeName) return 0;
  if ((status?.phase ?? 'Pending') === 'Pending') return 1;
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ? 3 : 2;
};

const makeOrdinals = ({ metadata, spec }: StatefulSet, own: readonly Pod[], hasNewTemplate: boolean): Making => {
  const start = spec.ordinals?.start ?? 0;
  const ordinals = Array.from({ length: spec.replicas ?? 1 }, (_, i) => start + i);
  const updates = hasNewTemplate && spec.updateStrategy?.type !== 'OnDelete';
  const from = updates ? (spec.updateStrategy?.rollingUpdate?.partition ?? 0) : Number.POSITIVE_INFINITY;
  const nameOf = (ordinal: number): string => `${metadata.name}-${ordinal}`;
  const kept = new Set(ordinals.filter(ordinal => ordinal < from).map(nameOf));
  const remove = own.filter(pod => !kept.has(pod.metadata.name));
  const present = new Set(own.filter(pod => !remove.includes(pod)).map(pod => pod.metadata.name));
  const create = ordinals.flatMap((ordinal): readonly PodDraft[] => {
    const name = nameOf(ordinal);
    if (present.has(name)) return [];
    const { spec: podSpec, ...draft } = draftOf(spec.template);
    const labels = {
      ...draft.labels,
      'statefulset.kubernetes.io/pod-name': name,
      'apps.kubernetes.io/pod-index': String(ordinal),
    };
    return [{ ...draft, name, labels, spec: { ...podSpec, hostname: name, subdomain: spec.serviceName } }];
  });
  return { create, remove };
};

const draftOf = (template: PodTemplateSpec | undefined): PodDraft => ({
  labels: template?.metadata?.labels ?? {},
  ...(template?.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
  spec: template?.spec ?? {},
});

export const makers: readonly Maker[] = [
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', runs: false, make: makeReplicas },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', runs: false, make: makeOrdinals },
];

export const makerOf = ({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): Maker | undefined =>
  makers.find(maker => maker.apiVersion === apiVersion && maker.kind === kind);

/** The owner that makes a pod again when it is gone. */
export const controllerOf = (pod: Pod): OwnerReference | undefined =>
  pod.metadata.ownerReferences?.find(({ controller }) => controller === true);

/** Pods that stay with their node: made for it by a DaemonSet, or by the node itself. */
export const isBoundToNode = (pod: Pod): boolean => ['DaemonSet', 'Node'].includes(controllerOf(pod)?.kind ?? '');

/** The pod as its controller makes it again, under the same name; undefined: nobody does, or on that node only. */
export const successorOf = (pod: Pod): Pod | undefined => {
  const { deletionTimestamp: _, deletionGracePeriodSeconds: __, ...metadata } = pod.metadata;
  const { nodeName: ___, ...spec } = pod.spec;
  if (controllerOf(pod) === undefined || isBoundToNode(pod)) return undefined;
  return { ...pod, metadata: { ...metadata, uid: `${metadata.uid ?? ''}+` }, spec, status: { phase: 'Pending' } };
};
