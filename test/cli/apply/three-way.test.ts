import { describe, expect, test } from 'vitest';
import type { MergeSchema } from '#cli/apply/schemas.ts';
import { plainSchema } from '#cli/apply/schemas.ts';
import { threeWayPatch } from '#cli/apply/three-way.ts';

const schema = (fields: Record<string, MergeSchema>, more: Partial<MergeSchema> = {}): MergeSchema => ({
  mergeKey: undefined,
  retainKeys: false,
  ...more,
  below: field => (field === undefined ? (fields['[]'] ?? plainSchema) : (fields[field] ?? plainSchema)),
});
const env = schema({}, { mergeKey: 'name' });
const containers = schema({ '[]': schema({ env }) }, { mergeKey: 'name' });
const finalizers = schema({}, { mergeKey: '' });
const volumes = schema({ '[]': plainSchema }, { mergeKey: 'name', retainKeys: true });
const strategy = schema({}, { retainKeys: true });
const kind = schema({ containers, finalizers, volumes, strategy });

describe('three-way patch', () => {
  test('what is already so needs nothing', () => {
    const object = { a: 1, containers: [{ name: 'x', image: 'i' }], list: [1, 2] };
    const live = { ...object, status: 'set by others', containers: [{ name: 'x', image: 'i', pulled: true }] };
    expect(threeWayPatch(object, object, live, kind)).toEqual({});
  });
  test('dropped fields are removed, stated ones set, those of others left', () => {
    expect(threeWayPatch({ a: 1, b: 2 }, { a: 5 }, { a: 1, b: 2, c: 3 }, kind)).toEqual({ a: 5, b: null });
  });
  test('without a last state nothing is removed', () => {
    expect(threeWayPatch(undefined, { a: 1 }, { a: 1, b: 2 }, kind)).toEqual({});
  });
  test('items of keyed lists are changed, added and deleted by key', () => {
    const was = {
      containers: [
        { name: 'x', image: '1' },
        { name: 'gone', image: '1' },
      ],
    };
    const now = {
      containers: [
        { name: 'x', image: '2' },
        { name: 'new', image: '1' },
      ],
    };
    const live = {
      containers: [
        { name: 'x', image: '1' },
        { name: 'gone', image: '1' },
        { name: 'injected', image: '9' },
      ],
    };
    expect(threeWayPatch(was, now, live, kind)).toEqual({
      containers: [
        { name: 'x', image: '2' },
        { name: 'new', image: '1' },
        { name: 'gone', $patch: 'delete' },
      ],
      '$setElementOrder/containers': [{ name: 'x' }, { name: 'new' }],
    });
  });
  test('a new order of a keyed list is a change', () => {
    const list = (...names: string[]) => ({ containers: names.map(name => ({ name })) });
    expect(threeWayPatch(list('a', 'b'), list('b', 'a'), list('a', 'b'), kind)).toEqual({
      '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
    });
  });
  test('keyed lists nest', () => {
    const container = (...variables: [string, string][]) => ({
      containers: [{ name: 'x', env: variables.map(([name, value]) => ({ name, value })) }],
    });
    expect(
      threeWayPatch(container(['A', '1'], ['B', '2']), container(['A', '9']), container(['A', '1'], ['B', '2']), kind),
    ).toEqual({
      containers: [
        {
          name: 'x',
          env: [
            { name: 'A', value: '9' },
            { name: 'B', $patch: 'delete' },
          ],
          '$setElementOrder/env': [{ name: 'A' }],
        },
      ],
      '$setElementOrder/containers': [{ name: 'x' }],
    });
  });
  test('sets of scalars say what goes and what comes', () => {
    const patch = threeWayPatch(
      { finalizers: ['x', 'y'] },
      { finalizers: ['x', 'z'] },
      { finalizers: ['x', 'y', 'theirs'] },
      kind,
    );
    expect(patch).toEqual({
      finalizers: ['z'],
      '$deleteFromPrimitiveList/finalizers': ['y'],
      '$setElementOrder/finalizers': ['x', 'z'],
    });
  });
  test('a mapping of alternatives names the fields that stay', () => {
    const patch = threeWayPatch(
      { strategy: { type: 'RollingUpdate', rollingUpdate: {} } },
      { strategy: { type: 'Recreate' } },
      { strategy: { type: 'RollingUpdate', rollingUpdate: {} } },
      kind,
    );
    expect(patch).toEqual({ strategy: { type: 'Recreate', rollingUpdate: null, $retainKeys: ['type'] } });
  });
  test('without a schema lists are whole', () => {
    expect(threeWayPatch({ l: [1] }, { l: [1, 2] }, { l: [1, 3] }, undefined)).toEqual({ l: [1, 2] });
  });
});
