/**
 * What a controller decided, as data: writes to make, events to record, when to look again, what to remember. The
 * runner (controller.ts) carries it out; tests of a controller only look at it.
 */
import type { Kind } from '#api/kind.ts';
import type { KubeObject, ObjectRef } from '#api/object.ts';
import type { DeleteOptions, Patch } from './client.ts';
import type { EventDetails, Involved } from './events.ts';

export type Write =
  | { readonly do: 'create'; readonly kind: Kind; readonly object: KubeObject }
  | { readonly do: 'update'; readonly kind: Kind; readonly object: KubeObject; readonly subresource?: string }
  | {
      readonly do: 'patch';
      readonly kind: Kind;
      readonly ref: ObjectRef;
      readonly patch: Patch;
      readonly subresource?: string;
    }
  | { readonly do: 'remove'; readonly kind: Kind; readonly ref: ObjectRef; readonly options: DeleteOptions };

/** An event to record. */
export interface Note {
  readonly about: Involved;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly more?: EventDetails;
}

export interface Plan<M = undefined> {
  /** Made in order (neighbouring removals some at once); the first failure ends the plan, which is then made anew from the state of that time. */
  readonly writes: readonly Write[];
  /** Recorded when all writes have succeeded. */
  readonly notes?: readonly Note[];
  /** Look again after this time, even if nothing changes. */
  readonly againInMs?: number;
  /** Handed to the next reconcile of the same object (by uid). Not durable: a restart begins without. */
  readonly memory?: M;
}

// A Kind<Pod> is used as a plain Kind: what it does is only ever applied to objects of that very kind.
const plain = <T extends KubeObject>(kind: Kind<T>): Kind => kind as unknown as Kind;

export const createOf = <T extends KubeObject>(kind: Kind<T>, object: T): Write => ({
  do: 'create',
  kind: plain(kind),
  object,
});

export const updateOf = <T extends KubeObject>(kind: Kind<T>, object: T, subresource?: string): Write => ({
  do: 'update',
  kind: plain(kind),
  object,
  ...(subresource === undefined ? {} : { subresource }),
});

/** A patch of this very object (another one under its name is left alone); `type` as in Patch. */
export const patchOf = <T extends KubeObject>(
  kind: Kind<T>,
  object: T,
  type: 'merge' | 'strategic',
  body: Readonly<Record<string, unknown>>,
  options: { readonly subresource?: string; readonly onlyThisRevision?: boolean } = {},
): Write => {
  const { uid, resourceVersion } = object.metadata;
  const metadata = {
    ...(uid === undefined ? {} : { uid }),
    ...(options.onlyThisRevision && resourceVersion !== undefined ? { resourceVersion } : {}),
    ...(body['metadata'] as object | undefined),
  };
  const patch: Patch = { type, body: { ...body, metadata } };
  const { subresource } = options;
  return { do: 'patch', kind: plain(kind), ref: refOf(object), patch, ...(subresource ? { subresource } : {}) };
};

/** Deletes this very object, not another one under its name. */
export const removeOf = <T extends KubeObject>(kind: Kind<T>, object: T, options: DeleteOptions = {}): Write => {
  const { uid } = object.metadata;
  const preconditions = { ...(uid === undefined ? {} : { uid }), ...options.preconditions };
  return { do: 'remove', kind: plain(kind), ref: refOf(object), options: { ...options, preconditions } };
};

export const refOf = ({ metadata: { name, namespace } }: KubeObject): ObjectRef =>
  namespace === undefined ? { name } : { namespace, name };
