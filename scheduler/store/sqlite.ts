/**
 * The journal in one SQLite file. The file is locked for as long as it is open, so two servers never share it.
 *
 * Write-ahead log with synchronous=NORMAL: a transaction is in the operating system's hands before it is acknowledged,
 * so a killed process (kill -9, OOM, crash) loses nothing; only a power failure can lose the last moments, and never
 * corrupts. `durability: 'power'` (synchronous=FULL) syncs each transaction to the disk: measured here 160 µs against 23 µs per
 * transaction on a virtual disk; milliseconds on spinning ones.
 */
import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { type Journal, JournalError, type Row } from './journal.ts';

export interface SqliteOptions {
  readonly path: string;
  /** What acknowledged writes survive: the end of the process, or also that of the machine. */
  readonly durability?: 'process' | 'power';
}

const formatVersion = 1;

/** Opens or creates the file. Throws JournalError when it is locked by another process, damaged, or of another format. */
export const openSqliteJournal = ({ path, durability = 'process' }: SqliteOptions): Journal => {
  const database = explained(path, () => {
    keepPrivate(path);
    return open(path, durability);
  });
  const insert = database.prepare('INSERT INTO changes (rev, key, value, deleted, crc) VALUES (?, ?, ?, ?, ?)');
  const forget = database.prepare('DELETE FROM changes WHERE rev = ?');
  const setMeta = database.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)');
  const transaction = (work: () => void) =>
    explained(path, () => {
      database.exec('BEGIN');
      try {
        work();
        database.exec('COMMIT');
      } catch (error) {
        rollBack(database);
        throw error;
      }
    });
  return {
    load: () =>
      explained(path, () => ({ compactedRev: metaOf(database, 'compactedRev') ?? 0, rows: rowsOf(database, path) })),
    append: rows => transaction(() => appendAll(insert, rows)),
    compact: (compactedRev, deadRevs) =>
      transaction(() => {
        for (const rev of deadRevs) forget.run(rev);
        setMeta.run('compactedRev', compactedRev);
      }),
    close: () => database.close(),
  };
};

/** Secrets are in it: only its owner may read the file, and SQLite gives its log the same mode. */
const keepPrivate = (path: string): void => {
  try {
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    throw new JournalError(`the store ${path} cannot be opened: ${(error as Error).message}`);
  }
};

const open = (path: string, durability: 'process' | 'power'): DatabaseSync => {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('PRAGMA journal_mode = WAL');
    database.exec(`PRAGMA synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'}`);
    database.exec('PRAGMA wal_autocheckpoint = 1000');
    // The first write takes the lock that the exclusive mode then keeps.
    database.exec(`
      BEGIN IMMEDIATE;
      CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS changes (
        rev INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT, deleted INTEGER NOT NULL, crc INTEGER NOT NULL
      );
      INSERT OR IGNORE INTO meta (key, value) VALUES ('formatVersion', ${formatVersion});
      COMMIT;`);
    const version = metaOf(database, 'formatVersion');
    if (version !== formatVersion)
      throw new JournalError(
        `the store ${path} has format ${version}; this version reads format ${formatVersion} only`,
      );
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};

const metaOf = (database: DatabaseSync, key: string): number | undefined =>
  database.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value'] as number | undefined;

const appendAll = (insert: StatementSync, rows: readonly Row[]): void => {
  for (const { rev, key, text } of rows)
    insert.run(rev, key, text ?? null, text === undefined ? 1 : 0, crcOf(key, text));
};

const crcOf = (key: string, text: string | undefined): number => crc32(text ?? '', crc32(key));

function* rowsOf(database: DatabaseSync, path: string): Generator<Row> {
  const rows = explained(path, () =>
    database.prepare('SELECT rev, key, value, deleted, crc FROM changes ORDER BY rev').iterate(),
  );
  for (;;) {
    const step = explained(path, () => rows.next());
    if (step.done) return;
    const { rev, key, value, deleted, crc } = step.value as {
      rev: number;
      key: string;
      value: string | null;
      deleted: number;
      crc: number;
    };
    const text = deleted === 1 ? undefined : (value ?? '');
    if (crcOf(key, text) !== crc) throw damaged(path, `row ${rev} (${key}) has a wrong checksum`);
    yield { rev, key, text };
  }
}

const rollBack = (database: DatabaseSync): void => {
  // SQLite has rolled back by itself after some errors (disk full among them).
  if (database.isTransaction) database.exec('ROLLBACK');
};

/** Runs `work`, turning SQLite's errors into sentences that say what to do. */
const explained = <T>(path: string, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw error instanceof JournalError ? error : explain(path, error);
  }
};

/** SQLite's primary result codes (https://sqlite.org/rescode.html). */
const busy = 5;
const corrupt = 11;
const full = 13;
const cantOpen = 14;
const notADatabase = 26;

const explain = (path: string, error: unknown): Error => {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return error instanceof Error ? error : new Error(String(error));
  const code = error.errcode & 0xff;
  if (code === busy) return new JournalError(`the store ${path} is in use: another server runs on this data directory`);
  if (code === corrupt || code === notADatabase) return damaged(path, error.message);
  if (code === full) return new JournalError(`the disk of ${path} is full: nothing was written`);
  if (code === cantOpen) return new JournalError(`the store ${path} cannot be opened: ${error.message}`);
  return new JournalError(`the store ${path} failed: ${error.message}`);
};

const damaged = (path: string, what: string): JournalError =>
  new JournalError(
    `the store ${path} is damaged (${what}): restore the file from a copy, or start with an empty data directory`,
  );
