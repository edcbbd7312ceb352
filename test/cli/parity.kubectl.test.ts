/** `berth` and kubectl 1.32 side by side on the same API: the same output, the same errors, the same exit codes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeApi, startFakeApi } from './fake-api.ts';
import type { FakeObject } from './fake-api-kinds.ts';
import { kubectlIn, wordsOf } from './kubectl.ts';
import { type Ran, type Shell, shellFor } from './run.ts';

const data = join(import.meta.dirname, '..', 'data', 'cli');
let api: FakeApi;
let shell: Shell;

beforeAll(async () => {
  api = await startFakeApi();
  api.add(...(JSON.parse(readFileSync(join(data, 'world.json'), 'utf8')) as FakeObject[]));
  shell = shellFor(api.url);
  for (const [name, text] of Object.entries(files)) shell.file(name, text);
});
afterAll(() => api.close());

const kubectl = (args: readonly string[]): Promise<Ran> => kubectlIn(shell, args);

const configMap = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: ${value}\n`;
const files: Record<string, string> = {
  'good.yaml': configMap('one', 'b'),
  'two.yaml': `${configMap('t1', 'b')}---\n${configMap('t2', 'b')}`,
  'empty.yaml': '',
  'comment.yaml': '# nothing\n---\n',
  'octal.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: o}\ndata: {a: "x"}\nmode: 0644\non: yes\nratio: 22:22\nday: 2020-01-01\n`,
  'generate.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  generateName: x-\n',
  'other.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  namespace: other\n',
};

const reading = readFileSync(join(data, 'reading.txt'), 'utf8').trim().split('\n');

describe('berth prints what kubectl prints', () => {
  test.each(reading)('%s', async line => {
    const theirs = await kubectl(wordsOf(line));
    const ours = await shell.run(wordsOf(line));
    expect(ours).toEqual(theirs);
  });

  test('scalars are read as the same values', async () => {
    const args = ['apply', '-f', 'octal.yaml', '--validate=ignore', '-o', 'json', '--dry-run=server'];
    const sent = async (run: () => Promise<unknown>) => {
      api.asked.length = 0;
      await run();
      api.remove('ConfigMap', 'o');
      return api.asked.find(asked => asked.method === 'POST')?.body;
    };
    const theirs = await sent(() => kubectl(args));
    expect(theirs).toBeDefined();
    expect(await sent(() => shell.run(args))).toEqual(theirs);
  });

  test('either goes on with what the other applied', async () => {
    shell.file('turn.yaml', configMap('turn', '1'));
    expect((await kubectl(['apply', '-f', 'turn.yaml'])).out).toBe('configmap/turn created\n');
    expect((await shell.run(['apply', '-f', 'turn.yaml'])).out).toBe('configmap/turn unchanged\n');
    shell.file('turn.yaml', configMap('turn', '2').replace('  a:', '  b:'));
    expect(await shell.run(['apply', '-f', 'turn.yaml'])).toEqual({
      code: 0,
      out: 'configmap/turn configured\n',
      err: '',
    });
    expect(api.find('ConfigMap', 'turn')?.['data']).toEqual({ b: 2 });
    expect((await kubectl(['apply', '-f', 'turn.yaml'])).out).toBe('configmap/turn unchanged\n');
  });
});

describe('any string is printed as the YAML that kubectl prints', () => {
  const strings = [
    ...[
      '',
      'yes',
      'no',
      'on',
      'y',
      'n',
      'true',
      'null',
      '~',
      '0123',
      '1e3',
      '0x1F',
      '1:30',
      '2020-01-01',
      '.5',
      '-',
      '- x',
      '? x',
    ],
    ...[
      'a: b',
      'x:',
      '*x',
      '&x',
      '!x',
      '%x',
      '@x',
      '`x',
      '{a}',
      '[a]',
      'a, b',
      '#x',
      'a #b',
      'a#b',
      "it's",
      'say "hi"',
      '"x',
      "'x",
    ],
    ...[
      ' lead',
      'trail ',
      'a\nb',
      'a\nb\n',
      'a\n\n\n',
      '\n x\n',
      'a \nb',
      'a\r\nb',
      'tab\tx',
      '\u0007',
      'grüße ✓',
      '😀',
      '---',
      '...',
      '=',
      '<<',
    ],
    ...[
      Array(60).fill('word').join(' '),
      `- ${Array(60).fill('word').join(' ')}`,
      `${Array(40).fill('0x1').join(' ')}\u0001`,
      'x'.repeat(200),
    ],
    ...[
      '1_000',
      '+1',
      '0b11',
      '0o17',
      '.inf',
      'NaN',
      '1.0',
      '1.',
      '12e03',
      'a\\b',
      '|',
      '>x',
      'key:value',
      '::',
      'http://x',
    ],
  ];
  test('all at once', async () => {
    const data = Object.fromEntries(strings.map((text, i) => [`k${String(i).padStart(3, '0')}`, text]));
    const keys = Object.fromEntries(
      ['a1', 'a10', 'a2', 'b', 'A', '1', '10', '9', 'a-b', 'a.b', 'a_b', 'true'].map(key => [key, 'x']),
    );
    api.add({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'strings', namespace: 'default', labels: keys },
      data,
    });
    const args = ['get', 'cm', 'strings', '-o', 'yaml'];
    expect((await shell.run(args)).out).toBe((await kubectl(args)).out);
    const json = ['get', 'cm', 'strings', '-o', 'json'];
    expect((await shell.run(json)).out).toBe((await kubectl(json)).out);
    api.remove('ConfigMap', 'strings');
  });
});
