import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, startServer, type TestServer } from './server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const pods = '/api/v1/namespaces/default/pods';
const maps = '/api/v1/namespaces/default/configmaps';
const pod = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'app', image: 'nginx:1' }] },
  ...more,
});
const table =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

describe('objects over HTTPS', () => {
  test('are created, read, listed, changed and deleted', async () => {
    const made = await ask(server, pods, { method: 'POST', body: pod('web') });
    expect(made.code).toBe(201);
    expect(made.headers['content-type']).toBe('application/json');
    const read = await ask(server, `${pods}/web`);
    expect(read.json).toEqual(made.json);
    const list = await ask(server, '/api/v1/pods?limit=500');
    expect(list.json).toMatchObject({ kind: 'PodList', apiVersion: 'v1', items: [{ metadata: { name: 'web' } }] });
    expect(Number(list.json.metadata.resourceVersion)).toBeGreaterThan(0);
    const patched = await ask(server, `${pods}/web?fieldManager=kubectl-label`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify({ metadata: { labels: { a: 'b' } } }),
    });
    expect(patched.json.metadata.labels).toEqual({ a: 'b' });
    const put = await ask(server, `${pods}/web`, { method: 'PUT', body: patched.text });
    expect(put.code).toBe(200);
    const gone = await ask(server, `${pods}/web`, { method: 'DELETE', body: { propagationPolicy: 'Background' } });
    expect(gone.json.metadata.uid).toBe(made.json.metadata.uid);
    expect((await ask(server, `${pods}/web`)).json).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'pods "web" not found',
      reason: 'NotFound',
      details: { name: 'web', kind: 'pods' },
      code: 404,
    });
  });

  test('that are not pods leave a Status with their uid when they are deleted', async () => {
    const made = await ask(server, maps, { method: 'POST', body: { metadata: { name: 'gone' } } });
    const deleted = await ask(server, `${maps}/gone`, { method: 'DELETE' });
    expect(deleted.json).toMatchObject({
      status: 'Success',
      details: { name: 'gone', kind: 'configmaps', uid: made.json.metadata.uid },
    });
  });

  test('come as tables when tables are asked for', async () => {
    await ask(server, pods, { method: 'POST', body: pod('tabled') });
    const one = await ask(server, `${pods}/tabled`, { headers: { accept: table } });
    expect(one.json).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
    expect(one.json.columnDefinitions.map((column: { name: string }) => column.name).slice(0, 5)).toEqual([
      'Name',
      'Ready',
      'Status',
      'Restarts',
      'Age',
    ]);
    expect(one.json.rows[0].cells.slice(0, 3)).toEqual(['tabled', '0/1', 'Pending']);
    expect(one.json.rows[0].object.kind).toBe('PartialObjectMetadata');
    const whole = await ask(server, `${pods}?includeObject=Object`, { headers: { accept: table } });
    expect(whole.json.rows[0].object.kind).toBe('Pod');
  });

  test('bring warnings as headers', async () => {
    const answer = await ask(server, `${pods}?fieldValidation=Warn`, {
      method: 'POST',
      body: { ...pod('warned'), bogus: 1 },
    });
    expect(answer.headers['warning']).toBe('299 - "unknown field \\"bogus\\""');
    const strict = await ask(server, `${pods}?fieldValidation=Strict`, {
      method: 'POST',
      body: { ...pod('strict'), bogus: 1 },
    });
    expect(strict.json).toMatchObject({
      code: 400,
      reason: 'BadRequest',
      message: 'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "bogus"',
    });
  });

  test('are bound and evicted by POST', async () => {
    await ask(server, pods, { method: 'POST', body: pod('bound') });
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'bound' },
      target: { kind: 'Node', name: 'n1' },
    };
    const first = await ask(server, `${pods}/bound/binding`, { method: 'POST', body: binding });
    expect(first).toMatchObject({ code: 201, json: { status: 'Success' } });
    const second = await ask(server, `${pods}/bound/binding`, { method: 'POST', body: binding });
    expect(second).toMatchObject({ code: 409, json: { reason: 'Conflict' } });
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'bound' }, deleteOptions: {} };
    expect((await ask(server, `${pods}/bound/eviction`, { method: 'POST', body: eviction })).code).toBe(201);
  });

  test('obey dryRun wherever it is said', async () => {
    expect(
      (await ask(server, `${maps}?dryRun=All`, { method: 'POST', body: { metadata: { name: 'dry' } } })).code,
    ).toBe(201);
    expect((await ask(server, `${maps}/dry`)).code).toBe(404);
    await ask(server, maps, { method: 'POST', body: { metadata: { name: 'wet' } } });
    await ask(server, `${maps}/wet`, { method: 'DELETE', body: { dryRun: ['All'] } });
    expect((await ask(server, `${maps}/wet`)).code).toBe(200);
    expect((await ask(server, `${maps}?dryRun=Some`, { method: 'POST', body: { metadata: { name: 'x' } } })).code).toBe(
      422,
    );
  });
});

