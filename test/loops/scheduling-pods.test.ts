/** What pods are to the scheduler: places kept for some, and which changes bring back those that wait. */
import { describe, expect, test } from 'vitest';
import { nodeKind } from '#api/kinds/core.ts';
import type { WatchEvent } from '#client/client.ts';
import { Ledger } from '#loops/ledger.ts';
import { finalizers, important, patchPod, removePod, type SchedulingWorld, startWorld } from './scheduling-world.ts';

const small = { cpu: '1', memory: '1Gi', pods: '10' };

describe('a place that is kept for a pod', () => {
  /** `vip` waits for n1, which a pod that is leaving still holds. */
  const keepPlace = async (it: SchedulingWorld): Promise<void> => {
    await it.node('n1', small);
    await it.pod('low', { cpu: '500m' });
    await it.pass(100);
    await patchPod(it, 'low', finalizers);
    await it.pod('vip', { cpu: '900m' }, important);
    await it.pass(500);
  };

  test('is free for others at once when that pod is deleted', async () => {
    const it = await startWorld();
    await keepPlace(it);
    await it.pod('later', { cpu: '500m' });
    await it.pass(5000);
    expect([it.get('vip').status?.nominatedNodeName, it.nodeOf('later')]).toEqual(['n1', '']);
    await removePod(it, 'vip');
    await it.pass(1000);
    expect(it.nodeOf('later')).toBe('n1');
  });

  test('is free for others at once when that pod finds room elsewhere', async () => {
    const it = await startWorld();
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
    const it = await startWorld({
      wrap: client => ({
        ...client,
        patch: async (kind, ref, change, options) => {
          if (ref.name === 'vip') await held;
          return client.patch(kind, ref, change, options);
        },
      }),
    });
    await keepPlace(it);
    await it.pass(2000);
    const { unschedulable } = it.scheduler.counters.attempts;
    await patchPod(it, 'vip', { metadata: { annotations: { note: 'nothing that matters' } } });
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
    const it = await startWorld();
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
    const it = await startWorld();
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
    await removePod(it, 'first');
    await it.pass(2000);
    expect(it.nodeOf('joining')).toBe('n2');
  });
});

test('an object that nobody can read does not cost the others their scheduler', async () => {
  const it = await startWorld({
    wrap: client => ({
      ...client,
      async *watch(kind, options) {
        for await (const events of client.watch(kind, options))
          yield events.map(event => {
            if (event.type === 'BOOKMARK' || event.object.metadata.name !== 'broken') return event;
            return { ...event, object: { ...event.object, spec: { taints: 'nonsense' } } } as WatchEvent<never>;
          });
      },
    }),
  });
  await it.node('broken');
  await it.node('n1');
  await it.pod('web');
  await it.pass(1000);
  expect(it.nodeOf('web')).toBe('n1');
});

test('a bug that nothing catches stops the scheduler for a moment only', async () => {
  class BrokenLedger extends Ledger {
    override placed(...[facts, decision]: Parameters<Ledger['placed']>): void {
      if (facts.view.key === 'default/unlucky') throw new Error('a bug');
      super.placed(facts, decision);
    }
    override failed(): void {
      throw new Error('another bug');
    }
  }
  const it = await startWorld({ ledger: new BrokenLedger() });
  await it.node('n1');
  await it.pod('unlucky');
  await it.pass(100);
  await it.pod('web');
  await it.pass(2000);
  expect([it.nodeOf('unlucky'), it.nodeOf('web')]).toEqual(['', 'n1']);
});
