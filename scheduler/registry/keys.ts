/** Where objects are in the store: `RESOURCE[.GROUP]/[NAMESPACE/]NAME`, so one prefix is one listing in upstream's order. */
import { groupResource, type Kind } from '#api/kind.ts';
import type { ObjectRef } from '#api/object.ts';

/** The prefix of all objects of a kind, or of those in one namespace. */
export const prefixOf = (kind: Pick<Kind, 'group' | 'plural'>, namespace?: string): string =>
  namespace === undefined ? `${groupResource(kind)}/` : `${groupResource(kind)}/${namespace}/`;

export const storeKey = (kind: Pick<Kind, 'group' | 'plural' | 'namespaced'>, { namespace, name }: ObjectRef): string =>
  prefixOf(kind, kind.namespaced ? (namespace ?? '') : undefined) + name;
