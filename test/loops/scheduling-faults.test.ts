/** The scheduler when requests fail, and when what it keeps places for changes its mind. */
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { priorityClassKind } from '#api/kinds/scheduling.ts';
import { conflict, forbidden, internalError } from '#api/status.ts';
import type { Client, WatchEvent } from '#client/client.ts';
import { type SchedulingWorld, schedulingWorld } from './scheduling-world.ts';

let started: SchedulingWorld | undefined;

const start = async (wrap?: (client: Client) => Client): Promise<SchedulingWorld> => {
  started = await schedulingWorld(wrap === undefined ? {} : { wrap });
  await started.world.create(priorityClassKind as never, { metadata: { name: 'high' }, value: 1000 });
  return started;
};

afterEach(async () => {
  const stopping = started?.scheduler.stop();
  await started?.world.clock.advance(10_000);
  await stopping;
  started = undefined;
});

const high = { spec: { priorityClassName: 'high' } };
const small = { cpu: '1', memory: '1Gi', pods: '10' };
const home = (name: string) => ({ namespace: 'default', name });

const patch = (it: SchedulingWorld, name: string, body: object, subresource?: string): Promise<Pod> =>
  it.world.patch<Pod>(podKind as never, name, { type: 'merge', body }, { subresource });

/** A node that is full of one pod, and a more important pod that wants in. */
const crowd = async (it: SchedulingWorld): Promise<void> => {
  await it.node('n1', small);
  await it.pod('low', { cpu: '800m' });
  await it.pass(100);
  await it.pod('vip', { cpu: '800m' }, high);
};

describe('an eviction that fails', () => {
  test('is tried again after 1, 2, 4, 8, 10 seconds and so on, not at once, however idle the scheduler is', async () => {
    let isAllowed = false;
    const asked: number[] = [];
    const patched: string[] = [];
    const it = await start(client => ({
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
    }));
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
    const it = await start(client => ({
      ...client,
      remove: async (kind, ref, options) => {
        if (conflicts++ < 2) throw conflict(podKind, ref.name, 'the object has been modified');
        await client.remove(kind, ref, options);
      },
    }));
    await crowd(it);
    await it.pass(5000);
    expect(it.nodeOf('vip')).toBe('n1');
  });

  test('of a pod that is gone by then is no failure', async () => {
    const it = await start(client => ({
      ...client,
      remove: async (kind, ref, options) => {
        await client.remove(kind, ref, options);
        await client.remove(kind, ref, options);
      },
    }));
    await crowd(it);
    await it.pass(1000);
    expect(it.nodeOf('vip')).toBe('n1');
  });
});

describe('what is counted of preemptions', () => {
  test('pods in the way each time that some are told to go, and every time that it was tried to make room', async () => {
    const it = await start();
    await it.node('n1', small);
    for (const name of ['low1', 'low2']) await it.pod(name, { cpu: '400m' });
    await it.pod('tiny', { cpu: '50m' });
    await it.pass(100);
    const finalizers = { metadata: { finalizers: ['example.com/slow'] } };
    for (const name of ['low1', 'low2']) await patch(it, name, finalizers);
    await it.pod('vip', { cpu: '900m' }, high);
    await it.pass(500);
    const { preemptionAttempts, preemptionVictims } = it.scheduler.counters;
    expect(preemptionVictims).toBe(2);

    // Tried again while the victims are leaving: an attempt, but nobody else has to go.
    await it.client.remove(podKind, home('tiny'));
    await it.pass(3000);
    expect(it.scheduler.counters.preemptionAttempts).toBeGreaterThan(preemptionAttempts);
    expect(it.scheduler.counters.preemptionVictims).toBe(2);
    for (const name of ['low1', 'low2']) await patch(it, name, { metadata: { finalizers: null } });
    await it.pass(2000);
    expect(it.nodeOf('vip')).toBe('n1');
    expect(it.scheduler.counters.preemptionVictims).toBe(2);
  });

  test('a victim that is leaving anyway is not counted', async () => {
    const it = await start();
    await it.node('n1', small);
    await it.pod('low', { cpu: '800m' });
    await it.pass(100);
    await patch(it, 'low', { metadata: { finalizers: ['example.com/slow'] } });
    await it.client.remove(podKind, home('low'));
    await it.pod('vip', { cpu: '800m' }, high);
    await it.pass(1000);
    expect(it.get('vip').status?.nominatedNodeName).toBe('n1');
    expect(it.scheduler.counters).toMatchObject({ preemptionAttempts: 1, preemptionVictims: 0 });
    expect(await it.events('Preempted', 'low')).toEqual([]);
  });
});

