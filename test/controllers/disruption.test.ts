import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replicaSetKind } from '#api/kinds/apps.ts';
import { type Pod, podKind } from '#api/kinds/core.ts';
import type { PodDisruptionBudget } from '#api/kinds/policy.ts';
import { toTime } from '#base/clock.ts';
import { getPath } from '#base/deep.ts';
import type { Plan } from '#client/plan.ts';
import { disruption, planBudget } from '#controllers/disruption.ts';
import { startMs } from '#test/virtual.ts';
import { of, pod, viewOf } from './view.ts';

const budget = (
  spec: Partial<PodDisruptionBudget['spec']>,
  status?: PodDisruptionBudget['status'],
): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'pdb', namespace: 'default', uid: 'uid-pdb', resourceVersion: '5', generation: 2 },
  spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  ...(status ? { status } : {}),
});
const web = (name: string, ready = true, more: Partial<Pod['metadata']> = {}) =>
  pod(name, {
    ready,
    metadata: {
      labels: { app: 'web' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'uid-rs', controller: true }],
      ...more,
    },
  });
const replicas = (count: number) => () => ({ uid: 'uid-rs', count });
const statusOf = (plan: Plan) => {
  const [write] = plan.writes;
  return write?.do === 'patch' ? (getPath(write.patch.body, ['status']) as Record<string, unknown>) : undefined;
};
const numbers = (spec: Partial<PodDisruptionBudget['spec']>, pods: Pod[], count = pods.length) => {
  const status = statusOf(planBudget(budget(spec), pods, replicas(count), startMs));
  return [
    status?.['expectedPods'],
    status?.['desiredHealthy'],
    status?.['currentHealthy'],
    status?.['disruptionsAllowed'],
  ];
};
const ready = (count: number, of = count) => Array.from({ length: of }, (_, i) => web(`p${i}`, i < count));

test('integers and percentages, rounding up, give the numbers of the specification', () => {
  expect(numbers({ minAvailable: 2 }, ready(3))).toEqual([3, 2, 3, 1]);
  expect(numbers({ minAvailable: '50%' }, ready(7))).toEqual([7, 4, 7, 3]);
  expect(numbers({ maxUnavailable: 1 }, ready(3, 4))).toEqual([4, 3, 3, 0]);
  expect(numbers({ maxUnavailable: '30%' }, ready(7))).toEqual([7, 4, 7, 3]);
  expect(numbers({ maxUnavailable: 10 }, ready(3))).toEqual([3, 0, 3, 3]);
  expect(numbers({ minAvailable: 5 }, ready(3))).toEqual([3, 5, 3, 0]);
  expect(numbers({ maxUnavailable: 1 }, [])).toEqual([0, 0, 0, 0]);
});

test('replicas that do not exist yet are expected all the same', () => {
  expect(numbers({ maxUnavailable: 1 }, ready(3), 5)).toEqual([5, 4, 3, 0]);
});

test('pods that are going, or whose eviction was just allowed, are not healthy', () => {
  const pods = [...ready(3), web('going', true, { deletionTimestamp: toTime(startMs) })];
  const allowedAt = toTime(startMs - 60_000);
  const status = {
    disruptionsAllowed: 0,
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
    disruptedPods: { p0: allowedAt, gone: allowedAt },
  };
  const plan = planBudget(budget({ minAvailable: 1 }, status), pods, replicas(4), startMs);
  expect(statusOf(plan)).toMatchObject({
    currentHealthy: 2,
    disruptionsAllowed: 1,
    disruptedPods: { p0: allowedAt, gone: null },
  });
  expect(plan.againInMs).toBe(60_000);
});

test('an eviction that did not happen within two minutes is given up with an event', () => {
  const status = {
    disruptionsAllowed: 0,
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
    disruptedPods: { p0: toTime(startMs - 120_000) },
  };
  const plan = planBudget(budget({ minAvailable: 1 }, status), ready(3), replicas(3), startMs);
  expect(statusOf(plan)).toMatchObject({ currentHealthy: 3, disruptedPods: { p0: null } });
  expect(plan.notes).toMatchObject([
    {
      type: 'Warning',
      reason: 'NotDeleted',
      message: "Pod was expected by PDB default/pdb to be deleted but it wasn't",
      about: { metadata: { name: 'p0' } },
    },
  ]);
});

