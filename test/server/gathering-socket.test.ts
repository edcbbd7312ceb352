import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { GatheringSocket } from '#server/gathering-socket.ts';

/** Answers are as long as the path says. */
const http = createServer((request, response) => {
  request.resume();
  response.end('x'.repeat(Number(request.url!.slice(1))));
});
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A TCP server whose connections are given to the HTTP server gathered. */
const listen = async (): Promise<number> => {
  const server = createTcpServer({ allowHalfOpen: true }, socket => {
    http.emit('connection', new GatheringSocket(socket));
  });
  closing.push(() => server.close());
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

/** All that the server says to these requests until it closes the connection. */
const ask = async (port: number, requests: string): Promise<string> => {
  const socket = connect(port, '127.0.0.1');
  socket.end(requests);
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
};

const get = (bytes: number) => `GET /${bytes} HTTP/1.1\r\nHost: x\r\n\r\n`;
const bodiesOf = (text: string) =>
  text
    .split(/HTTP\/1\.1 200 OK\r\n/)
    .slice(1)
    .map(one => one.split('\r\n\r\n')[1]!.length);

/** A connection that keeps what is written to it, and says in how many pieces that came. */
class Recorded extends Duplex {
  pieces = 0;
  text = '';
  /** Set: writing is over only when it is called. */
  hold: ((done: () => void) => void) | undefined;
  failure: Error | undefined;
  timeoutMs: number | undefined;

  override _read(): void {}
  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error) => void): void {
    this._writev([{ chunk }], done);
  }
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error) => void): void {
    this.pieces++;
    this.text += Buffer.concat(chunks.map(one => one.chunk)).toString();
    if (this.failure !== undefined) done(this.failure);
    else if (this.hold !== undefined) this.hold(done);
    else done();
  }
  setTimeout(delayMs: number): void {
    this.timeoutMs = delayMs;
  }
  destroySoon(): void {
    this.end(() => this.destroy());
  }
}
const gathered = () => {
  const socket = new Recorded();
  return { socket, gathering: new GatheringSocket(socket as unknown as Socket) };
};
const turn = () => new Promise<void>(resolve => setImmediate(() => setImmediate(resolve)));

describe('answers to requests that came together', () => {
  test('leave in one piece, in order and whole', async () => {
    const { socket, gathering } = gathered();
    http.emit('connection', gathering);
    const sizes = Array.from({ length: 50 }, (_, i) => i + 1);
    socket.push(sizes.map(get).join(''));
    await turn();
    expect(bodiesOf(socket.text)).toEqual(sizes);
    expect(socket.pieces).toBe(1);
    socket.destroy();
  });

  test('arrive whole over TCP, however long they are', async () => {
    const port = await listen();
    const sizes = [300_000, 5, 2_000_000, 70_000];
    expect(bodiesOf(await ask(port, sizes.map(get).join('')))).toEqual(sizes);
  });

  test('and what is written just before the connection is destroyed, too', async () => {
    expect(await ask(await listen(), 'NONSENSE\r\n\r\n')).toContain('400 Bad Request');
  });
});

describe('a writer', () => {
  test('waits when much is held, until it has left', async () => {
    const { socket, gathering } = gathered();
    let sent = () => {};
    socket.hold = done => {
      sent = done;
    };
    const done: string[] = [];
    gathering.write('a', () => done.push('a'));
    gathering.write('b'.repeat(70_000), () => done.push('b'));
    gathering.write('c', () => done.push('c'));
    await turn();
    expect([done, socket.text.length]).toEqual([['a'], 70_001]);
    sent();
    await turn();
    expect([done, socket.text.length]).toEqual([['a', 'b', 'c'], 70_002]);
    gathering.destroy();
  });

  test('hears that sending failed, and that the other side is gone', async () => {
    const { socket, gathering } = gathered();
    socket.failure = new Error('broken');
    const failed = new Promise<Error>(resolve => gathering.on('error', resolve));
    gathering.write('a');
    expect((await failed).message).toBe('broken');
    const other = gathered();
    const closed = new Promise<void>(resolve => other.gathering.on('close', resolve));
    other.socket.destroy();
    await closed;
    expect(other.gathering.destroyed).toBe(true);
  });
});

test('what is read comes no faster than it is taken, and ends', async () => {
  const { socket, gathering } = gathered();
  for (let i = 0; i < 64; i++) socket.push(Buffer.alloc(16 * 1024, i));
  socket.push(null);
  await turn();
  expect(socket.isPaused()).toBe(true);
  let bytes = 0;
  for await (const chunk of gathering) bytes += chunk.length;
  expect(bytes).toBe(1024 * 1024);
  socket.destroy();
});

test('idleness is told as by a socket', () => {
  const { socket, gathering } = gathered();
  let told = 0;
  gathering.setTimeout(5000, () => told++);
  socket.emit('timeout');
  expect([socket.timeoutMs, told]).toEqual([5000, 1]);
  socket.destroy();
});
