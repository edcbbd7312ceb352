import { expect, test } from 'vitest';
import { leaseKind } from '#api/kinds/coordination.ts';
import { type Node, nodeKind, podKind, type Taint } from '#api/kinds/core.ts';
import { toMicroTime, toTime } from '#base/clock.ts';
import { getPath } from '#base/deep.ts';
import type { Plan } from '#client/plan.ts';
import { type Heartbeat, nodeLifecycle } from '#controllers/node-lifecycle.ts';
import { timings } from '#controllers/timings.ts';
import { startMs } from '#test/virtual.ts';
import { condition, node, of, pod, viewOf } from './view.ts';

const { reconcile } = nodeLifecycle(timings.kubernetes);
const healthy = [
  condition('Ready', 'True', { reason: 'KubeletReady', message: 'kubelet is posting ready status' }),
  condition('MemoryPressure', 'False'),
  condition('DiskPressure', 'False'),
];
const unknown = [
  condition('Ready', 'Unknown'),
  condition('MemoryPressure', 'Unknown'),
  condition('DiskPressure', 'Unknown'),
  condition('PIDPressure', 'Unknown'),
];
const lease = (name: string, ms: number) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, namespace: 'kube-node-lease' },
  spec: { renewTime: toMicroTime(ms) },
});
const silentSince = (ms: number): Heartbeat => ({ said: `|${toTime(startMs)}`, seenMs: ms });
const bodies = (plan: Plan<Heartbeat>) => plan.writes.map(write => (write.do === 'patch' ? write.patch.body : write));
const taintsIn = (plan: Plan<Heartbeat>): Taint[] | undefined => {
  const write = plan.writes.find(w => w.do === 'patch' && getPath(w.patch.body, ['spec', 'taints']) !== undefined);
  return write?.do === 'patch' ? (getPath(write.patch.body, ['spec', 'taints']) as Taint[]) : undefined;
};
const named = (taints: readonly Taint[] | undefined) => taints?.map(({ key, effect }) => `${key}:${effect}`);
const graceMs = timings.kubernetes.nodeGraceMs;

test('a node that is heard of is left alone, and looked at again when its grace is over', () => {
  const first = reconcile(node('a', healthy), viewOf(of(leaseKind, lease('a', startMs))), startMs + 1000, undefined);
  expect(first.writes).toEqual([]);
  expect(first.memory?.seenMs).toBe(startMs + 1000);
  const same = reconcile(
    node('a', healthy),
    viewOf(of(leaseKind, lease('a', startMs))),
    startMs + 31_000,
    first.memory,
  );
  expect(same.memory).toBe(first.memory);
  expect(same.againInMs).toBe(20_001);
  const renewed = reconcile(
    node('a', healthy),
    viewOf(of(leaseKind, lease('a', startMs + 9000))),
    startMs + 32_000,
    same.memory,
  );
  expect(renewed.memory?.seenMs).toBe(startMs + 32_000);
});

test('the clock of an agent does not matter: only that its lease changes does', () => {
  const yearsOff = viewOf(of(leaseKind, lease('a', startMs - 1e11)));
  const plan = reconcile(node('a', healthy), yearsOff, startMs, undefined);
  expect(reconcile(node('a', healthy), yearsOff, startMs + graceMs, plan.memory).writes).toEqual([]);
});

test('a status heartbeat counts like a lease', () => {
  const memory = silentSince(startMs);
  const posted = node('a', [condition('Ready', 'True', { lastHeartbeatTime: toTime(startMs + 40_000) })]);
  expect(reconcile(posted, viewOf(), startMs + 45_000, memory).memory?.seenMs).toBe(startMs + 45_000);
});

