import { beforeEach, describe, expect, test } from 'vitest';
import type { Kind } from '#api/kind.ts';
import { nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { type PodDisruptionBudget, podDisruptionBudgetKind } from '#api/kinds/policy.ts';
import { createPod, createWorld, failure, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
const ref = (name: string) => ({ namespace: 'default', name });
const bind = (name: string, node = 'n1', metadata: object = {}) =>
  world.registry.bind(
    ref(name),
    { apiVersion: 'v1', kind: 'Binding', metadata, target: { kind: 'Node', name: node } },
    world.context(),
  );
const status = (name: string, body: object) =>
  world.patch<Pod>(podKind, name, { type: 'merge', body: { status: body } }, { subresource: 'status' });
const pod = (name: string) => world.get<Pod>(podKind, name);

describe('binding', () => {
  test('puts the pod on the node, says so in its conditions, and forgets the nomination', async () => {
    await createPod(world, 'web');
    await status('web', {
      nominatedNodeName: 'n9',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no' }],
    });
    await bind('web', 'n1', { annotations: { why: 'room' } });
    const bound = pod('web');
    expect(bound.spec.nodeName).toBe('n1');
    expect(bound.metadata.annotations).toEqual({ why: 'room' });
    expect(bound.status?.nominatedNodeName).toBeUndefined();
    const scheduled = bound.status?.conditions?.filter(condition => condition.type === 'PodScheduled');
    expect(scheduled).toMatchObject([{ status: 'True', lastTransitionTime: '2026-11-21T12:00:00Z' }]);
    expect(scheduled?.[0]).not.toHaveProperty('reason');
  });

  test('copies the labels that say where the node is', async () => {
    await world.create(nodeKind, {
      metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1', other: 'x' } },
    });
    await createPod(world, 'web');
    await bind('web');
    expect(pod('web').metadata.labels).toEqual({ 'topology.kubernetes.io/zone': 'z1' });
  });

  test('refuses a pod that has a node, is being deleted, or is held back', async () => {
    await createPod(world, 'web');
    await bind('web', 'n1');
    expect(await failure(bind('web', 'n2'))).toMatchObject({
      code: 409,
      message: 'Operation cannot be fulfilled on pods/binding "web": pod web is already assigned to node "n1"',
    });
    await createPod(world, 'gated', { schedulingGates: [{ name: 'x.io/wait' }] });
    expect((await failure(bind('gated'))).message).toContain('pod gated has non-empty .spec.schedulingGates');
    await createPod(world, 'going', {}, { finalizers: ['x.io/a'] });
    await world.registry.remove({ kind: podKind as unknown as Kind, ...ref('going') }, {}, world.context());
    expect((await failure(bind('going'))).message).toContain(
      'pod going is being deleted, cannot be assigned to a host',
    );
  });

  test('of one pod by two schedulers at once succeeds for one', async () => {
    await createPod(world, 'web');
    const results = await Promise.allSettled([bind('web', 'n1'), bind('web', 'n2')]);
    expect(results.map(result => result.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('checks its body', async () => {
    await createPod(world, 'web');
    expect(await failure(bind('web', ''))).toMatchObject({
      code: 422,
      message: 'Binding "web" is invalid: target.name: Required value',
    });
    expect(await failure(bind('web', 'n1', { name: 'other' }))).toMatchObject({ code: 400 });
    expect(await failure(bind('web', 'n1', { uid: 'other' }))).toMatchObject({ code: 409 });
    expect(await failure(bind('nope'))).toMatchObject({ code: 404, message: 'pods "nope" not found' });
  });
});

describe('eviction', () => {
  const evict = (name: string, body: object = {}) =>
    world.registry.evict(ref(name), { metadata: { name }, ...body }, world.context());
  const budget = async (fields: object, spec: object = {}, name = 'budget') => {
    const body = { metadata: { name }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } }, ...spec } };
    await world.create(podDisruptionBudgetKind, body);
    const full = {
      observedGeneration: 1,
      disruptionsAllowed: 0,
      currentHealthy: 1,
      desiredHealthy: 1,
      expectedPods: 1,
      ...fields,
    };
    await world.patch(
      podDisruptionBudgetKind,
      name,
      { type: 'merge', body: { status: full } },
      { subresource: 'status' },
    );
  };
  const running = async (name: string, ready = true) => {
    await createPod(world, name, {}, { labels: { app: 'x' } });
    await bind(name);
    await status(name, { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] });
  };

  test('without a budget deletes with grace and says why in the conditions', async () => {
    await running('web');
    await evict('web');
    expect(pod('web').metadata.deletionGracePeriodSeconds).toBe(30);
    expect(pod('web').status?.conditions).toContainEqual(
      expect.objectContaining({
        type: 'DisruptionTarget',
        reason: 'EvictionByEvictionAPI',
        message: 'Eviction API: evicting',
      }),
    );
  });

  test('that the budget does not allow is refused with 429', async () => {
    await running('web');
    await budget({});
    expect(await failure(evict('web'))).toMatchObject({
      code: 429,
      reason: 'TooManyRequests',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: {
        causes: [
          {
            reason: 'DisruptionBudget',
            message: 'The disruption budget budget needs 1 healthy pods and has 1 currently',
          },
        ],
      },
    });
  });

  test('that the budget allows debits it, once per pod, in one commit', async () => {
    for (const name of ['a', 'b', 'c']) await running(name);
    await budget({ disruptionsAllowed: 2, currentHealthy: 3 });
    const results = await Promise.allSettled(['a', 'b', 'c'].map(name => evict(name)));
    expect(results.filter(result => result.status === 'fulfilled')).toHaveLength(2);
    const { status: left } = world.get<PodDisruptionBudget>(podDisruptionBudgetKind, 'budget');
    expect(left?.disruptionsAllowed).toBe(0);
    expect(Object.keys(left?.disruptedPods ?? {})).toHaveLength(2);
  });

  test('of pods that do not count asks no budget: pending ones, and unready ones of a healthy application', async () => {
    await budget({ currentHealthy: 2, desiredHealthy: 2 });
    await createPod(world, 'pending', {}, { labels: { app: 'x' } });
    await evict('pending');
    await running('sick', false);
    await evict('sick');
    expect(pod('sick').metadata.deletionTimestamp).toBeDefined();
  });

  test('waits for a budget that nobody has looked at, and refuses two budgets', async () => {
    await running('web');
    await budget({ observedGeneration: 0 });
    expect(await failure(evict('web'))).toMatchObject({ code: 429, details: { retryAfterSeconds: 10 } });
    await budget({ disruptionsAllowed: 1 }, {}, 'second');
    expect(await failure(evict('web'))).toMatchObject({
      code: 500,
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    });
  });
});
