/** The store's promise in the plainest form: every state of every revision is kept in full, nothing is ever shared. */
import { deepFreeze } from '#base/deep.ts';
import type { Op } from '#store/state.ts';
import { keyOfOp } from '#store/state.ts';
import type { StoreOptions } from '#store/store.ts';

export interface Value {
  readonly n: number;
  readonly rev?: number;
}

type Snapshot = ReadonlyMap<string, Value>;
export type NaiveChange = readonly [rev: number, key: string, now: Value | undefined];

export class NaiveStore {
  readonly snapshots: Snapshot[] = [new Map()];
  readonly changes: NaiveChange[] = [];

  get rev(): number {
    return this.snapshots.length - 1;
  }

  at(rev: number): Snapshot {
    return this.snapshots[rev]!;
  }

  /** True when it was written. */
  commit(ops: readonly Op<Value>[]): boolean {
    const before = this.snapshots.length;
    const changesBefore = this.changes.length;
    for (const op of ops) {
      const state = this.at(this.rev);
      const key = keyOfOp(op);
      const found = state.get(key);
      const refused =
        (op.ifRev !== undefined && (found?.rev ?? 0) !== op.ifRev) || ('remove' in op && found === undefined);
      if (refused) {
        this.snapshots.length = before;
        this.changes.length = changesBefore;
        return false;
      }
      if ('check' in op) continue;
      const next = new Map(state);
      const rev = this.snapshots.length;
      const now = 'put' in op ? { ...op.value, rev } : undefined;
      if (now === undefined) next.delete(key);
      else next.set(key, now);
      this.snapshots.push(next);
      this.changes.push([rev, key, now]);
    }
    return true;
  }

  list(prefix: string, rev: number): readonly (readonly [string, Value])[] {
    return [...this.at(rev)].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** Options of a real store of such values, without its journal. */
export const storeOptions = (): Omit<StoreOptions<Value>, 'journal'> => ({
  stamp: (value, rev) => deepFreeze({ ...value, rev }),
  soon: task => void setImmediate(task),
  now: () => 0,
});
