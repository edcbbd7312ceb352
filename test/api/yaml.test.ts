import { describe, expect, test } from 'vitest';
import { decodeYaml } from '#api/yaml.ts';

const value = (text: string) => decodeYaml(text).value;

describe('YAML as Go reads it for Kubernetes', () => {
  test('scalars are those of version 1.1, but times stay texts', () => {
    expect(
      value('{a: yes, b: off, c: 0644, d: 1_000, e: 0x1f, f: ~, g: 2024-01-01, h: 1:30, i: "yes", j: 1e3, k: .5}'),
    ).toEqual({
      a: true,
      b: false,
      c: 420,
      d: 1000,
      e: 31,
      f: null,
      g: '2024-01-01',
      h: '1:30',
      i: 'yes',
      j: 1000,
      k: 0.5,
    });
  });

  test('anchors and merge keys are followed, within bounds', () => {
    expect(value('a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2')).toEqual({ a: { b: 1 }, c: { b: 1 }, d: { b: 1, e: 2 } });
    const bomb = [
      'a0: &a0 [x]',
      ...Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`)}]`),
    ];
    expect(() => value(bomb.join('\n'))).toThrow('yaml: document contains excessive aliasing');
  });

  test('a key that stands twice is reported, its last value counts', () => {
    expect(decodeYaml('a: 1\nb: {c: 1, "c": 2}\na: 3')).toEqual({
      value: { a: 3, b: { c: 2 } },
      duplicateKeys: ['line 2: key "c" already set in map', 'line 3: key "a" already set in map'],
    });
  });

  test.each([
    ['a: [', /^yaml: line 1: /],
    ['a:\n\t- b', /^yaml: line 2: .*[Tt]abs?/],
    ['a: 1\n---\nb: 2', /^yaml: line 2: more than one document$/],
    ['a: *nope', /nope/],
  ])('%j is refused in one line', (text, message) => {
    expect(() => value(text)).toThrow(message);
    expect(() => value(text)).not.toThrow(/\n/);
  });

  test('so is what is nested too deeply', () => {
    expect(() => value(`a: ${'['.repeat(50_000)}`)).toThrow(/^yaml: line 1: it is nested too deeply$/);
  });

  test('nothing is nothing', () => {
    expect([value(''), value('# only a comment'), value('---\n')]).toEqual([null, null, null]);
  });
});
