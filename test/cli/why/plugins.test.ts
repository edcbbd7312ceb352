/** `berth why` and `berth plan` ask the scheduler's own plugins too, where their files are still what the scheduler loaded. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSchedulerConfig } from '#cli/local/scheduler-config.ts';
import { startCluster, type TestCluster } from './cluster.ts';

const config = `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
x-berth-plugins:
- {name: Quiet, file: ./quiet.ts}
profiles:
- plugins: {multiPoint: {enabled: [{name: Quiet, weight: 2}]}}
`;
const plugin = `export default {
  filter(pod: { metadata: { name: string } }, node: { name: string }): string | undefined {
    if (pod.metadata.name === 'broken') throw new Error('no such table');
    return node.name === 'loud' ? 'node(s) were loud' : undefined;
  },
  score: (_pod: unknown, node: { name: string }): number => (node.name === 'calm' ? 40 : 10),
};
`;

let cluster: TestCluster;
let folder = '';
const file = (name: string): string => join(folder, name);
const pod = (name: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: c, image: i}]}\n`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'berth-own-'));
  writeFileSync(file('sched.yaml'), config);
  writeFileSync(file('quiet.ts'), plugin);
  const read = await readSchedulerConfig(file('sched.yaml'));
  cluster = await startCluster({ schedulerConfig: read.config, schedulerConfigFile: read.source });
  await cluster.addNode('loud', { cpu: '4', memory: '8Gi' });
  await cluster.addPod('stuck', { cpu: '1' });
  await cluster.until('stuck', isRefused);
  await cluster.addPod('broken', {});
  await cluster.until('broken', isRefused);
});
afterAll(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

const isRefused = (pod: { status?: { conditions?: readonly { type: string; status: string }[] } }): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'PodScheduled' && status === 'False') === true;

const note =
  /\nnote: what the scheduler's own plugins \(Quiet\) say is not in this answer: .*; --scheduler-config FILE asks those of a file\n/;
/** A note goes over several lines. */
const unwrapped = (text: string): string => text.replaceAll('\n  ', ' ');

