/**
 * Garbage collection by ownerReferences (SEMANTICS K.8): an object all of whose owners are gone is deleted; an owner that
 * waits for its dependents (foregroundDeletion) goes when they are gone; an owner that lets its dependents live (orphan)
 * is taken out of their references first. Level-triggered: a pass looks at everything, so nothing is missed by a
 * restart; a pass runs soon after something was deleted. Events older than their time to live go too, as etcd leases do it.
 */
import type { Kind } from '#api/kind.ts';
import { groupVersion } from '#api/kind.ts';
import { type Event, eventKind } from '#api/kinds/core.ts';
import type { KubeObject, ObjectRef, OwnerReference } from '#api/object.ts';
import { ApiError } from '#api/status.ts';
import type { Clock, Signal } from '#base/clock.ts';
import { fromTime } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { foregroundFinalizer, isFinished, orphanFinalizer } from './deletion.ts';
import { prefixOf } from './keys.ts';
import { modify } from './modify.ts';
import type { RegistryDeps } from './registry.ts';
import { remove } from './remove.ts';
import { systemUser } from './request.ts';

export interface Collectable {
  readonly kind: Kind;
  readonly object: KubeObject;
}

/** One thing to do to one object. */
export type Collection = {
  readonly kind: Kind;
  readonly ref: ObjectRef;
  readonly uid: string;
} & (
  | { readonly action: 'delete'; readonly propagation: 'Background' | 'Foreground' }
  /** Take these owners out of the object's references. */
  | { readonly action: 'disown'; readonly owners: ReadonlySet<string> }
  | { readonly action: 'dropFinalizer'; readonly finalizer: string }
);

/** What the collector has to do in this state. Pure. */
export const planCollection = (all: readonly Collectable[]): readonly Collection[] => {
  const byUid = new Map(all.map(item => [item.object.metadata.uid ?? '', item]));
  const dependents = Map.groupBy(
    all.flatMap(item => (item.object.metadata.ownerReferences ?? []).map(owner => ({ owner, item }))),
    ({ owner }) => owner.uid,
  );
  const plan: Collection[] = [];
  for (const item of all) plan.push(...asDependent(item, byUid, dependents), ...asOwner(item, dependents));
  return plan;
};

type Dependents = ReadonlyMap<string, readonly { readonly owner: OwnerReference; readonly item: Collectable }[]>;

const asDependent = (
  item: Collectable,
  byUid: ReadonlyMap<string, Collectable>,
  dependents: Dependents,
): readonly Collection[] => {
  const { metadata } = item.object;
  const owners = metadata.ownerReferences ?? [];
  if (owners.length === 0 || metadata.deletionTimestamp !== undefined) return [];
  const states = owners.map(owner => ({ owner, state: ownerState(owner, metadata.namespace, byUid) }));
  const loose = states.filter(({ state }) => state !== 'solid').map(({ owner }) => owner.uid);
  if (loose.length < states.length)
    return loose.length === 0 ? [] : [{ ...nameOf(item), action: 'disown', owners: new Set(loose) }];
  const waiting = states.some(({ state }) => state === 'waiting') && dependents.has(metadata.uid ?? '');
  return [{ ...nameOf(item), action: 'delete', propagation: waiting ? 'Foreground' : 'Background' }];
};

/** An owner of another namespace counts as gone; one that is being deleted in the foreground waits for its dependents. */
const ownerState = (
  owner: OwnerReference,
  namespace: string | undefined,
  byUid: ReadonlyMap<string, Collectable>,
): 'solid' | 'waiting' | 'gone' => {
  const found = byUid.get(owner.uid);
  if (found === undefined || found.object.metadata.name !== owner.name || found.kind.kind !== owner.kind) return 'gone';
  if (groupVersion(found.kind).split('/')[0] !== owner.apiVersion.split('/')[0]) return 'gone';
  const home = found.object.metadata.namespace;
  if (home !== undefined && home !== namespace) return 'gone';
  const { deletionTimestamp, finalizers = [] } = found.object.metadata;
  return deletionTimestamp !== undefined && finalizers.includes(foregroundFinalizer) ? 'waiting' : 'solid';
};

const asOwner = (item: Collectable, dependents: Dependents): readonly Collection[] => {
  const { uid = '', deletionTimestamp, finalizers = [] } = item.object.metadata;
  if (deletionTimestamp === undefined) return [];
  const mine = dependents.get(uid) ?? [];
  if (finalizers.includes(orphanFinalizer)) {
    if (mine.length === 0) return [{ ...nameOf(item), action: 'dropFinalizer', finalizer: orphanFinalizer }];
    return mine.map(({ item: dependent }) => ({ ...nameOf(dependent), action: 'disown', owners: new Set([uid]) }));
  }
  if (!finalizers.includes(foregroundFinalizer) || mine.some(({ owner }) => owner.blockOwnerDeletion)) return [];
  return [{ ...nameOf(item), action: 'dropFinalizer', finalizer: foregroundFinalizer }];
};

const nameOf = ({ kind, object: { metadata } }: Collectable) => ({
  kind,
  ref: { ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }), name: metadata.name },
  uid: metadata.uid ?? '',
});

