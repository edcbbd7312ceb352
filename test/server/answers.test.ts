/** The forms and encodings that an answer can be asked for. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { negotiate } from '#server/negotiate.ts';
import { ask, startServer, type TestServer } from './server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  for (const name of ['a', 'b'])
    await ask(server, maps, { method: 'POST', body: { metadata: { name, labels: { n: name } }, data: { k: 'yes' } } });
});
afterAll(() => server.stop());

const maps = '/api/v1/namespaces/default/configmaps';
const get = (path: string, accept: string, more: Record<string, string> = {}) =>
  ask(server, path, { headers: { accept, ...more } });
const as = (form: string) => `application/json;as=${form};v=v1;g=meta.k8s.io`;

describe('only the metadata', () => {
  test('of an object, of a list, as client-go asks for it', async () => {
    const asked = as('PartialObjectMetadata');
    const one = await get(
      `${maps}/a`,
      `application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,${asked},application/json`,
    );
    expect(one.json).toMatchObject({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'a', labels: { n: 'a' } },
    });
    expect(one.json.data).toBeUndefined();
    const list = await get(`${maps}?limit=1`, as('PartialObjectMetadataList'));
    expect(list.json).toMatchObject({
      kind: 'PartialObjectMetadataList',
      metadata: { remainingItemCount: 1 },
      items: [{ kind: 'PartialObjectMetadata', metadata: { name: 'a' } }],
    });
  });

  test('of a watch, with its bookmark', async () => {
    const query =
      'watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1';
    const { text } = await get(`${maps}?${query}`, as('PartialObjectMetadata'));
    const events = text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(events.map(({ type, object }) => [type, object.kind, object.metadata.name, object.data])).toEqual([
      ['ADDED', 'PartialObjectMetadata', 'a', undefined],
      ['ADDED', 'PartialObjectMetadata', 'b', undefined],
      ['BOOKMARK', 'PartialObjectMetadata', undefined, undefined],
    ]);
  });

  test('of an object is none of a list, nor the other way round', async () => {
    expect((await get(maps, as('PartialObjectMetadata'))).json).toMatchObject({
      code: 406,
      reason: 'NotAcceptable',
      message: 'you requested PartialObjectMetadata, but the requested object is a list (ConfigMapList)',
    });
    expect((await get(`${maps}/a`, as('PartialObjectMetadataList'))).json.message).toBe(
      'you requested PartialObjectMetadataList, but the requested object is not a list (ConfigMap)',
    );
  });
});

describe('encodings', () => {
  test('YAML, with keys in order and texts that stay texts', async () => {
    const { text, headers, code } = await get(`${maps}/a`, 'application/yaml');
    expect([code, headers['content-type']]).toEqual([200, 'application/yaml']);
    expect(text).toContain('apiVersion: v1\ndata:\n  k: "yes"\nkind: ConfigMap\nmetadata:\n');
    expect(parse(text)).toEqual((await get(`${maps}/a`, 'application/json')).json);
    expect(parse((await get(maps, 'application/yaml')).text).items).toHaveLength(2);
  });

  test('spread over lines for people, as one line for programs', async () => {
    const lines = async (path: string, agent: string) =>
      (await get(path, '*/*', { 'user-agent': agent })).text.split('\n').length;
    expect(await lines(`${maps}/a`, 'kubectl/v1.35')).toBe(1);
    expect(await lines(`${maps}/a`, 'curl/8')).toBeGreaterThan(10);
    expect(await lines(`${maps}/a?pretty=false`, 'curl/8')).toBe(1);
    expect(await lines(`${maps}/a?pretty=true`, 'kubectl/v1.35')).toBeGreaterThan(10);
    expect(await lines(`${maps}/nope`, 'curl/8')).toBeGreaterThan(5);
  });

  test('what is liked best is given, what cannot be given is refused', async () => {
    expect(negotiate('application/yaml;q=0.2, application/json;q=0.5').yaml).toBe(false);
    expect(negotiate('application/json;q=0.2, application/yaml;q=0.5').yaml).toBe(true);
    expect(negotiate('application/json;q=0, */*;q=0.1').yaml).toBe(false);
    expect((await get(maps, 'text/html')).json).toMatchObject({
      code: 406,
      message: 'only the following media types are accepted: application/json, application/yaml',
    });
    expect((await get(`${maps}?watch=1`, 'application/yaml')).json).toMatchObject({
      code: 406,
      message: 'only the following media types are accepted: application/json',
    });
    expect((await get(`${maps}?includeObject=Some`, as('Table'))).json).toMatchObject({
      code: 400,
      message:
        "Unable to convert to Table as requested: includeObject: Invalid value: \"Some\": must be 'Metadata', 'Object', 'None', or empty",
    });
  });

  test('nothing on the way may keep an answer', async () => {
    for (const path of [maps, `${maps}/a`, `${maps}/nope`, '/version'])
      expect((await get(path, '*/*')).headers['cache-control'], path).toBe('no-cache, private');
  });
});

test('a connection that is idle is kept for minutes', async () => {
  expect((await get(maps, '*/*')).headers['keep-alive']).toBe('timeout=180');
});

test('a method that a path does not have is told so, in upstream’s words', async () => {
  const refused = {
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  };
  const tries: [string, string][] = [
    ['POST', `${maps}/a`],
    ['PUT', maps],
    ['PATCH', maps],
    ['POST', '/api/v1/configmaps'],
    ['DELETE', '/api/v1/configmaps'],
    ['DELETE', '/api/v1/namespaces'],
    ['POST', '/api/v1/namespaces/default/status'],
    ['GET', '/api/v1/namespaces/default/pods/x/binding'],
    ['POST', '/apis/metrics.k8s.io/v1beta1/nodes'],
  ];
  for (const [method, path] of tries)
    expect((await ask(server, path, { method })).json, `${method} ${path}`).toMatchObject(refused);
  expect((await ask(server, '/apis/metrics.k8s.io/v1beta1/nodes?watch=1')).json.message).toBe(
    'watch is not supported on resources of kind "nodes.metrics.k8s.io"',
  );
});
