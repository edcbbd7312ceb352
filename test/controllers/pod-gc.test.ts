import { expect, test } from 'vitest';
import type { Node, Pod } from '#api/kinds/core.ts';
import { toTime } from '#base/clock.ts';
import { planPodGc, type Quarantine, terminatedPodLimit } from '#controllers/pod-gc.ts';
import { startMs } from '#test/virtual.ts';
import { condition, node, pod } from './view.ts';

const nodes = (...all: Node[]) => new Map(all.map(one => [one.metadata.name, one]));
const ready = node('a', [condition('Ready', 'True')]);
const plan = (pods: Pod[], known: Node[] = [ready], nowMs = startMs, quarantine: Quarantine = new Map()) =>
  planPodGc(pods, nodes(...known), nowMs, quarantine, 40_000);
const removed = (result: ReturnType<typeof plan>) =>
  result.writes.flatMap(write => (write.do === 'remove' ? [write.ref.name] : []));

test('pods of a node that is gone are failed and removed after a quarantine of 40 s', () => {
  const pods = [pod('lost', { node: 'gone' }), pod('fine', { node: 'a' })];
  const first = plan(pods);
  expect(first.writes).toEqual([]);
  expect(plan(pods, [ready], startMs + 39_999, first.memory).writes).toEqual([]);
  const due = plan(pods, [ready], startMs + 40_000, first.memory);
  expect(due.writes).toMatchObject([
    {
      do: 'patch',
      ref: { name: 'lost' },
      subresource: 'status',
      patch: {
        body: {
          status: {
            phase: 'Failed',
            conditions: [
              {
                type: 'DisruptionTarget',
                status: 'True',
                reason: 'DeletionByPodGC',
                message: 'PodGC: node no longer exists',
              },
            ],
          },
        },
      },
    },
    { do: 'remove', ref: { name: 'lost' }, options: { gracePeriodSeconds: 0, preconditions: { uid: 'uid-lost' } } },
  ]);
});

test('a node that comes back in time ends the quarantine', () => {
  const pods = [pod('lost', { node: 'gone' })];
  const first = plan(pods);
  const back = plan(pods, [ready, node('gone', [])], startMs + 20_000, first.memory);
  const goneAgain = plan(pods, [ready], startMs + 30_000, back.memory);
  expect(plan(pods, [ready], startMs + 60_000, goneAgain.memory).writes).toEqual([]);
});

test('a finished pod of a lost node keeps its phase and is only removed', () => {
  const pods = [pod('done', { node: 'gone', phase: 'Succeeded' })];
  expect(plan(pods, [ready], startMs + 40_000, plan(pods).memory).writes).toMatchObject([{ do: 'remove' }]);
});

test('pods that are being deleted and were never scheduled go at once; scheduled ones are their agent’s', () => {
  const deletionTimestamp = toTime(startMs);
  const result = plan([
    pod('unscheduled', { phase: 'Pending', metadata: { deletionTimestamp } }),
    pod('scheduled', { node: 'a', metadata: { deletionTimestamp } }),
    pod('waiting', { phase: 'Pending' }),
  ]);
  expect(removed(result)).toEqual(['unscheduled']);
});

test('pods stuck on a node that is out of service and not ready are removed', () => {
  const deletionTimestamp = toTime(startMs);
  const taints = [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' as const }];
  const stuck = [pod('stuck', { node: 'b', metadata: { deletionTimestamp } })];
  expect(removed(plan(stuck, [node('b', [condition('Ready', 'Unknown')], { taints })]))).toEqual(['stuck']);
  expect(removed(plan(stuck, [node('b', [condition('Ready', 'True')], { taints })]))).toEqual([]);
  expect(removed(plan(stuck, [node('b', [condition('Ready', 'Unknown')])]))).toEqual([]);
});

test('above the limit the evicted and then the oldest finished pods go', () => {
  const finished = Array.from({ length: terminatedPodLimit }, (_, i) =>
    pod(`p${String(i).padStart(5, '0')}`, {
      node: 'a',
      phase: 'Succeeded',
      metadata: { creationTimestamp: toTime(startMs + i * 1000) },
    }),
  );
  expect(plan(finished).writes).toEqual([]);
  const evicted = pod('evicted', {
    node: 'a',
    phase: 'Failed',
    reason: 'Evicted',
    metadata: { creationTimestamp: toTime(startMs + 1e9) },
  });
  expect(removed(plan([...finished, evicted]))).toEqual(['evicted']);
  expect(
    removed(
      plan([
        ...finished,
        evicted,
        pod('new', { node: 'a', phase: 'Failed', metadata: { creationTimestamp: toTime(startMs + 1e9) } }),
      ]),
    ),
  ).toEqual(['evicted', 'p00000']);
});
