/**
 * A kind: everything that generic code (registry, server, client, CLI) needs to know about a resource. A new kind is
 * one declaration in api/kinds/*.ts and one entry in api/kinds.ts.
 *
 * The schema is JSON Schema made with TypeBox and carries the annotations that Kubernetes' OpenAPI carries; it feeds
 * the TypeScript types, decoding and strict field checks, static defaults, OpenAPI/explain, strategic merge
 * (x-kubernetes-patch-*), and server-side apply (x-kubernetes-list-type, x-kubernetes-list-map-keys, x-kubernetes-map-type).
 */
import type { TSchema } from 'typebox';
import type { KubeObject } from './object.ts';
import type { Cause } from './status.ts';

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** The verbs of an ordinary, stored kind. */
export const allVerbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

/** Those of kinds whose objects nobody may delete all at once. */
export const verbsWithoutCollection: readonly Verb[] = allVerbs.filter(verb => verb !== 'deletecollection');

/** A column of `kubectl get` (metav1.TableColumnDefinition) and how its cell is made. Priority 1 shows with -o wide. */
export interface Column<T> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'number' | 'date';
  readonly format?: 'name';
  readonly description: string;
  readonly priority?: 0 | 1;
  cell(object: T, nowMs: number): string | number | boolean | null;
}

/** For discovery; what a subresource does is in registry/subresources.ts. */
export interface Subresource {
  readonly name: string;
  /** The kind of its bodies; absent: that of the parent. */
  readonly body?: GroupVersionKind;
  readonly verbs: readonly (Verb | 'connect')[];
}

/** What a field that Berth does not act on brings at create and update: a warning, or a refusal where ignoring it is dangerous. */
export interface Unsupported {
  readonly warnings: readonly string[];
  readonly refusals: readonly Cause[];
}

/** Reads a field; of method type, so that a Kind<Pod> is a Kind. */
export type FieldOf<T> = { field(object: T): string }['field'];

export interface Kind<T extends KubeObject = KubeObject> extends GroupVersionKind {
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  /** Schema of the whole object, with `x-kubernetes-group-version-kind`. */
  readonly schema: TSchema;
  readonly columns: readonly Column<T>[];
  /** Field selectors beyond metadata.name and metadata.namespace. */
  readonly selectable: Readonly<Record<string, FieldOf<T>>>;
  /** True: `status` is written through /status only, and the main resource keeps it. */
  readonly hasStatus: boolean;
  readonly subresources: readonly Subresource[];
  /** True: metadata.generation begins at 1 and rises with each change of `spec`. */
  readonly hasGeneration: boolean;
  /** Defaults that depend on other fields; static ones are in the schema. Mutates the draft. */
  defaults?(draft: T): void;
  /** Resets what a client may not set at create (status, …) and fills initial values. Mutates the draft. */
  prepareCreate?(draft: T): void;
  /** Puts back what an update may not change silently. Mutates the draft. */
  prepareUpdate?(draft: T, old: T): void;
  /** All faults of the object by field; `old` is given on update. Empty: valid. */
  validate?(object: T, old: T | undefined): readonly Cause[];
  /** What is valid but hardly meant; `old` is given on update. */
  warnings?(object: T, old: T | undefined): readonly string[];
  /** What the object asks for that Berth does not do. */
  unsupported?(object: T): Unsupported;
}

/** `v1` or `apps/v1`. */
export const groupVersion = (kind: Pick<GroupVersionKind, 'group' | 'version'>): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;

/** `pods` or `deployments.apps`, as error messages name a resource. */
export const groupResource = (kind: { readonly group: string; readonly plural: string }): string =>
  kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;

/** `Pod` or `Deployment.apps`, as Invalid messages name a kind. */
export const groupKind = (kind: Pick<GroupVersionKind, 'group' | 'kind'>): string =>
  kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
