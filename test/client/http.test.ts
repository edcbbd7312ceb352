import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { ApiError, isReason } from '#api/status.ts';
import { createStop } from '#base/stop.ts';
import type { WatchEvent } from '#client/client.ts';
import { createHttpClient, type HttpClient, type HttpOptions } from '#client/http.ts';
import { type Thing, thing, thingKind } from '#test/client/thing.ts';

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

type Answer = (request: Seen, response: ServerResponse) => void | Promise<void>;

let certificate: { cert: string; private: string };
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  certificate = await generate([{ name: 'commonName', value: 'test' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server that records what it is asked, and a client for it. */
const serve = async (answer: Answer, options: Partial<HttpOptions> = {}) => {
  const seen: Seen[] = [];
  const server = createServer({ key: certificate.private, cert: certificate.cert }, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const record = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
    seen.push(record);
    await answer(record, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createHttpClient({ server: url, token: 'secret', caPem: certificate.cert, ...options });
  const close = () => {
    server.closeAllConnections();
    return new Promise(resolve => server.close(resolve));
  };
  closers.push(() => client.close(), close);
  return { client, seen, url, close };
};

const reply = (
  response: ServerResponse,
  body: unknown,
  code = 200,
  headers: Record<string, string | string[]> = {},
) => {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};

const failure = async (promise: Promise<unknown>): Promise<ApiError> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error(`expected an ApiError, got ${String(error)}`);
  return error;
};

const at = { namespace: 'default', name: 'a' };

test('every call is the request that Kubernetes knows for it', async () => {
  const { client, seen } = await serve((_, response) => reply(response, { ...thing('a', 1), items: [], metadata: {} }));
  await client.get(thingKind, at);
  await client.list(thingKind, { namespace: 'x', labelSelector: 'a=b', limit: 7 });
  await client.create(thingKind, thing('a', 2), { fieldValidation: 'Strict', dryRun: true });
  await client.update(thingKind, thing('a', 3), { subresource: 'status' });
  await client.patch(thingKind, at, { type: 'strategic', body: { spec: { size: 4 } } });
  await client.patch(thingKind, at, { type: 'apply', body: {} }, { fieldManager: 'me', force: true });
  await client.patch(thingKind, at, { type: 'json', body: [] });
  await client.remove(thingKind, at, { gracePeriodSeconds: 0, preconditions: { uid: 'u' } });
  await client.post(thingKind, at, 'binding', { target: { name: 'n' } });
  const base = '/apis/test.berth.dev/v1/namespaces';
  expect(
    seen.map(request => `${request.method} ${request.url} ${request.headers['content-type'] ?? ''} ${request.body}`),
  ).toEqual([
    `GET ${base}/default/things/a  `,
    `GET ${base}/x/things?labelSelector=a%3Db&limit=7  `,
    `POST ${base}/default/things?fieldValidation=Strict&dryRun=All application/json ${JSON.stringify(thing('a', 2))}`,
    `PUT ${base}/default/things/a/status application/json ${JSON.stringify(thing('a', 3))}`,
    `PATCH ${base}/default/things/a application/strategic-merge-patch+json {"spec":{"size":4}}`,
    `PATCH ${base}/default/things/a?fieldManager=me&force=true application/apply-patch+yaml {}`,
    `PATCH ${base}/default/things/a application/json-patch+json []`,
    `DELETE ${base}/default/things/a application/json {"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,"preconditions":{"uid":"u"}}`,
    `POST ${base}/default/things/a/binding application/json {"target":{"name":"n"}}`,
  ]);
  expect(new Set(seen.map(request => request.headers.authorization))).toEqual(new Set(['Bearer secret']));
});

test('a refusal is the ApiError that the server threw', async () => {
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'things.test.berth.dev "a" not found',
    reason: 'NotFound',
    details: { name: 'a', group: 'test.berth.dev', kind: 'things' },
    code: 404,
  };
  const { client } = await serve((_, response) => reply(response, status, 404));
  const error = await failure(client.get(thingKind, at));
  expect(error.status).toEqual(status);
  expect(isReason(error, 'NotFound')).toBe(true);
});

test('answers that are no Status become sentences naming the server', async () => {
  let code = 500;
  let body = 'boom';
  const { client, url } = await serve((_, response) => reply(response, body, code));
  const path = '/apis/test.berth.dev/v1/namespaces/default/things/a';
  const server = await failure(client.get(thingKind, at));
  expect([server.code, server.message]).toEqual([
    500,
    `an error on the server ("boom") has prevented the request from succeeding (get ${path} at ${url})`,
  ]);
  code = 404;
  body = '<html>nginx</html>';
  const missing = await failure(client.get(thingKind, at));
  expect([missing.reason, missing.message]).toEqual([
    'NotFound',
    `the server could not find the requested resource (get ${path} at ${url})`,
  ]);
  code = 200;
  const stranger = await failure(client.get(thingKind, at));
  expect([stranger.code, stranger.message]).toEqual([
    503,
    `${url} does not answer like a Kubernetes API server: GET ${path} gave "<html>nginx</html>"`,
  ]);
});

test('a server that is away, or not the one we trust, is said so with its address', async () => {
  const gone = await serve(() => {});
  await gone.close();
  const refused = await failure(gone.client.get(thingKind, at));
  const host = gone.url.replace('https://', '');
  expect([refused.code, refused.message]).toEqual([
    503,
    `The connection to the server ${host} was refused - did you specify the right host or port?`,
  ]);
  const other = await generate([{ name: 'commonName', value: 'other' }]);
  const { client } = await serve((_, response) => reply(response, {}), { caPem: other.cert });
  expect((await failure(client.get(thingKind, at))).message).toMatch(/x509: certificate signed by unknown authority$/);
  const plain = createPlainServer((_, response) => response.end('{}'));
  await new Promise<void>(resolve => plain.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise(resolve => plain.close(resolve)));
  const confused = createHttpClient({ server: `https://127.0.0.1:${(plain.address() as AddressInfo).port}` });
  closers.push(() => confused.close());
  expect((await failure(confused.get(thingKind, at))).message).toMatch(/does not speak TLS on that port/);
  expect(() => createHttpClient({ server: 'localhost:8080' })).toThrow(/must be a URL like https:\/\/127.0.0.1:6443/);
});

test('Retry-After of 429 and 503 is obeyed a bounded number of times', async () => {
  let left = 2;
  const { client, seen } = await serve((_, response) => {
    if (left-- > 0) reply(response, 'busy', 429, { 'retry-after': '0' });
    else reply(response, thing('a', 1));
  });
  expect((await client.get(thingKind, at)).spec).toEqual({ size: 1 });
  expect(seen.length).toBe(3);
  left = 1000;
  const error = await failure(client.get(thingKind, at));
  expect([error.code, seen.length - 3]).toEqual([429, 6]);
});

test('without Retry-After nothing is repeated', async () => {
  const { client, seen } = await serve((_, response) => reply(response, 'busy', 503));
  expect((await failure(client.get(thingKind, at))).code).toBe(503);
  expect(seen.length).toBe(1);
});

test('warnings reach whoever asked', async () => {
  const headers = { warning: ['299 - "first \\"quoted\\""', '299 - "second", 299 berth "third"', '199 - "other"'] };
  const { client } = await serve((_, response) => reply(response, thing('a'), 201, headers));
  const texts: string[] = [];
  await client.create(thingKind, thing('a'), { onWarning: text => texts.push(text) });
  expect(texts).toEqual(['first "quoted"', 'second', 'third']);
});

const collect = async (client: HttpClient, signal = createStop().signal) => {
  const events: WatchEvent<Thing>[] = [];
  for await (const batch of client.watch(thingKind, { signal, resourceVersion: '5' })) events.push(...batch);
  return events;
};

test('a watch gives what the lines say, cut anywhere, and ends with the server', async () => {
  const added = { type: 'ADDED', object: thing('é'.repeat(3000), 1) };
  const bookmark = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } };
  const { client, seen } = await serve(async (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const bytes = Buffer.from(`${JSON.stringify(added)}\n${JSON.stringify(bookmark)}\n`);
    for (let i = 0; i < bytes.length; i += 777) {
      response.write(bytes.subarray(i, i + 777));
      await new Promise(resolve => setImmediate(resolve));
    }
    response.end();
  });
  expect(await collect(client)).toEqual([added, bookmark]);
  expect(seen[0]?.url).toBe('/apis/test.berth.dev/v1/things?watch=true&allowWatchBookmarks=true&resourceVersion=5');
});

test('an ERROR event of a watch is thrown after the events before it', async () => {
  const gone = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    reason: 'Expired',
    code: 410,
    message: 'too old',
  };
  const { client } = await serve((_, response) =>
    reply(
      response,
      `${JSON.stringify({ type: 'ADDED', object: thing('a') })}\n${JSON.stringify({ type: 'ERROR', object: gone })}\n`,
    ),
  );
  const events: unknown[] = [];
  const error = await failure(
    (async () => {
      for await (const batch of client.watch(thingKind, { signal: createStop().signal })) events.push(...batch);
    })(),
  );
  expect([events.length, error.reason, error.code]).toEqual([1, 'Expired', 410]);
});

