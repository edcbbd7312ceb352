/**
 * What an agent must do on any engine and either cgroup version, as checks without a test runner: they run in a virtual
 * machine too (guest.ts), where only their outcome comes out. Each gives what it saw and throws where that is wrong.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { podKind } from '#api/kinds/core.ts';
import { createStop } from '#base/stop.ts';
import { type Harness, podOf, until } from '#test/node-agent/harness.ts';
import { openSession } from '#test/node-agent/session.ts';

export interface World {
  readonly harness: Harness;
}

export interface Check {
  readonly name: string;
  run(world: World): Promise<unknown>;
}

/** What the node of these checks has of its machine. */
export const share = { cpuMilli: 400, memoryBytes: 128 << 20, pods: 20 } as const;

/** A container starts in seconds there, not in tenths. */
const patienceMs = 90_000;

const sh = (script: string) => ({ command: ['sh', '-c', script] });
export const idle = sh('trap "exit 0" TERM; sleep 3600 & wait');
export const hog = `awk 'BEGIN { for (x = "a"; ; ) x = x x }'`;
export { sh };

export const put = ({ harness }: World, ...args: Parameters<typeof podOf>): void => {
  harness.client.put(podKind, podOf(...args));
};

export const remove = async ({ harness }: World, name: string): Promise<void> => {
  await harness.client.remove(podKind, { namespace: 'default', name }, { gracePeriodSeconds: 0 });
  await until(`${name} is gone`, () => harness.pod(name) === undefined, patienceMs);
};

export const statusOf = ({ harness }: World, name: string) => harness.pod(name)?.status;
export const containerOf = (world: World, name: string, container = 'app') =>
  statusOf(world, name)?.containerStatuses?.find(status => status.name === container);

export const waitFor = <T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>) =>
  until(what, look, patienceMs);

export const whenRunning = (world: World, name: string): Promise<unknown> =>
  waitFor(`${name} runs`, () =>
    statusOf(world, name)?.conditions?.some(c => c.type === 'Ready' && c.status === 'True'),
  );

/** The path of the node, or of a group below it, in the tree of a controller (version 2 has one tree). */
export const groupOf = ({ harness }: World, ...parts: readonly string[]): string => {
  const inTree = path.join('berth', harness.cluster, harness.node, ...parts);
  const root = '/sys/fs/cgroup';
  return existsSync(path.join(root, 'cgroup.controllers'))
    ? path.join(root, inTree)
    : path.join(root, 'memory', inTree);
};

export const read = (...parts: readonly string[]): string => readFileSync(path.join(...parts), 'utf8').trim();

export const targetOf = ({ harness }: World, name: string, container = 'app') => ({
  namespace: 'default',
  pod: name,
  uid: harness.pod(name)!.metadata.uid!,
  container,
});

const logsOf = async (world: World, name: string): Promise<string> => {
  let text = '';
  await world.harness.agent.handler.logs(
    { ...targetOf(world, name), follow: false, previous: false, timestamps: false },
    async chunk => {
      text += Buffer.from(chunk).toString();
    },
    createStop().signal,
  );
  return text;
};

export const execIn = async (world: World, name: string, script: string): Promise<string> => {
  const session = openSession();
  const options = { stdin: false, stdout: true, stderr: true, tty: false };
  await world.harness.agent.handler.exec(
    { ...targetOf(world, name), ...options, command: ['sh', '-c', script] },
    session,
  );
  session.leave();
  assert.match(session.text(3), /"status":"Success"/);
  return session.text(1).trim();
};

