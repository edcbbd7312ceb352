/**
 * What a DELETE does to an object, as a pure decision: grace (pods), finalizers, propagation, preconditions. Mirrors
 * rest.BeforeDelete and the generic registry's Delete (SEMANTICS E.6, K.8; KUBECTL-WIRE §2.12).
 */

import type { Kind } from '#api/kind.ts';
import type { Namespace } from '#api/kinds/config.ts';
import { namespaceKind, podKind } from '#api/kinds/core.ts';
import type { Pod } from '#api/kinds/pod.ts';
import type { KubeObject } from '#api/object.ts';
import { conflict } from '#api/status.ts';
import { fromTime, toTime } from '#base/clock.ts';
import type { DeleteOptions } from '#client/client.ts';

export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';

export type Deletion =
  /** The object goes at once. */
  | { readonly outcome: 'remove' }
  /** The object stays for now, like this. */
  | { readonly outcome: 'update'; readonly object: KubeObject }
  /** It is being deleted already, and this request changes nothing. */
  | { readonly outcome: 'pending' };

export const planDeletion = (kind: Kind, object: KubeObject, options: DeleteOptions, nowMs: number): Deletion => {
  checkPreconditions(kind, object, options);
  const graceful = kind === podKind ? podGrace(object as Pod, options, nowMs) : undefined;
  const waiting = graceful === 'pending' || (kind !== podKind && object.metadata.deletionTimestamp !== undefined);
  if (waiting && !adds(object, options) && !isFinished(kind, object)) return { outcome: 'pending' };
  const metadata = graceful === undefined || graceful === 'pending' ? { ...object.metadata } : graceful.metadata;
  const finalizers = finalizersFor(object, options);
  const waits = finalizers.length > 0 || hasSpecFinalizers(kind, object);
  const graceSeconds = graceful === undefined ? 0 : (metadata.deletionGracePeriodSeconds ?? 0);
  if (!waits && graceSeconds === 0) return { outcome: 'remove' };
  if (metadata.deletionTimestamp === undefined) {
    metadata.deletionTimestamp = toTime(nowMs);
    // A namespace is emptied for as long as that takes.
    if (kind !== namespaceKind) metadata.deletionGracePeriodSeconds = 0;
    if (metadata.generation !== undefined) metadata.generation++;
  }
  if (finalizers.length > 0) metadata.finalizers = [...finalizers];
  else delete metadata.finalizers;
  const next = terminating(kind, { ...object, metadata });
  return { outcome: 'update', object: next };
};

/** True for an object that is to go as soon as this is written: it was only waiting for its last finalizer. */
export const isFinished = (kind: Kind, object: KubeObject): boolean =>
  object.metadata.deletionTimestamp !== undefined &&
  (object.metadata.finalizers ?? []).length === 0 &&
  (object.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
  !hasSpecFinalizers(kind, object);

const checkPreconditions = (kind: Kind, { metadata }: KubeObject, { preconditions }: DeleteOptions): void => {
  const { uid, resourceVersion } = preconditions ?? {};
  if (uid !== undefined && uid !== metadata.uid)
    throw conflict(
      kind,
      metadata.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    throw conflict(
      kind,
      metadata.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
};

/** The pod's metadata with its grace set, or `pending` when it has that grace already; a present grace is only ever shortened. */
const podGrace = (
  pod: Pod,
  options: DeleteOptions,
  nowMs: number,
): { metadata: KubeObject['metadata'] } | 'pending' => {
  const { metadata, spec, status } = pod;
  const asked = options.gracePeriodSeconds;
  if (metadata.deletionTimestamp !== undefined) {
    const present = metadata.deletionGracePeriodSeconds;
    if (present === undefined) return { metadata: { ...metadata, deletionGracePeriodSeconds: 0 } };
    if (asked === undefined || asked >= present) return 'pending';
    const untilMs = fromTime(metadata.deletionTimestamp) + (Math.max(0, asked) - present) * 1000;
    return {
      metadata: { ...metadata, deletionTimestamp: toTime(untilMs), deletionGracePeriodSeconds: Math.max(0, asked) },
    };
  }
  const over = !spec.nodeName || status?.phase === 'Succeeded' || status?.phase === 'Failed';
  const wanted = asked ?? spec.terminationGracePeriodSeconds ?? 30;
  const seconds = over ? 0 : wanted < 0 ? 1 : wanted;
  const generation = metadata.generation === undefined ? {} : { generation: metadata.generation + 1 };
  return {
    metadata: {
      ...metadata,
      ...generation,
      deletionTimestamp: toTime(nowMs + seconds * 1000),
      deletionGracePeriodSeconds: seconds,
    },
  };
};

/** Present finalizers, with the one that the propagation policy asks for. */
const finalizersFor = ({ metadata }: KubeObject, { propagationPolicy }: DeleteOptions): readonly string[] => {
  const present = metadata.finalizers ?? [];
  // Without a policy in the request, a collector's finalizer that is there keeps its meaning.
  if (propagationPolicy === undefined) return present;
  const others = present.filter(name => name !== foregroundFinalizer && name !== orphanFinalizer);
  if (propagationPolicy === 'Foreground') return [...others, foregroundFinalizer];
  if (propagationPolicy === 'Orphan') return [...others, orphanFinalizer];
  return others;
};

const adds = (object: KubeObject, options: DeleteOptions): boolean =>
  finalizersFor(object, options).join() !== (object.metadata.finalizers ?? []).join();

const hasSpecFinalizers = (kind: Kind, object: KubeObject): boolean =>
  kind === namespaceKind && ((object as Namespace).spec?.finalizers ?? []).length > 0;

const terminating = (kind: Kind, object: KubeObject): KubeObject =>
  kind === namespaceKind
    ? ({ ...object, status: { ...(object as Namespace).status, phase: 'Terminating' } } as KubeObject)
    : object;
