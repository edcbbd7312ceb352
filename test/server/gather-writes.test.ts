import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { gatherWrites } from '#scheduler/server/gather-writes.ts';

/** A server whose answers are as long as the path says, and how many pieces left it. */
const serve = async () => {
  let pieces = 0;
  const server = createServer((request, response) => {
    request.resume();
    response.end('x'.repeat(Number(request.url!.slice(1))));
  });
  server.prependListener('connection', (socket: Socket & { _writev: (...given: unknown[]) => void }) => {
    const send = socket._writev.bind(socket);
    socket._writev = (...given) => {
      pieces++;
      send(...given);
    };
    gatherWrites(socket);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, port, pieces: () => pieces };
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

test('answers to requests that came together leave together, in order and whole', async () => {
  const { server, port, pieces } = await serve();
  const sizes = Array.from({ length: 50 }, (_, i) => i + 1);
  const text = await ask(port, sizes.map(get).join(''));
  expect(bodiesOf(text)).toEqual(sizes);
  expect(pieces()).toBeLessThan(10);
  server.close();
});

test('answers far larger than what is held arrive whole', async () => {
  const { server, port } = await serve();
  const sizes = [300_000, 5, 2_000_000, 70_000];
  expect(bodiesOf(await ask(port, sizes.map(get).join('')))).toEqual(sizes);
  server.close();
});

test('what was written just before the connection is destroyed is still sent', async () => {
  const { server, port } = await serve();
  expect(await ask(port, 'NONSENSE\r\n\r\n')).toContain('400 Bad Request');
  server.close();
});

test('a writer hears that sending failed', async () => {
  const stream = new PassThrough();
  stream._writev = (_, done) => done(new Error('broken'));
  gatherWrites(stream);
  const failed = new Promise<Error>(resolve => stream.on('error', resolve));
  stream.write('a');
  expect((await failed).message).toBe('broken');
});