test('a status that says it already is not written again', () => {
  const first = statusOf(
    planBudget(budget({ minAvailable: 1 }), ready(3), replicas(3), startMs),
  ) as unknown as PodDisruptionBudget['status'];
  expect(planBudget(budget({ minAvailable: 1 }, first), ready(3), replicas(3), startMs + 5000).writes).toEqual([]);
});

test('the condition tells whether an eviction is allowed, since when', () => {
  const first = statusOf(
    planBudget(budget({ minAvailable: 1 }), ready(3), replicas(3), startMs),
  ) as unknown as PodDisruptionBudget['status'];
  expect(first?.conditions).toMatchObject([
    { type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', lastTransitionTime: toTime(startMs) },
  ]);
  const fewer = statusOf(planBudget(budget({ minAvailable: 1 }, first), ready(2, 3), replicas(3), startMs + 9000));
  expect(fewer?.['conditions']).toMatchObject([{ status: 'True', lastTransitionTime: toTime(startMs) }]);
  const none = statusOf(planBudget(budget({ minAvailable: 1 }, first), ready(1, 3), replicas(3), startMs + 9000));
  expect(none?.['conditions']).toMatchObject([
    { status: 'False', reason: 'InsufficientPods', lastTransitionTime: toTime(startMs + 9000) },
  ]);
});

test('it writes only over the very revision it read', () => {
  const [write] = planBudget(budget({ minAvailable: 1 }), ready(3), replicas(3), startMs).writes;
  expect(write).toMatchObject({
    subresource: 'status',
    patch: { body: { metadata: { uid: 'uid-pdb', resourceVersion: '5' } } },
  });
});

test('pods without a controller that has replicas are named in a warning, and are not expected', () => {
  const plan = planBudget(budget({ maxUnavailable: 1 }), [web('lonely')], () => undefined, startMs);
  expect(statusOf(plan)).toMatchObject({ expectedPods: 0, disruptionsAllowed: 0 });
  expect(plan.notes).toMatchObject([{ type: 'Warning', reason: 'UnmanagedPods' }]);
});

test('replicas are found through the owner reference; a selector picks its namespace’s pods only', () => {
  const set = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'rs', namespace: 'default', uid: 'uid-rs' },
    spec: { replicas: 4, selector: {} },
  };
  const view = viewOf(
    of(replicaSetKind, set as never),
    of(podKind, web('a'), web('b'), web('c', true, { namespace: 'other' }), pod('unrelated', { ready: true })),
  );
  expect(statusOf(disruption.reconcile(budget({ maxUnavailable: '50%' }), view, startMs, undefined))).toMatchObject({
    expectedPods: 4,
    desiredHealthy: 2,
    currentHealthy: 2,
  });
});

test('an empty selector picks all pods of the namespace, no selector none', () => {
  const view = viewOf(of(podKind, web('a'), pod('b', { ready: true })));
  expect(
    statusOf(disruption.reconcile(budget({ minAvailable: 1, selector: {} }), view, startMs, undefined)),
  ).toMatchObject({ expectedPods: 2 });
  const { selector: _, ...without } = budget({ minAvailable: 1 }).spec;
  expect(statusOf(disruption.reconcile({ ...budget({}), spec: without }, view, startMs, undefined))).toMatchObject({
    expectedPods: 0,
  });
});

test('evictions allowed never bring the healthy below what is desired', () => {
  const amount = fc.oneof(
    fc.integer({ min: 0, max: 30 }),
    fc.integer({ min: 0, max: 100 }).map(percent => `${percent}%`),
  );
  fc.assert(
    fc.property(
      fc.constantFrom('minAvailable', 'maxUnavailable'),
      amount,
      fc.nat(20),
      fc.nat(20),
      (field, value, up, down) => {
        const pods = ready(up, up + down);
        const [expected = 0, desired = 0, healthy = 0, allowed = 0] = numbers({ [field]: value }, pods) as number[];
        expect(expected).toBe(pods.length);
        expect(healthy).toBe(up);
        expect(allowed).toBeGreaterThanOrEqual(0);
        if (allowed > 0) expect(healthy - allowed).toBe(desired);
      },
    ),
  );
});
