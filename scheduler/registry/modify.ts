/** Read, decide, write if nobody else wrote in between, else again: for changes that the server itself makes to objects. */
import type { Kind } from '#api/kind.ts';
import type { KubeObject, ObjectRef } from '#api/object.ts';
import { modified, notFound } from '#api/status.ts';
import { Entry, type Op } from '#store/state.ts';
import { committed } from './commit.ts';
import { storeKey } from './keys.ts';
import type { RegistryDeps } from './registry.ts';

/** What is to become of the object; `also` are further ops that are written with it or not at all. */
export type Modification =
  | { readonly put: KubeObject; readonly also?: readonly Op<KubeObject>[] }
  | { readonly remove: true; readonly also?: readonly Op<KubeObject>[] }
  | undefined;

export interface Modified {
  /** The object as it is now stored; when it was removed, its last state at the revision of the removal. */
  readonly entry: Entry<KubeObject>;
  readonly removed: boolean;
}

const attempts = 20;

/**
 * `decide` sees the present object and may be called several times; throwing ends the attempt, undefined changes
 * nothing. Throws NotFound, and Conflict when others always were faster.
 */
export const modify = async (
  deps: RegistryDeps,
  kind: Kind,
  ref: ObjectRef,
  decide: (object: KubeObject) => Modification,
  dryRun = false,
): Promise<Modified> => {
  const key = storeKey(kind, ref);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const present = deps.store.get(key);
    if (present === undefined) throw notFound(kind, ref.name);
    const modification = decide(present.value);
    if (modification === undefined) return { entry: present, removed: false };
    if (dryRun) return wouldBe(present, modification);
    const op: Op<KubeObject> =
      'put' in modification
        ? { put: key, value: modification.put, ifRev: present.rev }
        : { remove: key, ifRev: present.rev };
    const result = await committed(deps, [...(modification.also ?? []), op]);
    if ('conflict' in result) continue;
    const { last, now } = result.changes.at(-1)!;
    return { entry: last, removed: now === undefined };
  }
  throw modified(kind, ref.name);
};

const wouldBe = (present: Entry<KubeObject>, modification: Exclude<Modification, undefined>): Modified =>
  'put' in modification
    ? { entry: new Entry(present.key, present.rev, modification.put), removed: false }
    : { entry: present, removed: true };