test('a refused watch is thrown; one whose connection breaks just ends; the signal ends it on both sides', async () => {
  let closed = 0;
  let mode: 'refuse' | 'break' | 'hold' = 'refuse';
  const { client } = await serve((_, response) => {
    response.on('close', () => closed++);
    if (mode === 'refuse') return reply(response, 'no', 403);
    response.write(`${JSON.stringify({ type: 'ADDED', object: thing('a') })}\n`);
    if (mode === 'break') setTimeout(() => response.destroy(), 20);
  });
  expect((await failure(collect(client))).code).toBe(403);
  mode = 'break';
  expect((await collect(client)).length).toBe(1);
  mode = 'hold';
  const stop = createStop();
  const before = closed;
  const ended = (async () => {
    for await (const _ of client.watch(thingKind, { signal: stop.signal })) stop.stop();
  })();
  await ended;
  await expect.poll(() => closed).toBe(before + 1);
});

test('a watch whose server has fallen silent for good ends, so that it is made anew', async () => {
  const { client } = await serve(
    (_, response) => {
      response.write(`${JSON.stringify({ type: 'ADDED', object: thing('a') })}\n`);
    },
    { watchSilenceMs: 300 },
  );
  expect((await collect(client)).length).toBe(1);
});

test('a slow reader of a stream makes the server wait instead of filling memory', async () => {
  const total = 64 * 1024 * 1024;
  let sent = 0;
  const { client } = await serve(async (_, response) => {
    const block = Buffer.alloc(64 * 1024, 120);
    while (sent < total && !response.destroyed) {
      sent += block.length;
      if (!response.write(block)) await new Promise<void>(resolve => response.once('drain', resolve));
    }
    response.end();
  });
  let read = 0;
  let sentAtFirst = 0;
  for await (const chunk of client.stream('/log', createStop().signal)) {
    if (read === 0) {
      // The server may go on until the buffers between us are full, and must then stand still.
      let last = -1;
      while (last !== sent) {
        last = sent;
        await new Promise(resolve => setTimeout(resolve, 100));
      }
      sentAtFirst = sent;
    }
    read += chunk.length;
  }
  expect(sentAtFirst).toBeLessThan(total / 2);
  expect(read).toBe(total);
});

