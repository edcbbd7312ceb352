/** `berth up --scheduler-config` on a real engine: the daemon takes the file, remembers it, and says what is wrong with it. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const program = join(import.meta.dirname, '../../cli/bin.js');
const docker = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
let home = '';
let data = '';

const berth = (args: readonly string[], stdin = ''): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'], HOME: home, DOCKER_HOST: docker, BERTH_DATA: data };
    const child = spawn(process.execPath, [program, ...args], { env, cwd: home });
    const ran = { out: '', err: '' };
    child.stdout.on('data', chunk => {
      ran.out += String(chunk);
    });
    child.stderr.on('data', chunk => {
      ran.err += String(chunk);
    });
    child.on('error', reject);
    child.on('close', code => resolve({ code: code ?? -1, ...ran }));
    child.stdin.end(stdin);
  });

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'berth-sched-up-'));
  data = join(home, 'data');
  cpSync(join(import.meta.dirname, '../../manifests/scheduler'), join(home, 'conf'), { recursive: true });
  const file = join(home, 'conf/scheduler.yaml');
  writeFileSync(file, `${readFileSync(file, 'utf8')}parallelism: 4\n`);
});
afterAll(async () => {
  await berth(['down', '--purge']);
  rmSync(home, { recursive: true, force: true });
});

const up = ['up', '--port', '0', '--node', 'a=cpu:500m,memory:512Mi', '--node', 'b=cpu:500m,memory:512Mi'];
const pod = (name: string, schedulerName: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec:\n  schedulerName: ${schedulerName}\n  terminationGracePeriodSeconds: 1\n` +
  '  containers:\n  - {name: c, image: busybox, imagePullPolicy: Never, command: [sleep, "3600"], resources: {requests: {cpu: 50m}}}\n---\n';

describe('berth up --scheduler-config', () => {
  test('a broken file is told in full, and nothing is started', async () => {
    writeFileSync(join(home, 'broken.yaml'), 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: Scheduler\nnope: 1\n');
    const { code, err } = await berth([...up, '--scheduler-config', 'broken.yaml']);
    expect(code).toBe(1);
    expect(err).toContain('broken.yaml:2:1: kind: Invalid value: "Scheduler": must be KubeSchedulerConfiguration\n');
    expect(err).toContain('broken.yaml:3:1: nope: unknown field "nope"');
    expect(existsSync(join(data, 'running.json'))).toBe(false);
  });

  test('profiles and plugins are at work, and the file is remembered', async () => {
    const first = await berth([...up, '--scheduler-config', 'conf/scheduler.yaml']);
    expect([first.code, first.err]).toEqual([
      0,
      expect.stringMatching(/^Warning: .*scheduler\.yaml:\d+:1: parallelism: has no/),
    ]);
    const packed = ['p1', 'p2', 'p3'];
    for (const name of packed) {
      await berth(['apply', '-f', '-'], pod(name, 'packing'));
      expect((await berth(['wait', '--for=condition=Ready', `pod/${name}`])).code).toBe(0);
    }
    const nodes = await Promise.all(
      packed.map(async name => (await berth(['get', 'pod', name, '-o', 'jsonpath={.spec.nodeName}'])).out),
    );
    expect(new Set(nodes).size).toBe(1);
    await berth(['apply', '-f', '-'], pod('even', 'even'));
    expect((await berth(['wait', '--for=condition=Ready', 'pod/even'])).code).toBe(0);
    expect((await berth(['get', 'pod', 'even', '-o', 'jsonpath={.spec.nodeName}'])).out).not.toBe(nodes[0]);

    const why = await berth(['why', 'even']);
    expect([why.code, why.err]).toEqual([0, '']);
    expect(why.out).not.toContain('note:');
    expect(why.out).toMatch(/\n {2}FewestPods +\d+ +\d+\n/);

    const other = await berth(['up', '--scheduler-config', '']);
    expect([other.code, other.err]).toEqual([1, expect.stringContaining('its --scheduler-config is ')]);
    await berth(['down']);
    expect((await berth(['up'])).err).toMatch(/parallelism: has no effect/);
    await berth(['down']);
    expect((await berth(['up', '--scheduler-config', ''])).err).toBe('');
  });
});
