/**
 * A Client over the registry in the same process: what HTTP would answer, without HTTP. Objects are the store's own, frozen
 * and shared. It acts as one user, who is not asked for permission (the server's authorization is for what comes over the
 * network), but is subject to admission.
 */

import { groupVersion, type Kind } from '#api/kind.ts';
import type { KubeList, KubeObject, ObjectRef } from '#api/object.ts';
import { methodNotSupported } from '#api/status.ts';
import type { Client, ListOptions, Patch, WatchEvent, WatchOptions, WriteOptions } from '#client/client.ts';
import { getMetrics, isMetrics, listMetrics } from './metrics.ts';
import type { RegistryEvent, WatchRequest } from './read.ts';
import type { Registry } from './registry.ts';
import type { Target, User, WriteContext } from './request.ts';
import type { Change } from './write.ts';

export const createLocalClient = (registry: Registry, user: User): Client => {
  const contextOf = ({ fieldManager, dryRun, fieldValidation, force, onWarning }: WriteOptions): WriteContext => ({
    user,
    fieldManager,
    dryRun,
    fieldValidation,
    force,
    warn: text => onWarning?.(text),
  });
  const send = async <T extends KubeObject>(target: Target, change: Change, options: WriteOptions = {}): Promise<T> => {
    const { entry } = await registry.write(target, change, contextOf(options));
    return entry.value as T;
  };
  return {
    get: async <T extends KubeObject>(kind: Kind<T>, ref: ObjectRef) =>
      (isMetrics(plain(kind))
        ? await getMetrics(registry, plain(kind), ref)
        : registry.get(plain(kind), ref).value) as unknown as T,
    list: async <T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}) => list<T>(registry, kind, options),
    watch: <T extends KubeObject>(kind: Kind<T>, options: WatchOptions) => watch<T>(registry, kind, options),
    create: (kind, object, options) =>
      send(
        {
          kind: plain(kind),
          namespace: namespaceFor(kind, object.metadata.namespace),
          subresource: options?.subresource,
        },
        { verb: 'create', body: object },
        options,
      ),
    update: (kind, object, options) =>
      send(
        {
          kind: plain(kind),
          namespace: namespaceFor(kind, object.metadata.namespace),
          name: object.metadata.name,
          subresource: options?.subresource,
        },
        { verb: 'update', body: object },
        options,
      ),
    patch: (kind, ref, patch: Patch, options) =>
      send({ ...targetOf(kind, ref), subresource: options?.subresource }, { verb: 'patch', patch }, options),
    remove: async (kind, ref, options = {}) => {
      await registry.remove(targetOf(kind, ref), options, contextOf({}));
    },
    post: async (kind, ref, subresource, body) => {
      const target = targetOf(kind, ref);
      if (target.kind.plural === 'pods' && subresource === 'binding') return registry.bind(target, body, contextOf({}));
      if (target.kind.plural === 'pods' && subresource === 'eviction')
        return registry.evict(target, body, contextOf({}));
      throw methodNotSupported(target.kind, 'create');
    },
  };
};

// A Kind<Pod> is used as a plain Kind: the registry only hands it objects of that very kind.
const plain = <T extends KubeObject>(kind: Kind<T>): Kind => kind as unknown as Kind;

const namespaceFor = <T extends KubeObject>(kind: Kind<T>, namespace: string | undefined): string | undefined =>
  kind.namespaced ? (namespace ?? 'default') : undefined;

const targetOf = <T extends KubeObject>(kind: Kind<T>, ref: ObjectRef) => {
  const namespace = namespaceFor(kind, ref.namespace);
  return { kind: plain(kind), name: ref.name, ...(namespace === undefined ? {} : { namespace }) };
};

const list = async <T extends KubeObject>(
  registry: Registry,
  kind: Kind<T>,
  options: ListOptions,
): Promise<KubeList<T>> => {
  const head = { apiVersion: groupVersion(kind), kind: `${kind.kind}List` };
  if (isMetrics(plain(kind))) {
    const items = await listMetrics(registry, plain(kind), options);
    return { ...head, metadata: {}, items: items as unknown as readonly T[] };
  }
  const page = registry.list(plain(kind), options);
  return {
    ...head,
    metadata: {
      resourceVersion: String(page.rev),
      ...(page.continue === undefined ? {} : { continue: page.continue }),
      ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
    },
    items: page.entries.map(entry => entry.value as T),
  };
};

async function* watch<T extends KubeObject>(
  registry: Registry,
  kind: Kind<T>,
  options: WatchOptions,
): AsyncGenerator<readonly WatchEvent<T>[]> {
  const request: WatchRequest = { ...options, allowWatchBookmarks: true };
  for await (const batch of registry.watch(plain(kind), request)) yield batch.map(event => toWatchEvent<T>(event));
}

const toWatchEvent = <T extends KubeObject>(event: RegistryEvent): WatchEvent<T> =>
  event.type === 'BOOKMARK'
    ? { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(event.rev) } } }
    : { type: event.type, object: event.entry.value as T };
