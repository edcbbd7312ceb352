/** `berth up` and what belongs to it, as processes, on a real engine: a HOME, a data folder and a context of their own. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Program } from '#test/faults/berth.ts';
import { textOf, until } from '#test/faults/berth.ts';
import { containersOf, type Home, idlePod, openHome } from './home.ts';

let home: Home;
const berth: Home['berth'] = (args, stdin, env) => home.berth(args, stdin, env);

beforeAll(() => {
  home = openHome();
});
afterEach(async () => {
  await berth(['down', '--purge']);
});
afterAll(() => home.leave());

const up = ['up', '--port', '0', '--node', 'a=cpu:500m,memory:512Mi'];
const startPod = async () => {
  await berth(['apply', '-f', '-'], idlePod('p'));
  expect((await berth(['wait', '--for=condition=Ready', 'pod/p'])).code).toBe(0);
};

describe('berth up', () => {
  test('brings a cluster up, says so again, and takes away everything on down', async () => {
    const first = await berth([...up, '--node', 'b']);
    expect([first.code, first.err]).toEqual([0, '']);
    expect(first.out).toMatch(/^Berth v\S+ is up: https:\/\/127\.0\.0\.1:\d+ /);
    const id = home.clusterId();
    expect((await berth(['status'])).out).toMatch(/node {5}a Ready\n {2}node {5}b Ready/);
    expect((await berth(['up'])).out).toMatch(/^Berth is up already/);
    const other = await berth(['up', '--node', 'c']);
    expect([other.code, other.err]).toEqual([1, expect.stringContaining('its nodes are a=cpu:500m,memory:512Mi b')]);

    expect((await berth(['apply', '-f', '-'], idlePod('p'))).out).toBe('pod/p created\n');
    expect((await berth(['wait', '--for=condition=Ready', 'pod/p'])).code).toBe(0);
    expect((await berth(['logs', 'p'])).out).toBe('hello\n');
    expect((await berth(['exec', '-i', 'p', '--', 'sh', '-c', 'cat; exit 7'], 'piped')).out).toBe('piped');
    expect((await berth(['exec', 'p', '--', 'sh', '-c', 'exit 7'])).code).toBe(7);
    expect((await containersOf(id)).length).toBe(2);

    expect((await berth(['down'])).out).toMatch(/^Berth is down; data kept/);
    expect(await containersOf(id)).toEqual([]);
    expect(existsSync(home.kubeconfig)).toBe(false);
    expect((await berth(['status'])).code).toBe(1);
    expect((await berth(['get', 'pods'])).err).toContain('berth up');
  });

  test('a killed cluster comes up again with its pods running on; down sweeps what a killed one left', async () => {
    expect((await berth(up)).code).toBe(0);
    const id = home.clusterId();
    await startPod();
    const before = await containersOf(id);
    await home.kill();
    expect((await berth(['status'])).code).toBe(1);
    expect((await berth(['up'])).code).toBe(0);
    expect((await berth(['wait', '--for=condition=Ready', 'pod/p'])).code).toBe(0);
    expect(await containersOf(id)).toEqual(before);
    await home.kill();
    expect((await berth(['down'])).out).toContain('2 containers left over were removed');
    expect(await containersOf(id)).toEqual([]);
  });

  test('--keep-containers leaves them to the next up', async () => {
    await berth(up);
    const id = home.clusterId();
    await startPod();
    const before = await containersOf(id);
    expect((await berth(['down', '--keep-containers'])).out).toContain('its containers go on');
    expect(await containersOf(id)).toEqual(before);
    await berth(['up']);
    expect((await berth(['get', 'pod', 'p', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'])).out).toBe(
      '0',
    );
    expect(await containersOf(id)).toEqual(before);
  });

  test('without an engine it says so and leaves nothing behind', async () => {
    const missing = join(home.folder, 'no.sock');
    const { code, err } = await berth(['up', '--docker', missing]);
    expect(code).toBe(1);
    expect(err).toContain(`no Docker Engine answers at ${missing}`);
    expect(existsSync(join(home.data, 'running.json'))).toBe(false);
    expect(existsSync(home.kubeconfig)).toBe(false);
  });

  test('a port that is taken is said when it was asked for', async () => {
    await berth(up);
    const { port } = new URL(home.running().url);
    const second = join(home.folder, 'second');
    const { code, err } = await berth(['up', '--data', second, '--context', 'second', '--port', port]);
    expect([code, err]).toEqual([1, expect.stringContaining(`port ${port} of 127.0.0.1 is in use`)]);
    // It never came up, and yet nothing of it stays.
    await berth(['down', '--purge', '--data', second]);
    expect(existsSync(second)).toBe(false);
  });
});

describe('berth server and berth agent', () => {
  const started: Program[] = [];
  afterEach(async () => {
    for (const program of started.splice(0).reverse()) await program.end('SIGTERM');
  });
  const start = async (args: readonly string[], word: string): Promise<void> => {
    const program = home.start(args[0]!, args);
    started.push(program);
    await until(`${args[0]} says ${word}`, () => {
      if (program.hasExited) throw new Error(`it ended without saying ${word}: ${textOf(program.log)}`);
      return readFileSync(program.log, 'utf8').includes(word);
    });
  };

  test('a node joins with the word that the server prints and runs pods', async () => {
    const server = join(home.folder, 'server');
    await start(['server', '--data', server, '--port', '0'], 'A node joins with');
    const word = (await berth(['token', '--word', '--data', server])).out.trim();
    const node = ['--node', 'far=cpu:500m,memory:256Mi', '--data', join(home.folder, 'agent'), '--remove-containers'];
    await start(['agent', '--join', word, ...node], 'joined');
    const cluster = ['--kubeconfig', join(server, 'kubeconfig')];
    expect((await berth(['wait', '--for=condition=Ready', 'node/far', ...cluster])).code).toBe(0);
    await berth(['apply', '-f', '-', ...cluster], idlePod('p'));
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
