/**
 * Empties a namespace that is being deleted, then lets it go: pods first, so that what they use is there until they have
 * ended, then everything else; the finalizer `kubernetes` is taken off when nothing is left. Conditions say what is
 * waited for, in upstream's words (namespaced_resources_deleter, status_condition_utils).
 */
import type { Kind } from '#api/kind.ts';
import { type Namespace, namespaceKind, podKind } from '#api/kinds/core.ts';
import type { KubeList, KubeObject } from '#api/object.ts';
import { toTime } from '#base/clock.ts';
import type { Controller } from '#client/controller.ts';
import { type Plan, patchOf, removeOf, updateOf, type Write } from '#client/plan.ts';

const finalizer = 'kubernetes';
/** Objects of a kind that are looked at in one turn. */
const batch = 500;
const waitMs = 250;

/** `kinds` are all that the API serves; those that are namespaced and can be listed and deleted are emptied. */
export const namespaceController = (kinds: readonly Kind[]): Controller<Namespace> => {
  const inside = kinds.filter(
    ({ namespaced, verbs }) => namespaced && verbs.includes('list') && verbs.includes('delete'),
  );
  return {
    name: 'namespace-controller',
    kind: namespaceKind,
    watches: [],
    reads: ({ metadata }) =>
      metadata.deletionTimestamp === undefined
        ? []
        : inside.map(kind => ({ kind, namespace: metadata.name, limit: batch })),
    reconcile: (namespace, view, nowMs) =>
      planNamespace(
        namespace,
        inside.map(kind => ({ kind, list: view.fetched(kind) })),
        nowMs,
      ),
  };
};

export interface Contents {
  readonly kind: Kind;
  readonly list: KubeList<KubeObject> | undefined;
}

export const planNamespace = (namespace: Namespace, contents: readonly Contents[], nowMs: number): Plan => {
  if (namespace.metadata.deletionTimestamp === undefined) return { writes: [] };
  const left = contents.filter(({ list }) => (list?.items.length ?? 0) > 0);
  if (left.length === 0) return { writes: finish(namespace) };
  const pods = left.filter(({ kind }) => kind.kind === podKind.kind && kind.group === podKind.group);
  const turn = pods.length > 0 ? pods : left;
  const removals = turn.flatMap(({ kind, list }) =>
    (list?.items ?? [])
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(object => removeOf(kind, object)),
  );
  const status = statusWrite(namespace, left, nowMs);
  return { writes: [...status, ...removals], againInMs: removals.length > 0 ? 1 : waitMs };
};

/** Other finalizers are their owners' to take off. */
const finish = (namespace: Namespace): Write[] => {
  const present = namespace.spec?.finalizers ?? [];
  if (!present.includes(finalizer)) return [];
  const { name, uid } = namespace.metadata;
  const finalizers = present.filter(other => other !== finalizer);
  const { apiVersion, kind } = namespace;
  const metadata = { name, ...(uid === undefined ? {} : { uid }) };
  return [updateOf(namespaceKind, { apiVersion, kind, metadata, spec: { finalizers } }, 'finalize')];
};

interface Aspect {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

const settled: readonly Aspect[] = [
  {
    type: 'NamespaceDeletionDiscoveryFailure',
    status: 'False',
    reason: 'ResourcesDiscovered',
    message: 'All resources successfully discovered',
  },
  {
    type: 'NamespaceDeletionGroupVersionParsingFailure',
    status: 'False',
    reason: 'ParsedGroupVersions',
    message: 'All legacy kube types successfully parsed',
  },
  {
    type: 'NamespaceDeletionContentFailure',
    status: 'False',
    reason: 'ContentDeleted',
    message: 'All content successfully deleted, may be waiting on finalization',
  },
];

const statusWrite = (namespace: Namespace, left: readonly Contents[], nowMs: number): Write[] => {
  const present = namespace.status?.conditions ?? [];
  const changed = [...settled, remaining(left), finalizersRemaining(left)].filter(aspect => {
    const old = present.find(condition => condition.type === aspect.type);
    return old?.status !== aspect.status || old.message !== aspect.message;
  });
  if (changed.length === 0) return [];
  const conditions = changed.map(aspect => {
    const old = present.find(condition => condition.type === aspect.type);
    const since = old?.status === aspect.status ? old.lastTransitionTime : undefined;
    return { ...aspect, lastTransitionTime: since ?? toTime(nowMs) };
  });
  const body = { status: { phase: 'Terminating', conditions } };
  return [patchOf(namespaceKind, namespace, 'strategic', body, { subresource: 'status' })];
};

const remaining = (left: readonly Contents[]): Aspect => {
  const counts = left.map(({ kind, list }) => {
    const count = (list?.items.length ?? 0) + (list?.metadata.remainingItemCount ?? 0);
    return `${kind.plural}.${kind.group} has ${count} resource instances`;
  });
  return {
    type: 'NamespaceContentRemaining',
    status: 'True',
    reason: 'SomeResourcesRemain',
    message: `Some resources are remaining: ${counts.toSorted().join(', ')}`,
  };
};

const finalizersRemaining = (left: readonly Contents[]): Aspect => {
  const counts = new Map<string, number>();
  for (const { metadata } of left.flatMap(({ list }) => list?.items ?? [])) {
    if (metadata.deletionTimestamp === undefined) continue;
    for (const name of metadata.finalizers ?? []) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const type = 'NamespaceFinalizersRemaining';
  if (counts.size === 0) {
    const message = 'All content-preserving finalizers finished';
    return { type, status: 'False', reason: 'ContentHasNoFinalizers', message };
  }
  const named = [...counts].map(([name, count]) => `${name} in ${count} resource instances`).toSorted();
  const message = `Some content in the namespace has finalizers remaining: ${named.join(', ')}`;
  return { type, status: 'True', reason: 'SomeFinalizersRemain', message };
};
