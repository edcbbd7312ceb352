/** The log of a server or agent process: pino, to a file of the data folder or to stderr. Failing to log never fails the process. */
import { mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { pino } from 'pino';
import type { Log } from '#base/log.ts';

/** Each line is written at once, so that none is lost in a crash. `file` undefined: stderr. $BERTH_LOG sets the level (debug, info, warn, error). */
export const openLog = (file: string | undefined, level: string | undefined): Log => {
  const log = pino({ level: level ?? 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime }, linesTo(file));
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  };
};

const retries = 20;
const retryMs = 5;

/** A full disk or a reader that is gone costs lines, and the next one that gets through says how many. */
const linesTo = (file: string | undefined): { write(line: string): void } => {
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const descriptor = file === undefined ? 2 : openSync(file, 'a', 0o600);
  let lost = 0;
  return {
    write: line => {
      // The line that was lost may have left its first half.
      const text = lost === 0 ? line : `\n${lostText(lost)}\n${line}`;
      if (writeAll(descriptor, Buffer.from(text))) lost = 0;
      else lost++;
    },
  };
};

const lostText = (lines: number): string =>
  JSON.stringify({ level: 40, lines, msg: 'lines of this log could not be written and are lost' });

/** False when it could not be written, at least not as a whole. */
const writeAll = (descriptor: number, bytes: Buffer): boolean => {
  let from = 0;
  for (let tries = 0; from < bytes.length; ) {
    try {
      from += writeSync(descriptor, bytes, from);
    } catch (error) {
      // A pipe whose reader is slow; anything else will not pass by waiting.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || tries++ === retries) return false;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
    }
  }
  return true;
};
