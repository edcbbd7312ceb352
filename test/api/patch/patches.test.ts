import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { podKind } from '#api/kinds/core.ts';
import { jsonPatch } from '#api/patch/json.ts';
import { mergePatch } from '#api/patch/merge.ts';
import { strategicPatch } from '#api/patch/strategic.ts';
import { listBy, listOf, nodeOf, type SchemaNode, setOf, string, struct } from '#api/schema.ts';
import { deepFreeze } from '#base/deep.ts';
import { anyPod } from './pod-arbitrary.ts';
import { twoWayPatch } from './two-way.ts';

const podSchema = nodeOf(podKind.schema);
const any: SchemaNode = {};

describe('JSON patch', () => {
  const target = deepFreeze({ a: { b: [1, 2], 'x/y': 0 }, n: null });

  it.each<[object[], object]>([
    [[{ op: 'add', path: '/a/b/1', value: 9 }], { a: { b: [1, 9, 2], 'x/y': 0 }, n: null }],
    [[{ op: 'add', path: '/a/b/-', value: 9 }], { a: { b: [1, 2, 9], 'x/y': 0 }, n: null }],
    [[{ op: 'replace', path: '/a/x~1y', value: 1 }], { a: { b: [1, 2], 'x/y': 1 }, n: null }],
    [[{ op: 'remove', path: '/a/b/0' }], { a: { b: [2], 'x/y': 0 }, n: null }],
    [[{ op: 'move', from: '/a/b', path: '/c' }], { a: { 'x/y': 0 }, n: null, c: [1, 2] }],
    [[{ op: 'copy', from: '/a/b/0', path: '/c' }], { a: { b: [1, 2], 'x/y': 0 }, n: null, c: 1 }],
    [[{ op: 'test', path: '/a/b', value: [1, 2] }], target],
    [[{ op: 'test', path: '/gone', value: null }], target],
    [[{ op: 'replace', path: '', value: { z: 1 } }], { z: 1 }],
    // What the library of real API servers allows beyond the RFC.
    [[{ op: 'replace', path: '/new', value: 1 }], { ...target, new: 1 }],
    [[{ op: 'add', path: '/new' }], { ...target, new: null }],
    [[{ op: 'add', path: '/a/b/-1', value: 9 }], { a: { b: [1, 2, 9], 'x/y': 0 }, n: null }],
    [[{ op: 'remove', path: '/a/b/-1' }], { a: { b: [1], 'x/y': 0 }, n: null }],
    [[{ op: 'copy', from: '/zz', path: '/c' }], { ...target, c: null }],
  ])('%j', (patch, expected) => {
    expect(jsonPatch(any, target, patch)).toEqual(expected);
  });

  it.each<[unknown, number, string]>([
    [{ op: 'add' }, 400, 'cannot unmarshal object'],
    [[5], 400, 'it is no object'],
    [[{ op: 'test', path: '/a/b/0', value: 2 }], 422, 'testing value /a/b/0 failed: test failed'],
    [
      [{ op: 'remove', path: '/zz' }],
      422,
      "error in remove for path: '/zz': Unable to remove nonexistent key: zz: missing value",
    ],
    [
      [{ op: 'remove', path: '/zz/y' }],
      422,
      'remove operation does not apply: doc is missing path: "/zz/y": missing value',
    ],
    [
      [{ op: 'remove', path: '/a/b/2' }],
      422,
      "error in remove for path: '/a/b/2': Unable to access invalid index: 2: invalid index referenced",
    ],
    [
      [{ op: 'remove', path: '/a/b/x' }],
      422,
      `error in remove for path: '/a/b/x': strconv.Atoi: parsing "x": invalid syntax`,
    ],
    [
      [{ op: 'replace', path: '/zz/y', value: 1 }],
      422,
      'replace operation does not apply: doc is missing path: /zz/y: missing value',
    ],
    [
      [{ op: 'replace', path: '/a/b/2', value: 1 }],
      422,
      'replace operation does not apply: doc is missing key: /a/b/2: missing value',
    ],
    [
      [{ op: 'add', path: '/zz/y', value: 1 }],
      422,
      'add operation does not apply: doc is missing path: "/zz/y": missing value',
    ],
    [
      [{ op: 'add', path: '/a/b/7', value: 1 }],
      422,
      "error in add for path: '/a/b/7': Unable to access invalid index: 7: invalid index referenced",
    ],
    [
      [{ op: 'add', path: '/a/b/-9', value: 1 }],
      422,
      "error in add for path: '/a/b/-9': Unable to access invalid index: -9: invalid index referenced",
    ],
    [
      [{ op: 'add', path: '/a/b/x', value: 1 }],
      422,
      `error in add for path: '/a/b/x': value was not a proper array index: 'x': strconv.Atoi: parsing "x": invalid syntax`,
    ],
    [[{ op: 'add', path: '/a/b/0/c', value: 1 }], 422, 'doc is missing path'],
    [[{ op: 'frob', path: '/a' }], 422, 'Unexpected kind: frob'],
    [[{ path: '/a' }], 422, 'Unexpected kind: unknown'],
    [[{ op: 'constructor', path: '/a' }], 422, 'Unexpected kind: constructor'],
    [[{ op: 'add' }], 422, 'add operation failed to decode path: missing value'],
    [[{ op: 'move', path: '/a' }], 422, 'move operation failed to decode from: missing value'],
    [
      [{ op: 'add', path: 'a', value: 1 }],
      422,
      'add operation does not apply: doc is missing path: "a": missing value',
    ],
    [[{ op: 'add', path: '/__proto__/x', value: 1 }], 422, 'not allowed'],
    [
      [{ op: 'copy', from: '/zz/y', path: '/a' }],
      422,
      'copy operation does not apply: doc is missing from path: /zz/y: missing value',
    ],
    [
      [{ op: 'copy', from: '/a', path: '/zz/y' }],
      422,
      'copy operation does not apply: doc is missing destination path: /zz/y: missing value',
    ],
    [
      [{ op: 'move', from: '/zz', path: '/a' }],
      422,
      "error in move for path: 'zz': Unable to remove nonexistent key: zz: missing value",
    ],
    [
      [{ op: 'test', path: '/zz/y', value: 1 }],
      422,
      'test operation does not apply: is missing path: /zz/y: missing value',
    ],
    [[{ op: 'test', path: '', value: {} }], 422, 'testing value  failed: test failed'],
    [[{ op: 'remove', path: '' }], 422, 'doc is missing path: ""'],
    [[{ op: 'replace', path: '', value: [] }], 422, 'no object'],
  ])('refuses %j', (patch, code, message) => {
    expect(() => jsonPatch(any, target, patch)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  it('bounds operations and copies', () => {
    const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/n', value: null }));
    expect(() => jsonPatch(any, target, many)).toThrow(expect.objectContaining({ code: 413 }));
    const doubling = Array.from({ length: 64 }, (_, i) => ({ op: 'copy', from: '/a', path: `/a/c${i}` }));
    expect(() => jsonPatch(any, target, doubling)).toThrow('accumulated size increase of copy');
  });
});

describe('JSON merge patch', () => {
  it.each<[object, object, object]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('RFC 7396: %j + %j', (target, patch, expected) => {
    expect(mergePatch(any, deepFreeze(target), deepFreeze(patch))).toEqual(expected);
  });

  it('refuses a patch that is no object', () => {
    expect(() => mergePatch(any, {}, [1])).toThrow(expect.objectContaining({ code: 400 }));
  });

  it('changes nothing when applied a second time', () => {
    const value = fc.object({ maxDepth: 3 });
    fc.assert(
      fc.property(value, value, (target, patch) => {
        const once = mergePatch(any, target, patch);
        expect(mergePatch(any, once, patch)).toEqual(once);
      }),
    );
  });
});

describe('strategic merge patch', () => {
  const port = struct('Port', '', { containerPort: string('') }, {});
  const env = struct('Env', '', { name: string('') }, { value: string('') });
  const container = struct(
    'Container',
    '',
    { name: string('') },
    {
      image: string(''),
      env: listBy(env, { mergeKey: 'name' }, ''),
      args: listOf(string(''), ''),
      ports: listBy(port, { mergeKey: 'containerPort' }, ''),
    },
  );
  const volume = struct('Volume', '', { name: string('') }, {});
  const schema = nodeOf(
    struct(
      'Root',
      '',
      {},
      {
        containers: listBy(container, { mergeKey: 'name' }, ''),
        volumes: listBy(volume, { mergeKey: 'name', retainKeys: true }, ''),
        finalizers: setOf(string(''), ''),
        tolerations: listOf(string(''), ''),
      },
    ),
  );
  const apply = (target: object, patch: object) => strategicPatch(schema, deepFreeze(target), deepFreeze(patch));

  it('merges maps and keyed lists, replaces others, null deletes', () => {
    expect(
      apply(
        { containers: [{ name: 'a', image: '1', args: ['x', 'y'], env: [{ name: 'E', value: '1' }] }], x: 1 },
        { containers: [{ name: 'a', args: ['z'], env: [{ name: 'F' }, { name: 'E', value: null }] }], x: null },
      ),
    ).toEqual({ containers: [{ name: 'a', image: '1', args: ['z'], env: [{ name: 'F' }, { name: 'E' }] }] });
  });

  it('puts new elements first unless told the order', () => {
    const target = { containers: [{ name: 'a' }, { name: 'b' }] };
    const names = (patch: object) =>
      (apply(target, patch) as { containers: { name: string }[] }).containers.map(c => c.name).join('');
    expect(names({ containers: [{ name: 'c' }] })).toBe('cab');
    const order = (...list: string[]) => list.map(name => ({ name }));
    expect(names({ '$setElementOrder/containers': order('a', 'b', 'c'), containers: [{ name: 'c' }] })).toBe('abc');
    expect(names({ '$setElementOrder/containers': order('b', 'a') })).toBe('ba');
    expect(names({ '$setElementOrder/containers': order('b') })).toBe('ab');
  });

  it('deletes, replaces and retains as directives say', () => {
    const target = {
      containers: [{ name: 'a' }, { name: 'b' }],
      finalizers: ['x', 'y'],
      strategy: { type: 'R', roll: 1 },
    };
    expect(apply(target, { containers: [{ $patch: 'delete', name: 'a' }] })).toMatchObject({
      containers: [{ name: 'b' }],
    });
    expect(apply(target, { containers: [{ $patch: 'replace' }, { name: 'z' }] })).toMatchObject({
      containers: [{ name: 'z' }],
    });
    expect(apply(target, { strategy: { $patch: 'replace', type: 'S' } })).toMatchObject({ strategy: { type: 'S' } });
    expect(apply(target, { strategy: { $retainKeys: ['type'], type: 'S' } })).toEqual({
      ...target,
      strategy: { type: 'S' },
    });
    expect(apply(target, { '$deleteFromPrimitiveList/finalizers': ['x'], finalizers: ['z', 'y'] })).toMatchObject({
      finalizers: ['z', 'y'],
    });
    expect(apply(target, { strategy: { $patch: 'delete' }, other: { $patch: 'delete' } })).toEqual({
      ...target,
      strategy: {},
    });
  });

  it('leaves no directive and no null in what it adds', () => {
    expect(
      apply(
        {},
        {
          containers: [
            { name: 'a', image: null, '$setElementOrder/env': [], $retainKeys: ['name'] },
            { $patch: 'delete', name: 'q' },
          ],
        },
      ),
    ).toEqual({ containers: [{ name: 'a' }] });
  });

  it.each<[object, string]>([
    [{ containers: [{ image: 'x' }] }, 'does not contain declared merge key: name'],
    [{ containers: [{ $patch: 'frob', name: 'a' }] }, 'unknown patch type: frob'],
    [{ x: { $patch: 'frob' }, s: { $retainKeys: 5 } }, 'invalid patch format of retainKeys'],
    [{ s: { $retainKeys: ['a'], b: 1 } }, 'invalid patch format of retainKeys'],
    [{ '$deleteFromPrimitiveList/finalizers': 'x' }, 'invalid patch format of primitive list'],
    [
      { '$setElementOrder/containers': [{ name: 'a' }], containers: [{ name: 'a' }, { name: 'n' }] },
      "doesn't match $setElementOrder list",
    ],
    [{ containers: ['a'] }, 'but received "a"'],
  ])('refuses %j', (patch, message) => {
    expect(() => apply({ containers: [{ name: 'a' }], s: { a: 1 }, finalizers: ['x'] }, patch)).toThrow(
      expect.objectContaining({ code: 400, message: expect.stringContaining(message) }),
    );
  });

  it('does all directives of one kubectl apply at once', () => {
    const template = nodeOf(
      struct(
        'Deployment',
        '',
        {},
        {
          metadata: struct('Meta', '', {}, { finalizers: setOf(string(''), '') }),
          spec: struct(
            'Spec',
            '',
            {},
            {
              strategy: struct('Strategy', '', {}, {}),
              template: struct(
                'Template',
                '',
                {},
                {
                  spec: struct(
                    'PodSpec',
                    '',
                    {},
                    {
                      containers: listBy(container, { mergeKey: 'name' }, ''),
                      volumes: listBy(volume, { mergeKey: 'name', retainKeys: true }, ''),
                      tolerations: listOf(string(''), ''),
                    },
                  ),
                },
              ),
            },
          ),
        },
      ),
    );
    const live = {
      metadata: { name: 'd', finalizers: ['a.io/x', 'a.io/y'] },
      spec: {
        replicas: 3,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
        template: {
          spec: {
            containers: [
              {
                name: 'a',
                image: 'x:1',
                env: [
                  { name: 'A', value: '1' },
                  { name: 'B', value: '2' },
                ],
              },
              { name: 'b', image: 'y:1' },
            ],
            tolerations: [
              { key: 'a', operator: 'Exists' },
              { key: 'b', operator: 'Exists' },
            ],
            volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }],
          },
        },
      },
    };
    const patch = {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['a.io/y'], '$setElementOrder/finalizers': ['a.io/x'] },
      spec: {
        strategy: { $retainKeys: ['type'], rollingUpdate: null, type: 'Recreate' },
        template: {
          spec: {
            '$setElementOrder/containers': [{ name: 'a' }, { name: 'c' }],
            '$setElementOrder/volumes': [{ name: 'v' }],
            containers: [
              {
                '$setElementOrder/env': [{ name: 'A' }],
                env: [
                  { name: 'A', value: '9' },
                  { $patch: 'delete', name: 'B' },
                ],
                name: 'a',
              },
              { image: 'z:1', name: 'c' },
              { $patch: 'delete', name: 'b' },
            ],
            tolerations: [{ key: 'a', operator: 'Exists' }],
            volumes: [{ $retainKeys: ['configMap', 'name'], configMap: { name: 'c' }, emptyDir: null, name: 'v' }],
          },
        },
      },
    };
    expect(strategicPatch(template, deepFreeze(live), deepFreeze(patch))).toEqual({
      metadata: { name: 'd', finalizers: ['a.io/x'] },
      spec: {
        replicas: 3,
        strategy: { type: 'Recreate' },
        template: {
          spec: {
            containers: [
              { name: 'a', image: 'x:1', env: [{ name: 'A', value: '9' }] },
              { name: 'c', image: 'z:1' },
            ],
            tolerations: [{ key: 'a', operator: 'Exists' }],
            volumes: [{ name: 'v', configMap: { name: 'c' } }],
          },
        },
      },
    });
  });

  it('turns any pod into any other with the patch that kubectl would send, order included', () => {
    fc.assert(
      fc.property(anyPod, anyPod, (from, to) => {
        const patch = twoWayPatch(podSchema, from, to);
        expect(strategicPatch(podSchema, deepFreeze(from), deepFreeze(patch))).toEqual(to);
      }),
      { numRuns: 500 },
    );
  });
});
