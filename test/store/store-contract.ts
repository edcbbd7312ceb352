/** What every store must do, whatever its journal. `reopen` closes the store and opens what its journal kept. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Compacted } from '#store/change-log.ts';
import type { Op } from '#store/state.ts';
import type { Store } from '#store/store.ts';
import { NaiveStore, type Value } from './naive-store.ts';

export interface Bench {
  readonly store: Store<Value>;
  /** Undefined: nothing survives. */
  reopen: (() => Bench) | undefined;
}

const putting = async (store: Store<Value>, key: string, n: number, ifRev?: number) =>
  store.commit([{ put: key, value: { n }, ...(ifRev === undefined ? {} : { ifRev }) }]);

const taking = async (watch: AsyncIterable<readonly { rev: number; last: { key: string } }[]>, count: number) => {
  const seen: string[] = [];
  for await (const batch of watch) {
    seen.push(...batch.map(change => `${change.rev} ${change.last.key}`));
    if (seen.length >= count) break;
  }
  return seen;
};

export const testStore = (name: string, make: () => Bench): void => {
  describe(name, () => {
    test('a value carries the revision that wrote it, and its JSON', async () => {
      const { store } = make();
      await putting(store, 'pods/a', 1);
      expect(store.get('pods/a')).toMatchObject({ rev: 1, value: { n: 1, rev: 1 }, text: '{"n":1,"rev":1}' });
      expect(Object.isFrozen(store.get('pods/a')?.value)).toBe(true);
      store.close();
    });

    test('a commit whose precondition fails writes nothing and says what it met', async () => {
      const { store } = make();
      await putting(store, 'pods/a', 1, 0);
      const result = await store.commit([
        { put: 'pods/b', value: { n: 2 } },
        { put: 'pods/a', value: { n: 3 }, ifRev: 0 },
      ]);
      expect(result).toMatchObject({ conflict: { index: 1, found: { rev: 1 } } });
      expect(store.get('pods/b')).toBeUndefined();
      expect(store.rev).toBe(1);
      store.close();
    });

    test('of commits that race for one revision exactly one wins', async () => {
      const { store } = make();
      await putting(store, 'pods/a', 0);
      const results = await Promise.all([1, 2, 3, 4].map(n => putting(store, 'pods/a', n, 1)));
      expect(results.filter(result => 'changes' in result)).toHaveLength(1);
      expect(store.rev).toBe(2);
      store.close();
    });

    test('removing what does not exist is a conflict, and a check guards a commit without changing anything', async () => {
      const { store } = make();
      expect(await store.commit([{ remove: 'pods/a' }])).toEqual({ conflict: { index: 0, found: undefined } });
      await putting(store, 'namespaces/x', 1);
      expect(
        await store.commit([
          { check: 'namespaces/x', ifRev: 9 },
          { put: 'pods/a', value: { n: 1 } },
        ]),
      ).toMatchObject({
        conflict: { index: 0, found: { rev: 1 } },
      });
      expect(
        await store.commit([
          { check: 'namespaces/x', ifRev: 1 },
          { put: 'pods/a', value: { n: 1 } },
        ]),
      ).toMatchObject({
        changes: [{ rev: 2 }],
      });
      store.close();
    });

    test('pages of one revision show that revision, whatever is written between them', async () => {
      const { store } = make();
      for (const key of ['pods/a', 'pods/b', 'pods/c', 'podtemplates/x']) await putting(store, key, 1);
      const first = store.list('pods/', { limit: 1 });
      expect(first).toMatchObject({ entries: [{ key: 'pods/a' }], rev: 4, remaining: 2 });
      await store.commit([{ remove: 'pods/b' }]);
      await putting(store, 'pods/bb', 2);
      await putting(store, 'pods/c', 3);
      const rest = store.list('pods/', { after: 'pods/a', atRev: first.rev });
      expect(rest.entries.map(entry => [entry.key, entry.value.n])).toEqual([
        ['pods/b', 1],
        ['pods/c', 1],
      ]);
      store.close();
    });

    test('a watcher gets every change after its revision, of its prefix only, in order', async () => {
      const { store } = make();
      const abort = new AbortController();
      await putting(store, 'pods/default/a', 1);
      await putting(store, 'pods/other/a', 1);
      const watch = taking(store.watch('pods/default/', 1, abort.signal), 3);
      await putting(store, 'pods/default/b', 1);
      await store.commit([{ remove: 'pods/default/a' }]);
      await putting(store, 'pods/other/b', 1);
      await putting(store, 'pods/default/c', 1);
      expect(await watch).toEqual(['3 pods/default/b', '4 pods/default/a', '6 pods/default/c']);
      store.close();
    });

    test('the last value of a removed key carries the revision of its removal', async () => {
      const { store } = make();
      await putting(store, 'pods/a', 7);
      const result = await store.commit([{ remove: 'pods/a', ifRev: 1 }]);
      expect(result).toMatchObject({ changes: [{ rev: 2, now: undefined, last: { value: { n: 7, rev: 2 } } }] });
      store.close();
    });

    test('aborting a watch ends it, and so does closing the store to writes', async () => {
      const { store } = make();
      const abort = new AbortController();
      const ended = taking(store.watch('pods/', 0, abort.signal), 1);
      abort.abort();
      expect(await ended).toEqual([]);
      store.close();
      await expect(putting(store, 'pods/a', 1)).rejects.toThrow('the store is closed');
    });

    test('what was compacted can be neither watched nor listed, a quiet watcher survives, a slow one is told', async () => {
      const { store } = make();
      const abort = new AbortController();
      for (let n = 1; n <= 3; n++) await putting(store, 'pods/a', n);
      const quiet = store.watch('nodes/', 3, abort.signal);
      const slow = store.watch('pods/', 0, abort.signal);
      store.compact(3);
      expect(() => store.watch('pods/', 2, abort.signal)).toThrow(Compacted);
      expect(() => store.list('pods/', { atRev: 2 })).toThrow(Compacted);
      expect(() => store.get('pods/a', 2)).toThrow(Compacted);
      expect(store.get('pods/a', 3)?.value.n).toBe(3);
      await expect(taking(slow, 1)).rejects.toThrow(Compacted);
      const heard = taking(quiet, 1);
      await putting(store, 'nodes/n', 1);
      expect(await heard).toEqual(['4 nodes/n']);
      store.close();
    });

    test('behaves as the naive store under random commits, reads, watches, compaction and restarts', async () => {
      const key = fc.constantFrom('a/1', 'a/2', 'a/2/x', 'a/3', 'ab/1', 'b/1');
      const ifRev = fc.option(fc.nat({ max: 12 }), { nil: undefined });
      const op: fc.Arbitrary<Op<Value>> = fc.oneof(
        fc.record({ put: key, value: fc.record({ n: fc.nat() }) }),
        fc
          .tuple(key, ifRev, fc.nat())
          .map(([put, rev, n]) => ({ put, value: { n }, ...(rev === undefined ? {} : { ifRev: rev }) })),
        fc.tuple(key, ifRev).map(([remove, rev]) => ({ remove, ...(rev === undefined ? {} : { ifRev: rev }) })),
        fc.record({ remove: key }),
      );
      const step = fc.oneof(
        {
          weight: 8,
          arbitrary: fc.record({
            commits: fc.array(fc.array(op, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
          }),
        },
        { weight: 1, arbitrary: fc.record({ compactBack: fc.nat({ max: 5 }) }) },
        { weight: 1, arbitrary: fc.constant({ reopen: true }) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
          let bench = make();
          const naive = new NaiveStore();
          for (const step of steps) {
            if ('commits' in step) {
              const results = await Promise.all(step.commits.map(ops => bench.store.commit(ops)));
              for (const [i, ops] of step.commits.entries())
                expect('changes' in results[i]!, JSON.stringify(ops)).toBe(naive.commit(ops));
            } else if ('compactBack' in step) bench.store.compact(Math.max(0, naive.rev - step.compactBack));
            else if (bench.reopen !== undefined) bench = bench.reopen();
            await sameAs(naive, bench.store);
          }
          bench.store.close();
        }),
        { numRuns: 60 },
      );
    });
  });
};

/** Compares every revision that the store still remembers, and a watch from the oldest. */
const sameAs = async (naive: NaiveStore, store: Store<Value>): Promise<void> => {
  expect(store.rev).toBe(naive.rev);
  for (let rev = store.compactedRev; rev <= naive.rev; rev++) {
    for (const prefix of ['a/', 'ab/', 'b/', 'a/2']) {
      const expected = naive.list(prefix, rev);
      const whole = store.list(prefix, { atRev: rev });
      expect(whole.entries.map(entry => [entry.key, entry.value])).toEqual(expected);
      const page = store.list(prefix, { atRev: rev, limit: 2 });
      expect(page.remaining).toBe(Math.max(0, expected.length - 2));
      const rest = store.list(prefix, { atRev: rev, ...(page.entries[1] ? { after: page.entries[1].key } : {}) });
      if (page.entries.length === 2)
        expect([...page.entries, ...rest.entries].map(entry => entry.key)).toEqual(expected.map(([key]) => key));
    }
    expect(store.get('a/2', rev)?.value).toEqual(naive.at(rev).get('a/2'));
  }
  const expected = naive.changes.filter(([rev, key]) => rev > store.compactedRev && key.startsWith('a/'));
  const abort = new AbortController();
  const seen: unknown[] = [];
  const watch = store.watch('a/', store.compactedRev, abort.signal);
  if (expected.length > 0)
    for await (const batch of watch) {
      seen.push(...batch.map(change => [change.rev, change.last.key, change.now?.value]));
      if (seen.length >= expected.length) break;
    }
  expect(seen).toEqual(expected);
  abort.abort();
};
