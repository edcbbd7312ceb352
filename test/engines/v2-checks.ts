/** What must hold on cgroup v2 only: the files that are written, and what the kernel does with them. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { weightOf } from '#agent/host/cgroups.ts';
import { counterOf } from '#agent/host/kept-file.ts';
import { testImage } from '#test/node-agent/test-image.ts';
import {
  type Check,
  cleanUpCheck,
  commonChecks,
  containerOf,
  execIn,
  groupOf,
  hog,
  idle,
  put,
  read,
  remove,
  sh,
  share,
  statusOf,
  targetOf,
  type World,
  waitFor,
  whenRunning,
} from './checks.ts';

/** runc from 1.3.2 on; before, it is `weightOf` (SEMANTICS D.1). */
const newerWeightOf = (shares: number): number => {
  const l = Math.log2(shares);
  return Math.ceil(10 ** ((l * l + 125 * l) / 612 - 7 / 34));
};

const containerGroup = (world: World, name: string, container = 'app'): string => {
  const id = containerOf(world, name, container)!.containerID!.replace('docker://', '');
  const pod = groupOf(world, targetOf(world, name).uid);
  return existsSync(path.join(pod, id)) ? path.join(pod, id) : path.join(pod, container, id);
};

const limitsOf = (group: string) => ({
  cpu: read(group, 'cpu.max'),
  memory: read(group, 'memory.max'),
  ...(existsSync(path.join(group, 'memory.swap.max')) ? { swap: read(group, 'memory.swap.max') } : {}),
});

const withoutSwap = ({ cpu, memory }: ReturnType<typeof limitsOf>) => [cpu, memory];

const oomKills = (group: string): number => counterOf(read(group, 'memory.events'), 'oom_kill');

const [runs, ...others] = commonChecks;