describe('every failure is a Status', () => {
  test.each([
    ['GET', '/nowhere', {}, 404, 'NotFound'],
    ['GET', '/api/v1/bogus', {}, 404, 'NotFound'],
    ['GET', '/apis/foo/v1/things', {}, 404, 'NotFound'],
    ['GET', `${pods}/x/bogus`, {}, 404, 'NotFound'],
    ['POST', `${pods}/x/status`, {}, 405, 'MethodNotAllowed'],
    ['PUT', pods, {}, 405, 'MethodNotAllowed'],
    ['POST', '/api/v1/pods', {}, 405, 'MethodNotAllowed'],
    ['POST', pods, { 'content-type': 'text/plain' }, 415, 'UnsupportedMediaType'],
    ['PATCH', `${pods}/x`, { 'content-type': 'application/json' }, 415, 'UnsupportedMediaType'],
    ['GET', pods, { accept: 'text/html' }, 406, 'NotAcceptable'],
    ['GET', `${pods}?labelSelector=a%20in%20(`, {}, 400, 'BadRequest'],
    ['GET', `${pods}?fieldSelector=spec.bogus=1`, {}, 400, 'BadRequest'],
    ['GET', `${pods}?limit=many`, {}, 400, 'BadRequest'],
    ['GET', `/api/v1/namespaces/default/pods/%E0%A4%A`, {}, 400, 'BadRequest'],
    ['GET', `${pods}?watch=true&sendInitialEvents=true`, {}, 422, 'Invalid'],
    ['GET', `${pods}?watch=true&resourceVersion=abc`, {}, 400, 'BadRequest'],
    ['GET', `${pods}/x/exec?command=a`, {}, 400, 'BadRequest'],
    ['OPTIONS', pods, {}, 404, 'NotFound'],
  ])('%s %s %j is %i %s', async (method, path, headers, code, reason) => {
    const answer = await ask(server, path, {
      method,
      headers,
      ...(method === 'GET' || method === 'OPTIONS' ? {} : { body: '{}' }),
    });
    expect(answer.json).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason });
    expect(answer.code).toBe(code);
  });

  test('a body that is too large, no JSON, or half a protobuf', async () => {
    const large = await ask(server, pods, { method: 'POST', body: `{"a":"${'x'.repeat(3.2 * 1024 * 1024)}"}` });
    expect(large.json).toMatchObject({ kind: 'Status', code: 413, reason: 'RequestEntityTooLarge' });
    const broken = await ask(server, pods, { method: 'POST', body: '{"a":' });
    expect(broken.json).toMatchObject({ kind: 'Status', code: 400, reason: 'BadRequest' });
    const list = await ask(server, pods, { method: 'POST', body: '[]' });
    expect(list.json).toMatchObject({ kind: 'Status', code: 400 });
    const named = `${maps}/${'n'.repeat(200)}`;
    expect((await ask(server, named)).json).toMatchObject({ code: 404, message: expect.stringContaining('nnnn') });
    const proto = { __proto__: { polluted: 1 } };
    expect(
      (await ask(server, maps, { method: 'POST', body: JSON.stringify({ metadata: { name: 'x' }, ...proto }) })).code,
    ).toBe(201);
  });

  test('HEAD answers as GET does, without a body', async () => {
    const answer = await ask(server, '/api/v1/namespaces/default', { method: 'HEAD' });
    expect(answer).toMatchObject({ code: 200, text: '' });
  });

  test('a PUT without Content-Type is read as JSON', async () => {
    await ask(server, maps, { method: 'POST', body: { metadata: { name: 'plain' } } });
    const body = Buffer.from(JSON.stringify({ metadata: { name: 'plain' }, data: { a: '1' } }));
    expect((await ask(server, `${maps}/plain`, { method: 'PUT', body })).json.data).toEqual({ a: '1' });
  });

  test('YAML is taken too', async () => {
    const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  on: "yes"\n';
    const answer = await ask(server, maps, { method: 'POST', body, headers: { 'content-type': 'application/yaml' } });
    expect(answer.json.metadata.name).toBe('yaml');
  });
});

