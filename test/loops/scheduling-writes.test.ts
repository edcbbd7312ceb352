/** Bindings that fail. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { nodeKind } from '#api/kinds/core.ts';
import { internalError } from '#api/status.ts';
import { finalizers, patchPod, removePod, type SchedulingWorld, startWorld } from './scheduling-world.ts';

describe('a binding that fails', () => {
  /** The first binding is refused, after `meanwhile` has happened and is known to the scheduler; no status can be written. */
  const refusing = async (meanwhile: (it: SchedulingWorld) => Promise<unknown>): Promise<SchedulingWorld> => {
    let isFirst = true;
    const it: SchedulingWorld = await startWorld({
      wrap: client => ({
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
      }),
    });
    return it;
  };

  test('is tried again with the pod as it is by then', async () => {
    const it = await refusing(async world => {
      await patchPod(world, 'web', { spec: { tolerations: [{ key: 'new', operator: 'Exists' }] } });
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
      await patchPod(world, 'web', finalizers);
      await removePod(world, 'web');
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
