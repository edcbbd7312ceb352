/**
 * The registry: the verbs of the API over any kind, on top of the store. It knows kinds only by their declaration; HTTP is
 * the server's business (scheduler/server), and programs in the same process use it through local-client.ts.
 */

import type { Kind } from '#api/kind.ts';
import type { NodeUsage } from '#api/node-calls.ts';
import type { KubeObject, ObjectRef } from '#api/object.ts';
import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import type { DeleteOptions } from '#client/client.ts';
import type { Entry } from '#store/state.ts';
import type { Store } from '#store/store.ts';
import type { Modified } from './modify.ts';
import {
  getEntry,
  type ListRequest,
  type ListResult,
  listEntries,
  type RegistryEvent,
  type Selection,
  type WatchRequest,
  watchEntries,
} from './read.ts';
import { remove, removeCollection } from './remove.ts';
import type { Target, WriteContext } from './request.ts';
import { bindPod, evictPod } from './subresources.ts';
import { type Change, type Written, write } from './write.ts';

export interface RegistryDeps {
  readonly store: Store<KubeObject>;
  readonly clock: Clock;
  readonly random: Random;
  /** Present usage of the nodes whose agents answer; metrics.k8s.io is made of it. */
  readonly usage: () => Promise<readonly NodeUsage[]>;
}

export interface Registry extends RegistryDeps {
  /** Throws NotFound. */
  get(kind: Kind, ref: ObjectRef): Entry<KubeObject>;
  list(kind: Kind, request: ListRequest): ListResult;
  watch(kind: Kind, request: WatchRequest): AsyncIterable<RegistryEvent[]>;
  write(target: Target, change: Change, context: WriteContext): Promise<Written>;
  remove(target: Target & { readonly name: string }, options: DeleteOptions, context: WriteContext): Promise<Modified>;
  removeCollection(
    target: Target,
    selection: Selection,
    options: DeleteOptions,
    context: WriteContext,
  ): Promise<readonly KubeObject[]>;
  bind(ref: ObjectRef, body: unknown, context: WriteContext): Promise<void>;
  evict(ref: ObjectRef, body: unknown, context: WriteContext): Promise<void>;
}

export const createRegistry = (deps: RegistryDeps): Registry => ({
  ...deps,
  get: (kind, ref) => getEntry(deps, kind, ref),
  list: (kind, request) => listEntries(deps, kind, request),
  watch: (kind, request) => watchEntries(deps, kind, request),
  write: (target, change, context) => write(deps, target, change, context),
  remove: (target, options, context) => remove(deps, target, options, context),
  removeCollection: (target, selection, options, context) =>
    removeCollection(deps, target, selection, options, context),
  bind: (ref, body, context) => bindPod(deps, ref, body as never, context),
  evict: async (ref, body, context) => {
    await evictPod(deps, ref, body as never, context);
  },
});
