/** The scheduler as a service, over a real registry: what users see of it in pods and events. */
import { describe, expect, test } from 'vitest';
import { podKind } from '#api/kinds/core.ts';
import { priorityClassKind } from '#api/kinds/scheduling.ts';
import { conflict } from '#api/status.ts';
import { important, type SchedulingWorld, startWorld } from './scheduling-world.ts';

const scheduled = (it: SchedulingWorld, name: string) =>
  it.get(name).status?.conditions?.find(({ type }) => type === 'PodScheduled');

describe('the scheduler', () => {
  test('binds a pod to a node that has room and says so', async () => {
    const it = await startWorld();
    await it.node('n1');
    await it.pod('web');
    await it.pass(100);
    expect(it.nodeOf('web')).toBe('n1');
    expect(scheduled(it, 'web')?.status).toBe('True');
    expect(await it.events('Scheduled', 'web')).toEqual(['Successfully assigned default/web to n1']);
  });

  test('says why a pod fits nowhere, and binds it when a node comes on which it fits', async () => {
    const it = await startWorld();
    await it.node('n1', { cpu: '1', memory: '1Gi', pods: '10' });
    await it.pod('big', { cpu: '2' });
    await it.pass(100);
    const message =
      '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: ' +
      '1 Preemption is not helpful for scheduling.';
    expect(scheduled(it, 'big')).toMatchObject({ status: 'False', reason: 'Unschedulable', message });
    expect(await it.events('FailedScheduling', 'big')).toEqual([message]);

    await it.node('n2', { cpu: '4', memory: '1Gi', pods: '10' });
    await it.pass(2000);
    expect(it.nodeOf('big')).toBe('n2');
  });

  test('does not try a pod again for a change that cannot help it', async () => {
    const it = await startWorld();
    await it.node('n1', { cpu: '1', memory: '1Gi', pods: '10' });
    await it.pod('big', { cpu: '2' });
    await it.pass(100);
    const before = it.scheduler.counters.attempts.unschedulable;
    await it.node('n2', { cpu: '1', memory: '64Gi', pods: '10' });
    await it.pod('small', { cpu: '10m' });
    await it.pass(5000);
    expect(it.nodeOf('small')).not.toBe('');
    expect(it.scheduler.counters.attempts.unschedulable).toBe(before);
    expect(it.scheduler.counters.pending).toMatchObject({ active: 0, parked: 1 });
  });

  test('says there are no nodes, and goes on when there is one', async () => {
    const it = await startWorld();
    await it.pod('early');
    await it.pass(100);
    expect(scheduled(it, 'early')?.message).toBe('no nodes available to schedule pods');
    await it.node('n1');
    await it.pass(2000);
    expect(it.nodeOf('early')).toBe('n1');
  });

  test('leaves gated pods alone until their gates are gone', async () => {
    const it = await startWorld();
    await it.node('n1');
    await it.pod('held', {}, { spec: { schedulingGates: [{ name: 'example.com/hold' }] } });
    await it.pass(100);
    expect(scheduled(it, 'held')).toMatchObject({ status: 'False', reason: 'SchedulingGated' });
    expect(it.scheduler.counters.pending.gated).toBe(1);
    expect(await it.events('FailedScheduling', 'held')).toEqual([]);
    await it.world.patch(podKind as never, 'held', { type: 'merge', body: { spec: { schedulingGates: null } } });
    await it.pass(100);
    expect(it.nodeOf('held')).toBe('n1');
  });

  test('leaves pods of other schedulers alone', async () => {
    const it = await startWorld();
    await it.node('n1');
    await it.pod('theirs', {}, { spec: { schedulerName: 'somebody-else' } });
    await it.pass(100);
    expect(it.nodeOf('theirs')).toBe('');
    expect(it.scheduler.counters.attempts.scheduled).toBe(0);
  });

  test('places a waiting pod when another one goes', async () => {
    const it = await startWorld();
    await it.node('n1', { cpu: '1', memory: '1Gi', pods: '10' });
    await it.pod('first', { cpu: '800m' });
    await it.pass(100);
    await it.pod('second', { cpu: '800m' });
    await it.pass(100);
    expect(it.nodeOf('second')).toBe('');
    await it.client.remove(podKind, { namespace: 'default', name: 'first' });
    await it.pass(2000);
    expect(it.nodeOf('second')).toBe('n1');
  });

  test('never puts more on a node than it has, though bindings are written later', async () => {
    const it = await startWorld();
    await it.node('n1', { cpu: '1', memory: '64Gi', pods: '110' });
    await it.node('n2', { cpu: '1', memory: '64Gi', pods: '110' });
    for (let i = 0; i < 30; i++) await it.pod(`p${i}`, { cpu: '100m' });
    await it.pass(1000);
    const nodes = Array.from({ length: 30 }, (_, i) => it.nodeOf(`p${i}`));
    expect(nodes.filter(name => name === 'n1')).toHaveLength(10);
    expect(nodes.filter(name => name === 'n2')).toHaveLength(10);
  });

  test('pods that cannot fit do not hold up those that can, whatever their priority', async () => {
    const it = await startWorld();
    await it.node('n1');
    for (let i = 0; i < 20; i++) await it.pod(`never${i}`, { cpu: '9' }, important);
    await it.pod('fits');
    await it.pass(200);
    expect(it.nodeOf('fits')).toBe('n1');
  });

  test('tries again after a binding that was refused', async () => {
    let refusals = 0;
    const it = await startWorld({
      wrap: client => ({
        ...client,
        post: async (kind, ref, subresource, body) => {
          if (refusals++ === 0) throw conflict(podKind, ref.name, 'the store is busy');
          await client.post(kind, ref, subresource, body);
        },
      }),
    });
    await it.node('n1');
    await it.pod('web');
    await it.pass(100);
    expect(it.nodeOf('web')).toBe('');
    expect(scheduled(it, 'web')).toMatchObject({ status: 'False', reason: 'SchedulerError' });
    await it.pass(2000);
    expect(it.nodeOf('web')).toBe('n1');
    expect(it.scheduler.counters).toMatchObject({ bound: 1, bindFailures: 1 });
  });
});