test('a silent node gets Unknown conditions with upstream’s words, its pods are not ready, and both are told', () => {
  const silent = node('a', healthy);
  const view = viewOf(
    of(nodeKind, silent, node('b', healthy)),
    of(
      podKind,
      pod('up', { node: 'a', ready: true }),
      pod('down', { node: 'a', ready: false }),
      pod('other', { node: 'b', ready: true }),
    ),
  );
  const nowMs = startMs + graceMs + 1;
  const plan = reconcile(silent, view, nowMs, silentSince(startMs));
  const conditions = getPath(bodies(plan)[0], ['status', 'conditions']);
  expect(conditions).toEqual([
    ...healthy
      .map(present => ({
        ...present,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: toTime(nowMs),
      }))
      .slice(0, 3),
    {
      type: 'PIDPressure',
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: toTime(startMs),
      lastTransitionTime: toTime(nowMs),
    },
  ]);
  expect(plan.writes.slice(1)).toMatchObject([
    {
      do: 'patch',
      ref: { name: 'up' },
      subresource: 'status',
      patch: { body: { status: { conditions: [{ type: 'Ready', status: 'False' }] } } },
    },
  ]);
  expect(plan.notes).toMatchObject([
    { about: silent, type: 'Normal', reason: 'NodeNotReady', message: 'Node a status is now: NodeNotReady' },
    { about: { metadata: { name: 'up' } }, type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' },
  ]);
});

test('exactly at the end of the grace a node is not lost yet', () => {
  expect(reconcile(node('a', healthy), viewOf(), startMs + graceMs, silentSince(startMs)).writes).toEqual([]);
});

test('a new node that never posted anything has the startup grace from its creation', () => {
  const fresh = node('a', []);
  const at = (ms: number) => reconcile(fresh, viewOf(of(nodeKind, fresh, node('b', healthy))), startMs + ms, undefined);
  expect(at(59_000).writes).toEqual([]);
  expect(getPath(bodies(at(60_001))[0], ['status', 'conditions', 0])).toMatchObject({
    type: 'Ready',
    status: 'Unknown',
    reason: 'NodeStatusNeverUpdated',
  });
});

const reconcileTaints = (subject: Node, others: readonly Node[], nowMs = startMs + 1_000_000) =>
  reconcile(subject, viewOf(of(nodeKind, subject, ...others)), nowMs, silentSince(startMs));

test('a lost node is tainted unreachable for scheduling and for running pods', () => {
  const lost = node('a', unknown);
  const plan = reconcileTaints(lost, [node('b', healthy)]);
  expect(named(taintsIn(plan))).toEqual([
    'node.kubernetes.io/unreachable:NoSchedule',
    'node.kubernetes.io/unreachable:NoExecute',
  ]);
  expect(taintsIn(plan)?.[0]?.timeAdded).toBe(toTime(startMs + 1_000_000));
  expect(bodies(plan)[0]).toMatchObject({ metadata: { uid: 'uid-a', resourceVersion: '1' } });
});

test('conditions and cordoning are taints; those of others stay', () => {
  const foreign: Taint = { key: 'gpu', effect: 'NoSchedule', value: 'yes' };
  const pressed = node(
    'a',
    [
      condition('Ready', 'True'),
      condition('MemoryPressure', 'True'),
      condition('DiskPressure', 'True'),
      condition('PIDPressure', 'True'),
      condition('NetworkUnavailable', 'True'),
    ],
    { unschedulable: true, taints: [foreign, { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] },
  );
  const plan = reconcile(pressed, viewOf(of(nodeKind, pressed)), startMs, undefined);
  expect(named(taintsIn(plan))).toEqual([
    'gpu:NoSchedule',
    'node.kubernetes.io/memory-pressure:NoSchedule',
    'node.kubernetes.io/disk-pressure:NoSchedule',
    'node.kubernetes.io/pid-pressure:NoSchedule',
    'node.kubernetes.io/network-unavailable:NoSchedule',
    'node.kubernetes.io/unschedulable:NoSchedule',
  ]);
});

test('a node that is as it should be gets no write', () => {
  const tainted = node('a', [condition('Ready', 'False')], {
    taints: [
      { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: toTime(startMs) },
    ],
  });
  expect(reconcile(tainted, viewOf(of(nodeKind, tainted, node('b', healthy))), startMs, undefined).writes).toEqual([]);
});

test('not-ready and unreachable are exchanged at once, and both go when the node is ready', () => {
  const wasNotReady: Taint[] = [
    { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: toTime(startMs + 999_999) },
  ];
  const plan = reconcileTaints(node('a', unknown, { taints: wasNotReady }), [node('b', healthy)]);
  expect(named(taintsIn(plan))).toEqual([
    'node.kubernetes.io/unreachable:NoSchedule',
    'node.kubernetes.io/unreachable:NoExecute',
  ]);
  const back = node('a', healthy, { taints: wasNotReady });
  expect(taintsIn(reconcile(back, viewOf(of(nodeKind, back)), startMs, undefined))).toEqual([]);
});

test('in one zone the second node gets its NoExecute taint ten seconds after the first', () => {
  const first = node('a', unknown, {
    taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: toTime(startMs + 996_000) }],
  });
  const second = node('b', unknown);
  const early = reconcileTaints(second, [first, node('c', healthy), node('d', healthy)]);
  expect(named(taintsIn(early))).toEqual(['node.kubernetes.io/unreachable:NoSchedule']);
  expect(early.againInMs).toBe(timings.kubernetes.nodeMonitorMs);
  const late = reconcileTaints(second, [first, node('c', healthy), node('d', healthy)], startMs + 1_006_000);
  expect(named(taintsIn(late))).toContain('node.kubernetes.io/unreachable:NoExecute');
  const elsewhere = node('b', unknown, { labels: { 'topology.kubernetes.io/zone': 'z2' } });
  expect(named(taintsIn(reconcileTaints(elsewhere, [first, node('c', healthy)])))).toContain(
    'node.kubernetes.io/unreachable:NoExecute',
  );
});

test('when every node is lost nobody is evicted, and taints given before are taken back', () => {
  const executed: Taint[] = [
    { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: toTime(startMs) },
  ];
  const plan = reconcileTaints(node('a', unknown, { taints: executed }), [node('b', unknown)]);
  expect(named(taintsIn(plan))).toEqual(['node.kubernetes.io/unreachable:NoSchedule']);
  const single = reconcileTaints(node('a', unknown), []);
  expect(named(taintsIn(single))).toEqual(['node.kubernetes.io/unreachable:NoSchedule']);
});

test('a small zone that is mostly lost gets no further taints but keeps those it has', () => {
  const zone = (lost: number, up: number) => [
    ...Array.from({ length: lost }, (_, i) => node(`l${i}`, unknown)),
    ...Array.from({ length: up }, (_, i) => node(`u${i}`, healthy)),
  ];
  const partial = reconcileTaints(node('a', unknown), zone(2, 2));
  expect(named(taintsIn(partial))).toEqual(['node.kubernetes.io/unreachable:NoSchedule']);
  const has: Taint[] = [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: toTime(startMs) }];
  expect(named(taintsIn(reconcileTaints(node('a', unknown, { taints: has }), zone(2, 2))))).toContain(
    'node.kubernetes.io/unreachable:NoExecute',
  );
  expect(named(taintsIn(reconcileTaints(node('a', unknown), zone(30, 24))))).toContain(
    'node.kubernetes.io/unreachable:NoExecute',
  );
});
