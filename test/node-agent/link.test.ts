/** The agent's side of the link, against a small server that speaks the protocol. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type WebSocket from 'ws';
import { WebSocketServer } from 'ws';
import { runLink } from '#agent/host/link.ts';
import type { NodeHandler } from '#api/node-calls.ts';
import { badRequest } from '#api/status.ts';
import { silentLog } from '#base/log.ts';
import { createStop, type Stop } from '#base/stop.ts';
import { systemClock, systemRandom } from '#base/system.ts';

const usage = {
  node: 'n1',
  timestamp: '2026-01-01T00:00:00Z',
  windowMs: 1000,
  cpuNanoCores: 1,
  memoryWorkingSetBytes: 2,
  pods: [],
};

const handler: NodeHandler = {
  usage: async () => usage,
  logs: async (_request, send) => {
    await send(Buffer.from('one\n'));
    await send(Buffer.from('two\n'));
  },
  exec: async (_request, session) => {
    for await (const frame of session.frames) {
      if (frame[0] === 255) break;
      await session.send(Buffer.concat([Buffer.of(1), frame.subarray(1)]));
    }
    await session.send(Buffer.concat([Buffer.of(3), Buffer.from('{"status":"Success"}')]));
  },
  attach: async () => {
    throw badRequest('container not found ("app")');
  },
};

interface Arrived {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly socket: WebSocket;
}

let server: http.Server;
let arrivals: Arrived[] = [];
let waiting: ((arrived: Arrived) => void)[] = [];
let stop: Stop;
let running: Promise<void>;

const arrived = (): Promise<Arrived> => {
  const first = arrivals.shift();
  return first ? Promise.resolve(first) : new Promise(resolve => waiting.push(resolve));
};
const message = (socket: WebSocket): Promise<{ data: Buffer; isBinary: boolean }> =>
  new Promise(resolve => socket.once('message', (data: Buffer, isBinary) => resolve({ data, isBinary })));
const closed = (socket: WebSocket): Promise<number> => new Promise(resolve => socket.once('close', resolve));

beforeEach(async () => {
  arrivals = [];
  waiting = [];
  server = http.createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    const found = { url: request.url!, authorization: request.headers.authorization, socket };
    const next = waiting.shift();
    if (next) next(found);
    else arrivals.push(found);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  stop = createStop();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  running = runLink(
    { server: url, node: 'n1', token: 'secret', handler, clock: systemClock, random: systemRandom, log: silentLog },
    stop.signal,
  );
});
afterEach(async () => {
  stop.stop();
  server.closeAllConnections();
  await running;
  await new Promise(resolve => server.close(resolve));
});

test('dials with its token and answers usage on the control connection', async () => {
  const control = await arrived();
  expect(control).toMatchObject({ url: '/apis/berth.dev/v1/nodes/n1/link', authorization: 'Bearer secret' });
  control.socket.send(JSON.stringify({ id: '7', call: 'usage' }));
  expect(JSON.parse(String((await message(control.socket)).data))).toEqual({ id: '7', result: usage });
});

test('opens a connection for logs, sends them as binary frames, and closes with 1000', async () => {
  const control = await arrived();
  control.socket.send(JSON.stringify({ id: 'a/b', call: 'logs', request: {} }));
  const session = await arrived();
  expect(session.url).toBe('/apis/berth.dev/v1/nodes/n1/link/a%2Fb');
  const received: string[] = [];
  session.socket.on('message', (data: Buffer, isBinary) => received.push(`${isBinary} ${data}`));
  expect(await closed(session.socket)).toBe(1000);
  expect(received).toEqual(['true one\n', 'true two\n']);
});

test('carries the frames of an exec both ways', async () => {
  const control = await arrived();
  control.socket.send(JSON.stringify({ id: '1', call: 'exec', request: {} }));
  const { socket } = await arrived();
  const received: string[] = [];
  socket.on('message', (data: Buffer) => received.push(data.toString('latin1')));
  for (let i = 0; i < 200; i++) socket.send(Buffer.from(`\0part ${i};`));
  socket.send(Uint8Array.of(255, 0));
  expect(await closed(socket)).toBe(1000);
  expect(received).toEqual([...Array.from({ length: 200 }, (_, i) => `\x01part ${i};`), '\x03{"status":"Success"}']);
});

test('a call that fails gives its Status as text, then closes', async () => {
  const control = await arrived();
  control.socket.send(JSON.stringify({ id: '1', call: 'attach', request: {} }));
  const { socket } = await arrived();
  const { data, isBinary } = await message(socket);
  expect(isBinary).toBe(false);
  expect(JSON.parse(String(data))).toMatchObject({ kind: 'Status', code: 400, message: 'container not found ("app")' });
});

test('comes back after the link was lost', async () => {
  const first = await arrived();
  first.socket.terminate();
  const second = await arrived();
  expect(second.url).toBe(first.url);
  second.socket.send(JSON.stringify({ id: '2', call: 'usage' }));
  expect(JSON.parse(String((await message(second.socket)).data)).id).toBe('2');
});
