import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteJournal } from '#store/sqlite.ts';
import { openStore } from '#store/store.ts';
import { storeOptions, type Value } from './naive-store.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-sqlite-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (path: string) => openStore<Value>({ journal: openSqliteJournal({ path }), ...storeOptions() });

/** Starts a process that writes and prints each acknowledged revision; kills it after `lines` of them. */
const killedWriter = async (
  path: string,
  lines: number,
): Promise<readonly { key: string; rev: number; n: number }[]> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writer.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged: { key: string; rev: number; n: number }[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(JSON.parse(line));
    if (acknowledged.length === lines) child.kill('SIGKILL');
  }
  return acknowledged;
};

describe('the SQLite journal', () => {
  test('keeps every acknowledged write of a process that is killed in the middle of writing', async () => {
    const path = join(folder, 'berth.db');
    const newest = new Map<string, { rev: number; n: number }>();
    for (const lines of [50, 333, 1000]) {
      const acknowledged = await killedWriter(path, lines);
      expect(acknowledged.length).toBeGreaterThanOrEqual(lines);
      for (const { key, rev, n } of acknowledged) newest.set(key, { rev, n });
      const store = open(path);
      for (const [key, { rev, n }] of newest) {
        const entry = store.get(key);
        // A later write may have been made durable just before its acknowledgement was lost.
        expect(entry?.rev, key).toBeGreaterThanOrEqual(rev);
        if (entry?.rev === rev) expect(entry.value.n).toBe(n);
      }
      store.close();
    }
  });

  test('refuses a file that another process holds', () => {
    const path = join(folder, 'berth.db');
    const store = open(path);
    expect(() => open(path)).toThrow(`the store ${path} is in use: another server runs on this data directory`);
    store.close();
    open(path).close();
  });

  test('says that a file is damaged: garbage, torn, or one byte changed', async () => {
    const garbage = join(folder, 'garbage.db');
    writeFileSync(garbage, 'this is not a database, it only has its name '.repeat(200));
    expect(() => open(garbage)).toThrow(`the store ${garbage} is damaged`);

    const make = async (name: string) => {
      const path = join(folder, name);
      const store = open(path);
      for (let n = 0; n < 500; n++) await store.commit([{ put: `pods/p${n}`, value: { n: 4242 } }]);
      store.close();
      return path;
    };
    const torn = await make('torn.db');
    truncateSync(torn, Math.floor(statSync(torn).size / 2));
    expect(() => open(torn)).toThrow(`the store ${torn} is damaged`);

    const flipped = await make('flipped.db');
    const bytes = readFileSync(flipped);
    bytes[bytes.lastIndexOf('4242')] = 0x35;
    writeFileSync(flipped, bytes);
    expect(() => open(flipped)).toThrow('has a wrong checksum');
  });

  test('keeps nothing of a transaction that fails', () => {
    const path = join(folder, 'berth.db');
    const journal = openSqliteJournal({ path });
    journal.append([{ rev: 1, key: 'pods/a', text: '{}' }]);
    const batch = [
      { rev: 2, key: 'pods/b', text: '{}' },
      { rev: 1, key: 'pods/c', text: '{}' },
    ];
    expect(() => journal.append(batch)).toThrow(`the store ${path} failed`);
    journal.append([{ rev: 2, key: 'pods/d', text: '{}' }]);
    expect([...journal.load().rows].map(row => row.key)).toEqual(['pods/a', 'pods/d']);
    journal.close();
  });

  test('compaction shortens the file and keeps what is present', async () => {
    const path = join(folder, 'berth.db');
    const store = open(path);
    for (let n = 0; n < 3000; n++) await store.commit([{ put: `pods/p${n % 10}`, value: { n } }]);
    store.compact(store.rev);
    store.close();
    const journal = openSqliteJournal({ path });
    const { rows, compactedRev } = journal.load();
    expect([...rows]).toHaveLength(10);
    expect(compactedRev).toBe(3000);
    journal.close();
    const again = open(path);
    expect(again.rev).toBe(3000);
    expect(again.list('pods/').entries.map(entry => entry.value.n)).toEqual([...Array(10).keys()].map(n => 2990 + n));
    again.close();
  });
});
