/** All controllers together over a fake API in virtual time: what a user sees happen to nodes, pods and namespaces. */
import { afterEach, expect, test } from 'vitest';
import { leaseKind } from '#api/kinds/coordination.ts';
import { configMapKind, eventKind, namespaceKind, nodeKind, podKind, serviceAccountKind } from '#api/kinds/core.ts';
import { podDisruptionBudgetKind } from '#api/kinds/policy.ts';
import { unavailable } from '#api/status.ts';
import { toMicroTime } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { type Controllers, startControllers } from '#loops/controllers.ts';
import { FakeClient } from '#test/client/fake-client.ts';
import { virtualClock } from '#test/virtual.ts';
import { condition, node, pod } from './view.ts';

let controllers: Controllers | undefined;
afterEach(() => controllers?.stop());

const start = () => {
  const clock = virtualClock();
  const client = new FakeClient(clock);
  const failures: string[] = [];
  const log = {
    ...silentLog,
    warn: (fields: object, message: string) => void failures.push(`${message} ${JSON.stringify(fields)}`),
  };
  controllers = startControllers({ client, clock, random: seededRandom(1), log, caPem: 'CA' });
  const alive = new Set<string>();
  const beat = (name: string) => {
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: toMicroTime(clock.now()) };
    client.put(leaseKind, { metadata: { name, namespace: 'kube-node-lease' }, spec });
  };
  const join = (name: string) => {
    const healthy = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map(type => condition(type, 'False'));
    client.put(nodeKind, node(name, [condition('Ready', 'True'), ...healthy]));
    alive.add(name);
    beat(name);
  };
  /** Lets time pass while the nodes that are alive renew their leases. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 5) {
      if (second % 10 === 0) for (const name of alive) beat(name);
      await clock.advance(Math.min(5, seconds - second) * 1000);
    }
  };
  const ready = (name: string) => client.peek(nodeKind, name)?.status?.conditions?.find(({ type }) => type === 'Ready');
  const taints = (name: string) =>
    (client.peek(nodeKind, name)?.spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
  const eventsOf = (name: string) =>
    client
      .all(eventKind)
      .filter(event => event.involvedObject?.name === name)
      .map(event => `${event.type} ${event.reason}: ${event.message}`);
  return { clock, client, alive, join, pass, ready, taints, eventsOf, failures };
};

const patient = (key: string) => ({
  key,
  operator: 'Exists' as const,
  effect: 'NoExecute' as const,
  tolerationSeconds: 300,
});

test('a node that falls silent is NotReady after 50 s, and its pods are deleted 300 s later', async () => {
  const { client, alive, join, pass, ready, taints, eventsOf, failures } = start();
  for (const name of ['a', 'b', 'c']) join(name);
  const spec = { tolerations: [patient('node.kubernetes.io/unreachable'), patient('node.kubernetes.io/not-ready')] };
  client.put(podKind, pod('web', { node: 'a', ready: true, spec }));
  client.put(podKind, pod('safe', { node: 'b', ready: true, spec }));
  client.put(podKind, pod('daemon', { node: 'a', ready: true, spec: { tolerations: [{ operator: 'Exists' }] } }));
  await pass(120);
  expect(['a', 'b', 'c'].map(name => ready(name)?.status)).toEqual(['True', 'True', 'True']);
  alive.delete('a');
  await pass(40);
  expect(ready('a')?.status).toBe('True');
  await pass(20);
  expect(ready('a')).toMatchObject({
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
  });
  expect(taints('a')).toEqual([
    'node.kubernetes.io/unreachable:NoSchedule',
    'node.kubernetes.io/unreachable:NoExecute',
  ]);
  expect(client.peek(podKind, 'web', 'default')?.status?.conditions).toMatchObject([
    { type: 'Ready', status: 'False' },
  ]);
  expect(client.peek(podKind, 'web', 'default')?.status?.phase).toBe('Running');
  expect(eventsOf('a')).toEqual(['Normal NodeNotReady: Node a status is now: NodeNotReady']);
  await pass(280);
  expect(client.peek(podKind, 'web', 'default')?.metadata.deletionTimestamp).toBeUndefined();
  await pass(30);
  const web = client.peek(podKind, 'web', 'default');
  expect(web?.metadata.deletionTimestamp).toBeDefined();
  expect(web?.status?.conditions).toMatchObject([
    { type: 'Ready' },
    { type: 'DisruptionTarget', reason: 'DeletionByTaintManager' },
  ]);
  expect(eventsOf('web')).toEqual([
    'Warning NodeNotReady: Node is not ready',
    'Normal TaintManagerEviction: Marking for deletion Pod default/web',
  ]);
  expect(client.peek(podKind, 'safe', 'default')?.metadata.deletionTimestamp).toBeUndefined();
  expect(client.peek(podKind, 'daemon', 'default')?.metadata.deletionTimestamp).toBeUndefined();
  expect(failures).toEqual([]);
});

test('a node that comes back in time loses its taints, and the eviction is called off', async () => {
  const { client, alive, join, pass, taints, eventsOf } = start();
  for (const name of ['a', 'b', 'c']) join(name);
  client.put(
    podKind,
    pod('web', { node: 'a', ready: true, spec: { tolerations: [patient('node.kubernetes.io/unreachable')] } }),
  );
  await pass(10);
  alive.delete('a');
  await pass(100);
  expect(taints('a').length).toBe(2);
  const lost = client.peek(nodeKind, 'a');
  // What the agent does when it is back: its lease, its conditions, its pods' readiness.
  alive.add('a');
  if (lost) client.put(nodeKind, { ...lost, status: { conditions: [condition('Ready', 'True')] } });
  await pass(20);
  expect(taints('a')).toEqual([]);
  await pass(400);
  expect(client.peek(podKind, 'web', 'default')?.metadata.deletionTimestamp).toBeUndefined();
  expect(eventsOf('web')).toContain('Normal TaintManagerEviction: Cancelling deletion of Pod default/web');
});

test('when all nodes fall silent at once they are NotReady, but nobody is evicted', async () => {
  const { client, alive, join, pass, ready, taints } = start();
  for (const name of ['a', 'b']) join(name);
  client.put(podKind, pod('web', { node: 'a', ready: true }));
  await pass(20);
  alive.clear();
  await pass(600);
  expect(ready('a')?.status).toBe('Unknown');
  expect(taints('a')).toEqual(['node.kubernetes.io/unreachable:NoSchedule']);
  expect(client.peek(podKind, 'web', 'default')?.metadata.deletionTimestamp).toBeUndefined();
});

test('pods of a deleted node are failed and gone a minute later', async () => {
  const { client, join, pass } = start();
  for (const name of ['a', 'b']) join(name);
  client.put(podKind, pod('web', { node: 'a' }));
  await pass(30);
  await client.remove(nodeKind, { name: 'a' });
  await pass(70);
  expect(client.peek(podKind, 'web', 'default')).toBeUndefined();
});

test('a new namespace gets its ServiceAccount and CA, again when deleted; a deleted namespace is emptied and goes', async () => {
  const { clock, client, failures } = start();
  await client.create(namespaceKind, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' }, spec: {} });
  await clock.advance(100);
  expect(client.peek(serviceAccountKind, 'default', 'shop')).toBeDefined();
  expect(client.peek(configMapKind, 'kube-root-ca.crt', 'shop')?.data).toEqual({ 'ca.crt': 'CA' });
  await client.remove(serviceAccountKind, { name: 'default', namespace: 'shop' });
  await client.remove(configMapKind, { name: 'kube-root-ca.crt', namespace: 'shop' });
  await clock.advance(100);
  expect(client.peek(serviceAccountKind, 'default', 'shop')).toBeDefined();
  expect(client.peek(configMapKind, 'kube-root-ca.crt', 'shop')).toBeDefined();
  for (let i = 0; i < 1200; i++) client.put(configMapKind, { metadata: { name: `c${i}`, namespace: 'shop' } });
  const running = client.put(podKind, pod('web', { namespace: 'shop', node: 'n' }));
  client.put(configMapKind, { metadata: { name: 'elsewhere', namespace: 'default' } });
  await client.remove(namespaceKind, { name: 'shop' });
  await clock.advance(5000);
  expect(client.peek(namespaceKind, 'shop')?.status?.phase).toBe('Terminating');
  expect(client.peek(podKind, 'web', 'shop')?.metadata.deletionTimestamp).toBeDefined();
  expect(client.all(configMapKind).length).toBe(1202);
  // The agent reports that the pod has ended.
  client.put(podKind, { ...running, status: { phase: 'Succeeded' } });
  await client.remove(podKind, { name: 'web', namespace: 'shop' }, { gracePeriodSeconds: 0 });
  await clock.advance(5000);
  expect(client.peek(namespaceKind, 'shop')).toBeUndefined();
  expect(client.all(configMapKind).map(map => map.metadata.name)).toEqual(['elsewhere']);
  expect(failures).toEqual([]);
});

test('a disruption budget follows its pods', async () => {
  const { clock, client } = start();
  const labels = { app: 'web' };
  client.put(podDisruptionBudgetKind, {
    metadata: { name: 'pdb', namespace: 'default', generation: 1 },
    spec: { minAvailable: 2, selector: { matchLabels: labels } },
  });
  const status = () => client.peek(podDisruptionBudgetKind, 'pdb', 'default')?.status;
  for (const name of ['p1', 'p2', 'p3'])
    client.put(podKind, pod(name, { ready: true, node: 'n', metadata: { labels } }));
  await clock.advance(100);
  expect(status()).toMatchObject({
    disruptionsAllowed: 1,
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 3,
    observedGeneration: 1,
  });
  await client.remove(podKind, { name: 'p1', namespace: 'default' });
  await clock.advance(100);
  expect(status()).toMatchObject({ disruptionsAllowed: 0, currentHealthy: 2, expectedPods: 3 });
});

test('controllers that never reached the API stop at once', async () => {
  const { clock, client } = start();
  client.fault = () => unavailable('connection refused');
  await clock.advance(60_000);
  await controllers?.stop();
  controllers = undefined;
  const calls = client.calls.length;
  await clock.advance(600_000);
  expect(client.calls.length).toBe(calls);
});