/** Events that have outlived their hour (upstream's --event-ttl). Pure. */
export const expiredEvents = (events: readonly Event[], nowMs: number): readonly Event[] =>
  events.filter(event => {
    const last =
      event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;
    const lastMs = fromTime(last ?? '');
    return !Number.isNaN(lastMs) && nowMs - lastMs > eventTtlMs;
  });

const eventTtlMs = 60 * 60_000;
const settleMs = 250;
const passEveryMs = 30_000;
const concurrency = 32;

export interface CollectorDeps {
  readonly registry: RegistryDeps;
  readonly kinds: readonly Kind[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Runs until `signal` aborts. */
export const collectGarbage = async (deps: CollectorDeps, signal: Signal): Promise<void> => {
  const waker = watchDeletions(deps, signal);
  while (!signal.aborted) {
    try {
      const again = await pass(deps);
      if (again) continue;
    } catch (error) {
      deps.log.error({ error: String(error) }, 'garbage collection failed; it will be tried again');
    }
    await waker.next(passEveryMs);
    await deps.clock.sleep(settleMs, signal);
  }
};

/** One look at everything; true when it changed something, so that there may be more to do. */
const pass = async ({ registry, kinds, clock, log }: CollectorDeps): Promise<boolean> => {
  const all = kinds.flatMap(kind =>
    registry.store.list(prefixOf(kind)).entries.map(entry => ({ kind, object: entry.value })),
  );
  const expired = expiredEvents(
    all.flatMap(({ kind, object }) => (kind === eventKind ? [object as Event] : [])),
    clock.now(),
  );
  const tasks: (() => Promise<void>)[] = [
    ...planCollection(all).map(step => () => perform(registry, step)),
    ...expired.map(
      ({ metadata }) =>
        () =>
          deleteObject(registry, eventKind, metadata, metadata.uid ?? '', 'Background'),
    ),
  ];
  let done = 0;
  for (let i = 0; i < tasks.length; i += concurrency) {
    const results = await Promise.allSettled(tasks.slice(i, i + concurrency).map(task => task()));
    for (const result of results)
      if (result.status === 'fulfilled') done++;
      else if (!(result.reason instanceof ApiError && [404, 409].includes(result.reason.code)))
        log.warn({ error: String(result.reason) }, 'garbage could not be collected');
  }
  return done > 0;
};

const perform = async (registry: RegistryDeps, step: Collection): Promise<void> => {
  const { kind, ref, uid } = step;
  if (step.action === 'delete') return deleteObject(registry, kind, ref, uid, step.propagation);
  await modify(registry, kind, ref, object => {
    const { metadata } = object;
    if (metadata.uid !== uid) return undefined;
    const next = {
      ...object,
      metadata: step.action === 'disown' ? disowned(metadata, step.owners) : unfinalized(metadata, step.finalizer),
    };
    return isFinished(kind, next) ? { remove: true } : { put: next };
  });
};

const disowned = (metadata: KubeObject['metadata'], owners: ReadonlySet<string>): KubeObject['metadata'] => {
  const { ownerReferences = [], ...rest } = metadata;
  const kept = ownerReferences.filter(owner => !owners.has(owner.uid));
  return kept.length === 0 ? rest : { ...rest, ownerReferences: kept };
};

const unfinalized = (metadata: KubeObject['metadata'], finalizer: string): KubeObject['metadata'] => {
  const { finalizers = [], ...rest } = metadata;
  const kept = finalizers.filter(name => name !== finalizer);
  return kept.length === 0 ? rest : { ...rest, finalizers: kept };
};

const deleteObject = async (
  registry: RegistryDeps,
  kind: Kind,
  ref: ObjectRef,
  uid: string,
  propagationPolicy: 'Background' | 'Foreground',
): Promise<void> => {
  const context = { user: systemUser, warn: () => {} };
  await remove(registry, { kind, ...refOf(ref) }, { propagationPolicy, preconditions: { uid } }, context);
};

const refOf = ({ namespace, name }: ObjectRef): ObjectRef => (namespace === undefined ? { name } : { namespace, name });

/** Says when something was deleted or marked for deletion. */
const watchDeletions = ({ registry, kinds, clock, log }: CollectorDeps, signal: Signal) => {
  let dirty = false;
  let wake = () => {};
  const follow = async (kind: Kind) => {
    while (!signal.aborted) {
      try {
        for await (const batch of registry.store.watch(prefixOf(kind), registry.store.rev, signal))
          if (batch.some(({ now }) => now === undefined || now.value.metadata.deletionTimestamp !== undefined)) {
            dirty = true;
            wake();
          }
      } catch (error) {
        log.debug({ error: String(error), kind: kind.kind }, 'the collector fell behind and looks at everything');
        dirty = true;
        wake();
      }
    }
  };
  for (const kind of kinds) if (kind !== eventKind) void follow(kind);
  return {
    /** Resolves at the next deletion, or after `ms`. */
    next: async (ms: number): Promise<void> => {
      if (!dirty && !signal.aborted) {
        let cancel = () => {};
        await new Promise<void>(resolve => {
          wake = resolve;
          cancel = clock.after(ms, resolve);
          signal.addEventListener('abort', resolve as () => void, { once: true });
        });
        cancel();
      }
      dirty = false;
    },
  };
};
