/** `berth up --scheduler-config` on a real engine: the daemon takes the file, remembers it, and says what is wrong with it. */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, idlePod, openHome } from './home.ts';

let home: Home;
const berth: Home['berth'] = (args, stdin) => home.berth(args, stdin);

beforeAll(() => {
  home = openHome();
  cpSync(join(import.meta.dirname, '../../manifests/scheduler'), join(home.folder, 'conf'), { recursive: true });
  const file = join(home.folder, 'conf/scheduler.yaml');
  writeFileSync(file, `${readFileSync(file, 'utf8')}parallelism: 4\n`);
});
afterAll(() => home.leave());

const up = ['up', '--port', '0', '--node', 'a=cpu:500m,memory:512Mi', '--node', 'b=cpu:500m,memory:512Mi'];
const pod = (name: string, schedulerName: string) => idlePod(name, `  schedulerName: ${schedulerName}\n`);

describe('berth up --scheduler-config', () => {
  test('a broken file is told in full, and nothing is started', async () => {
    writeFileSync(
      join(home.folder, 'broken.yaml'),
      'apiVersion: kubescheduler.config.k8s.io/v1\nkind: Scheduler\nnope: 1\n',
    );
    const { code, err } = await berth([...up, '--scheduler-config', 'broken.yaml']);
    expect(code).toBe(1);
    expect(err).toContain('broken.yaml:2:1: kind: Invalid value: "Scheduler": must be KubeSchedulerConfiguration\n');
    expect(err).toContain('broken.yaml:3:1: nope: unknown field "nope"');
    expect(existsSync(join(home.data, 'running.json'))).toBe(false);
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