export const commonChecks: readonly Check[] = [
  {
    name: 'a pod with limits runs; its log and a command in it are there',
    run: async world => {
      const resources = { requests: { cpu: '250m', memory: '4Mi' }, limits: { cpu: '300m', memory: '64Mi' } };
      put(world, 'limits', { ...sh(`echo hello; ${idle.command[2]}`), resources });
      await whenRunning(world, 'limits');
      await waitFor('its log', async () => (await logsOf(world, 'limits')) === 'hello\n');
      assert.equal(await execIn(world, 'limits', 'echo $((6 * 7))'), '42');
      return statusOf(world, 'limits')?.phase;
    },
  },
  {
    name: 'a pod that takes more memory than its limit is OOMKilled and restarted',
    run: async world => {
      put(world, 'oom', {
        ...sh(`exec ${hog}`),
        resources: { requests: { memory: '4Mi' }, limits: { memory: '20Mi' } },
      });
      const last = await waitFor('the OOM kill', () => containerOf(world, 'oom')?.lastState?.terminated);
      assert.deepEqual([last.reason, last.exitCode], ['OOMKilled', 137]);
      await waitFor('the restart', () => (containerOf(world, 'oom')?.restartCount ?? 0) >= 1);
      await remove(world, 'oom');
      return { reason: last.reason, exitCode: last.exitCode };
    },
  },
  {
    name: 'usage and throttling of a pod at its CPU limit are read',
    run: async world => {
      const { sampler } = world.harness.agent.agent;
      put(world, 'busy', { ...sh('while :; do :; done'), resources: { limits: { cpu: '200m' } } });
      await whenRunning(world, 'busy');
      const { uid } = targetOf(world, 'busy');
      const counters = () => sampler.counters().find(each => each.podUid === uid && each.container === 'app')?.series;
      const from = (await waitFor('a sample', counters)).last;
      const to = await waitFor('ten throttled periods', () => {
        const last = counters()?.last;
        return last && last.throttling.throttledPeriods >= from.throttling.throttledPeriods + 10 && last;
      });
      const periods = to.throttling.periods - from.throttling.periods;
      const cpuMs = (to.cpuNanos - from.cpuNanos) / 1e6;
      // 20 ms in each period of 100 ms, and what one slice may overrun.
      assert.ok(cpuMs <= (periods + 1) * 20 * 1.5, `${cpuMs} ms in ${periods} periods`);
      assert.ok(to.memoryWorkingSetBytes > 0 && to.pids >= 1);
      const usage = (await world.harness.agent.handler.usage())?.pods.find(pod => pod.name === 'busy');
      assert.ok((usage?.containers[0]?.cpuNanoCores ?? 0) > 0, 'usage is told');
      assert.equal(sampler.source, 'cgroup files');
      const id = containerOf(world, 'busy')!.containerID!.replace('docker://', '');
      const engine = await world.harness.runtime.stats(id);
      assert.ok(engine && engine.throttling.throttledPeriods >= to.throttling.throttledPeriods, "the engine's numbers");
      await remove(world, 'busy');
      return { periods, cpuMs, throttled: to.throttling.throttledPeriods - from.throttling.throttledPeriods };
    },
  },
  {
    name: 'an agent that is restarted adopts what runs',
    run: async world => {
      const before = containerOf(world, 'limits')!.containerID;
      await world.harness.restart();
      await whenRunning(world, 'limits');
      assert.equal(containerOf(world, 'limits')!.containerID, before);
      assert.equal(containerOf(world, 'limits')!.restartCount, 0);
    },
  },
  {
    name: 'the groups of a pod go with it',
    run: async world => {
      const { uid } = targetOf(world, 'limits');
      assert.ok(readdirSync(groupOf(world)).includes(uid));
      await remove(world, 'limits');
      await waitFor('the group is gone', () => !existsSync(groupOf(world, uid)));
    },
  },
];

/** To be run last: takes everything of the world away. */
export const cleanUpCheck: Check = {
  name: 'nothing is left of an agent that takes its containers away',
  run: async world => {
    const { harness } = world;
    await harness.dispose();
    assert.deepEqual(await harness.runtime.list({ 'berth.dev/cluster': harness.cluster }), []);
    assert.ok(!existsSync(groupOf(world)), 'the group of the node is gone');
    assert.ok(!existsSync(path.dirname(groupOf(world))), 'the group of the cluster is gone');
  },
};
