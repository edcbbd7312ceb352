/**
 * What makes a store durable: a log of changes with one row per change. `append` is one transaction: after it returned,
 * its rows survive the end of the process; when it throws, none of them was kept.
 */

/** One change: `text` is the value as JSON, undefined for a removal. */
export interface Row {
  readonly rev: number;
  readonly key: string;
  readonly text: string | undefined;
}

export interface Journal {
  /** The rows in revision order, and up to which revision the past was forgotten. Throws JournalError when damaged. */
  load(): { readonly compactedRev: number; readonly rows: Iterable<Row> };
  append(rows: readonly Row[]): void;
  /** Forgets these revisions for good: nothing before `compactedRev` can be asked for any more. */
  compact(compactedRev: number, deadRevs: readonly number[]): void;
  close(): void;
}

/** The journal cannot be read or written; the message says what to do. */
export class JournalError extends Error {
  override name = 'JournalError';
}

/** No journal: the store lives as long as the process. */
export const memoryJournal = (): Journal => ({
  load: () => ({ compactedRev: 0, rows: [] }),
  append: () => {},
  compact: () => {},
  close: () => {},
});
