import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeKind, type Pod, podKind, type Taint } from '#api/kinds/core.ts';
import { toTime } from '#base/clock.ts';
import { evictionDelayMs, taintEviction } from '#controllers/taint-eviction.ts';
import { startMs } from '#test/virtual.ts';
import { node, of, pod, viewOf } from './view.ts';

const unreachable: Taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' };
const notReady: Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' };
const waits = (key: string, tolerationSeconds?: number) => ({
  key,
  operator: 'Exists' as const,
  effect: 'NoExecute' as const,
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});
const on = (tolerations: Pod['spec']['tolerations'] = [], metadata: Partial<Pod['metadata']> = {}) =>
  pod('web', { namespace: 'shop', node: 'a', spec: { tolerations }, metadata });
const view = (...taints: Taint[]) => viewOf(of(nodeKind, node('a', [], { taints })));
const { reconcile } = taintEviction;

test('a pod that does not tolerate the taint is marked and deleted at once', () => {
  const plan = reconcile(on(), view(unreachable), startMs, undefined);
  expect(plan.writes).toMatchObject([
    {
      do: 'patch',
      kind: podKind,
      ref: { namespace: 'shop', name: 'web' },
      subresource: 'status',
      patch: {
        type: 'strategic',
        body: {
          metadata: { uid: 'uid-web' },
          status: {
            conditions: [
              {
                type: 'DisruptionTarget',
                status: 'True',
                reason: 'DeletionByTaintManager',
                message: 'Taint manager: deleting due to NoExecute taint',
                lastTransitionTime: toTime(startMs),
              },
            ],
          },
        },
      },
    },
    { do: 'remove', kind: podKind, options: { preconditions: { uid: 'uid-web' } } },
  ]);
  expect(plan.notes).toMatchObject([
    {
      type: 'Normal',
      reason: 'TaintManagerEviction',
      message: 'Marking for deletion Pod shop/web',
      more: { component: 'taint-eviction-controller' },
    },
  ]);
});

test('taints of other effects evict nobody', () => {
  expect(reconcile(on(), view({ ...unreachable, effect: 'NoSchedule' }), startMs, undefined)).toEqual({ writes: [] });
});

test('tolerationSeconds run from when the taint was first seen, whatever else changes', () => {
  const tolerant = on([waits(unreachable.key, 300)]);
  const first = reconcile(tolerant, view(unreachable), startMs, undefined);
  expect(first).toEqual({ writes: [], memory: { dueMs: startMs + 300_000 }, againInMs: 300_000 });
  const later = reconcile(tolerant, view(unreachable), startMs + 200_000, first.memory);
  expect(later.againInMs).toBe(100_000);
  expect(reconcile(tolerant, view(unreachable), startMs + 299_999, first.memory).writes).toEqual([]);
  expect(reconcile(tolerant, view(unreachable), startMs + 300_000, first.memory).writes).toHaveLength(2);
});

test('a second taint with a shorter toleration brings it forward', () => {
  const tolerant = on([waits(unreachable.key, 300), waits(notReady.key, 10)]);
  const first = reconcile(tolerant, view(unreachable), startMs, undefined);
  const both = reconcile(tolerant, view(unreachable, notReady), startMs + 5000, first.memory);
  expect(both.memory).toEqual({ dueMs: startMs + 15_000 });
});

test('when the taint goes the deletion is called off, once', () => {
  const tolerant = on([waits(unreachable.key, 300)]);
  const first = reconcile(tolerant, view(unreachable), startMs, undefined);
  const gone = reconcile(tolerant, view(), startMs + 1000, first.memory);
  expect(gone).toMatchObject({
    writes: [],
    notes: [{ reason: 'TaintManagerEviction', message: 'Cancelling deletion of Pod shop/web' }],
  });
  expect(gone.memory).toBeUndefined();
  expect(reconcile(tolerant, view(), startMs + 2000, gone.memory)).toEqual({ writes: [] });
});

test('a pod that is being deleted already, or has no node, is left alone', () => {
  expect(reconcile(on([], { deletionTimestamp: toTime(startMs) }), view(unreachable), startMs, undefined)).toEqual({
    writes: [],
  });
  expect(reconcile(pod('x'), view(unreachable), startMs, undefined)).toEqual({ writes: [] });
});

test('a negative or zero toleration time means now, none means for ever', () => {
  expect(evictionDelayMs(on([waits(unreachable.key, 0)]), [unreachable])).toBe(0);
  expect(evictionDelayMs(on([waits(unreachable.key, -5)]), [unreachable])).toBe(0);
  expect(evictionDelayMs(on([waits(unreachable.key)]), [unreachable])).toBeUndefined();
});

test('a pod never stays longer than any toleration that it uses, and goes at once when one taint is not tolerated', () => {
  const keys = ['a', 'b', 'c'];
  const toleration = fc.record({
    key: fc.constantFrom(...keys),
    seconds: fc.option(fc.integer({ min: -2, max: 600 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(toleration, { maxLength: 5 }), fc.subarray(keys), (tolerations, tainted) => {
      const taints = tainted.map(key => ({ key, effect: 'NoExecute' as const }));
      const delay = evictionDelayMs(on(tolerations.map(({ key, seconds }) => waits(key, seconds))), taints);
      const used = tainted.map(key => tolerations.find(candidate => candidate.key === key));
      if (used.includes(undefined)) expect(delay).toBe(0);
      else {
        const limits = used.flatMap(candidate =>
          candidate?.seconds === undefined ? [] : [Math.max(0, candidate.seconds) * 1000],
        );
        expect(delay).toBe(limits.length === 0 ? undefined : Math.min(...limits));
      }
    }),
  );
});
