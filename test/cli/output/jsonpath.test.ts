import { describe, expect, test } from 'vitest';
import { findValues, renderTemplate } from '#cli/output/jsonpath.ts';
import { parseRelaxedPath, parseTemplate } from '#cli/output/jsonpath-parse.ts';

const root = {
  kind: 'List',
  items: [
    { name: 'a', size: 1, labels: { 'x.y/z': 'dot', app: 'web' }, ports: [{ p: 80 }, { p: 443 }], ready: true },
    { name: 'b', size: 10, labels: { app: 'db' }, ports: [], ready: false },
    { name: 'c', size: 3, labels: {}, ports: [{ p: 22 }] },
  ],
};
const render = (template: string) => renderTemplate(parseTemplate(template), root);

test('objects are printed with their keys in order, as Go does', () => {
  const object = { b: { d: 1, c: '<&>' }, a: null };
  expect(renderTemplate(parseTemplate('{.b}'), object)).toBe('{"c":"\\u003c\\u0026\\u003e","d":1}');
});

test('faults name the template', () => {
  expect(() => parseTemplate('{.a')).toThrow('error parsing jsonpath {.a, unclosed action');
  expect(() => render('{.items[7]}')).toThrow('error executing jsonpath "{.items[7]}": Error executing template: ');
});

describe('JSONPath templates', () => {
  test.each([
    ['{.kind}', 'List'],
    ['kind is {.kind}!', 'kind is List!'],
    ['{$.items[0].name}', 'a'],
    ['{.items[*].name}', 'a b c'],
    ['{.items[-1].name}', 'c'],
    ['{.items[0:2].name}', 'a b'],
    ['{.items[::2].name}', 'a c'],
    ['{.items[0,2].name}', 'a c'],
    ["{.items[0]['name','size']}", 'a 1'],
    ['{.items[0].labels.x\\.y/z}', 'dot'],
    ["{.items[0].labels['x\\.y/z']}", 'dot'],
    ['{..p}', '80 443 22'],
    ['{.items[?(@.name=="b")].size}', '10'],
    ["{.items[?(@.name=='b')].size}", '10'],
    ['{.items[?(@.size>2)].name}', 'b c'],
    ['{.items[?(@.size<=3)].name}', 'a c'],
    ['{.items[?(@.name!="a")].name}', 'b c'],
    ['{.items[?(@.ready==true)].name}', 'a'],
    ['{.items[?(@.ready)].name}', 'a b'],
    ['{.items[?(@.labels.app=="web")].ports[*].p}', '80 443'],
    ['{range .items[*]}{.name}={.size}{"\\n"}{end}', 'a=1\nb=10\nc=3\n'],
    ['{range .items[*]}{.name}:{range .ports[*]}{.p},{end};{end}', 'a:80,443,;b:;c:22,;'],
    ['{.items[1].labels}', '{"app":"db"}'],
    ['{.items[0].ready}', 'true'],
    ['{.nope.at.all}', ''],
    ['{"quoted}"}', 'quoted}'],
    ["{.items[0]['labels.app','name']}", 'web a'],
    ["{.items[*]['name','size']}", 'a b c 1 10 3'],
    ['{"a" "b"}', 'b'],
    ['{.kind .items}', ''],
    ['{1}{true}', '1true'],
    ['{.}', ''],
    ['{.items[0:0].name}', ''],
    ['{.items[?(@.labels.app)].name}', 'a b'],
    ['{.items[0].labels.*}', 'web dot'],
    ['{.items[0].ports}', '[{"p":80},{"p":443}]'],
  ])('%s', (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  test.each([
    ['{.a', 'unclosed action'],
    ['{.a[0}', 'unterminated array'],
    ['{range .items[*]}{.name}', 'no matching {end}'],
    ['{end}', 'not in range'],
    ['{.items[x]}', 'invalid array index x'],
    ['{.items[5].name}', 'array index out of bounds: index 5, length 3'],
    ['{"open}', 'un'],
    ['{.items[0:9]}', 'array index out of bounds: index 8, length 3'],
    ['{.items[-4]}', 'array index out of bounds: index -1, length 3'],
    ['{.items[2:1]}', 'starting index 2 is greater than ending index 1'],
    ['{.kind[0]}', 'string is not array or slice'],
    ['{.items["name"]}', 'invalid array index "name"'],
    ['{.items[?(@.name=="a"&&@.size==1)]}', "unrecognized character in action: U+0026 '&'"],
    ['{.items[?(@.name>1)]}', 'incompatible types for comparison'],
    ['{.items[?(@.name=~"a")]}', "unrecognized character in action: U+007E '~'"],
    ['{....a}', 'invalid multiple recursive descent'],
    ['{kind}', 'unrecognized identifier kind'],
    ['{{.kind}}', "unrecognized character in action: U+007B '{'"],
  ])('%s is refused', (template, message) => {
    expect(() => render(template)).toThrow(message);
  });

  test.each(['x.y', '.x.y', '{x.y}', '{.x.y}'])('the bare path %s means the same', path => {
    expect(findValues(parseRelaxedPath(path), { x: { y: 7 } })).toEqual([7]);
  });
});
