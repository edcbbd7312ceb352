/** A client of an exec or attach session, for tests: sends frames, collects what comes back. */
import type { StreamSession } from '#api/node-calls.ts';
import { createStop } from '#base/stop.ts';

export interface TestSession extends StreamSession {
  /** What came on a channel, as text. */
  text(channel: number): string;
  stdin(text: string): void;
  endStdin(): void;
  resize(columns: number, rows: number): void;
  leave(): void;
}

export const openSession = (): TestSession => {
  const gone = createStop();
  const received: Uint8Array[] = [];
  const waiting: Uint8Array[] = [];
  let wake: () => void = () => {};
  const push = (frame: Uint8Array) => {
    waiting.push(frame);
    wake();
  };
  const frames = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = waiting.shift();
      if (next) yield next;
      else if (gone.signal.aborted) return;
      else
        await new Promise<void>(resolve => {
          wake = resolve;
        });
    }
  };
  return {
    frames: frames(),
    signal: gone.signal,
    send: async frame => {
      received.push(frame);
    },
    text: channel =>
      Buffer.concat(received.filter(frame => frame[0] === channel).map(frame => frame.subarray(1))).toString(),
    stdin: text => push(Buffer.concat([Buffer.of(0), Buffer.from(text)])),
    endStdin: () => push(Uint8Array.of(255, 0)),
    resize: (Width, Height) =>
      push(Buffer.concat([Buffer.of(4), Buffer.from(`${JSON.stringify({ Width, Height })}\n`)])),
    leave: () => {
      gone.stop();
      wake();
    },
  };
};