describe('who may ask', () => {
  test('nobody without a token, except after health and version', async () => {
    for (const token of [null, 'wrong', 'node.YQ.forged']) {
      const refused = await ask(server, pods, { token });
      expect(refused).toMatchObject({
        code: 401,
        json: { kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized' },
      });
    }
    for (const path of ['/healthz', '/livez', '/readyz'])
      expect(await ask(server, path, { token: null })).toMatchObject({ code: 200, text: 'ok' });
    expect((await ask(server, '/version', { token: null })).json.gitVersion).toMatch(/^v1\.35\..*\+berth$/);
    expect((await ask(server, '/metrics', { token: null })).code).toBe(401);
    expect((await ask(server, '/healthz', { token: 'wrong' })).code).toBe(401);
  });

  test('a node joins with the join token and gets its own, which is good for nothing else', async () => {
    const { joinToken, adminToken } = server.tokens;
    const join = (token: string, nodeName: unknown) =>
      ask(server, '/apis/berth.dev/v1/join', { method: 'POST', token, body: { nodeName } });
    expect((await ask(server, pods, { token: joinToken })).code).toBe(403);
    expect((await join(joinToken, 'Not A Name')).code).toBe(400);
    const joined = await join(joinToken, 'a');
    expect(joined.json.caPem).toBe(server.caPem);
    const { token } = joined.json;
    expect((await join(token, 'b')).code).toBe(403);
    expect((await join(adminToken, 'a')).json.token).toBe(token);
    expect(
      (await ask(server, '/api/v1/nodes', { method: 'POST', token, body: { metadata: { name: 'a' } } })).code,
    ).toBe(201);
    expect((await ask(server, '/api/v1/nodes/a', { token })).code).toBe(200);
    const other = await ask(server, '/api/v1/nodes', { method: 'POST', token, body: { metadata: { name: 'b' } } });
    expect(other.json).toMatchObject({
      code: 403,
      message: 'nodes "b" is forbidden: node "a" is not allowed to modify node "b"',
    });
    expect((await ask(server, pods, { token })).json).toMatchObject({ code: 403, reason: 'Forbidden' });
    expect((await ask(server, '/api/v1/pods?fieldSelector=spec.nodeName%3Da', { token })).code).toBe(200);
    expect((await ask(server, '/api/v1/pods?fieldSelector=spec.nodeName%3Db', { token })).code).toBe(403);
    expect((await ask(server, '/apis/berth.dev/v1/nodes/b/link', { token })).code).toBe(403);
  });

  test('a node reads the secrets that its pods use, and no others', async () => {
    const token = server.tokens.nodeToken('reader');
    const secrets = '/api/v1/namespaces/default/secrets';
    for (const name of ['used', 'unused']) await ask(server, secrets, { method: 'POST', body: { metadata: { name } } });
    const spec = { containers: [{ name: 'c', image: 'x', envFrom: [{ secretRef: { name: 'used' } }] }] };
    await ask(server, pods, { method: 'POST', body: pod('user', { spec }) });
    expect((await ask(server, `${secrets}/used`, { token })).code).toBe(403);
    await ask(server, `${pods}/user/binding`, {
      method: 'POST',
      body: { metadata: { name: 'user' }, target: { name: 'reader' } },
    });
    expect((await ask(server, `${secrets}/used`, { token })).code).toBe(200);
    expect((await ask(server, `${secrets}/unused`, { token })).json).toMatchObject({
      code: 403,
      message:
        'secrets "unused" is forbidden: User "system:node:reader" cannot get resource "secrets" in API group "" in the namespace "default": no relationship found between node \'reader\' and this object',
    });
    expect((await ask(server, secrets, { token })).code).toBe(403);
    expect((await ask(server, '/api/v1/namespaces/default', { token })).code).toBe(200);
    expect((await ask(server, '/api/v1/namespaces/other', { token })).code).toBe(403);
  });

  test('an administrator may act as somebody else, and can then do no more than they', async () => {
    const as = (headers: Record<string, string>, path: string, more: object = {}) =>
      ask(server, path, { headers, ...more });
    const bob = { 'impersonate-user': 'bob', 'impersonate-group': 'devs' };
    expect((await as(bob, pods)).json).toMatchObject({
      code: 403,
      message: 'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"',
    });
    const whoami = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const asked = await as({ ...bob, 'impersonate-uid': '7' }, whoami, { method: 'POST', body: '{}' });
    expect(asked.json.status.userInfo).toEqual({ username: 'bob', uid: '7', groups: ['devs', 'system:authenticated'] });
    const node = { 'impersonate-user': 'system:node:a', 'impersonate-group': 'system:nodes' };
    expect((await as(node, '/api/v1/pods?fieldSelector=spec.nodeName%3Da')).code).toBe(200);
    expect((await as(node, '/api/v1/pods?fieldSelector=spec.nodeName%3Db')).code).toBe(403);
    expect((await as({ 'impersonate-group': 'devs' }, pods)).json).toMatchObject({
      code: 400,
      message: 'requested devs without impersonating a user',
    });
  });

  test('nobody else may act as somebody else', async () => {
    const token = server.tokens.nodeToken('a');
    const headers = { 'impersonate-user': 'kubernetes-admin', 'impersonate-group': 'system:masters' };
    expect((await ask(server, '/api/v1/pods?fieldSelector=spec.nodeName%3Da', { token, headers })).json).toMatchObject({
      code: 403,
      message:
        'users "kubernetes-admin" is forbidden: User "system:node:a" cannot impersonate resource "users" in API group "" at the cluster scope',
    });
  });

  test('is told by the reviews', async () => {
    const review = (token: string, resourceAttributes: object) =>
      ask(server, '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
        method: 'POST',
        token,
        body: { spec: { resourceAttributes } },
      });
    const attributes = { namespace: 'default', verb: 'list', resource: 'pods' };
    expect((await review(server.tokens.adminToken, attributes)).json.status).toEqual({ allowed: true });
    expect((await review(server.tokens.nodeToken('a'), attributes)).json.status.allowed).toBe(false);
    const whoami = await ask(server, '/apis/authentication.k8s.io/v1/selfsubjectreviews', { method: 'POST', body: {} });
    expect(whoami).toMatchObject({ code: 201, json: { status: { userInfo: { username: 'kubernetes-admin' } } } });
    const rules = await ask(server, '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
      method: 'POST',
      body: { spec: { namespace: 'default' } },
    });
    expect(rules.json.status.resourceRules[0].verbs).toEqual(['*']);
    const nodeRules = await ask(server, '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
      method: 'POST',
      token: server.tokens.nodeToken('a'),
      body: {},
    });
    expect(nodeRules.json.status).toMatchObject({
      incomplete: true,
      evaluationError: 'node authorizer does not support user rule resolution',
    });
  });
});

