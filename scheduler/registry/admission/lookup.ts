/** The present state as admission sees it. */
import type { KubeObject } from '#api/object.ts';
import type { Store } from '#store/store.ts';
import { prefixOf, storeKey } from '../keys.ts';
import type { Lookup } from './admission.ts';

export const lookupIn = (store: Store<KubeObject>): Lookup => ({
  get: <T extends KubeObject>(kind: Parameters<typeof storeKey>[0], ref: { namespace?: string; name: string }) =>
    store.get(storeKey(kind, ref))?.value as T | undefined,
  list: <T extends KubeObject>(kind: Parameters<typeof prefixOf>[0], namespace?: string) =>
    store.list(prefixOf(kind, namespace)).entries.map(entry => entry.value as T),
});
