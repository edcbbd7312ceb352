import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { runLink } from '#agent/host/link.ts';
import { configMapKind, podKind } from '#api/kinds/core.ts';
import type { ExecRequest, NodeHandler, NodeUsage, StreamSession } from '#api/node-calls.ts';
import { badRequest } from '#api/status.ts';
import { silentLog } from '#base/log.ts';
import { systemClock, systemRandom } from '#base/system.ts';
import { createHttpClient, type HttpClient } from '#client/http.ts';
import { ask, startServer, type TestServer } from './server.ts';

let server: TestServer;
let client: HttpClient;
beforeAll(async () => {
  server = await startServer();
  client = createHttpClient({ server: server.url, token: server.tokens.adminToken, caPem: server.caPem });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

const pods = '/api/v1/namespaces/default/pods';
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const frame = (channel: number, payload: string | object) =>
  Buffer.concat([Buffer.from([channel]), Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))]);

/** A pod that is said to run on `node`. */
const runningPod = async (name: string, node: string) => {
  const spec = {
    containers: [
      { name: 'app', image: 'x' },
      { name: 'side', image: 'x' },
    ],
  };
  await ask(server, pods, { method: 'POST', body: { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec } });
  await ask(server, `${pods}/${name}/binding`, {
    method: 'POST',
    body: { metadata: { name }, target: { name: node } },
  });
  const containerStatuses = ['app', 'side'].map(container => ({
    name: container,
    ready: true,
    restartCount: 0,
    image: 'x',
    imageID: 'x',
    containerID: `docker://${container}`,
    state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
  }));
  await client.patch(
    podKind,
    { namespace: 'default', name },
    { type: 'merge', body: { status: { phase: 'Running', containerStatuses } } },
    { subresource: 'status' },
  );
};