describe('the plugins of the scheduler', () => {
  test('say why a pod is nowhere, as they did in the scheduler', async () => {
    const { out, err, code } = await cluster.shell.run(['why', 'stuck']);
    expect([code, err]).toEqual([0, '']);
    expect(out).not.toContain('note:');
    expect(out).toMatch(/last attempt.*\n {2}0\/1 nodes are available: 1 node\(s\) were loud\./);
    expect(out).toMatch(/\n {2}loud +Quiet +node\(s\) were loud\n/);
    expect(out).toContain('1. add a node with 1 cpu and 1Gi memory\n');
  });

  test('that fail are told with the place in their file, and the history has it', async () => {
    const { out, code } = await cluster.shell.run(['why', 'broken', '--history']);
    expect(code).toBe(0);
    expect(out).toMatch(/^pod default\/broken is Pending: a plugin of the scheduler fails on it\n/);
    const sentence = 'running "Quiet" filter plugin: no such table \\(quiet\\.ts:3:\\d+\\)';
    expect(out).toMatch(new RegExp(`\\non the cluster as it is now:\\n {2}${sentence}\\n`));
    expect(unwrapped(out).replace(/ +/g, ' ')).toMatch(new RegExp(` failed: ${sentence}`));
  });

  test('are asked in a plan, where a failing one leaves its pod pending and no other', async () => {
    await cluster.addNode('calm', { cpu: '4', memory: '8Gi' }, { spec: { unschedulable: true } });
    const text = `${pod('new')}---\n${pod('broken-too').replace('broken-too', 'broken')}`;
    const path = cluster.shell.file('pods.yaml', text.replace('name: broken', 'name: broken, namespace: other'));
    const nodes = cluster.shell.file('nodes.yaml', nodeText('calm') + nodeText('loud') + nodeText('near'));
    const plan = ['plan', '--nodes', nodes, '-f', path, '--scheduler-config', file('sched.yaml')];
    const { out, code } = await cluster.shell.run(plan);
    expect(code).toBe(1);
    expect(out).toMatch(/\ndefault\/new +calm +\d+ +new\n/);
    expect(unwrapped(out)).toMatch(/other\/broken: new +running "Quiet" filter plugin: no such table \(quiet\.ts:3/);
    const live = await cluster.shell.run(['plan', '-f', path, '-n', 'default']);
    expect(live.code).toBe(2);
    const alone = await cluster.shell.run(['plan', '-f', '-'], { stdin: pod('new') });
    expect(unwrapped(alone.out)).toMatch(/default\/new: new.* 1 node\(s\) were loud/);
    expect(alone.out).not.toContain('Note:');
  });

  test('are left out with a note when their files have changed, and asked from a file that is given', async () => {
    writeFileSync(file('quiet.ts'), `${plugin}// changed\n`);
    const changed = await cluster.shell.run(['why', 'stuck']);
    expect(unwrapped(changed.out)).toMatch(note);
    expect(unwrapped(changed.out)).toContain(': ./quiet.ts has changed since the scheduler started; ');
    expect((await cluster.shell.run(['plan', '-f', '-'], { stdin: pod('new') })).out).toContain('Note: what the');
    const given = await cluster.shell.run(['why', 'stuck', '--scheduler-config', file('sched.yaml')]);
    expect(given.out).not.toContain('note:');
    expect(given.out).toMatch(/\n {2}loud +Quiet +node\(s\) were loud\n/);
    const usual = await cluster.shell.run(['why', 'stuck', '--scheduler-config', '']);
    expect(usual.out).toMatch(/^pod default\/stuck is Pending: it fits on 1 of 2 nodes now, loud is next\n/);
    writeFileSync(file('quiet.ts'), plugin);
    expect((await cluster.shell.run(['why', 'stuck'])).out).not.toContain('note:');
    writeFileSync(file('sched.yaml'), `${config}# changed\n`);
    expect(unwrapped((await cluster.shell.run(['why', 'stuck'])).out)).toContain('sched.yaml has changed since');
    rmSync(file('sched.yaml'));
    expect(unwrapped((await cluster.shell.run(['why', 'stuck'])).out)).toContain('sched.yaml is not on this machine');
    writeFileSync(file('sched.yaml'), config);
  });

  test('of a file that cannot be used are a failure with all that is wrong', async () => {
    writeFileSync(file('wrong.yaml'), config.replace('./quiet.ts', './none.ts'));
    for (const [words, code] of [
      [['why', 'stuck'], 1],
      [['plan', '-f', '-'], 2],
    ] as const) {
      const ran = await cluster.shell.run([...words, '--scheduler-config', file('wrong.yaml')], { stdin: pod('new') });
      expect([ran.code, ran.out]).toEqual([code, '']);
      expect(ran.err).toMatch(/wrong\.yaml:4:17: x-berth-plugins\[0\]\.file: it cannot be read: /);
    }
    expect(readFileSync(file('wrong.yaml'), 'utf8')).toContain('none.ts');
  });
});

describe('the plugins of docs/SCHEDULER-CONFIG.md', () => {
  test('work as they stand there, in a folder with nothing else', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/SCHEDULER-CONFIG.md'), 'utf8');
    const blocks = [...page.matchAll(/```(?:yaml|ts)\n([\s\S]*?)```/g)].map(match => match[1]!);
    const own = mkdtempSync(join(tmpdir(), 'berth-doc-'));
    ['sched.yaml', 'tenant-zones.ts', 'fewest-pods.ts'].forEach((name, i) => {
      writeFileSync(join(own, name), blocks[i]!);
    });
    const { config, source, warnings } = await readSchedulerConfig(join(own, 'sched.yaml'));
    expect([warnings, blocks.length]).toEqual([[], 3]);
    const documented = await startCluster({ schedulerConfig: config, schedulerConfigFile: source });
    try {
      const zone = (name: string) => ({ metadata: { name, labels: { 'topology.kubernetes.io/zone': name } } });
      for (const name of ['a', 'b']) await documented.addNode(name, { cpu: '4', memory: '8Gi' }, zone(name));
      const labels = { tenant: 'acme' };
      const places: string[] = [];
      for (const name of ['p1', 'p2', 'p3', 'p4', 'p5', 'p6']) {
        await documented.addPod(name, { cpu: '100m' }, { labels });
        places.push((await documented.until(name, placed => !!placed.spec.nodeName)).spec.nodeName!);
      }
      // At home as long as there may be more pods of the tenant, then next door.
      expect(places.slice(0, 3)).toEqual([places[0], places[0], places[0]]);
      expect(new Set(places.slice(3))).toEqual(new Set(['a', 'b'].filter(name => name !== places[0])));
      await documented.addPod('p7', { cpu: '100m' }, { labels });
      await documented.until('p7', isRefused);
      const { out } = await documented.shell.run(['why', 'p7']);
      expect(out).not.toContain('note:');
      expect(out.match(/ TenantZones +node\(s\) had enough pods of the tenant\n/g)).toHaveLength(2);
    } finally {
      await documented.stop();
      rmSync(own, { recursive: true, force: true });
    }
  });
});

const nodeText = (name: string): string =>
  `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}}\nstatus: {capacity: {cpu: "4", memory: 8Gi}}\n---\n`;
