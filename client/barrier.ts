/**
 * Knows what a controller has written and when its caches show it. A write of a kind appears in that kind's watch under
 * the very revision that the write returned, so "the cache has my write" is one comparison; a deletion returns no
 * revision, so there the cache must no longer show the object as it was.
 */
import type { Kind } from '#api/kind.ts';
import { groupResource } from '#api/kind.ts';
import type { KubeObject } from '#api/object.ts';
import { isReason } from '#api/status.ts';
import type { Client } from './client.ts';
import type { Informer } from './informer.ts';
import type { Write } from './plan.ts';

/** A condition on the caches; true once they show the write. */
export type Shown = () => boolean;

export type InformerOf = (kind: Kind) => Informer<KubeObject> | undefined;

/**
 * Makes the writes in order and says when the caches will show them. What is gone already, or there already, counts as
 * done. Throws on the first other failure; `shown` has what was written until then.
 */
export const makeWrites = async (
  client: Client,
  writes: readonly Write[],
  informerOf: InformerOf,
  shown: Shown[],
): Promise<void> => {
  for (const step of steps(writes)) {
    const outcomes = await Promise.allSettled(step.map(write => makeWrite(client, write, informerOf)));
    for (const outcome of outcomes) if (outcome.status === 'fulfilled' && outcome.value) shown.push(outcome.value);
    for (const [at, outcome] of outcomes.entries()) {
      const settled = step[at]?.do === 'create' ? 'AlreadyExists' : 'NotFound';
      if (outcome.status === 'rejected' && !isReason(outcome.reason, settled)) throw outcome.reason;
    }
  }
};

const removalsAtOnce = 16;

/** One write after the other, but runs of removals, which do not depend on each other, some at once. */
const steps = function* (writes: readonly Write[]): Generator<readonly Write[]> {
  let removals: Write[] = [];
  for (const write of writes) {
    if (removals.length === removalsAtOnce || (write.do !== 'remove' && removals.length > 0)) {
      yield removals;
      removals = [];
    }
    if (write.do === 'remove') removals.push(write);
    else yield [write];
  }
  if (removals.length > 0) yield removals;
};

const makeWrite = async (client: Client, write: Write, informerOf: InformerOf): Promise<Shown | undefined> => {
  const options = 'subresource' in write && write.subresource ? { subresource: write.subresource } : {};
  switch (write.do) {
    case 'create':
      return reached(await client.create(write.kind, write.object), write.kind, informerOf);
    case 'update':
      return reached(await client.update(write.kind, write.object, options), write.kind, informerOf);
    case 'patch':
      return reached(await client.patch(write.kind, write.ref, write.patch, options), write.kind, informerOf);
    case 'remove': {
      await client.remove(write.kind, write.ref, write.options);
      const { namespace, name } = write.ref;
      return disappeared(
        namespace === undefined ? name : `${namespace}/${name}`,
        write.options.preconditions?.uid,
        informerOf(write.kind),
      );
    }
  }
};

const reached = (written: KubeObject, kind: Kind, informerOf: InformerOf): Shown | undefined => {
  const informer = informerOf(kind);
  const revision = Number(written.metadata.resourceVersion);
  return informer && (() => informer.revision >= revision);
};

const disappeared = (
  key: string,
  uid: string | undefined,
  informer: Informer<KubeObject> | undefined,
): Shown | undefined =>
  informer &&
  (() => {
    const object = informer.get(key);
    return object === undefined || object.metadata.uid !== uid || object.metadata.deletionTimestamp !== undefined;
  });

/** `pods` or `leases.coordination.k8s.io`: the name under which a controller's caches are found. */
export const cacheName = (kind: Kind<never>): string => groupResource(kind);