export const v2Checks: readonly Check[] = [
  {
    name: 'the engine says cgroup v2 and cgroupfs, and the agent may write the groups',
    run: async ({ harness }) => {
      const { cgroupVersion, cgroupDriver, serverVersion, apiVersion, kernelVersion } = await harness.runtime.info();
      assert.deepEqual([cgroupVersion, cgroupDriver], ['2', 'cgroupfs']);
      return { serverVersion, apiVersion, kernelVersion };
    },
  },
  {
    name: 'the share of the node is written into its group, and controllers are handed down to it',
    run: async world => {
      const node = groupOf(world);
      assert.deepEqual(withoutSwap(limitsOf(node)), ['40000 100000', String(share.memoryBytes)]);
      assert.equal(limitsOf(node).swap ?? '0', '0');
      assert.equal(read(node, 'cpu.weight'), String(weightOf(409)));
      for (const group of ['/sys/fs/cgroup', '/sys/fs/cgroup/berth', path.dirname(node), node]) {
        const handed = read(group, 'cgroup.subtree_control').split(' ');
        assert.ok(
          ['cpu', 'memory', 'pids'].every(name => handed.includes(name)),
          `${group}: ${handed}`,
        );
      }
      return limitsOf(node);
    },
  },
  runs!,
  {
    name: 'requests and limits are written into the groups of pod and container',
    run: async world => {
      const pod = groupOf(world, targetOf(world, 'limits').uid);
      const container = containerGroup(world, 'limits');
      for (const group of [pod, container]) {
        assert.deepEqual(withoutSwap(limitsOf(group)), ['30000 100000', String(64 << 20)], group);
        assert.equal(limitsOf(group).swap ?? '0', '0');
      }
      assert.equal(read(pod, 'cpu.weight'), String(weightOf(256)));
      const weight = Number(read(container, 'cpu.weight'));
      assert.ok([weightOf(256), newerWeightOf(256)].includes(weight), `weight ${weight}`);
      assert.equal(await execIn(world, 'limits', 'cat /sys/fs/cgroup/memory.max'), String(64 << 20));
      return { ...limitsOf(container), podWeight: weightOf(256), containerWeight: weight };
    },
  },
  {
    name: 'memory.oom.group is set in the container, not in the sandbox',
    run: async world => {
      const group = containerGroup(world, 'limits');
      await waitFor('memory.oom.group', () => read(group, 'memory.oom.group') === '1');
      const sandboxes = readdirSync(path.dirname(group), { withFileTypes: true })
        .filter(entry => entry.isDirectory() && entry.name !== path.basename(group))
        .map(entry => read(path.dirname(group), entry.name, 'memory.oom.group'));
      assert.deepEqual(sandboxes, ['0']);
    },
  },
  ...others.slice(0, 2),
  {
    name: 'an OOM kill of a child ends its whole container, and only that',
    run: async world => {
      const waits = 'until [ "$(cat /sys/fs/cgroup/memory.oom.group)" = 1 ]; do sleep 0.1; done';
      const resources = { requests: { memory: '4Mi' }, limits: { memory: '20Mi' } };
      const base = { image: testImage, imagePullPolicy: 'IfNotPresent' as const };
      put(
        world,
        'two',
        {},
        {
          restartPolicy: 'Never',
          containers: [
            { ...base, name: 'app', ...sh(`${waits}; ${hog}; exit 1`), resources },
            { ...base, name: 'other', ...idle, resources },
          ],
        },
      );
      const end = await waitFor('the end', () => containerOf(world, 'two')?.state?.terminated);
      assert.deepEqual([end.reason, end.exitCode], ['OOMKilled', 137]);
      assert.ok(containerOf(world, 'two', 'other')?.state?.running, 'the other container runs');
      const pod = groupOf(world, targetOf(world, 'two').uid);
      const kills = { app: oomKills(path.join(pod, 'app')), other: oomKills(path.join(pod, 'other')) };
      assert.ok(kills.app >= 2, `processes killed: ${kills.app}`);
      assert.equal(kills.other, 0);
      await remove(world, 'two');
      return kills;
    },
  },
  {
    name: 'a pod without a limit is held to the CPU of its node by the group above it',
    run: async world => {
      put(world, 'spin', sh('while :; do :; done'));
      await whenRunning(world, 'spin');
      const { uid } = targetOf(world, 'spin');
      assert.deepEqual(withoutSwap(limitsOf(groupOf(world, uid))), ['max 100000', 'max']);
      assert.equal(limitsOf(groupOf(world, uid)).swap ?? '0', '0', 'pods do not swap');
      const node = () => {
        const text = read(groupOf(world), 'cpu.stat');
        const of = (key: string) => counterOf(text, key);
        return { cpuMs: of('usage_usec') / 1000, periods: of('nr_periods'), throttled: of('nr_throttled') };
      };
      const from = node();
      // The virtual machine itself may be short of CPU for a while.
      const to = await waitFor('ten throttled periods', () => node().throttled >= from.throttled + 10 && node());
      const periods = to.periods - from.periods;
      const cpuMs = to.cpuMs - from.cpuMs;
      assert.ok(cpuMs <= (periods + 1) * 40 * 1.5, `${cpuMs} ms in ${periods} periods`);
      await remove(world, 'spin');
      return { periods, cpuMs, throttled: to.throttled - from.throttled };
    },
  },
  {
    name: 'a pod without a limit that fills its node is OOMKilled; a Burstable one beside it lives on',
    run: async world => {
      const node = groupOf(world);
      const ooms = () => counterOf(read(node, 'memory.events.local'), 'oom');
      const before = ooms();
      put(world, 'greedy', sh(`exec ${hog}`), { restartPolicy: 'Never' });
      const end = await waitFor('the end', () => containerOf(world, 'greedy')?.state?.terminated);
      assert.deepEqual([end.reason, end.exitCode], ['OOMKilled', 137]);
      assert.ok(ooms() > before, "the node's own limit was hit");
      assert.equal(statusOf(world, 'limits')?.phase, 'Running');
      assert.equal(containerOf(world, 'limits')?.restartCount, 0);
      await remove(world, 'greedy');
      return { nodeOoms: ooms() - before };
    },
  },
  {
    name: 'memory.oom.group is also set by an agent that begins and finds it unset',
    run: async world => {
      const file = path.join(containerGroup(world, 'limits'), 'memory.oom.group');
      writeFileSync(file, '0');
      await world.harness.restart();
      await waitFor('memory.oom.group', () => read(file) === '1');
    },
  },
  ...others.slice(2),
  cleanUpCheck,
];