test('raw and table requests carry their Accept', async () => {
  const { client, seen } = await serve((_, response) => reply(response, { kind: 'Table' }));
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  expect(await client.getJson('/api/v1/pods', accept)).toEqual({ kind: 'Table' });
  expect(await client.getRaw('/healthz', '*/*')).toMatchObject({ code: 200, body: '{"kind":"Table"}' });
  expect(seen.map(request => request.headers.accept)).toEqual([accept, '*/*']);
});

test('thousands of calls at once share a bounded number of connections', async () => {
  const sockets = new Set<unknown>();
  const { client } = await serve((_, response) => {
    sockets.add(response.socket);
    reply(response, thing('a'), 201);
  });
  const calls = Array.from({ length: 3000 }, () => client.post(thingKind, at, 'eviction', {}));
  await Promise.all(calls);
  expect(sockets.size).toBeLessThanOrEqual(32);
});

test('bindings that come at once are sent before those ahead of them are answered', async () => {
  const held: ServerResponse[] = [];
  const { client } = await serve((_, response) => {
    held.push(response);
    // Only answers once all are here: they would wait for each other for ever if each waited for its turn.
    if (held.length === 100) for (const one of held) reply(one, thing('a'), 201);
  });
  const calls = Array.from({ length: 100 }, () => client.post(thingKind, at, 'binding', {}));
  await Promise.all(calls);
  expect(held.length).toBe(100);
});
