import { afterEach, expect, test } from 'vitest';
import type { NodeUsage } from '#api/node-calls.ts';
import { adminUser } from '#server/authn.ts';
import { InFlight } from '#server/in-flight.ts';
import { requestInfo } from '#server/request-info.ts';
import { type Asked, ask, startServer, type TestServer } from './server.ts';

let server: TestServer;
afterEach(() => server?.stop());

const pods = '/api/v1/namespaces/default/pods';
const node = { name: 'system:node:a', groups: ['system:nodes', 'system:authenticated'] };
const tooMany = expect.objectContaining({
  status: expect.objectContaining({ code: 429, reason: 'TooManyRequests', details: { retryAfterSeconds: 1 } }),
});

test('reads and writes have places of their own, and get them back', () => {
  const inFlight = new InFlight({ reads: 2, writes: 1 });
  const enter = (method: string, path: string, user = node) => inFlight.enter(requestInfo(method, path), user);
  expect([enter('GET', pods), enter('GET', '/readyz')]).toEqual(['reads', 'reads']);
  expect(() => enter('HEAD', '/version')).toThrow(tooMany);
  expect(() => enter('GET', `${pods}/a`)).toThrow('Too many requests, please try again later.');
  expect(enter('PATCH', `${pods}/a`)).toBe('writes');
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) expect(() => enter(method, `${pods}/a`)).toThrow(tooMany);
  inFlight.leave('reads');
  expect(enter('GET', pods)).toBe('reads');
  expect(() => enter('GET', pods)).toThrow();
  inFlight.leave('writes');
  expect(enter('POST', `${pods}/a/binding`)).toBe('writes');
});

test('streams need no place, and administrators are never sent away', () => {
  const inFlight = new InFlight({ reads: 0, writes: 0 });
  for (const path of [`${pods}?watch=true`, `${pods}/a/log?follow=true`, `${pods}/a/exec?command=ls`])
    expect(inFlight.enter(requestInfo('GET', path), node)).toBeUndefined();
  expect(inFlight.enter(requestInfo('GET', pods), adminUser)).toBeUndefined();
  inFlight.leave(undefined);
  expect(() => inFlight.enter(requestInfo('GET', pods), node)).toThrow();
});

test('over HTTPS: a full server answers 429 with Retry-After until a request is done', async () => {
  let report: (usage: readonly NodeUsage[]) => void = () => {};
  let asked: () => void = () => {};
  const reached = new Promise<void>(resolve => {
    asked = resolve;
  });
  const usage = () =>
    new Promise<readonly NodeUsage[]>(resolve => {
      report = resolve;
      asked();
    });
  server = await startServer({ limits: { reads: 1, writes: 1 }, usage });
  const asNode = (path: string, more: Asked = {}) =>
    ask(server, path, { token: server.tokens.nodeToken('a'), ...more });
  const held = ask(server, '/apis/metrics.k8s.io/v1beta1/nodes');
  await reached;
  const refused = await asNode('/api/v1/nodes/a');
  expect(refused.headers['retry-after']).toBe('1');
  expect(refused.json).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'Too many requests, please try again later.',
    reason: 'TooManyRequests',
    details: { retryAfterSeconds: 1 },
    code: 429,
  });
  expect((await ask(server, pods)).code).toBe(200);
  expect((await asNode('/api/v1/nodes', { method: 'POST', body: { metadata: { name: 'a' } } })).code).toBe(201);
  report([]);
  expect((await held).code).toBe(200);
  expect((await asNode('/api/v1/nodes/a')).code).toBe(200);
});

test('over HTTPS: a request that fails leaves its place', async () => {
  server = await startServer({ limits: { reads: 1, writes: 1 } });
  const token = server.tokens.nodeToken('a');
  for (const [code, path, asked] of [
    [404, '/api/v1/nodes/a', {}],
    [403, '/api/v1/nodes/b', {}],
    [403, '/nowhere', {}],
    [400, '/api/v1/nodes', { method: 'POST', body: '{' }],
    [403, '/api/v1/namespaces', { method: 'POST', body: {} }],
  ] as const)
    for (let i = 0; i < 3; i++) expect((await ask(server, path, { token, ...asked })).code).toBe(code);
});
