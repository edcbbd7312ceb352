import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  differenceOf,
  type FieldSet,
  intersectionOf,
  isEmptySet,
  keyElement,
  parseFieldsV1,
  pathsOf,
  pathText,
  unionOf,
} from '#api/patch/fieldset.ts';

const texts = (set: FieldSet) => new Set(pathsOf(set).map(pathText));

/** The obviously right model: a set of paths. */
const fromPaths = (paths: readonly (readonly string[])[]): FieldSet => {
  const root: Record<string, unknown> = {};
  for (const path of paths) {
    let node = root;
    for (const element of path) {
      node[element] ??= {};
      node = node[element] as Record<string, unknown>;
    }
    node['.'] = {};
  }
  return root as FieldSet;
};

const path = fc.array(fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'v:1'), { minLength: 1, maxLength: 3 });
const paths = fc.array(path, { maxLength: 6 });

describe('field sets', () => {
  it('are sets: union, difference and intersection of paths', () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        const left = fromPaths(a);
        const right = fromPaths(b);
        const [l, r] = [texts(left), texts(right)];
        expect(texts(unionOf(left, right))).toEqual(l.union(r));
        expect(texts(differenceOf(left, right))).toEqual(l.difference(r));
        expect(texts(intersectionOf(left, right))).toEqual(l.intersection(r));
        expect(isEmptySet(differenceOf(left, left))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('read a leaf and a node with a dot alike', () => {
    expect(texts({ 'f:a': {}, 'f:b': { '.': {}, 'f:c': {} }, 'f:d': { 'f:e': {} } })).toEqual(
      new Set(['.a', '.b', '.b.c', '.d.e']),
    );
  });

  it('write paths as conflicts name them', () => {
    expect(pathText(['f:spec', keyElement({ protocol: 'TCP', containerPort: 80 }), 'v:"x"', 'i:3'])).toBe(
      '.spec[containerPort=80,protocol="TCP"][="x"][3]',
    );
  });

  it('are refused when ill-formed', () => {
    for (const bad of [5, null, [], { a: {} }, { 'f:a': 1 }, { 'k:x': {} }, { 'v:': {} }, { 'i:x': {} }])
      expect(parseFieldsV1(bad)).toBeUndefined();
    expect(parseFieldsV1({ 'f:a': { '.': {}, 'k:{"n":1}': {}, 'v:true': {}, 'i:0': {} } })).toBeDefined();
  });
});