describe('health and metrics', () => {
  test('say what they checked when asked', async () => {
    const answer = await ask(server, '/readyz?verbose');
    expect(answer.text).toBe('[+]ping ok\n[+]store ok\nreadyz check passed\n');
    expect((await ask(server, '/readyz/store')).text).toBe('ok');
    expect((await ask(server, '/readyz/bogus')).code).toBe(404);
  });

  test('count requests under upstream’s names', async () => {
    await ask(server, pods);
    const { text } = await ask(server, '/metrics');
    expect(text).toMatch(
      /apiserver_request_total\{verb="LIST",group="",version="v1",resource="pods",subresource="",code="200"\} \d+/,
    );
    expect(text).toContain('apiserver_request_duration_seconds_bucket');
    expect(text).toContain('process_resident_memory_bytes');
  });
});

describe('what the API offers', () => {
  const aggregated =
    'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';

  test('is told aggregated and legacy', async () => {
    const groups = await ask(server, '/apis', { headers: { accept: aggregated } });
    expect(groups.headers['content-type']).toContain('as=APIGroupDiscoveryList');
    expect(groups.json.items.at(-1).metadata.name).toBe('metrics.k8s.io');
    expect((await ask(server, '/api')).json).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    const core = (await ask(server, '/api/v1')).json;
    expect(core.resources).toContainEqual(
      expect.objectContaining({ name: 'pods/eviction', kind: 'Eviction', group: 'policy', version: 'v1' }),
    );
    expect((await ask(server, '/apis/nope')).json).toMatchObject({ kind: 'Status', code: 404 });
  });

  test('is described by OpenAPI v3, and by v2 in both encodings', async () => {
    const v2 = await ask(server, '/openapi/v2', {
      headers: { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' },
    });
    expect(v2).toMatchObject({ code: 200, text: expect.stringContaining('io.k8s.api.core.v1.PodSpec') });
    const json = await ask(server, '/openapi/v2');
    expect(json.json.definitions).toHaveProperty(['io.k8s.api.core.v1.Pod']);
    expect(json.headers['vary']).toBe('Accept');
    expect(v2.headers['content-type']).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
    const index = await ask(server, '/openapi/v3');
    const core = await ask(server, index.json.paths['api/v1'].serverRelativeURL);
    expect(core.json.components.schemas).toHaveProperty(['io.k8s.api.core.v1.Pod']);
    // Under its hash it never changes; under an old one the present one is shown.
    expect(core.headers['cache-control']).toBe('public, immutable');
    expect(Date.parse(String(core.headers['expires']))).toBeGreaterThan(Date.now() + 360 * 24 * 3600_000);
    const moved = await ask(server, '/openapi/v3/api/v1?hash=OLD');
    expect([moved.code, moved.headers['location']]).toEqual([301, index.json.paths['api/v1'].serverRelativeURL]);
    expect((await ask(server, '/openapi/v3/api/v1')).headers['cache-control']).toBe('no-cache, private');
    const again = await ask(server, '/openapi/v3/api/v1', {
      headers: { 'if-none-match': String(core.headers['etag']) },
    });
    expect(again.code).toBe(304);
  });

  test('can be read by every node', async () => {
    const token = server.tokens.nodeToken('a');
    for (const path of ['/api', '/apis', '/api/v1', '/openapi/v3', '/version'])
      expect((await ask(server, path, { token })).code).toBe(200);
  });
});
