import { beforeEach, describe, expect, test } from 'vitest';
import type { Kind } from '#api/kind.ts';
import { configMapKind, type Namespace, namespaceKind, type Pod, podKind } from '#api/kinds/core.ts';
import { kinds } from '#api/kinds.ts';
import type { KubeObject } from '#api/object.ts';
import { silentLog } from '#base/log.ts';
import type { DeleteOptions } from '#client/client.ts';
import { collectGarbage } from '#registry/gc.ts';
import { isMetrics } from '#registry/metrics.ts';
import { createPod, createWorld, failure, startMs, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
const remove = (kind: Kind<never>, name: string, options: DeleteOptions = {}, namespace = 'default') => {
  const target = { kind: kind as unknown as Kind, name, ...(kind.namespaced ? { namespace } : {}) };
  return world.registry.remove(target, options, world.context());
};
const bind = (name: string) =>
  world.registry.bind({ namespace: 'default', name }, { metadata: {}, target: { name: 'n1' } }, world.context());
const exists = (kind: Kind<never>, name: string) => {
  try {
    return world.get<KubeObject>(kind, name) !== undefined;
  } catch {
    return false;
  }
};

describe('deleting a pod', () => {
  test('that has no node, or asks for no grace, removes it at once', async () => {
    await createPod(world, 'pending');
    expect((await remove(podKind, 'pending')).removed).toBe(true);
    await createPod(world, 'bound');
    await bind('bound');
    expect((await remove(podKind, 'bound', { gracePeriodSeconds: 0 })).removed).toBe(true);
  });

  test('that runs marks it with its grace, which can only be shortened', async () => {
    await createPod(world, 'web', { terminationGracePeriodSeconds: 20 });
    await bind('web');
    const { entry } = await remove(podKind, 'web');
    expect(entry.value.metadata).toMatchObject({
      deletionTimestamp: new Date(startMs + 20_000).toISOString().replace('.000', ''),
      deletionGracePeriodSeconds: 20,
      generation: 2,
    });
    expect((await remove(podKind, 'web', { gracePeriodSeconds: 60 })).entry.rev).toBe(entry.rev);
    const shorter = await remove(podKind, 'web', { gracePeriodSeconds: 5 });
    expect(shorter.entry.value.metadata.deletionTimestamp).toBe('2026-11-21T12:00:05Z');
    expect((await remove(podKind, 'web', { gracePeriodSeconds: 0 })).removed).toBe(true);
  });

  test('that has ended removes it at once', async () => {
    const pod = await createPod(world, 'web');
    await bind('web');
    await world.patch(
      podKind,
      'web',
      { type: 'merge', body: { status: { phase: 'Succeeded' } } },
      { subresource: 'status' },
    );
    expect((await remove(podKind, 'web')).removed).toBe(true);
    expect(pod.metadata.name).toBe('web');
  });

  test('holds to its preconditions', async () => {
    const pod = await createPod(world, 'web');
    const uid = 'another';
    expect(await failure(remove(podKind, 'web', { preconditions: { uid } }))).toMatchObject({
      code: 409,
      message: `Operation cannot be fulfilled on pods "web": the UID in the precondition (another) does not match the UID in record (${pod.metadata.uid}). The object might have been deleted and then recreated`,
    });
    expect(await failure(remove(podKind, 'web', { preconditions: { resourceVersion: '1' } }))).toMatchObject({
      code: 409,
    });
    await remove(podKind, 'web', { dryRun: true });
    expect(exists(podKind, 'web')).toBe(true);
  });
});

describe('finalizers', () => {
  test('keep an object until the last is gone, and none can be added meanwhile', async () => {
    await world.create(configMapKind, { metadata: { name: 'a', finalizers: ['x.io/a', 'x.io/b'] } });
    expect((await remove(configMapKind, 'a')).removed).toBe(false);
    const set = (finalizers: string[] | null) =>
      world.patch(configMapKind, 'a', { type: 'merge', body: { metadata: { finalizers } } });
    expect(await failure(set(['x.io/a', 'x.io/c']))).toMatchObject({
      code: 422,
      message: expect.stringContaining(
        'no new finalizers can be added if the object is being deleted, found new finalizers []string{"x.io/c"}',
      ),
    });
    await set(['x.io/b']);
    expect(exists(configMapKind, 'a')).toBe(true);
    await set(null);
    expect(exists(configMapKind, 'a')).toBe(false);
  });
});

describe('namespaces', () => {
  test('stay while they are emptied, and go when finalized', async () => {
    const { entry } = await remove(namespaceKind, 'other');
    expect((entry.value as Namespace).status?.phase).toBe('Terminating');
    expect(entry.value.metadata.deletionTimestamp).toBe('2026-11-21T12:00:00Z');
    expect(entry.value.metadata).not.toHaveProperty('deletionGracePeriodSeconds');
    expect(exists(namespaceKind, 'other')).toBe(true);
    const body = { metadata: { name: 'other' }, spec: { finalizers: [] } };
    await world.update(namespaceKind, body, { subresource: 'finalize' });
    expect(exists(namespaceKind, 'other')).toBe(false);
  });

  test('that the system needs may not be deleted', async () => {
    expect(await failure(remove(namespaceKind, 'kube-system'))).toMatchObject({
      code: 403,
      message: 'namespaces "kube-system" is forbidden: this namespace may not be deleted',
    });
  });
});

test('deleting a collection deletes what the selector picks', async () => {
  for (const [name, app] of [
    ['a', 'x'],
    ['b', 'x'],
    ['c', 'y'],
  ] as const)
    await world.create(configMapKind, { metadata: { name, labels: { app } } });
  const target = { kind: configMapKind as unknown as Kind, namespace: 'default' };
  const gone = await world.registry.removeCollection(
    target,
    { namespace: 'default', labelSelector: 'app=x' },
    {},
    world.context(),
  );
  expect(gone.map(object => object.metadata.name)).toEqual(['a', 'b']);
  expect(exists(configMapKind, 'c')).toBe(true);
});

describe('garbage collection', () => {
  const owned = async (name: string, owners: readonly KubeObject[], block = false) => {
    const ownerReferences = owners.map(({ metadata }) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: metadata.name,
      uid: metadata.uid,
      ...(block ? { blockOwnerDeletion: true } : {}),
    }));
    return world.create<KubeObject>(configMapKind, { metadata: { name, ownerReferences } });
  };
  const owner = (name: string) => world.create<KubeObject>(configMapKind, { metadata: { name } });
  /** Runs the collector until it rests. */
  const collect = async () => {
    const abort = new AbortController();
    const collected = kinds.filter(kind => !isMetrics(kind));
    const running = collectGarbage(
      { registry: world.registry, kinds: collected, clock: world.clock, log: silentLog },
      abort.signal,
    );
    for (let i = 0; i < 20; i++) await world.clock.advance(1_000);
    abort.abort();
    await world.clock.advance(60_000);
    await running;
  };

  test('deletes dependents when all their owners are gone, and theirs in turn', async () => {
    const [a, b] = [await owner('a'), await owner('b')];
    const child = await owned('child', [a]);
    await owned('grandchild', [child]);
    await owned('shared', [a, b]);
    await remove(configMapKind, 'a', { propagationPolicy: 'Background' });
    await collect();
    expect(['child', 'grandchild', 'shared'].map(name => exists(configMapKind, name))).toEqual([false, false, true]);
    expect(world.get<KubeObject>(configMapKind, 'shared').metadata.ownerReferences?.map(({ name }) => name)).toEqual([
      'b',
    ]);
  });

  test('in the foreground keeps the owner until those that block it are gone', async () => {
    await owned('child', [await owner('a')], true);
    expect((await remove(configMapKind, 'a', { propagationPolicy: 'Foreground' })).removed).toBe(false);
    expect(world.get<KubeObject>(configMapKind, 'a').metadata.finalizers).toEqual(['foregroundDeletion']);
    await collect();
    expect([exists(configMapKind, 'a'), exists(configMapKind, 'child')]).toEqual([false, false]);
  });

  test('orphans dependents when asked to', async () => {
    await owned('child', [await owner('a')]);
    await remove(configMapKind, 'a', { propagationPolicy: 'Orphan' });
    await collect();
    expect(exists(configMapKind, 'a')).toBe(false);
    expect(world.get<KubeObject>(configMapKind, 'child').metadata.ownerReferences).toBeUndefined();
  });

  test('takes an owner that never was, or lives in another namespace, for gone', async () => {
    const elsewhere = await world.create<KubeObject>(configMapKind, { metadata: { name: 'far', namespace: 'other' } });
    await owned('lost', [{ ...elsewhere, metadata: { ...elsewhere.metadata, uid: 'never' } }]);
    await owned('foreign', [elsewhere]);
    await collect();
    expect([exists(configMapKind, 'lost'), exists(configMapKind, 'foreign')]).toEqual([false, false]);
  });
});

test('a pod whose deletion was asked for is still the pod', async () => {
  const pod = await createPod(world, 'web');
  await bind('web');
  await remove(podKind, 'web');
  expect(world.get<Pod>(podKind, 'web').metadata.uid).toBe(pod.metadata.uid);
});
