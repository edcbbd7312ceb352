/** What a body and the options of a request may be, and how what they may not be is refused. */
import { connect } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ask, startServer, type TestServer } from './server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const maps = '/api/v1/namespaces/default/configmaps';
const json = 'application/json';
const send = (method: string, path: string, body: string, type = json) =>
  ask(server, path, { method, headers: { 'content-type': type }, body });
const post = (body: string, type?: string, query = '') => send('POST', `${maps}?${query}`, body, type);
const goStruct =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

describe('a body', () => {
  test.each([
    ['', json, "couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)"],
    [
      '{"a":}',
      json,
      `couldn't get version/kind; json parse error: invalid character '}' looking for beginning of value ({"a":})`,
    ],
    [
      '[1]',
      json,
      `couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type ${goStruct} (5b315d)`,
    ],
    [
      'true',
      json,
      `couldn't get version/kind; json parse error: json: cannot unmarshal bool into Go value of type ${goStruct} (74727565)`,
    ],
    ['a: [', 'application/yaml', /^error converting YAML to JSON: yaml: line 1: .* \(613a205b\)$/],
    [
      'a: 1\n---\nb: 2',
      'application/yaml',
      'error converting YAML to JSON: yaml: line 2: more than one document (613a20310a2d2d2d0a623a2032)',
    ],
    [
      'nope',
      'application/vnd.kubernetes.protobuf',
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (6e6f7065)',
    ],
  ])('%j as %s is refused', async (body, type, why) => {
    const { code, json: status } = await post(body, type);
    const prefix = 'the object provided is unrecognized (must be of type ConfigMap): ';
    expect([code, status.reason]).toEqual([400, 'BadRequest']);
    expect(status.message.startsWith(prefix), status.message).toBe(true);
    expect(status.message.slice(prefix.length)).toEqual(typeof why === 'string' ? why : expect.stringMatching(why));
  });

  test('that is long is quoted at its beginning only', async () => {
    expect((await post(`{"a": ${'x'.repeat(100)}`)).json.message).toMatch(/ \(\{"a": x{24} \.\.\.\)$/);
  });

  test('that is null or empty YAML is an object without a name', async () => {
    for (const [body, type] of [
      ['null', json],
      ['', 'application/yaml'],
      ['{}', json],
    ] as const)
      expect((await post(body, type)).json).toMatchObject({
        code: 422,
        message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
      });
  });

  test('in YAML is read as Go reads it, and keys given twice are told with their line', async () => {
    const text = (name: string) => `metadata: {name: ${name}}\ndata:\n  on: "1"\n  day: "x"\n  day: 2024-01-01\n`;
    const made = await post(text('y1'), 'application/yaml');
    expect(made.json.data).toEqual({ true: '1', day: '2024-01-01' });
    expect(made.headers['warning']).toBe('299 - "line 5: key \\"day\\" already set in map"');
    expect((await post(text('y2'), 'application/yaml', 'fieldValidation=Strict')).json).toMatchObject({
      code: 400,
      message:
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: line 5: key "day" already set in map',
    });
    const ignored = await post(text('y3'), 'application/yaml', 'fieldValidation=Ignore');
    expect([ignored.code, ignored.headers['warning']]).toEqual([201, undefined]);
  });
});

describe('a patch', () => {
  beforeEach(async () => {
    await ask(server, `${maps}/p`, { method: 'DELETE' });
    await ask(server, maps, { method: 'POST', body: { metadata: { name: 'p' }, data: { a: '1' } } });
  });
  const patch = (type: string, body: string, query = '') =>
    send('PATCH', `${maps}/p?${query}`, body, `application/${type}`);
  const [merge, strategic, apply, operations] = [
    'merge-patch+json',
    'strategic-merge-patch+json',
    'apply-patch+yaml',
    'json-patch+json',
  ];

  test.each([
    [merge, '', 'error decoding patch: unexpected end of JSON input'],
    [merge, '[]', 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}'],
    [strategic, '{', 'unexpected end of JSON input'],
    [strategic, '"x"', 'json: cannot unmarshal string into Go value of type map[string]interface {}'],
    [
      operations,
      '{}',
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    ],
    [
      operations,
      '[1]',
      'error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp',
    ],
    [
      operations,
      '[{"op":"add","path":1}]',
      'error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.path of type string',
    ],
    [
      apply,
      '[]',
      'error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}',
    ],
    [apply, '', 'incorrect version specified in apply patch. Specified patch version: , expected: v1'],
  ])('%s %j is refused', async (type, body, message) => {
    expect((await patch(type!, body, 'fieldManager=m')).json).toMatchObject({
      code: 400,
      reason: 'BadRequest',
      message,
    });
  });

  test('of YAML that is none is refused with its line', async () => {
    expect((await patch(apply!, 'a: 1\nb: [', 'fieldManager=m')).json.message).toMatch(
      /^error decoding YAML: error converting YAML to JSON: yaml: line 2: /,
    );
    // Flow-style YAML looks like JSON and is none.
    const flow = '{apiVersion: v1, kind: ConfigMap, metadata: {name: p}, data: {b: x}}';
    expect((await patch(apply!, flow, 'fieldManager=m')).json.data).toEqual({ a: '1', b: 'x' });
  });

  test('that gives a key twice, or one that is none, is warned about or refused as a whole', async () => {
    const twice = '{"data":{"b":"1","b":"2"},"x":1}';
    const warned = await patch(merge!, twice);
    expect(warned.headers['warning']).toBe('299 - "duplicate field \\"data.b\\"", 299 - "unknown field \\"x\\""');
    const refused = await patch(strategic!, twice, 'fieldValidation=Strict');
    expect(refused.json).toMatchObject({
      code: 422,
      details: {
        causes: [
          {
            field: 'patch',
            message:
              'Invalid value: "map[data:map[b:2] x:1]": strict decoding error: duplicate field "data.b", unknown field "x"',
          },
        ],
      },
    });
    const odd = '[{"op":"add","path":"/data/c","value":"1","foo":1,"op":"add"}]';
    expect((await patch(operations!, odd)).headers['warning']).toBe(
      '299 - "json patch unknown field \\"[0].foo\\"", 299 - "json patch duplicate field \\"[0].op\\""',
    );
    expect((await patch(operations!, odd, 'fieldValidation=Strict')).json.message).toContain(
      'strict decoding error: json patch unknown field "[0].foo", json patch duplicate field "[0].op"',
    );
    expect((await patch(operations!, odd, 'fieldValidation=Ignore')).headers['warning']).toBeUndefined();
  });

  test('that applies a key twice is told the line', async () => {
    const body = '{"apiVersion":"v1","kind":"ConfigMap",\n"metadata":{"name":"p"},"data":{"b":"1","b":"2"}}';
    const warned = await patch(apply!, body, 'fieldManager=m');
    expect([warned.json.data.b, warned.headers['warning']]).toEqual([
      '2',
      '299 - "line 2: key \\"b\\" already set in map"',
    ]);
    expect((await patch(apply!, body, 'fieldManager=m&fieldValidation=Strict')).json).toMatchObject({
      code: 400,
      message:
        'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 2: key "b" already set in map',
    });
  });

  test('that applies something else, or somewhere else, is refused', async () => {
    const config = (more: object) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', ...more });
    const refusal = async (more: object, name = 'p') =>
      (await send('PATCH', `${maps}/${name}?fieldManager=m`, config(more), 'application/apply-patch+yaml')).json;
    const typed = 'failed to create typed patch object';
    expect(await refusal({ metadata: 'x' })).toMatchObject({
      code: 500,
      message: `${typed} (/; /v1, Kind=ConfigMap): .metadata: expected map, got &{x}`,
    });
    expect((await refusal({ metadata: ['x'] })).message).toBe(
      `${typed} (/; /v1, Kind=ConfigMap): .metadata: expected map, got &{[x]}`,
    );
    expect((await refusal({ metadata: { name: 5 } })).message).toBe(
      `${typed} (default/5; /v1, Kind=ConfigMap): .metadata.name: expected string, got &value.valueUnstructured{Value:5}`,
    );
    expect(await refusal({ metadata: { name: 'p', namespace: 'other' } })).toMatchObject({
      code: 400,
      message: 'the namespace of the provided object does not match the namespace sent on the request',
    });
    expect((await refusal({ metadata: { name: 'q' } })).message).toBe(
      'the name of the object (q) does not match the name on the URL (p)',
    );
    expect(await refusal({ metadata: { name: 'new', uid: '1' } }, 'new')).toMatchObject({
      code: 409,
      message:
        'Operation cannot be fulfilled on configmaps "new": uid mismatch: the provided object specified uid 1, and no existing object was found',
    });
  });
});

describe('options', () => {
  const causes = async (method: string, path: string, body?: string) => {
    const { code, json: status } = await ask(server, path, { method, ...(body === undefined ? {} : { body }) });
    return [
      code,
      status.message.split(' ', 1)[0],
      ...status.details.causes.map((cause: { field: string; message: string }) => `${cause.field}: ${cause.message}`),
    ];
  };
  const fieldValidation = 'Unsupported value: "Foo": supported values: "", "Ignore", "Strict", "Warn"';

  test('of writing are those of the verb', async () => {
    const bad = 'dryRun=Some&fieldValidation=Foo';
    const expected = [
      'dryRun: Unsupported value: ["Some"]: supported values: "All"',
      `fieldValidation: ${fieldValidation}`,
    ];
    expect(await causes('POST', `${maps}?${bad}`)).toEqual([422, 'CreateOptions.meta.k8s.io', ...expected]);
    expect(await causes('PUT', `${maps}/x?${bad}`)).toEqual([422, 'UpdateOptions.meta.k8s.io', ...expected]);
    expect(await causes('PATCH', `${maps}/x?${bad}&force=true`)).toEqual([
      422,
      'PatchOptions.meta.k8s.io',
      'force: Forbidden: may not be specified for non-apply patch',
      ...expected,
    ]);
    expect(await causes('POST', `${maps}?fieldManager=${'x'.repeat(129)}`)).toEqual([
      422,
      'CreateOptions.meta.k8s.io',
      'fieldManager: Too long: may not be more than 128 bytes',
    ]);
    expect(await causes('POST', `${maps}?fieldManager=%C3%A9%07`)).toEqual([
      422,
      'CreateOptions.meta.k8s.io',
      'fieldManager: Invalid value: "é\\u0007": invalid character U+0007 (at position 2)',
    ]);
  });

  test('of deleting are read as strictly as objects: a wrong one deletes nothing', async () => {
    await ask(server, maps, { method: 'POST', body: { metadata: { name: 'kept' } } });
    const kept = `${maps}/kept`;
    const remove = async (body: string) => {
      const { code, json: status } = await ask(server, kept, { method: 'DELETE', body });
      return `${code} ${status.message}`;
    };
    const prefix = '400 DeleteOptions in version "v1" cannot be handled as a DeleteOptions: json: cannot unmarshal';
    expect(await remove('[]')).toMatch(/^400 the object provided is unrecognized \(must be of type DeleteOptions\)/);
    expect(await remove('{"dryRun":"All"}')).toBe(
      `${prefix} string into Go struct field DeleteOptions.dryRun of type []string`,
    );
    expect(await remove('{"gracePeriodSeconds":"x"}')).toBe(
      `${prefix} string into Go struct field DeleteOptions.gracePeriodSeconds of type int64`,
    );
    expect(await remove('{"preconditions":"x"}')).toBe(
      `${prefix} string into Go struct field DeleteOptions.preconditions of type v1.Preconditions`,
    );
    expect(await remove('{"kind":"Pod","apiVersion":"v1"}')).toBe(
      '400 Pod in version "v1" cannot be handled as a DeleteOptions',
    );
    expect(await causes('DELETE', kept, '{"propagationPolicy":"Sideways","dryRun":["None"]}')).toEqual([
      422,
      'DeleteOptions.meta.k8s.io',
      'propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"',
      'dryRun: Unsupported value: ["None"]: supported values: "All"',
    ]);
    expect(await causes('DELETE', kept, '{"propagationPolicy":"Orphan","orphanDependents":true}')).toEqual([
      422,
      'DeleteOptions.meta.k8s.io',
      'propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
    ]);
    const odd = await ask(server, kept, {
      method: 'DELETE',
      body: { apiVersion: 'policy/v1', kind: 'DeleteOptions', foo: 1, dryRun: ['All'] },
    });
    expect([odd.code, odd.headers['warning']]).toEqual([200, '299 - "unknown field \\"foo\\""']);
    expect((await ask(server, kept)).code).toBe(200);
  });

  test('of a collection are no less so', async () => {
    const { json: status } = await ask(server, `${maps}?labelSelector=a%3Db`, {
      method: 'DELETE',
      body: '{"dryRun":"All"}',
    });
    expect(status.message).toContain('DeleteOptions.dryRun of type []string');
  });

  test('of reading do not contradict each other', async () => {
    const field = 'resourceVersionMatch: ';
    const list = async (query: string) => (await causes('GET', `${maps}?${query}`)).slice(2);
    expect(await list('sendInitialEvents=true')).toEqual([
      'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    ]);
    expect(await list('resourceVersionMatch=Foo&resourceVersion=3')).toEqual([
      `${field}Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""`,
    ]);
    expect(await list('resourceVersionMatch=Exact&resourceVersion=0')).toEqual([
      `${field}Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"`,
    ]);
    expect(await list('resourceVersionMatch=Exact&continue=x')).toEqual([
      `${field}Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided`,
      `${field}Forbidden: resourceVersionMatch is forbidden when continue is provided`,
    ]);
    const message = async (query: string) => (await ask(server, `${maps}?${query}`)).json.message;
    expect(await message('continue=x&resourceVersion=3')).toBe(
      'specifying resource version is not allowed when using continue',
    );
    expect(await message('resourceVersion=-1')).toBe(
      'resourceVersion: Invalid value: "-1": strconv.ParseUint: parsing "-1": invalid syntax',
    );
    expect(await message('limit=x')).toContain('parameter limit: strconv.ParseInt: parsing "x": invalid syntax');
  });

  test('a watch without time ends at once', async () => {
    expect(await ask(server, `${maps}?watch=1&timeoutSeconds=-1`)).toMatchObject({ code: 200 });
  });
});

describe('what is posted to a pod', () => {
  const pods = '/api/v1/namespaces/default/pods';
  test('is read as its kind', async () => {
    await ask(server, pods, {
      method: 'POST',
      body: { metadata: { name: 'w' }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    });
    const refusal = async (subresource: string, body: object) =>
      (await ask(server, `${pods}/w/${subresource}`, { method: 'POST', body })).json.message;
    expect(await refusal('eviction', { deleteOptions: { dryRun: 'All' } })).toBe(
      'Eviction in version "v1" cannot be handled as a Eviction: json: cannot unmarshal string into Go struct field DeleteOptions.deleteOptions.dryRun of type []string',
    );
    expect(await refusal('eviction', { metadata: 'w' })).toContain(
      'Go struct field Eviction.metadata of type v1.ObjectMeta',
    );
    expect(await refusal('eviction', { apiVersion: 'v1', kind: 'Pod' })).toBe(
      'Pod in version "v1" cannot be handled as a Eviction: converting (v1.Pod) to (policy.Eviction): unknown conversion',
    );
    expect(await refusal('binding', { target: 'n1' })).toContain(
      'Go struct field Binding.target of type v1.ObjectReference',
    );
    expect(await refusal('binding', {})).toBe('Binding "w" is invalid: target.name: Required value');
    const odd = await ask(server, `${pods}/w/binding?dryRun=All`, {
      method: 'POST',
      body: { target: { name: 'n' }, foo: 1 },
    });
    expect([odd.code, odd.headers['warning']]).toEqual([201, '299 - "unknown field \\"foo\\""']);
  });
});

test('whoever writes is remembered by the name of the program, but for Berth itself', async () => {
  const managerOf = async (agent: string, query = '') => {
    const headers = { 'user-agent': agent };
    const made = await ask(server, `${maps}?${query}`, {
      method: 'POST',
      headers,
      body: { metadata: { generateName: 'by-' }, data: { a: 'b' } },
    });
    return made.json.metadata.managedFields?.[0].manager;
  };
  expect(await managerOf('curl/8.5')).toBe('curl');
  expect(await managerOf('my-operator/v2 (linux)')).toBe('my-operator');
  expect(await managerOf('curl/8.5', 'fieldManager=me')).toBe('me');
  expect(await managerOf('berth/1')).toBeUndefined();
});

describe('a review', () => {
  const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const review = async (body: string) => (await send('POST', reviews, body)).json;

  test('is read as its kind', async () => {
    const spec = { resourceAttributes: { verb: 'get', resource: 'pods' } };
    expect(await review(JSON.stringify({ spec }))).toMatchObject({
      kind: 'SelfSubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      spec,
      status: { allowed: true },
    });
    const prefix =
      'SelfSubjectAccessReview in version "v1" cannot be handled as a SelfSubjectAccessReview: json: cannot unmarshal';
    expect((await review('{"spec":{"resourceAttributes":{"verb":5}}}')).message).toBe(
      `${prefix} number into Go struct field ResourceAttributes.spec.resourceAttributes.verb of type string`,
    );
    for (const body of ['{"spec":null}', '{}', ''])
      expect((await review(body)).message, body).toMatch(body === '' ? /unexpected end of JSON/ : /exactly one of/);
    expect((await review('{"spec":{"resourceAttributes":{},"nonResourceAttributes":{}}}')).details.causes).toEqual([
      {
        reason: 'FieldValueInvalid',
        field: 'spec.nonResourceAttributes',
        message: 'Invalid value: {}: cannot be specified in combination with resourceAttributes',
      },
    ]);
  });
});

test.each([
  ['NONSENSE\r\n\r\n', 400, 'BadRequest', /^the request is no HTTP: /],
  [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431, 'RequestHeaderFieldsTooLarge', /too large/],
])('what is no HTTP is answered with a Status, too', async (text, code, reason, message) => {
  const socket = connect({ port: server.port, host: '127.0.0.1', ca: server.caPem });
  let answer = '';
  socket.on('data', chunk => {
    answer += chunk;
  });
  // What the server had not read any more may reset the connection behind its answer.
  socket.on('error', () => {});
  const closed = new Promise(resolve => socket.on('close', resolve));
  socket.write(text);
  await closed;
  expect(answer).toContain(`HTTP/1.1 ${code} `);
  expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({
    kind: 'Status',
    code,
    reason,
    message: expect.stringMatching(message),
  });
});
