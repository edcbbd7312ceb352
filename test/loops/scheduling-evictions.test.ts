/** Evictions for more important pods: what happens when they fail, and what is counted. */
import { describe, expect, test } from 'vitest';
import { podKind } from '#api/kinds/core.ts';
import { conflict, forbidden } from '#api/status.ts';
import {
  finalizers,
  important,
  noFinalizers,
  patchPod,
  removePod,
  type SchedulingWorld,
  startWorld,
} from './scheduling-world.ts';

const small = { cpu: '1', memory: '1Gi', pods: '10' };

/** A node that is full of one pod, and a more important pod that wants in. */
const crowd = async (it: SchedulingWorld): Promise<void> => {
  await it.node('n1', small);
  await it.pod('low', { cpu: '800m' });
  await it.pass(100);
  await it.pod('vip', { cpu: '800m' }, important);
};

describe('an eviction that fails', () => {
  test('is tried again after 1, 2, 4, 8, 10 seconds and so on, not at once, however idle the scheduler is', async () => {
    let isAllowed = false;
    const asked: number[] = [];
    const patched: string[] = [];
    const it = await startWorld({
      wrap: client => ({
        ...client,
        remove: async (kind, ref, options) => {
          asked.push(it.world.clock.now());
          if (!isAllowed) throw forbidden(podKind, ref.name, 'no evictions today');
          await client.remove(kind, ref, options);
        },
        patch: (kind, ref, change, options) => {
          if ((kind as unknown) === podKind) patched.push(ref.name);
          return client.patch(kind, ref, change, options);
        },
      }),
    });
    await crowd(it);
    for (let second = 0; second < 60; second++) await it.pass(1000);
    const waits = asked.slice(1).map((atMs, i) => Math.round((atMs - asked[i]!) / 1000));
    expect(waits).toEqual([1, 2, 4, 8, 10, 10, 10, 10]);
    expect(it.nodeOf('low')).toBe('n1');
    // The victim is marked once, and what is known of the preemptor is written once.
    expect(patched.sort()).toEqual(['low', 'vip']);

    isAllowed = true;
    await it.pass(15_000);
    expect(it.nodeOf('vip')).toBe('n1');
    expect(() => it.get('low')).toThrow(/not found/);
  });

  test('also when it met another change of the victim', async () => {
    let conflicts = 0;
    const it = await startWorld({
      wrap: client => ({
        ...client,
        remove: async (kind, ref, options) => {
          if (conflicts++ < 2) throw conflict(podKind, ref.name, 'the object has been modified');
          await client.remove(kind, ref, options);
        },
      }),
    });
    await crowd(it);
    await it.pass(5000);
    expect(it.nodeOf('vip')).toBe('n1');
  });

  test('of a pod that is gone by then is no failure', async () => {
    const it = await startWorld({
      wrap: client => ({
        ...client,
        remove: async (kind, ref, options) => {
          await client.remove(kind, ref, options);
          await client.remove(kind, ref, options);
        },
      }),
    });
    await crowd(it);
    await it.pass(1000);
    expect(it.nodeOf('vip')).toBe('n1');
  });
});

describe('what is counted of preemptions', () => {
  test('pods in the way each time that some are told to go, and every time that it was tried to make room', async () => {
    const it = await startWorld();
    await it.node('n1', small);
    for (const name of ['low1', 'low2']) await it.pod(name, { cpu: '400m' });
    await it.pod('tiny', { cpu: '50m' });
    await it.pass(100);
    for (const name of ['low1', 'low2']) await patchPod(it, name, finalizers);
    await it.pod('vip', { cpu: '900m' }, important);
    await it.pass(500);
    const { preemptionAttempts, preemptionVictims } = it.scheduler.counters;
    expect(preemptionVictims).toBe(2);

    // Tried again while the victims are leaving: an attempt, but nobody else has to go.
    await removePod(it, 'tiny');
    await it.pass(3000);
    expect(it.scheduler.counters.preemptionAttempts).toBeGreaterThan(preemptionAttempts);
    expect(it.scheduler.counters.preemptionVictims).toBe(2);
    for (const name of ['low1', 'low2']) await patchPod(it, name, noFinalizers);
    await it.pass(2000);
    expect(it.nodeOf('vip')).toBe('n1');
    expect(it.scheduler.counters.preemptionVictims).toBe(2);
  });

  test('a victim that is leaving anyway is not counted', async () => {
    const it = await startWorld();
    await it.node('n1', small);
    await it.pod('low', { cpu: '800m' });
    await it.pass(100);
    await patchPod(it, 'low', finalizers);
    await removePod(it, 'low');
    await it.pod('vip', { cpu: '800m' }, important);
    await it.pass(1000);
    expect(it.get('vip').status?.nominatedNodeName).toBe('n1');
    expect(it.scheduler.counters).toMatchObject({ preemptionAttempts: 1, preemptionVictims: 0 });
    expect(await it.events('Preempted', 'low')).toEqual([]);
  });
});
