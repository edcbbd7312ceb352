/** A WebSocket as frames that come and go no faster than the other side takes them. */
import type { WebSocket } from 'ws';

/** Frames that wait for their reader before the socket is paused. */
const maxWaiting = 64;

export interface FrameSocket {
  /** Resolves when the frame has left this process, or the socket is closed. */
  send(frame: Uint8Array): Promise<void>;
  readonly frames: AsyncIterable<Uint8Array>;
  /** Aborts when the other side is gone. */
  readonly signal: AbortSignal;
}

/** `onText` gets text messages; without it they end the connection (protocol error, KUBECTL-WIRE §4.2). */
export const frameSocket = (socket: WebSocket, onText?: (text: string) => void): FrameSocket => {
  const waiting: Uint8Array[] = [];
  const gone = new AbortController();
  let wake = () => {};
  socket.on('message', (message: Buffer, isBinary: boolean) => {
    if (!isBinary) {
      if (onText === undefined) socket.close(1003, 'text messages are not understood');
      else onText(message.toString());
      return;
    }
    waiting.push(message);
    if (waiting.length >= maxWaiting) socket.pause();
    wake();
  });
  const end = () => {
    gone.abort();
    wake();
  };
  socket.on('close', end);
  socket.on('error', end);
  async function* frames(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const frame = waiting.shift();
      if (frame !== undefined) {
        if (socket.isPaused && waiting.length < maxWaiting / 2) socket.resume();
        yield frame;
      } else if (gone.signal.aborted) return;
      else
        await new Promise<void>(resolve => {
          wake = resolve;
        });
    }
  }
  const send = (frame: Uint8Array): Promise<void> =>
    new Promise(resolve => {
      if (socket.readyState !== socket.OPEN) return resolve();
      socket.send(frame, { binary: true }, () => resolve());
    });
  return { send, frames: frames(), signal: gone.signal };
};
