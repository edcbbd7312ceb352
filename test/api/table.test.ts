import { describe, expect, it } from 'vitest';
import type { Kind } from '#api/kind.ts';
import { type ConfigMap, configMapKind } from '#api/kinds/core.ts';
import { parseIncludeObject, tableOf } from '#api/table.ts';

const nowMs = Date.parse('2026-11-21T20:00:00Z');
const map = (name: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, resourceVersion: '7', creationTimestamp: '2026-11-21T19:59:00Z' },
  data: { a: '1' },
});

describe('tableOf', () => {
  it('shows a list: a cell per column, the object in short, the revision of the list', () => {
    const table = tableOf(configMapKind, [map('a'), map('b')], {
      nowMs,
      metadata: { resourceVersion: '9', continue: 'c' },
    });
    expect(table).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: '9', continue: 'c' },
    });
    expect(table.columnDefinitions?.[0]).toEqual({
      name: 'Name',
      type: 'string',
      format: 'name',
      description: expect.any(String),
      priority: 0,
    });
    expect(table.rows[1]).toEqual({
      cells: ['b', 1, '60s'],
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: map('b').metadata },
    });
  });

  it('shows one object with its own revision, and as much of it as asked for', () => {
    expect(tableOf(configMapKind, [map('a')], { nowMs }).metadata).toEqual({ resourceVersion: '7' });
    expect(tableOf(configMapKind, [map('a')], { nowMs, includeObject: 'Object' }).rows[0]?.object).toEqual(map('a'));
    expect(tableOf(configMapKind, [map('a')], { nowMs, includeObject: 'None' }).rows[0]?.object).toBeNull();
    expect(tableOf(configMapKind, [], { nowMs })).toMatchObject({ metadata: {}, rows: [] });
    expect(tableOf(configMapKind, [map('a')], { nowMs, columnDefinitions: false }).columnDefinitions).toBeNull();
  });

  it('shows name and age of kinds without columns', () => {
    const plain: Kind<ConfigMap> = { ...configMapKind, columns: [] };
    expect(tableOf(plain, [map('a')], { nowMs }).rows[0]?.cells).toEqual(['a', '60s']);
  });

  it('knows the values of includeObject', () => {
    expect([undefined, '', 'Metadata', 'None', 'Object'].map(parseIncludeObject)).toEqual([
      'Metadata',
      'Metadata',
      'Metadata',
      'None',
      'Object',
    ]);
    expect(() => parseIncludeObject('Some')).toThrow(expect.objectContaining({ code: 400 }));
  });
});