describe('preemption', () => {
  const crowded = async (): Promise<SchedulingWorld> => {
    const it = await startWorld();
    await it.node('n1', { cpu: '1', memory: '1Gi', pods: '10' });
    await it.pod('low', { cpu: '800m' });
    await it.pass(100);
    return it;
  };

  test('a more important pod pushes out another and takes its place', async () => {
    const it = await crowded();
    const { uid } = (await it.pod('vip', { cpu: '800m' }, important)).metadata;
    await it.pass(3000);
    expect(it.nodeOf('vip')).toBe('n1');
    expect(() => it.get('low')).toThrow(/not found/);
    expect(await it.events('Preempted', 'low')).toEqual([`Preempted by pod ${uid} on node n1`]);
    expect(await it.events('FailedScheduling', 'vip')).toEqual(['0/1 nodes are available: 1 Insufficient cpu.']);
    expect(it.scheduler.counters.preemptionVictims).toBe(1);
  });

  test('victims get their grace, are marked, and their place is kept for the one that pushed them out', async () => {
    const it = await crowded();
    await it.world.patch(podKind as never, 'low', {
      type: 'merge',
      body: { metadata: { finalizers: ['example.com/slow'] } },
    });
    await it.pass(100);
    await it.pod('vip', { cpu: '800m' }, important);
    await it.pass(1000);
    const low = it.get('low');
    expect(low.metadata.deletionTimestamp).toBeDefined();
    expect(low.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: 'default-scheduler: preempting to accommodate a higher priority pod',
    });
    expect(it.get('vip').status?.nominatedNodeName).toBe('n1');

    await it.pod('later', { cpu: '800m' });
    await it.world.patch(podKind as never, 'low', { type: 'merge', body: { metadata: { finalizers: null } } });
    await it.pass(20_000);
    expect(it.nodeOf('vip')).toBe('n1');
    expect(it.get('vip').status?.nominatedNodeName).toBeUndefined();
    expect(it.nodeOf('later')).toBe('');
  });

  test('a pod that may not preempt waits', async () => {
    const it = await crowded();
    await it.world.create(priorityClassKind as never, {
      metadata: { name: 'polite' },
      value: 1000,
      preemptionPolicy: 'Never',
    });
    await it.pod('vip', { cpu: '800m' }, { spec: { priorityClassName: 'polite' } });
    await it.pass(1000);
    expect(it.nodeOf('low')).toBe('n1');
    expect(scheduled(it, 'vip')?.message).toMatch(/preemption: not eligible due to preemptionPolicy=Never\.$/);
  });
});
