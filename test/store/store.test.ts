import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Journal, memoryJournal } from '#store/journal.ts';
import { openSqliteJournal } from '#store/sqlite.ts';
import { openStore } from '#store/store.ts';
import { storeOptions, type Value } from './naive-store.ts';
import { type Bench, testStore } from './store-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'berth-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

testStore('the store without a journal', () => ({
  store: openStore<Value>({ journal: memoryJournal(), ...storeOptions() }),
  reopen: undefined,
}));

let files = 0;
const onFile = (path: string): Bench => {
  const store = openStore<Value>({ journal: openSqliteJournal({ path }), ...storeOptions() });
  const reopen = () => {
    store.close();
    return onFile(path);
  };
  return { store, reopen };
};
testStore('the store on SQLite', () => onFile(join(folder, `${files++}.db`)));

describe('a journal that fails', () => {
  const failing = (): Journal & { broken: boolean } => ({
    ...memoryJournal(),
    broken: false,
    append() {
      if (this.broken) throw new Error('the disk of /x is full: nothing was written');
    },
  });

  test('takes the whole batch back, tells no watcher, and the store goes on reading and writing', async () => {
    const journal = failing();
    const store = openStore<Value>({ journal, ...storeOptions() });
    await store.commit([{ put: 'pods/a', value: { n: 1 } }]);
    journal.broken = true;
    const abort = new AbortController();
    const watch = store.watch('pods/', 1, abort.signal)[Symbol.asyncIterator]();
    const next = watch.next();
    const outcomes = await Promise.allSettled([
      store.commit([{ put: 'pods/a', value: { n: 2 } }]),
      store.commit([{ remove: 'pods/a' }]),
      store.commit([{ put: 'pods/b', value: { n: 2 } }]),
    ]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { message: /full/ } });
    expect(store.get('pods/a')).toMatchObject({ rev: 1, value: { n: 1 } });
    expect(store.list('pods/').entries).toHaveLength(1);
    expect(store.rev).toBe(1);
    journal.broken = false;
    await store.commit([{ put: 'pods/c', value: { n: 3 } }]);
    expect((await next).value).toMatchObject([{ rev: 2, last: { key: 'pods/c' } }]);
    abort.abort();
  });
});

describe('retention', () => {
  test('drops the past beyond the most changes at once and beyond the age once there are enough', async () => {
    let nowMs = 0;
    const retention = { minChanges: 100, maxChanges: 200, ageMs: 60_000 };
    const store = openStore<Value>({ journal: memoryJournal(), ...storeOptions(), now: () => nowMs, retention });
    const write = async (count: number) => {
      for (let n = 0; n < count; n++) await store.commit([{ put: 'pods/a', value: { n } }]);
    };
    await write(190);
    expect(store.compactedRev).toBe(0);
    await write(100);
    expect(store.rev - store.compactedRev).toBeLessThanOrEqual(210);
    expect(store.compactedRev).toBeGreaterThan(0);
    nowMs = 120_000;
    await write(1);
    nowMs = 190_000;
    await write(1);
    expect(store.rev - store.compactedRev).toBeLessThanOrEqual(110);
  });
});
