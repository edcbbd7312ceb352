/** `berth` and kubectl 1.32 side by side on the same API: the same output, the same errors, the same exit codes. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeApi, type FakeObject, startFakeApi } from './fake-api.ts';
import { type Ran, type Shell, shellFor } from './run.ts';

const world = join(import.meta.dirname, '..', 'data', 'cli', 'world.json');
let api: FakeApi;
let shell: Shell;

beforeAll(async () => {
  api = await startFakeApi();
  api.add(...(JSON.parse(readFileSync(world, 'utf8')) as FakeObject[]));
  shell = shellFor(api.url);
  for (const [name, text] of Object.entries(files)) shell.file(name, text);
});
afterAll(() => api.close());

const kubectl = (args: readonly string[]): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'], HOME: shell.folder, KUBECONFIG: shell.kubeconfig };
    const child = spawn('kubectl', args, { cwd: shell.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const ran = { out: '', err: '' };
    child.stdout.on('data', chunk => {
      ran.out += String(chunk);
    });
    child.stderr.on('data', chunk => {
      ran.err += String(chunk);
    });
    child.on('error', reject);
    child.on('close', code => resolve({ code: code ?? -1, ...ran }));
  });

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

const reading = `
get pods
get po
get pods -o wide
get pods -A
get pods -A --show-labels
get pods web
get pods web nope
get pods nope
get pods --ignore-not-found nope
get pods -l app=none
get pods -n nowhere
get pod x -n nowhere
get nodes
get pc,pods
get all
get all -A
get pod/web node/node-a
get pods web big
get pods,nodes
get pods --no-headers
get pods -L app,tier
get pods --show-kind
get pods -o name
get rs -o name
get -o=name pods
-n kube-system get pods
get pods --sort-by=.metadata.name
get pods --sort-by={.status.phase}
get cm -o yaml
get cm one -o json
get pod web -o yaml
get pods -o json
get pods -o jsonpath={.items[*].metadata.name}
get pods -o jsonpath={range␣.items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}
get pod web -o jsonpath={.spec.containers[0].image}
get pod web -o jsonpath={.status.conditions[?(@.type=="Ready")].status}
get pod web -o jsonpath={.metadata.labels}
get pod web -o jsonpath={.spec.containers[1:].name}
get pod web -o jsonpath={.spec.containers[-1:].name}
get pod web -o jsonpath={.spec['nodeName','priority']}
get pod web -o jsonpath={.nope}
get pods -o custom-columns=NAME:.metadata.name,NODE:.spec.nodeName,IMAGE:.spec.containers[*].image
get pods -o custom-columns=NAME:.metadata.name --no-headers
get pods -o custom-columns=L:.metadata.labels
get nope
get pod -A web
get pods --field-selector status.phase=Pending
get -f good.yaml
describe pod web
describe pod big
describe pod nope
describe pods
describe node node-b
describe ns kube-system
describe cm one
describe secret sec
describe sa default
describe pc high
describe lease node-a -n kube-node-lease
describe pods -l app=none
events
events -A
events --for pod/web
events --types=Warning
events -n kube-system
top pod
top pod -A
top pod web --containers
top pod --sort-by=memory
top pod --sum
top node
top node node-a
top pod nope
top pod -n empty
logs web -c app
logs web
logs web -c nope
logs nope
logs web --all-containers
logs -l app=web --prefix
logs rs/rs
wait --for=condition=Initialized pod/web
wait --for=condition=Ready=false pod/web
wait --for=condition=Ready pod/web --timeout=100ms
wait --for=delete pod/nope
wait --for=jsonpath={.status.phase}=Running pod/web
wait --for=condition=Ready pod/nope
wait --for=bogus pod/web
wait --for=condition=Ready pod -l app=none
api-resources
api-resources -o wide
api-resources --namespaced=false
delete cm nope
delete cm nope --ignore-not-found
delete cm one --dry-run=client
delete cm one --dry-run=server
delete cm
delete cm a --all
delete
apply -f empty.yaml
apply -f comment.yaml
apply -f nofile.yaml
apply -f generate.yaml
apply -n default -f other.yaml
apply --server-side --dry-run=client -f good.yaml
`;
const words = (line: string) => line.split(' ').map(word => word.replaceAll('␣', ' '));

describe('berth prints what kubectl prints', () => {
  test.each(reading.trim().split('\n'))('%s', async line => {
    const theirs = await kubectl(words(line));
    const ours = await shell.run(words(line));
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
