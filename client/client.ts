/**
 * How a program talks to a cluster. Two implementations: client/http.ts (over HTTPS) and registry/local-client.ts
 * (in the server's own process, through the same registry verbs). Scheduler loop, controllers, agents and CLI know
 * only this interface. Every method throws ApiError on failure. Returned objects are frozen or private copies: callers
 * must not mutate them.
 */

import type { Kind } from '#api/kind.ts';
import type { KubeList, KubeObject, ObjectRef } from '#api/object.ts';
import type { Signal } from '#base/clock.ts';

export interface ListOptions {
  /** Absent: all namespaces (or a cluster-scoped kind). */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
}

export interface WatchOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Changes after this revision; absent: the present objects come first, as ADDED. */
  resourceVersion?: string;
  signal: Signal;
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly object: { metadata: { resourceVersion: string } } };

export interface WriteOptions {
  /** `status`, `resize`, …; absent: the object itself. */
  subresource?: string;
  fieldManager?: string;
  dryRun?: boolean;
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
  /** Server-side apply: take fields over from other managers. */
  force?: boolean;
  /** Called with each warning the server gives. */
  onWarning?: (text: string) => void;
}

export type Patch =
  | { readonly type: 'json'; readonly body: readonly object[] }
  | { readonly type: 'merge' | 'strategic' | 'apply'; readonly body: object };

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: boolean;
}

export interface Client {
  get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T>;
  list<T extends KubeObject>(kind: Kind<T>, options?: ListOptions): Promise<KubeList<T>>;
  /**
   * Batches of changes, in revision order. Ends without error when the server or `signal` ends it; throws ApiError
   * `Expired` when the revision is too old: then list again.
   */
  watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions): AsyncIterable<readonly WatchEvent<T>[]>;
  create<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  /** Replaces the object; with metadata.resourceVersion set it throws Conflict when that is not the present one. */
  update<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, patch: Patch, options?: WriteOptions): Promise<T>;
  remove<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  /** POST to a subresource of an object, such as a pod's `binding` or `eviction`. */
  post<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, subresource: string, body: object): Promise<void>;
}
