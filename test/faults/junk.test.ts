/**
 * Bodies that are no manifests at all, on every kind of path and with every method: whatever comes, the server must know what
 * it thinks of it. (Manifests with one thing wrong are in mutations.test.ts.)
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, startServer, type TestServer } from '#test/server/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const wrongBodies = [
  ...['', 'null', '{}', '[]', '"x"', '5', 'true', '{', 'a: b', '{"kind":5}', '{"apiVersion":{}}'],
  ...['{"spec":"x"}', '{"spec":null}', '{"spec":{"resourceAttributes":"x"}}', '{"status":[]}'],
  ...['{"metadata":"x"}', '{"metadata":null}', '{"metadata":{"name":5}}', '{"metadata":{"annotations":[]}}'],
  ...['{"metadata":{"managedFields":[5]}}', '{"metadata":{"managedFields":[{"fieldsV1":5,"operation":"x"}]}}'],
  ...['{"metadata":{"finalizers":[null]}}', '{"deleteOptions":[]}', '{"target":[]}', '{"nodeName":{}}'],
  ...['{"gracePeriodSeconds":{}}', '{"preconditions":{"uid":5}}', '{"dryRun":"All"}', '{"propagationPolicy":[]}'],
  ...['[{"op":"add","path":5}]', '[{"op":"move","from":"/metadata","path":"/metadata/x"}]', '[null]'],
  ...[
    '[{"op":"remove","path":""}]',
    '[{"op":"replace","path":"","value":5}]',
    '[{"op":"copy","from":"/a","path":"/b"}]',
  ],
  ...['{"$patch":"delete"}', '{"metadata":{"$patch":"delete"}}', '{"metadata":{"$retainKeys":["name"]}}'],
  ...['{"metadata":{"$setElementOrder/finalizers":"x"}}', '{"metadata":{"$deleteFromPrimitiveList/finalizers":"x"}}'],
];

const home = '/api/v1/namespaces/default';
const group = (name: string, rest: string) => `/apis/${name}/v1/${rest}`;
const paths = [
  ...['pods', 'pods/w', 'pods/w/status', 'pods/w/binding', 'pods/w/eviction', 'pods/w/log'].map(
    path => `${home}/${path}`,
  ),
  ...['configmaps', 'configmaps/m', 'events', 'secrets/s', 'services/s'].map(path => `${home}/${path}`),
  ...['nodes', 'nodes/n', 'nodes/n/status', 'namespaces/other/finalize', 'namespaces/other/status'].map(
    path => `/api/v1/${path}`,
  ),
  group('apps', 'namespaces/default/replicasets'),
  group('policy', 'namespaces/default/poddisruptionbudgets'),
  group('authorization.k8s.io', 'selfsubjectaccessreviews'),
  group('authorization.k8s.io', 'selfsubjectrulesreviews'),
  group('authentication.k8s.io', 'selfsubjectreviews'),
  group('berth.dev', 'join'),
  '/apis/metrics.k8s.io/v1beta1/nodes/n',
  '/openapi/v3',
  '/nowhere',
];
const types: Readonly<Record<string, readonly string[]>> = {
  POST: ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'],
  PUT: ['application/json'],
  PATCH: ['json-patch+json', 'merge-patch+json', 'strategic-merge-patch+json', 'apply-patch+yaml'].map(
    type => `application/${type}`,
  ),
  DELETE: ['application/json'],
};

test('junk is never an internal error of the server', { timeout: 120_000 }, async () => {
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  for (const [path, body] of [
    [`${home}/pods`, { metadata: { name: 'w' }, spec }],
    [`${home}/configmaps`, { metadata: { name: 'm' } }],
    ['/api/v1/nodes', { metadata: { name: 'n' } }],
  ] as const)
    expect((await ask(server, path, { method: 'POST', body })).code).toBe(201);
  const broken: string[] = [];
  let asked = 0;
  for (const path of paths)
    for (const [method, contentTypes] of Object.entries(types))
      for (const type of contentTypes) {
        const answers = await Promise.all(
          wrongBodies.map(body =>
            ask(server, `${path}?dryRun=All&fieldManager=f`, { method, headers: { 'content-type': type }, body }),
          ),
        );
        asked += answers.length;
        for (const [i, { code, json }] of answers.entries()) {
          const isUpstreams500 =
            json?.reason === undefined && /^failed to create typed patch/.test(json?.message ?? '');
          if (json?.kind === undefined || (code >= 500 && !isUpstreams500))
            broken.push(`${method} ${path} ${type} ${wrongBodies[i]}: ${code} ${String(json?.message)}`);
        }
      }
  expect(broken).toEqual([]);
  expect(asked).toBeGreaterThan(8000);
});
