/** The hard cases of `berth up`, `down` and `status` on a real engine: deleted folders, interruptions, contexts of others. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTicks } from '#cli/local/instance.ts';
import { textOf, until } from '#test/faults/berth.ts';
import { containersOf, type Home, idlePod, openHome } from './home.ts';

let home: Home;
const berth: Home['berth'] = (args, stdin, env) => home.berth(args, stdin, env);
beforeEach(() => {
  home = openHome();
});
afterEach(() => home.leave());

const up = ['up', '--port', '0', '--node', 'a=cpu:500m,memory:256Mi'];
const startCluster = async (): Promise<string> => {
  expect(await berth(up)).toMatchObject({ code: 0, err: '' });
  await berth(['apply', '-f', '-'], idlePod('p'));
  expect((await berth(['wait', '--for=condition=Ready', 'pod/p'])).code).toBe(0);
  return home.clusterId();
};
const runs = (pid: number) => startTicks(pid) !== undefined;

describe('a data folder that is deleted', () => {
  test('under a running cluster: status and up say what to do, down ends it all', async () => {
    const id = await startCluster();
    const { pid } = home.running();
    rmSync(home.data, { recursive: true });
    const status = await berth(['status']);
    expect([status.code, status.out]).toEqual([1, expect.stringContaining(`berth down --data ${home.data}`)]);
    const again = await berth(up);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining(`process ${pid} runs a cluster from`)]);
    expect(await berth(['down'])).toMatchObject({ code: 0, out: expect.stringMatching(/^Berth is down/) });
    expect(runs(pid)).toBe(false);
    expect(await containersOf(id)).toEqual([]);
    expect(existsSync(home.kubeconfig)).toBe(false);
    expect((await berth(['down'])).out).toBe(`No cluster in ${home.data}.\n`);
  });

  test('after a crash: down knows the containers by what the kubeconfig notes', async () => {
    const id = await startCluster();
    await home.kill();
    rmSync(home.data, { recursive: true });
    expect((await berth(['down'])).out).toContain('2 containers left over were removed');
    expect(await containersOf(id)).toEqual([]);
    expect(existsSync(home.kubeconfig)).toBe(false);
  });

  test('after a crash: the next up takes away what is left', async () => {
    const id = await startCluster();
    await home.kill();
    rmSync(home.data, { recursive: true });
    expect((await berth(up)).code).toBe(0);
    await until('the containers of the cluster that was are gone', async () => (await containersOf(id)).length === 0);
  });
});

test('the note of a process whose id another program has by now ends nobody', async () => {
  await startCluster();
  await home.kill();
  const other = spawn('sleep', ['600']);
  try {
    const note = { ...home.running(), pid: other.pid };
    writeFileSync(join(home.data, 'running.json'), JSON.stringify(note));
    expect((await berth(['status'])).code).toBe(1);
    expect((await berth(['down'])).out).toMatch(/^Context .* removed .*\nBerth was down already; 2 containers left/);
    expect(runs(other.pid!)).toBe(true);
  } finally {
    other.kill('SIGKILL');
  }
});

describe('an interruption', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s while a cluster comes up leaves nothing, and is told', async (signal, code) => {
    const program = home.start('up', [...up, '--data', home.data]);
    await until('the cluster has begun', () => existsSync(join(home.data, 'running.json')));
    const { pid } = home.running();
    process.kill(program.pid, signal);
    expect(await program.exited).toBe(code);
    expect(readFileSync(program.log, 'utf8')).toBe('Interrupted; the cluster is down again.\n');
    expect(runs(pid)).toBe(false);
    expect(existsSync(join(home.data, 'running.json'))).toBe(false);
    expect(existsSync(home.kubeconfig)).toBe(false);
  });

  test('SIGHUP ends a cluster in the foreground with its containers', async () => {
    const program = home.start('up', [...up, '--foreground', '--data', home.data]);
    await until('it is up', () => readFileSync(program.log, 'utf8').includes('Ctrl-C takes it down'));
    await berth(['apply', '-f', '-'], idlePod('p'));
    await berth(['wait', '--for=condition=Ready', 'pod/p']);
    const id = home.clusterId();
    await program.end('SIGHUP');
    expect(await program.exited).toBe(129);
    expect(await containersOf(id)).toEqual([]);
    expect(existsSync(home.kubeconfig)).toBe(false);
  });
});

test('of two ups at once one comes up and the other says so; of two downs both succeed', async () => {
  const [one, two] = await Promise.all([berth(up), berth(up)]);
  const codes = [one.code, two.code].sort();
  expect(codes[0]).toBe(0);
  if (codes[1] !== 0) expect(one.err + two.err).toMatch(/just being started|runs from .* already/);
  const downs = await Promise.all([berth(['down']), berth(['down'])]);
  expect(downs.map(({ code }) => code)).toEqual([0, 0]);
  expect((await berth(['status'])).code).toBe(1);
});

test('an up during a down waits for it and brings a new one up', async () => {
  await startCluster();
  const { pid } = home.running();
  const note = join(home.data, 'running.json');
  const down = berth(['down']);
  await until('it has begun to end', () => !existsSync(note) || textOf(note).includes('"stopping": true'));
  expect((await berth(up)).out).toMatch(/^Berth v\S+ is up: /);
  expect((await down).code).toBe(0);
  expect(runs(pid)).toBe(false);
  expect((await berth(['get', 'nodes', '-o', 'name'])).out).toBe('node/a\n');
});

describe('the kubeconfig', () => {
  const mine =
    '# mine\napiVersion: v1\nclusters:\n- cluster: {server: "https://x"}   # work\n  name: berth\ncurrent-context: ""\n';

  test('an entry of somebody else by our name stays, and another context is asked for', async () => {
    const file = join(home.folder, 'theirs');
    writeFileSync(file, mine);
    const env = { KUBECONFIG: file };
    const refused = await berth(up, '', env);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('name another context with --context')]);
    expect(readFileSync(file, 'utf8')).toBe(mine);
    expect((await berth([...up, '--context', 'own'], '', env)).code).toBe(0);
    expect((await berth(['get', 'nodes', '--context', 'own'], '', env)).code).toBe(0);
    expect((await berth(['down'], '', env)).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(mine);
  });

  test('the context of a running cluster is not taken from it; a lost one is written again', async () => {
    expect((await berth(up)).code).toBe(0);
    const second = ['--data', join(home.folder, 'second'), '--port', '0', '--node', 'b'];
    const refused = await berth(['up', ...second]);
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringContaining(`belongs to the cluster that runs from ${home.data}`),
    ]);
    rmSync(home.kubeconfig);
    expect((await berth(['status'])).code).toBe(0);
    expect((await berth(['up'])).out).toContain('(written again)');
    expect((await berth(['get', 'nodes', '-o', 'name'])).out).toBe('node/a\n');
  });

  test('that cannot be written fails the up, and nothing runs', async () => {
    const { code, err } = await berth(up, '', { KUBECONFIG: home.folder });
    expect([code, err]).toEqual([1, expect.stringContaining(`kubeconfig ${home.folder}: is a directory`)]);
    expect((await berth(['status'])).out).toMatch(/^Berth is not up/);
  });
});

describe('a data folder that cannot be used', () => {
  test('is named with the reason', async () => {
    const file = join(home.folder, 'file');
    writeFileSync(file, '');
    for (const data of [file, join(file, 'below')]) {
      const { code, err } = await berth([...up, '--data', data]);
      expect([code, err]).toEqual([1, expect.stringContaining(`the data folder ${data} cannot be written`)]);
    }
  });

  test('that has other files keeps them when it is purged', async () => {
    const project = join(home.folder, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'mine.txt'), 'mine');
    expect((await berth([...up, '--data', project])).code).toBe(0);
    expect((await berth(['down', '--data', project, '--purge'])).out).toContain(
      'only what is not of Berth stays: mine.txt',
    );
    expect(readdirSync(project)).toEqual(['mine.txt']);
  });
});