/** An agent that echoes: what is asked of it can be seen in what it answers. */
const echo: NodeHandler = {
  usage: async (): Promise<NodeUsage> => ({
    node: 'n1',
    timestamp: '2026-11-21T12:00:10Z',
    windowMs: 10_015,
    cpuNanoCores: 250_000_000,
    memoryWorkingSetBytes: 1024 * 1024,
    pods: [],
  }),
  logs: async ({ container, tailLines, follow }, send, signal) => {
    if (container === 'side') throw badRequest('the log is gone');
    await send(Buffer.from(`log of ${container} tail ${tailLines}\n`));
    while (follow && !signal.aborted) {
      await send(Buffer.from('more\n'));
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  },
  exec: async (request: ExecRequest, session: StreamSession) => {
    if (request.command[0] === 'missing') throw badRequest('no such program');
    await session.send(frame(1, `ran ${request.command.join(' ')}`));
    for await (const input of session.frames) {
      if (input[0] === 255) break;
      await session.send(frame(1, `heard ${text(input.subarray(1))}`));
    }
    await session.send(frame(3, { metadata: {}, status: 'Success' }));
  },
  attach: async (_, session) => {
    await session.send(frame(1, 'attached'));
    await session.send(frame(3, { metadata: {}, status: 'Success' }));
  },
};

interface Session {
  readonly protocol: string;
  readonly frames: readonly (readonly [number, string])[];
  readonly code: number;
}

/** Runs a session to its end; `input` is sent as stdin, then stdin is closed. */
const session = (
  path: string,
  input: readonly string[] = [],
  protocols: string[] = ['v5.channel.k8s.io'],
): Promise<Session> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${server.url.replace('https', 'wss')}${path}`, protocols, {
      ca: server.caPem,
      headers: { authorization: `Bearer ${server.tokens.adminToken}` },
    });
    const frames: (readonly [number, string])[] = [];
    socket.on('open', () => {
      for (const line of input) socket.send(frame(0, line));
      socket.send(Buffer.from([255, 0]));
    });
    socket.on('message', (message: Buffer) => frames.push([message[0]!, text(message.subarray(1))]));
    socket.on('close', code => resolve({ protocol: socket.protocol, frames, code }));
    socket.on('unexpected-response', (_, response) => {
      response.on('data', data => reject(JSON.parse(String(data))));
    });
    socket.on('error', reject);
  });

/** The Status with which an upgrade is refused. */
const refusedUpgrade = (
  path: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ code: number; message: string }> =>
  new Promise((resolve, reject) => {
    const sent = request(
      `${server.url}${path}`,
      { method, ca: server.caPem, headers: { connection: 'Upgrade', ...headers } },
      response => {
        const chunks: Buffer[] = [];
        response.on('data', chunk => chunks.push(chunk));
        response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString())));
      },
    );
    sent.on('error', reject);
    sent.end();
  });

describe('watch over HTTPS', () => {
  test('delivers what happens, and ends when the client goes', async () => {
    const abort = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const batch of client.watch(configMapKind, { namespace: 'other', signal: abort.signal }))
        for (const event of batch)
          if (event.type !== 'BOOKMARK') seen.push(`${event.type} ${event.object.metadata.name}`);
    })();
    const path = '/api/v1/namespaces/other/configmaps';
    await ask(server, path, { method: 'POST', body: { metadata: { name: 'w' } } });
    await ask(server, `${path}/w`, { method: 'DELETE' });
    await expect.poll(() => seen.at(-1)).toBe('DELETED w');
    expect(seen[0]).toMatch(/^ADDED/);
    abort.abort();
    await watching;
  });

  test('speaks WatchList, tables, timeouts and errors', async () => {
    await ask(server, '/api/v1/namespaces/other/configmaps', { method: 'POST', body: { metadata: { name: 'kept' } } });
    const query =
      'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1';
    const list = await ask(server, `/api/v1/namespaces/other/configmaps?${query}`);
    const events = list.text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(events.map(event => event.type)).toEqual(['ADDED', 'BOOKMARK']);
    expect(events[1].object).toMatchObject({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { creationTimestamp: null, annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    const table = await ask(server, '/api/v1/namespaces/other/configmaps?watch=true&timeoutSeconds=1', { headers });
    expect(JSON.parse(table.text)).toMatchObject({
      type: 'ADDED',
      object: { kind: 'Table', rows: [{ cells: ['kept', expect.anything(), expect.anything()] }] },
    });
    const future = await ask(server, '/api/v1/pods?watch=true&resourceVersion=99999999');
    expect(future).toMatchObject({ code: 504, json: { reason: 'Timeout' } });
  });

  test('reaches every one of many watchers', async () => {
    const abort = new AbortController();
    let heard = 0;
    const watchers = Array.from({ length: 40 }, async () => {
      const options = { namespace: 'kube-system', signal: abort.signal };
      for await (const batch of client.watch(configMapKind, options))
        heard += batch.filter(event => event.type === 'ADDED').length;
    });
    await ask(server, '/api/v1/namespaces/kube-system/configmaps', {
      method: 'POST',
      body: { metadata: { name: 'one' } },
    });
    await expect.poll(() => heard, { timeout: 10_000 }).toBe(40);
    abort.abort();
    await Promise.all(watchers);
  });
});

/** The same calls must work for an embedded agent and for one over its links. */
const testAgent = (kind: string, connect: (node: string) => Promise<() => void>): void => {
  describe(`a pod on ${kind}`, () => {
    const node = kind.replaceAll(' ', '-');
    const pod = `pod-on-${node}`;
    let disconnect = () => {};
    beforeAll(async () => {
      disconnect = await connect(node);
      await runningPod(pod, node);
    });
    afterAll(() => disconnect());

    test('gives its log, with the options asked for', async () => {
      const answer = await ask(server, `${pods}/${pod}/log?container=app&tailLines=3`);
      expect(answer).toMatchObject({ code: 200, text: 'log of app tail 3\n' });
      expect(answer.headers['content-type']).toContain('text/plain');
    });

    test('follows its log until the client goes', async () => {
      const abort = new AbortController();
      let bytes = '';
      for await (const chunk of client.stream(`${pods}/${pod}/log?container=app&follow=true`, abort.signal)) {
        bytes += text(chunk);
        if (bytes.includes('more\nmore\n')) abort.abort();
      }
      expect(bytes).toContain('log of app');
    });

    test('tells why there is no log', async () => {
      expect((await ask(server, `${pods}/${pod}/log?container=side`)).json).toMatchObject({
        code: 400,
        message: 'the log is gone',
      });
    });

    test('executes commands with frames both ways, and closes with 1000 after the status', async () => {
      const done = await session(`${pods}/${pod}/exec?command=ls&command=%2F&container=app&stdin=true&stdout=true`, [
        'a',
        'b',
      ]);
      expect(done).toEqual({
        protocol: 'v5.channel.k8s.io',
        frames: [
          [1, 'ran ls /'],
          [1, 'heard a'],
          [1, 'heard b'],
          [3, '{"metadata":{},"status":"Success"}'],
        ],
        code: 1000,
      });
    });

    test('tells on the status channel when a session cannot begin', async () => {
      const done = await session(`${pods}/${pod}/exec?command=missing&container=app&stdout=true`);
      expect(done.code).toBe(1000);
      expect(done.frames.map(([channel, payload]) => [channel, JSON.parse(payload).message])).toEqual([
        [3, 'no such program'],
      ]);
    });

    test('can be attached to', async () => {
      const done = await session(`${pods}/${pod}/attach?container=app&stdout=true`);
      expect(done.frames[0]).toEqual([1, 'attached']);
    });
  });
};

testAgent('an embedded agent', async node => server.nodeLinks.register(node, echo));

testAgent('a remote agent', node => remoteAgent(node));

const remoteAgent = async (node: string): Promise<() => void> => {
  const abort = new AbortController();
  const token = server.tokens.nodeToken(node);
  const common = { clock: systemClock, random: systemRandom, log: silentLog };
  const ended = runLink(
    { server: server.url, node, token, caPem: server.caPem, handler: echo, ...common },
    abort.signal,
  );
  await vi.waitFor(() => expect(server.nodeLinks.isConnected(node)).toBe(true));
  return () => {
    abort.abort();
    void ended;
  };
};

describe('an agent that is not there', () => {
  test('makes calls fail at once with 503, also after it was lost', async () => {
    await runningPod('lonely', 'lost');
    const log = () => ask(server, `${pods}/lonely/log?container=app`);
    expect((await log()).json).toMatchObject({
      code: 503,
      reason: 'ServiceUnavailable',
      message: 'the agent of node "lost" is not connected',
    });
    const disconnect = await remoteAgent('lost');
    expect((await log()).code).toBe(200);
    disconnect();
    await expect.poll(() => server.nodeLinks.isConnected('lost')).toBe(false);
    expect((await log()).code).toBe(503);
  });
});

describe('an upgrade is refused with a Status', () => {
  const spdy = { upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' };
  const webSocket = {
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  const auth = () => ({ authorization: `Bearer ${server.tokens.adminToken}` });

  test.each([
    ['no token', '/exec?command=a&stdout=true', {}, 401],
    ['no such pod', '/exec?command=a&stdout=true', { pod: 'nope' }, 404],
    ['no command', '/exec?stdout=true', {}, 400],
    ['no stream', '/exec?command=a', {}, 400],
    ['no such container', '/exec?command=a&stdout=true&container=zzz', {}, 400],
    ['no such subresource', '/bogus', {}, 404],
  ])(
    'for %s, to WebSocket and SPDY alike',
    async (why, query, { pod = 'pod-on-an-embedded-agent' }: { pod?: string }, code) => {
      const path = `${pods}/${pod}${query}`;
      const headers = why === 'no token' ? {} : auth();
      const protocol = { 'sec-websocket-protocol': 'v5.channel.k8s.io' };
      const first = await refusedUpgrade(path, { ...webSocket, ...protocol, ...headers });
      const second = await refusedUpgrade(path, { ...spdy, ...headers }, 'POST');
      expect(first).toMatchObject({ kind: 'Status', status: 'Failure', code });
      expect(second).toEqual(first);
    },
  );

  test('when only SPDY, or another protocol, is offered', async () => {
    const path = `${pods}/pod-on-an-embedded-agent/exec?command=a&stdout=true&container=app`;
    const unregister = server.nodeLinks.register('an-embedded-agent', echo);
    expect(await refusedUpgrade(path, { ...spdy, ...auth() }, 'POST')).toMatchObject({ code: 400 });
    const other = { ...webSocket, ...auth(), 'sec-websocket-protocol': 'v4.channel.k8s.io' };
    expect(await refusedUpgrade(path, other)).toMatchObject({ code: 400 });
    unregister();
  });

  test('to a link that nobody waits for', async () => {
    const headers = { ...webSocket, authorization: `Bearer ${server.tokens.nodeToken('a')}` };
    expect(await refusedUpgrade('/apis/berth.dev/v1/nodes/a/link/c99', headers)).toMatchObject({ code: 404 });
    expect(await refusedUpgrade('/apis/berth.dev/v1/nodes/b/link', headers)).toMatchObject({ code: 403 });
  });
});

describe('logs before the agent is asked', () => {
  test('say what is missing, in upstream’s words', async () => {
    const spec = {
      containers: [
        { name: 'a', image: 'x' },
        { name: 'b', image: 'x' },
      ],
    };
    await ask(server, pods, { method: 'POST', body: { metadata: { name: 'two' }, spec } });
    const message = async (query: string) => (await ask(server, `${pods}/two/log${query}`)).json.message;
    expect(await message('')).toBe('a container name must be specified for pod two, choose one of: [a b]');
    expect(await message('?container=x')).toBe('container x is not valid for pod two');
    await ask(server, `${pods}/two/binding`, { method: 'POST', body: { metadata: {}, target: { name: 'n' } } });
    expect(await message('?container=a')).toBe('container "a" in pod "two" is waiting to start: ContainerCreating');
    await runningPod('one', 'somewhere');
    expect((await ask(server, `${pods}/one/log?container=app&previous=true`)).json).toMatchObject({
      code: 400,
      message: 'previous terminated container "app" in pod "one" not found',
    });
    expect((await ask(server, `${pods}/one/log?container=app&tailLines=-1`)).json).toMatchObject({ code: 422 });
  });
});

describe('usage', () => {
  test('becomes metrics.k8s.io', async () => {
    await runningPod('measured', 'n1');
    const { metadata } = server.registry.get(podKind as never, { namespace: 'default', name: 'measured' }).value;
    const handler: NodeHandler = {
      ...echo,
      usage: async () => {
        const usage = (await echo.usage())!;
        const container = { name: 'app', cpuNanoCores: 12_345_678, memoryWorkingSetBytes: 20 * 1024 * 1024 };
        const base = { namespace: 'default', timestamp: usage.timestamp, windowMs: 10_015, containers: [container] };
        return {
          ...usage,
          pods: [
            { ...base, name: 'measured', uid: metadata.uid ?? '' },
            { ...base, name: 'measured', uid: 'of an earlier pod' },
          ],
        };
      },
    };
    const unregister = server.nodeLinks.register('n1', handler);
    const nodes = await ask(server, '/apis/metrics.k8s.io/v1beta1/nodes');
    expect(nodes.json).toMatchObject({ kind: 'NodeMetricsList', apiVersion: 'metrics.k8s.io/v1beta1' });
    expect(nodes.json.items.find((item: { metadata: { name: string } }) => item.metadata.name === 'n1')).toMatchObject({
      timestamp: '2026-11-21T12:00:10Z',
      window: '10.015s',
      usage: { cpu: '250m', memory: '1Mi' },
    });
    const metrics = await ask(server, '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods');
    expect(metrics.json.items).toHaveLength(1);
    expect(metrics.json.items[0].containers).toEqual([{ name: 'app', usage: { cpu: '12345678n', memory: '20Mi' } }]);
    const none = await ask(server, '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/nope');
    expect(none.json).toMatchObject({ code: 404, message: 'podmetrics.metrics.k8s.io "default/nope" not found' });
    unregister();
  });
});
