/** Reading the engine's streamed answers: lines of JSON, logs, and aborting either. */
import type { Readable } from 'node:stream';
import type { Signal } from '#base/clock.ts';
import type { LogOptions } from '../runtime.ts';
import { toRuntimeError } from './faults.ts';
import { Demultiplexer } from './streams.ts';

/**
 * Ends a streamed answer when `signal` aborts; gives what stops that. (Not the client's own abort signal: an abort
 * between two reads would surface as an uncaught error.)
 */
export const endingWith = (stream: AsyncIterable<Buffer>, signal: Signal): (() => void) => {
  const end = () => (stream as Readable).destroy();
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  return () => signal.removeEventListener('abort', end);
};

/** A stream may break between two reads, when nobody listens: the next read, if any, tells. */
const quiet = (stream: AsyncIterable<Buffer>): void => {
  (stream as Readable).on('error', () => {});
};

/** Longest line taken from the engine; longer ones are a broken stream. */
const maxLineBytes = 16 << 20;

/** Non-empty lines of a stream, without their ends; stops with an error when `signal` aborts. */
export const linesOf = async function* (stream: AsyncIterable<Buffer>, signal: Signal): AsyncGenerator<string> {
  quiet(stream);
  const release = endingWith(stream, signal);
  try {
    yield* split(stream);
  } finally {
    release();
  }
};

const split = async function* (stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (rest.length > maxLineBytes) throw new Error('the engine sent a line of more than 16 MiB');
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end).toString().trim();
      rest = rest.subarray(end + 1);
      if (line !== '') yield line;
    }
  }
  const last = rest.toString().trim();
  if (last !== '') yield last;
};

/** Sends a log answer's bytes, unpacked, with back-pressure; an abort ends it without error. */
export const sendLogs = async (
  stream: AsyncIterable<Buffer>,
  tty: boolean,
  options: LogOptions,
  send: (chunk: Uint8Array) => Promise<void>,
  signal: Signal,
): Promise<void> => {
  quiet(stream);
  const demultiplexer = new Demultiplexer();
  const release = endingWith(stream, signal);
  try {
    for await (const bytes of stream) {
      const chunks = tty ? [{ stream: 'stdout' as const, bytes }] : demultiplexer.push(bytes);
      for (const chunk of chunks) if (options[chunk.stream]) await send(chunk.bytes);
    }
  } catch (error) {
    if (!signal.aborted) throw toRuntimeError(error);
  } finally {
    release();
  }
};
