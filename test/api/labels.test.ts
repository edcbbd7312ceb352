import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kind } from '#api/kind.ts';
import {
  compileLabelSelector,
  fieldMatcher,
  type Labels,
  labelSelectorMatches,
  parseFieldSelector,
  parseLabelSelector,
} from '#api/labels.ts';
import type { KubeObject } from '#api/object.ts';

const selects = (text: string, labels: Labels) => parseLabelSelector(text)(labels);

describe('label selector text', () => {
  it.each<[string, Labels, boolean]>([
    ['', {}, true],
    ['a=b', { a: 'b' }, true],
    ['a==b', { a: 'b' }, true],
    ['a=b', {}, false],
    ['a!=b', {}, true],
    ['a!=b', { a: 'b' }, false],
    [' a = b , c = d ', { a: 'b', c: 'd' }, true],
    ['a in (x, y)', { a: 'y' }, true],
    ['a in (x,y)', { a: 'z' }, false],
    ['a notin (x,y)', {}, true],
    ['a notin (x,y)', { a: 'x' }, false],
    ['a', { a: '' }, true],
    ['a', {}, false],
    ['!a', {}, true],
    ['!a', { a: '1' }, false],
    ['a=', { a: '' }, true],
    ['a in ()', { a: '' }, true],
    ['a in (,x)', { a: '' }, true],
    ['a>5', { a: '6' }, true],
    ['a<5', { a: '6' }, false],
    ['a>5', { a: 'x' }, false],
    ['in in (in,notin)', { in: 'notin' }, true],
    ['example.com/role=web,!gone', { 'example.com/role': 'web' }, true],
  ])('%j on %j: %s', (text, labels, expected) => {
    expect(selects(text, labels)).toBe(expected);
  });

  it.each([
    ['=a', "found '=', expected: !, identifier, or 'end of string'"],
    ['===', "found '==', expected: !, identifier, or 'end of string'"],
    ['a=b,', "found '', expected: identifier after ','"],
    ['a=b,=', "found '=', expected: identifier after ','"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['!!', "unable to parse requirement: found '!', expected: identifier"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a in', "unable to parse requirement: found '' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a in (b,', "unable to parse requirement: found '', expected: ',', or identifier"],
    ['a in (=', "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
    [
      'a>x',
      `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
    ['/a=b', 'unable to parse requirement: <nil>: Invalid value: "/a": prefix part must be non-empty'],
  ])('refuses %j', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ code: 400, message }));
  });

  it('names the label of a bad value', () => {
    expect(() => parseLabelSelector('app=-x')).toThrow(
      /^unable to parse requirement: values\[0\]\[app\]: Invalid value: "-x": a valid label must be/,
    );
  });

  it('never throws anything but a 400 whatever the text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab !=(),<>in]{0,12}$/), text => {
        try {
          parseLabelSelector(text)({ a: 'b' });
        } catch (error) {
          expect(error).toMatchObject({ code: 400 });
        }
      }),
    );
  });
});

describe('LabelSelector', () => {
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['a', 'b'] },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  };

  it('ANDs labels and expressions', () => {
    expect(labelSelectorMatches(selector, { app: 'web', tier: 'b' })).toBe(true);
    expect(labelSelectorMatches(selector, { app: 'web', tier: 'c' })).toBe(false);
    expect(labelSelectorMatches(selector, { app: 'web', tier: 'a', old: '' })).toBe(false);
  });

  it('selects nothing when absent and everything when empty', () => {
    expect(labelSelectorMatches(undefined, {})).toBe(false);
    expect(labelSelectorMatches({}, undefined)).toBe(true);
    expect(compileLabelSelector(undefined)({})).toBe(false);
    expect(compileLabelSelector({})(undefined)).toBe(true);
  });

  it('compiled and interpreted forms agree', () => {
    const label = fc.constantFrom('a', 'b', 'c');
    const labels = fc.dictionary(label, label, { noNullPrototype: true });
    const expression = fc.oneof(
      fc.record({
        key: label,
        operator: fc.constantFrom('In', 'NotIn'),
        values: fc.array(label, { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ key: label, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
    );
    const anySelector = fc.record({ matchLabels: labels, matchExpressions: fc.array(expression, { maxLength: 3 }) });
    fc.assert(
      fc.property(anySelector, labels, (given, has) => {
        expect(compileLabelSelector(given)(has)).toBe(labelSelectorMatches(given, has));
      }),
    );
  });
});

describe('field selector', () => {
  const podLike = { selectable: { 'spec.nodeName': () => 'n1' } } as unknown as Kind;
  const plain = { selectable: {} } as unknown as Kind;
  const object: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } };
  const matches = (kind: Kind, text: string) => fieldMatcher(kind, parseFieldSelector(text))(object);

  it.each([
    ['metadata.name=p', true],
    ['metadata.name==p,spec.nodeName=n1', true],
    ['metadata.name!=p', false],
    ['metadata.namespace=', true],
    ['spec.nodeName!=,metadata.name=p', true],
    ['', true],
    ['metadata.name=a\\,b', false],
  ])('%j: %s', (text, expected) => {
    expect(matches(podLike, text)).toBe(expected);
  });

  it('refuses unknown fields as upstream does', () => {
    expect(() => matches(podLike, 'foo=1')).toThrow(
      expect.objectContaining({ code: 400, message: 'field label not supported: foo' }),
    );
    expect(() => matches(plain, 'foo=1')).toThrow(
      '"foo" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
    expect(() => matches(podLike, 'constructor=1')).toThrow('field label not supported: constructor');
  });

  it('refuses text that is no comparison', () => {
    expect(() => parseFieldSelector('a=b,foo')).toThrow("invalid selector: 'a=b,foo'; can't understand 'foo'");
    expect(() => parseFieldSelector('a=\\x')).toThrow('invalid escape sequence');
  });

  it('reads escaped values', () => {
    expect(parseFieldSelector('a=x\\,y\\=z\\\\,b!=')).toEqual([
      { field: 'a', operator: '=', value: 'x,y=z\\' },
      { field: 'b', operator: '!=', value: '' },
    ]);
  });
});