describe('a place that is kept for a pod', () => {
  /** `vip` waits for n1, which a pod that is leaving still holds. */
  const keepPlace = async (it: SchedulingWorld): Promise<void> => {
    await it.node('n1', small);
    await it.pod('low', { cpu: '500m' });
    await it.pass(100);
    await patch(it, 'low', { metadata: { finalizers: ['example.com/slow'] } });
    await it.pod('vip', { cpu: '900m' }, high);
    await it.pass(500);
  };

  test('is free for others at once when that pod is deleted', async () => {
    const it = await start();
    await keepPlace(it);
    await it.pod('later', { cpu: '500m' });
    await it.pass(5000);
    expect([it.get('vip').status?.nominatedNodeName, it.nodeOf('later')]).toEqual(['n1', '']);
    await it.client.remove(podKind, home('vip'));
    await it.pass(1000);
    expect(it.nodeOf('later')).toBe('n1');
  });

  test('is free for others at once when that pod finds room elsewhere', async () => {
    const it = await start();
    await keepPlace(it);
    await it.pod('later', { cpu: '500m' }, { spec: { nodeSelector: { 'kubernetes.io/hostname': 'n1' } } });
    await it.pass(5000);
    expect(it.nodeOf('later')).toBe('');
    await it.node('n2', small);
    await it.pass(2000);
    expect([it.nodeOf('vip'), it.nodeOf('later')]).toEqual(['n2', 'n1']);
  });

  test('stays its own though a change that came first says nothing of it', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>(resolve => {
      release = resolve;
    });
    const it = await start(client => ({
      ...client,
      patch: async (kind, ref, change, options) => {
        if (ref.name === 'vip') await held;
        return client.patch(kind, ref, change, options);
      },
    }));
    await keepPlace(it);
    await it.pass(2000);
    const { unschedulable } = it.scheduler.counters.attempts;
    await patch(it, 'vip', { metadata: { annotations: { note: 'nothing that matters' } } });
    await it.pass(100);
    expect(it.scheduler.counters.attempts.unschedulable).toBe(unschedulable);
    await it.pod('later', { cpu: '500m' });
    await it.pass(2000);
    expect([it.get('vip').status?.nominatedNodeName, it.nodeOf('later')]).toEqual([undefined, '']);
    release();
    await it.pass(1000);
    expect(it.get('vip').status?.nominatedNodeName).toBe('n1');
  });
});

describe('a binding that fails', () => {
  /** The first binding is refused, after `meanwhile` has happened and is known to the scheduler; no status can be written. */
  const refusing = async (meanwhile: (it: SchedulingWorld) => Promise<unknown>): Promise<SchedulingWorld> => {
    let isFirst = true;
    const it: SchedulingWorld = await start(client => ({
      ...client,
      patch: async () => {
        throw internalError('the store is busy');
      },
      post: async (kind, ref, subresource, body) => {
        if (!isFirst) return client.post(kind, ref, subresource, body);
        isFirst = false;
        await meanwhile(it);
        for (let turn = 0; turn < 20; turn++) await setImmediate();
        throw internalError('the store is busy');
      },
    }));
    return it;
  };

  test('is tried again with the pod as it is by then', async () => {
    const it = await refusing(async world => {
      await patch(world, 'web', { spec: { tolerations: [{ key: 'new', operator: 'Exists' }] } });
      await world.world.patch(nodeKind as never, 'n1', { type: 'merge', body: { spec: { unschedulable: true } } });
    });
    await it.node('n1');
    await it.node('n2', undefined, { spec: { taints: [{ key: 'new', effect: 'NoSchedule' }] } });
    await it.pod('web');
    await it.pass(3000);
    expect(it.nodeOf('web')).toBe('n2');
    expect(it.scheduler.counters).toMatchObject({ bound: 1, bindFailures: 1 });
  });

  test('is not tried again once the pod is being deleted', async () => {
    const it = await refusing(async world => {
      await patch(world, 'web', { metadata: { finalizers: ['example.com/slow'] } });
      await world.client.remove(podKind, home('web'));
    });
    await it.node('n1');
    await it.pod('web');
    await it.pass(30_000);
    expect(it.nodeOf('web')).toBe('');
    expect(it.scheduler.counters.attempts.scheduled).toBe(1);
    expect(it.scheduler.counters.placedPods).toBe(0);
    expect(await it.events('FailedScheduling', 'web')).toContain('skip schedule deleting pod: default/web');
  });
});

describe('a pod that waits', () => {
  const spread = {
    labels: { app: 'web' },
    spec: {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ],
    },
  };

  test('is tried again when the node goes that all others were measured by', async () => {
    const it = await start();
    await it.node('n1');
    await it.node('n2', { cpu: '0', memory: '1Gi', pods: '10' });
    await it.pod('first', { cpu: '100m' }, spread);
    await it.pass(100);
    await it.pod('second', { cpu: '100m' }, spread);
    await it.pass(5000);
    expect([it.nodeOf('first'), it.nodeOf('second')]).toEqual(['n1', '']);
    await it.client.remove(nodeKind, { name: 'n2' });
    await it.pass(2000);
    expect(it.nodeOf('second')).toBe('n1');
  });

  test('is tried again when the last pod goes that it would have had to join', async () => {
    const it = await start();
    const affinity = {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } },
        ],
      },
    };
    await it.node('n1', small);
    await it.pod('first', { cpu: '800m' }, { labels: { app: 'web' } });
    await it.pass(100);
    await it.node('n2', small);
    await it.world.patch(nodeKind as never, 'n1', { type: 'merge', body: { spec: { unschedulable: true } } });
    await it.pod('joining', { cpu: '800m' }, { labels: { app: 'web' }, spec: { affinity } });
    await it.pass(5000);
    expect(it.nodeOf('joining')).toBe('');
    await it.client.remove(podKind, home('first'));
    await it.pass(2000);
    expect(it.nodeOf('joining')).toBe('n2');
  });
});

test('an object that nobody can read does not cost the others their scheduler', async () => {
  const it = await start(client => ({
    ...client,
    async *watch(kind, options) {
      for await (const events of client.watch(kind, options))
        yield events.map(event => {
          if (event.type === 'BOOKMARK' || event.object.metadata.name !== 'broken') return event;
          return { ...event, object: { ...event.object, spec: { taints: 'nonsense' } } } as WatchEvent<never>;
        });
    },
  }));
  await it.node('broken');
  await it.node('n1');
  await it.pod('web');
  await it.pass(1000);
  expect(it.nodeOf('web')).toBe('n1');
});
