/** The process that sqlite.test.ts kills: writes for ever and prints each write once it is acknowledged. */
import { writeSync } from 'node:fs';
import { openSqliteJournal } from '#store/sqlite.ts';
import { openStore } from '#store/store.ts';
import { storeOptions, type Value } from './naive-store.ts';

const store = openStore<Value>({ journal: openSqliteJournal({ path: process.argv[2]! }), ...storeOptions() });
const loop = async (id: number) => {
  for (let n = 0; n < 100_000; n++) {
    const key = `pods/w${id}-${n % 20}`;
    const result = await store.commit([{ put: key, value: { n } }]);
    if ('changes' in result) writeSync(1, `${JSON.stringify({ key, rev: result.changes[0]!.rev, n })}\n`);
  }
};
await Promise.all([0, 1, 2, 3].map(loop));
