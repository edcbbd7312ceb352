/**
 * Standard streams of a container's process over an upgraded connection. Without a terminal the engine multiplexes
 * stdout and stderr in frames of an 8-byte header; a terminal is one raw stream. Half-closing the socket is the end of
 * standard input, but never for a terminal, where it cuts off output: there Ctrl-D is sent (DOCKER-FACTS §7.2).
 */
import type { Duplex } from 'node:stream';
import type { OutputChunk, ProcessStreams, StreamOptions } from '../runtime.ts';
import { toRuntimeError } from './faults.ts';

const headerBytes = 8;
const endOfTransmission = Uint8Array.of(4);

/** Cuts the engine's multiplexed stream into chunks of one stream each; frames may arrive in any pieces. */
export class Demultiplexer {
  readonly #header = Buffer.alloc(headerBytes);
  #have = 0;
  #left = 0;

  push(bytes: Uint8Array): OutputChunk[] {
    const chunks: OutputChunk[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.#left === 0) {
        const taken = bytes.subarray(at, at + headerBytes - this.#have);
        this.#header.set(taken, this.#have);
        this.#have += taken.length;
        at += taken.length;
        if (this.#have < headerBytes) break;
        this.#have = 0;
        this.#left = this.#header.readUInt32BE(4);
        continue;
      }
      const taken = bytes.subarray(at, at + this.#left);
      chunks.push({ stream: this.#header[0] === 2 ? 'stderr' : 'stdout', bytes: taken });
      this.#left -= taken.length;
      at += taken.length;
    }
    return chunks;
  }
}

const outputOf = async function* (socket: AsyncIterable<Buffer>, options: StreamOptions): AsyncGenerator<OutputChunk> {
  const demultiplexer = new Demultiplexer();
  try {
    for await (const bytes of socket) {
      const chunks: OutputChunk[] = options.tty ? [{ stream: 'stdout', bytes }] : demultiplexer.push(bytes);
      for (const chunk of chunks) if (options[chunk.stream]) yield chunk;
    }
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    // A closed connection is how the engine (or our own close) ends a stream.
    if (code !== 'ECONNRESET' && code !== 'EPIPE' && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw toRuntimeError(error);
  }
};

const written = (socket: Duplex, bytes: Uint8Array): Promise<void> =>
  new Promise(resolve => {
    if (socket.destroyed || socket.writableEnded || socket.write(bytes)) return resolve();
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });

/** The socket as ProcessStreams; `resize` asks the engine for another size of the terminal. */
export const processStreams = (
  socket: Duplex,
  options: StreamOptions,
  resize: (columns: number, rows: number) => Promise<void>,
): ProcessStreams => {
  socket.on('error', () => {}); // reported through `output`
  return {
    output: outputOf(socket, options),
    write: bytes => written(socket, bytes),
    endInput: () => {
      if (socket.destroyed) return;
      if (options.tty) socket.write(endOfTransmission);
      else socket.end();
    },
    resize: async (columns, rows) => {
      if (options.tty && columns > 0 && rows > 0) await resize(columns, rows);
    },
    close: () => socket.destroy(),
  };
};
