/** `berth plan` without a cluster: what it prints (test/golden/plan, `vitest -u` writes them anew) and how it ends. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Ran, type Shell, shellFor } from '../run.ts';
import { documents, huge, nodes, replicaSet, statefulSet, web } from './manifests.ts';

let shell: Shell;
beforeEach(() => {
  shell = shellFor('http://127.0.0.1:1');
  shell.file('nodes.yaml', nodes);
});

const plan = (...args: readonly string[]): Promise<Ran> => shell.run(['plan', '--nodes', 'nodes.yaml', ...args]);
const nodeText = (name: string, cpu: string): string =>
  `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}}\nstatus: {capacity: {cpu: "${cpu}", memory: 8Gi}}\n`;
const golden = (name: string, { out }: Ran): Promise<void> =>
  expect(out).toMatchFileSnapshot(`../../golden/plan/${name}`) as Promise<void>;

describe('what is printed', () => {
  test('placements, pending pods and how full the nodes get', async () => {
    shell.file('pods.yaml', documents(web, huge, replicaSet(4), statefulSet));
    const ran = await plan('-f', 'pods.yaml');
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('Warning: ReplicaSet: not supported yet by Berth beyond scheduling');
    await golden('files.txt', ran);
  });

  test('-o wide adds priorities, ties, limits and all objects', async () => {
    shell.file('pods.yaml', documents(web, replicaSet(2)));
    const ran = await plan('-f', 'pods.yaml', '-o', 'wide');
    expect(ran.code).toBe(0);
    await golden('files-wide.txt', ran);
  });

  test('-o json is the plan itself', async () => {
    shell.file('pods.yaml', documents(web, huge));
    const ran = await plan('-f', 'pods.yaml', '-o', 'json');
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.out)).toMatchObject({
      apiVersion: 'berth.dev/v1',
      kind: 'Plan',
      verdict: { ok: false, pending: 1, evict: 0, blocked: 0 },
    });
    await golden('files.json', ran);
  });

  test('what the loss of each node would bring', async () => {
    shell.file('pods.yaml', documents(web, replicaSet(4)));
    const ran = await plan('-f', 'pods.yaml', '--survive-node-loss');
    expect(ran.code).toBe(1);
    await golden('node-loss.txt', ran);
  });

  test('the loss of one node, and a drain', async () => {
    shell.file('pods.yaml', documents(replicaSet(2)));
    const lost = await plan('-f', 'pods.yaml', '--survive-node-loss=b');
    expect(lost.code).toBe(0);
    expect(lost.out).toContain('b           yes');
    expect(lost.out).not.toContain('\na           ');
    const drained = await plan('-f', 'pods.yaml', '--drain', 'b');
    expect(drained.code).toBe(0);
    await golden('drain.txt', drained);
  });

  test('the loss of one node, its name beside the option', async () => {
    shell.file('pods.yaml', documents(replicaSet(2)));
    expect(await plan('-f', 'pods.yaml', '--survive-node-loss', 'b')).toEqual(
      await plan('-f', 'pods.yaml', '--survive-node-loss=b'),
    );
    expect((await plan('--survive-node-loss', 'b', '-f', 'pods.yaml')).code).toBe(0);
    expect(await plan('-f', 'pods.yaml', 'more.yaml')).toEqual({
      code: 2,
      out: '',
      err: 'error: "more.yaml" is too much here: manifests are given with -f, a node with --drain NODE\n',
    });
  });

  test('extended resources that pods ask for, and -o yaml and jsonpath', async () => {
    const gpus = nodes.replace('cpu: "4"', 'cpu: "4", example.com/gpu: "4"');
    shell.file('nodes.yaml', gpus);
    const gpu = web.replace('limits: {', 'limits: {example.com/gpu: "3", ');
    shell.file('gpu.yaml', gpu);
    const ran = await plan('-f', 'gpu.yaml');
    expect(ran.err).toBe('');
    await golden('gpu.txt', ran);
    expect((await plan('-f', 'gpu.yaml', '-o', 'jsonpath={.placements[*].node}')).out).toBe('a');
    expect((await plan('-f', 'gpu.yaml', '-o', 'yaml')).out).toMatch(
      /^apiVersion: berth\.dev\/v1\n(.*\n)*kind: Plan\n/,
    );
  });

  test('a plan of thousands on a page, unless all is asked for', async () => {
    const many = Array.from({ length: 300 }, (_, i) => nodeText(`n${i}`, i === 7 ? '8' : '2')).join('---\n');
    shell.file('many.yaml', many);
    shell.file('pods.yaml', documents(replicaSet(500, '600m'), replicaSet(400, '5', 'big')));
    const args = ['plan', '--nodes', 'many.yaml', '-f', 'pods.yaml', '--survive-node-loss'];
    const ran = await shell.run(args);
    expect(ran.code).toBe(1);
    expect(ran.out.split('\n').length).toBeLessThan(250);
    expect(ran.out.split('\n').filter(line => line.length > 100)).toEqual([]);
    expect(ran.out).toContain('… and 260 more (-o wide shows all)\n');
    expect(ran.out).toMatch(/LOST NODE .*\nn7 +no .*\nThe loss of any one of the 299 other nodes is survived\.\n/);
    expect(ran.out).toMatch(/\nPlan: \d+ pods placed, \d+ pods would be pending\./);
    const few = await shell.run(['plan', '--nodes', 'many.yaml', '-f', shell.file('web.yaml', web)]);
    expect(few.out).toMatch(/\nn7 .*\n… and 299 nodes as they were \(-o wide shows all\)\nTOTAL /);
    const wide = await shell.run([...args, '-o', 'wide']);
    expect(wide.out).not.toContain('… and');
    expect(wide.out.split('\n').length).toBeGreaterThan(1000);
  });

  test('nodes of less than a core, and of many', async () => {
    shell.file('small.yaml', [nodeText('half', '500m'), nodeText('large', '20k')].join('---\n'));
    const { out } = await shell.run(['plan', '--nodes', 'small.yaml', '--drain', 'half']);
    expect(out).toMatch(/\nhalf .* 0% of 500m /);
    expect(out).toMatch(/\nlarge .* 0% of 20000 /);
    expect(out).toMatch(/\nTOTAL .* 0% of 20000\.5 /);
  });

  test('the same files give the same plan, names of generated pods included', async () => {
    shell.file('pods.yaml', documents(web, replicaSet(3)));
    expect(await plan('-f', 'pods.yaml', '-o', 'json')).toEqual(await plan('-f', 'pods.yaml', '-o', 'json'));
  });

  test('--help names what it can be asked', async () => {
    const { code, out } = await shell.run(['plan', '--help']);
    expect(code).toBe(0);
    expect(out).toContain('--survive-node-loss');
  });
});

describe('what is taken into account', () => {
  test('requests that follow from limits, and priority classes of the same files', async () => {
    const limited = `apiVersion: v1
kind: Pod
metadata: {name: limited}
spec:
  priorityClassName: urgent
  containers:
  - {name: c, image: nginx, resources: {limits: {cpu: "3", memory: 1Gi}}}
`;
    const urgent = `apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: urgent}
value: 1000
`;
    const { code, out } = await plan('-f', shell.file('p.yaml', documents(urgent, limited)), '-o', 'json');
    expect(code).toBe(0);
    const made = JSON.parse(out);
    expect(made.placements).toMatchObject([{ pod: 'default/limited', node: 'a', priority: 1000 }]);
    expect(made.nodes[0].resources.cpu).toEqual({
      allocatable: '4',
      requests: { before: '0', after: '3' },
      limits: { before: '0', after: '3' },
    });
  });

  test('namespaces that nobody made yet, and the one that -n names', async () => {
    const other = web.replace('name: web', 'name: web, namespace: shop');
    const { out } = await plan('-f', shell.file('p.yaml', other), '-o', 'json');
    expect(JSON.parse(out).placements).toMatchObject([{ pod: 'shop/web' }]);
    const { out: named } = await plan('-f', shell.file('q.yaml', web), '-n', 'shop', '-o', 'json');
    expect(JSON.parse(named).placements).toMatchObject([{ pod: 'shop/web' }]);
    expect(await plan('-f', 'p.yaml', '-n', 'market')).toMatchObject({ code: 2 });
  });

  test('what is piped in, and directories', async () => {
    expect((await shell.run(['plan', '--nodes', 'nodes.yaml', '-f', '-'], { stdin: web })).code).toBe(0);
    mkdirSync(join(shell.folder, 'app', 'more'), { recursive: true });
    shell.file('app/web.yaml', web);
    shell.file('app/more/huge.yaml', huge);
    expect((await plan('-f', 'app')).out).toContain('Plan: 1 pod placed, nothing changes for the worse.');
    expect((await plan('-f', 'app', '-R')).out).toContain('Plan: 1 pod placed, 1 pod would be pending.');
  });

  test('pods that name their node: what its agent would refuse never runs', async () => {
    const fixed = (name: string, cpu: string) => `apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  nodeName: b
  containers:
  - {name: c, image: nginx, resources: {requests: {cpu: ${cpu}}}}
`;
    const ran = await plan('-f', shell.file('p.yaml', documents(fixed('one', '1500m'), fixed('two', '1500m'))));
    expect(ran.code).toBe(1);
    expect(ran.out).toContain('default/one   b      -       new (node named by the manifest)\n');
    expect(ran.out.replace(/\n +/g, ' ')).toContain(
      " never runs: OutOfcpu: Node didn't have enough resource: cpu, requested: 1500, used: 1500, capacity: 2000\n",
    );
  });

  test('pods that a ReplicaSet could not make count as pending', async () => {
    const hostile = replicaSet(1).replace(
      '    spec:\n      containers:',
      '    spec:\n      hostNetwork: true\n      containers:',
    );
    const ran = await plan('-f', shell.file('p.yaml', hostile));
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(
      /default\/api-\?: new \(ReplicaSet\/api\)\n {4}never made: pods "api-\w+" is forbidden: violates PodSecurity/,
    );
  });

  test("a scheduler's configuration: bin packing instead of spreading", async () => {
    shell.file('pods.yaml', documents(web, replicaSet(1, '200m')));
    shell.file(
      'packing.yaml',
      `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}, {name: memory, weight: 1}]}}
`,
    );
    const nodesOf = async (...more: readonly string[]) =>
      JSON.parse((await plan('-f', 'pods.yaml', '-o', 'json', ...more)).out).placements.map(
        (one: { node: string }) => one.node,
      );
    expect(await nodesOf()).toEqual(['a', 'a']);
    expect(await nodesOf('--scheduler-config', 'packing.yaml')).toEqual(['b', 'b']);
  });
});

describe('how it ends', () => {
  test('--fail-on chooses what the exit code is about', async () => {
    shell.file('pods.yaml', documents(huge));
    expect((await plan('-f', 'pods.yaml')).code).toBe(1);
    expect((await plan('-f', 'pods.yaml', '--fail-on', 'pending')).code).toBe(1);
    expect((await plan('-f', 'pods.yaml', '--fail-on', 'evict,blocked')).code).toBe(0);
    expect((await plan('-f', 'pods.yaml', '--fail-on=none')).code).toBe(0);
  });

  test.each([
    ['a manifest that is no YAML', ['-f', 'bad.yaml'], 'error: error parsing bad.yaml'],
    ['an unknown field, with its place', ['-f', 'typo.yaml'], 'typo.yaml:7:5: spec.containers[0].imagee'],
    ['a value that validation refuses, with its place', ['-f', 'name.yaml'], 'name.yaml:3:12: metadata.name'],
    ['an unknown kind', ['-f', 'kind.yaml'], 'no matches for kind "Pot" in version "v1" (kind.yaml:2:1)'],
    ['an unknown priority class', ['-f', 'class.yaml'], 'no PriorityClass with name nope was found'],
    ['a file that is not there', ['-f', 'none.yaml'], 'the path "none.yaml" does not exist'],
    ['a node that is not there', ['--drain', 'zz'], 'error: nodes "zz" not found'],
    ['a node to lose that is not there', ['--survive-node-loss=zz'], 'error: nodes "zz" not found'],
    ['nothing to plan', [], 'error: nothing to plan: give manifests (-f)'],
    ['a form of output that it does not have', ['--drain', 'a', '-o', 'xml'], 'suitable for the output format "xml"'],
    [
      'a word that --fail-on does not know',
      ['--drain', 'a', '--fail-on', 'oops'],
      '"oops" is not one of pending, evict',
    ],
    ['an option that it does not have', ['--drainn', 'a'], 'unknown flag: --drainn'],
    ['two nodes to drain', ['--drain', 'a', '--drain', 'b'], 'error: --drain is given twice'],
    [
      'two nodes to lose',
      ['--survive-node-loss=a', '--survive-node-loss=b'],
      'error: --survive-node-loss is given twice',
    ],
    ['--nodes and --add-nodes', ['--drain', 'a', '--add-nodes', 'nodes.yaml'], 'give one of them'],
  ])('2: %s', async (_, args, text) => {
    shell.file('bad.yaml', 'a: [\n');
    shell.file('typo.yaml', web.replace('    image: nginx', '    imagee: nginx'));
    shell.file('name.yaml', web.replace('name: web', 'name: Web_'));
    shell.file('kind.yaml', web.replace('kind: Pod', 'kind: Pot'));
    shell.file('class.yaml', web.replace('spec:', 'spec:\n  priorityClassName: nope'));
    const ran = await plan(...args);
    expect([ran.code, ran.out]).toEqual([2, '']);
    expect(ran.err).toContain(text);
  });

  test('2: a cluster that does not answer', async () => {
    shell.file('pods.yaml', web);
    const ran = await shell.run(['plan', '-f', 'pods.yaml']);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain('The connection to the server 127.0.0.1:1 was refused');
  });

  test.each([
    ['without capacity', 'apiVersion: v1\nkind: Node\nmetadata: {name: c}\n', 'status.capacity.cpu: Required value'],
    ['that is no node', web, 'expected a Node, not a Pod (more.yaml:2:1)'],
    ['of a name that is there already', nodes, 'node "a" stands twice in nodes.yaml, more.yaml'],
    ['with a fault', nodes.replace('{name: a}', '{name: A}'), 'metadata.name: Invalid value: "A"'],
  ])('2: a node %s', async (_, text, said) => {
    shell.file('more.yaml', text);
    const ran = await plan('--nodes', 'more.yaml', '--survive-node-loss');
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain(said);
  });
});
