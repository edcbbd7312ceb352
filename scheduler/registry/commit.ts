/** Commits to the store, with a failing journal (a full disk) told to the client as a Status. */
import type { KubeObject } from '#api/object.ts';
import { ApiError, internalError, unavailable } from '#api/status.ts';
import { JournalError } from '#store/journal.ts';
import type { Op } from '#store/state.ts';
import type { Committed, Store } from '#store/store.ts';

export const committed = async (
  { store }: { readonly store: Store<KubeObject> },
  ops: readonly Op<KubeObject>[],
): Promise<Committed<KubeObject>> => {
  try {
    return await store.commit(ops);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (error instanceof JournalError) throw unavailable(`the store cannot write: ${error.message}`);
    throw internalError(error instanceof Error ? error.message : String(error));
  }
};
