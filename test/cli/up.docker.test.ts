/** `berth up` and what belongs to it, as processes, on a real engine: a HOME, a data folder and a context of their own. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DockerRuntime } from '#agent/docker/engine.ts';
import { label } from '#agent/names.ts';
import { systemClock } from '#base/system.ts';

const program = join(import.meta.dirname, '..', '..', 'cli', 'bin.js');
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

const running = () => JSON.parse(readFileSync(join(data, 'running.json'), 'utf8')) as { pid: number; url: string };
const clusterId = () => (JSON.parse(readFileSync(join(data, 'cluster.json'), 'utf8')) as { id: string }).id;
const containers = async (id: string) =>
  (await new DockerRuntime(docker).list({ [label.cluster]: id })).map(seen => seen.id).sort();
const kill = async () => {
  const { pid } = running();
  process.kill(pid, 'SIGKILL');
  while (existsSync(`/proc/${pid}`)) await systemClock.sleep(10);
};
const pod = (name: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n  - {name: c, image: busybox, imagePullPolicy: Never, command: [sh, -c, "echo hello; sleep 3600"]}\n`;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'berth-up-'));
  data = join(home, 'data');
});
afterEach(async () => {
  await berth(['down', '--purge']);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const up = ['up', '--port', '0', '--node', 'a=cpu:500m,memory:512Mi'];

describe('berth up', () => {
  test('brings a cluster up, says so again, and takes away everything on down', async () => {
    const first = await berth([...up, '--node', 'b']);
    expect([first.code, first.err]).toEqual([0, '']);
    expect(first.out).toMatch(/^Berth v\S+ is up: https:\/\/127\.0\.0\.1:\d+ /);
    const id = clusterId();
    expect((await berth(['status'])).out).toMatch(/node {5}a Ready\n {2}node {5}b Ready/);
    expect((await berth(['up'])).out).toMatch(/^Berth is up already/);
    const other = await berth(['up', '--node', 'c']);
    expect([other.code, other.err]).toEqual([1, expect.stringContaining('its nodes are a=cpu:500m,memory:512Mi b')]);

    expect((await berth(['apply', '-f', '-'], pod('p'))).out).toBe('pod/p created\n');
    expect((await berth(['wait', '--for=condition=Ready', 'pod/p'])).code).toBe(0);
    expect((await berth(['logs', 'p'])).out).toBe('hello\n');
    expect((await berth(['exec', '-i', 'p', '--', 'sh', '-c', 'cat; exit 7'], 'piped')).out).toBe('piped');
    expect((await berth(['exec', 'p', '--', 'sh', '-c', 'exit 7'])).code).toBe(7);
    expect((await containers(id)).length).toBe(2);

    expect((await berth(['down'])).out).toMatch(/^Berth is down; data kept/);
    expect(await containers(id)).toEqual([]);
    expect(existsSync(join(home, '.kube', 'config'))).toBe(false);
    expect((await berth(['status'])).code).toBe(1);
    expect((await berth(['get', 'pods'])).err).toContain('berth up');
  });

  test('a killed cluster comes up again with its pods running on; down sweeps what a killed one left', async () => {
    expect((await berth(up)).code).toBe(0);
    const id = clusterId();
    await berth(['apply', '-f', '-'], pod('p'));
    await berth(['wait', '--for=condition=Ready', 'pod/p']);
    const before = await containers(id);
    await kill();
    expect((await berth(['status'])).code).toBe(1);
    expect((await berth(['up'])).code).toBe(0);
    expect((await berth(['wait', '--for=condition=Ready', 'pod/p'])).code).toBe(0);
    expect(await containers(id)).toEqual(before);
    await kill();
    expect((await berth(['down'])).out).toContain('2 containers left over were removed');
    expect(await containers(id)).toEqual([]);
  });

  test('--keep-containers leaves them to the next up', async () => {
    await berth(up);
    const id = clusterId();
    await berth(['apply', '-f', '-'], pod('p'));
    await berth(['wait', '--for=condition=Ready', 'pod/p']);
    const before = await containers(id);
    expect((await berth(['down', '--keep-containers'])).out).toContain('its containers go on');
    expect(await containers(id)).toEqual(before);
    await berth(['up']);
    expect((await berth(['get', 'pod', 'p', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'])).out).toBe(
      '0',
    );
    expect(await containers(id)).toEqual(before);
  });

  test('without an engine it says so and leaves nothing behind', async () => {
    const { code, err } = await berth(['up', '--docker', join(home, 'no.sock')]);
    expect(code).toBe(1);
    expect(err).toContain(`no Docker Engine answers at ${join(home, 'no.sock')}`);
    expect(existsSync(join(data, 'running.json'))).toBe(false);
    expect(existsSync(join(home, '.kube', 'config'))).toBe(false);
  });

  test('a port that is taken is said when it was asked for', async () => {
    await berth(up);
    const port = new URL(running().url).port;
    const { code, err } = await berth(['up', '--data', join(home, 'second'), '--context', 'second', '--port', port]);
    expect([code, err]).toEqual([1, expect.stringContaining(`port ${port} of 127.0.0.1 is in use`)]);
    await berth(['down', '--purge', '--data', join(home, 'second')]);
  });
});

describe('berth server and berth agent', () => {
  const spawned: { end(): Promise<number> }[] = [];
  afterEach(async () => {
    for (const process of spawned.splice(0).reverse()) await process.end();
  });
  const start = async (args: readonly string[], word: string) => {
    const env = { PATH: process.env['PATH'], HOME: home, DOCKER_HOST: docker };
    const child = spawn(process.execPath, [program, ...args], { env, cwd: home });
    let out = '';
    const ended = new Promise<number>(resolve => child.once('exit', code => resolve(code ?? -1)));
    spawned.push({
      end: async () => {
        child.kill('SIGTERM');
        return ended;
      },
    });
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', chunk => {
        out += String(chunk);
        if (out.includes(word)) resolve();
      });
      child.once('exit', () => reject(new Error(`ended without saying ${word}: ${out}`)));
    });
    return out;
  };

  test('a node joins with the word that the server prints and runs pods', async () => {
    const server = join(home, 'server');
    await start(['server', '--data', server, '--port', '0'], 'A node joins with');
    const word = (await berth(['token', '--word', '--data', server])).out.trim();
    await start(
      [
        'agent',
        '--join',
        word,
        '--node',
        'far=cpu:500m,memory:256Mi',
        '--data',
        join(home, 'agent'),
        '--remove-containers',
      ],
      'joined',
    );
    const cluster = ['--kubeconfig', join(server, 'kubeconfig')];
    expect((await berth(['wait', '--for=condition=Ready', 'node/far', ...cluster])).code).toBe(0);
    await berth(['apply', '-f', '-', ...cluster], pod('p'));
    expect((await berth(['wait', '--for=condition=Ready', 'pod/p', ...cluster])).code).toBe(0);
    expect((await berth(['logs', 'p', ...cluster])).out).toBe('hello\n');
    expect((await berth(['exec', ...cluster, 'p', '--', 'echo', 'over the link'])).out).toBe('over the link\n');
    expect((await berth(['delete', 'pod', 'p', ...cluster])).out).toBe('pod "p" deleted\n');
  });

  test('a damaged word is refused', async () => {
    const { code, err } = await berth(['agent', '--join', 'https://127.0.0.1:1#token:abc']);
    expect([code, err]).toEqual([
      1,
      'error: --join: the certificate in it is damaged; was the end of the line cut off?\n',
    ]);
  });
});
