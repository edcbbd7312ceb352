/**
 * A connection whose writes of one turn of the event loop leave in one piece. Answers to pipelined requests need it: Node
 * writes each only when the one before counts as written, which makes a system call and a TLS record of each. Here a write
 * counts when it is held, as long as little is held. HTTP servers take any Duplex for a connection, so this one stands before
 * the real one; its end, and its destruction, first send what is held.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

type Done = (error?: Error | null) => void;
interface Piece {
  readonly chunk: Buffer | string;
  readonly encoding: BufferEncoding;
}

/** Bytes held before a writer has to wait. */
const heldLimit = 64 * 1024;

export class GatheringSocket extends Duplex {
  readonly #socket: Socket;
  #held: Piece[] = [];
  #heldBytes = 0;
  #isDue = false;
  /** The writer that may not go on before something has left. */
  #waiting: Done | undefined;

  constructor(socket: Socket) {
    super({ decodeStrings: false });
    this.#socket = socket;
    socket.on('data', chunk => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('drain', () => this.#release());
    socket.on('timeout', () => this.emit('timeout'));
    socket.on('error', error => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** As of net.Socket: HTTP ends idle connections by it. */
  setTimeout(delayMs: number, callback?: () => void): this {
    this.#socket.setTimeout(delayMs);
    if (callback !== undefined) this.once('timeout', callback);
    return this;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: Done): void {
    this.#hold([{ chunk, encoding }], done);
  }

  override _writev(pieces: Piece[], done: Done): void {
    this.#hold(pieces, done);
  }

  override _final(done: Done): void {
    this.#flush();
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#flush();
    if (error === null) this.#socket.destroySoon();
    else this.#socket.destroy();
    this.#release();
    done(error);
  }

  #hold(pieces: readonly Piece[], done: Done): void {
    for (const piece of pieces) {
      this.#held.push(piece);
      this.#heldBytes += piece.chunk.length;
    }
    if (!this.#isDue) {
      this.#isDue = true;
      setImmediate(() => this.#flush());
    }
    if (this.#heldBytes < heldLimit && !this.#socket.writableNeedDrain) done();
    else this.#waiting = done;
  }

  #flush(): void {
    this.#isDue = false;
    const pieces = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    if (pieces.length === 0 || !this.#socket.writable) return;
    this.#socket.cork();
    for (const { chunk, encoding } of pieces) this.#socket.write(chunk, encoding);
    this.#socket.uncork();
    if (!this.#socket.writableNeedDrain) this.#release();
  }

  #release(): void {
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.();
  }
}
