/** OOM kills of the real kernel as events and counts of the pod that they hit, on cgroup v1. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { oomSettlesMs } from '#agent/pod/oom.ts';
import { podKind } from '#api/kinds/core.ts';
import { dockerFault, type Harness, podOf, rootFault, startHarness, until } from '#test/node-agent/harness.ts';

// On version 2 the kernel ends the container as a whole, and the group's own counters tell (test/engines).
const isV1 = existsSync('/sys/fs/cgroup/memory/memory.oom_control');
const sh = (script: string) => ({ command: ['sh', '-c', script] });
const grow = 'x=aaaaaaaa; while :; do x="$x$x"; done';

describe.skipIf(dockerFault !== undefined || !isV1)('an OOM kill', () => {
  let h: Harness;
  beforeAll(async () => {
    h = await startHarness({ share: { cpuMilli: 1000, memoryBytes: 160 << 20 } });
  });
  afterAll(() => h.dispose());

  const state = (name: string) => h.pod(name)?.status?.containerStatuses?.[0];
  const told = (name: string) => h.events(name).filter(line => line.includes('OOMKilling'));
  const forget = (name: string) =>
    h.client.remove(podKind, { namespace: 'default', name }, { gracePeriodSeconds: 0 }).catch(() => {});

  test('of a child leaves the container running, is told, and is counted', async () => {
    const script = `while :; do sh -c '${grow}'; sleep 1; done`;
    h.client.put(podKind, podOf('parent', { ...sh(script), resources: { limits: { memory: '20Mi' } } }));
    const message =
      'Warning OOMKilling: Memory cgroup out of memory: Killed a process of container app, whose main process goes on (memory limit 20Mi)';
    await until('told', () => told('parent').includes(message));
    expect(state('parent')).toMatchObject({ restartCount: 0, state: { running: {} } });
    const { uid } = h.pod('parent')!.metadata;
    await until('counted twice', async () => {
      const usage = await h.agent.handler.usage();
      return (usage?.pods.find(pod => pod.uid === uid)?.containers[0]?.counters?.oomKills ?? 0) >= 2;
    });
    expect(told('parent')).toEqual([message]);
    await forget('parent');
  });

  test('of a main process is told with each end', async () => {
    h.client.put(podKind, podOf('main', { ...sh(grow), resources: { limits: { memory: '20Mi' } } }));
    await until('restarted', () => (state('main')?.restartCount ?? 0) >= 2);
    const message = 'Warning OOMKilling: Memory cgroup out of memory: Killed container app, exit code 137';
    await until('told', () => told('main').length > 0);
    expect(told('main')).toEqual([`${message} (memory limit 20Mi)`]);
    await forget('main');
  });

  test('for want of the memory of the slice is told of its victim alone; its neighbour does not end as OOMKilled', async ({
    skip,
  }) => {
    skip(rootFault !== undefined, rootFault);
    const idle = { command: ['sh', '-c', 'trap "exit 3" TERM; while :; do sleep 0.05; done'] };
    const never = { restartPolicy: 'Never' as const };
    h.client.put(podKind, podOf('neighbour', idle, never));
    await until('neighbour runs', () => h.pod('neighbour')?.status?.phase === 'Running');
    h.client.put(podKind, podOf('greedy', sh(grow), never));
    await until('greedy ended', () => h.pod('greedy')?.status?.phase === 'Failed');
    expect(state('greedy')!.state!.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    await until('told', () => told('greedy').length > 0);
    expect(told('greedy')).toEqual([
      'Warning OOMKilling: Memory cgroup out of memory: Killed container app, exit code 137 (memory of node n1, 160Mi)',
    ]);
    const seen = (await h.runtime.list({ 'berth.dev/cluster': h.cluster })).find(({ name }) =>
      name.startsWith('k8s_app_neighbour'),
    )!;
    // On version 1 every container of the slice gets the engine’s event; the agent judges it oomSettlesMs later.
    await new Promise(resolve => setTimeout(resolve, 6 * oomSettlesMs));
    await h.runtime.signal(seen.id, 'SIGTERM');
    await until('neighbour ended', () => h.pod('neighbour')?.status?.phase === 'Failed');
    expect(state('neighbour')!.state!.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
    expect(told('neighbour')).toEqual([]);
    await forget('neighbour');
    await forget('greedy');
  });
});
