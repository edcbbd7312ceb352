/**
 * Lets what is written to a socket within one turn of the event loop leave in one piece. Answers to pipelined requests need
 * it: Node writes each only when the one before is written, a system call and a TLS record each. It takes the place of the stream's
 * own `_write`, `_writev`, `_final` and `_destroy`: a write counts as done when it is held here, as long as little is held; the
 * stream's end, and its destruction, first send what is held.
 */
import type { Duplex } from 'node:stream';

type Done = (error?: Error | null) => void;
interface Piece {
  readonly chunk: Buffer | string;
  readonly encoding: BufferEncoding;
}
type Stream = Duplex & { _writev: (chunks: Piece[], done: Done) => void };

/** Bytes held before a writer has to wait. */
const heldLimit = 64 * 1024;

/** From now on; before anything is written. */
export const gatherWrites = (socket: Duplex): void => {
  const stream = socket as Stream;
  const send = stream._writev.bind(stream);
  const final = stream._final.bind(stream);
  const destroy = stream._destroy.bind(stream);
  let held: Piece[] = [];
  let heldBytes = 0;
  let isSending = false;
  let isDue = false;
  let failure: Error | undefined;
  /** Who waits for everything to be sent. */
  let waiting: Done[] = [];

  const flush = (): void => {
    isDue = false;
    if (isSending || held.length === 0) return;
    const pieces = held;
    held = [];
    heldBytes = 0;
    isSending = true;
    send(pieces, error => {
      isSending = false;
      if (error != null) {
        failure = error;
        stream.destroy(error);
      }
      if (held.length > 0 && failure === undefined) return flush();
      const told = waiting;
      waiting = [];
      for (const done of told) done(failure);
    });
  };

  const hold = (pieces: readonly Piece[], done: Done): void => {
    for (const piece of pieces) {
      held.push(piece);
      heldBytes += piece.chunk.length;
    }
    if (!isDue && !isSending) {
      isDue = true;
      setImmediate(flush);
    }
    if (heldBytes < heldLimit) done(failure);
    else waiting.push(done);
  };

  stream._writev = hold;
  stream._write = (chunk: Buffer | string, encoding, done) => hold([{ chunk, encoding }], done);
  stream._final = done => {
    if (held.length === 0 && !isSending) return final(done);
    waiting.push(error => (error == null ? final(done) : done(error)));
    flush();
  };
  stream._destroy = (error, done) => {
    flush();
    destroy(error, done);
  };
};
