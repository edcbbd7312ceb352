/** The controllers over the real registry (validation, admission, store) in virtual time. */
import { afterEach, expect, test } from 'vitest';
import { leaseKind } from '#api/kinds/coordination.ts';
import {
  configMapKind,
  eventKind,
  namespaceKind,
  nodeKind,
  type Pod,
  podKind,
  serviceAccountKind,
} from '#api/kinds/core.ts';
import { podDisruptionBudgetKind } from '#api/kinds/policy.ts';
import { isReason } from '#api/status.ts';
import { toMicroTime, toTime } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { type Controllers, startControllers } from '#loops/controllers.ts';
import { createLocalClient } from '#registry/local-client.ts';
import { systemUser } from '#registry/request.ts';
import { createWorld } from '#test/registry/world.ts';

let controllers: Controllers | undefined;
afterEach(() => controllers?.stop());

const start = async () => {
  const world = await createWorld();
  const { clock } = world;
  const client = createLocalClient(world.registry, systemUser);
  const failures: string[] = [];
  const log = {
    ...silentLog,
    warn: (fields: { err?: unknown }, message: string) => void failures.push(`${message}: ${String(fields.err)}`),
  };
  controllers = startControllers({ client, clock, random: seededRandom(1), log, caPem: 'CA' });
  await clock.advance(1000);
  const beat = async (name: string) => {
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: toMicroTime(clock.now()) };
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: 'kube-node-lease' },
      spec,
    };
    try {
      await client.update(leaseKind, lease);
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error;
      await client.create(leaseKind, lease);
    }
  };
  const join = async (name: string) => {
    await client.create(nodeKind, { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
    const types = { Ready: 'True', MemoryPressure: 'False', DiskPressure: 'False', PIDPressure: 'False' } as const;
    const conditions = Object.entries(types).map(([type, status]) => ({
      type,
      status,
      lastHeartbeatTime: toTime(clock.now()),
    }));
    await client.patch(
      nodeKind,
      { name },
      { type: 'strategic', body: { status: { conditions } } },
      { subresource: 'status' },
    );
    await beat(name);
  };
  const run = async (name: string, node: string, namespace = 'default', labels: Record<string, string> = {}) => {
    const spec = { containers: [{ name: 'app', image: 'busybox' }] };
    await client.create(podKind, { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels }, spec } as Pod);
    await client.post(podKind, { name, namespace }, 'binding', {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    });
    const conditions = [{ type: 'Ready', status: 'True' }];
    await client.patch(
      podKind,
      { name, namespace },
      { type: 'strategic', body: { status: { phase: 'Running', conditions } } },
      { subresource: 'status' },
    );
  };
  const pass = async (seconds: number, ...alive: string[]) => {
    for (let second = 0; second < seconds; second += 10) {
      for (const name of alive) await beat(name);
      await clock.advance(10_000);
    }
  };
  /** Some seconds in small steps: each step lets a write reach the caches of whoever reacts to it. */
  const react = async () => {
    for (let step = 0; step < 40; step++) await clock.advance(50);
  };
  return { client, join, run, pass, react, failures };
};

test('a lost node is marked, tainted, and its pods are evicted by their default tolerations', async () => {
  const { client, join, run, pass, failures } = await start();
  for (const name of ['a', 'b', 'c']) await join(name);
  await run('web', 'a');
  await pass(60, 'a', 'b', 'c');
  expect((await client.get(nodeKind, { name: 'a' })).spec.taints ?? []).toEqual([]);
  await pass(70, 'b', 'c');
  const node = await client.get(nodeKind, { name: 'a' });
  expect(node.status?.conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual([
    'Ready=Unknown',
    'MemoryPressure=Unknown',
    'DiskPressure=Unknown',
    'PIDPressure=Unknown',
  ]);
  expect(node.spec.taints?.map(({ key, effect }) => `${key}:${effect}`)).toEqual([
    'node.kubernetes.io/unreachable:NoSchedule',
    'node.kubernetes.io/unreachable:NoExecute',
  ]);
  const ref = { namespace: 'default', name: 'web' };
  expect((await client.get(podKind, ref)).status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe(
    'False',
  );
  await pass(310, 'b', 'c');
  const pod = await client.get(podKind, ref);
  expect(pod.metadata.deletionTimestamp).toBeDefined();
  expect(pod.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({
    status: 'True',
    reason: 'DeletionByTaintManager',
  });
  const events = (await client.list(eventKind)).items.map(event => `${event.involvedObject?.name} ${event.reason}`);
  expect(events).toEqual(expect.arrayContaining(['a NodeNotReady', 'web NodeNotReady', 'web TaintManagerEviction']));
  expect(failures).toEqual([]);
});

test('pods of a deleted node are removed by the garbage collector', async () => {
  const { client, join, run, pass, failures } = await start();
  await join('a');
  await run('web', 'a');
  await client.remove(nodeKind, { name: 'a' });
  await pass(80);
  expect((await client.list(podKind)).items).toEqual([]);
  expect(failures).toEqual([]);
});

test('a namespace gets its defaults, and is emptied and gone when deleted', async () => {
  const { client, join, run, react, failures } = await start();
  await join('a');
  await client.create(namespaceKind, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' }, spec: {} });
  await react();
  const account = { namespace: 'shop', name: 'default' };
  expect(await client.get(serviceAccountKind, account)).toBeDefined();
  expect((await client.get(configMapKind, { namespace: 'shop', name: 'kube-root-ca.crt' })).data).toEqual({
    'ca.crt': 'CA',
  });
  await client.remove(serviceAccountKind, account);
  await react();
  expect(await client.get(serviceAccountKind, account)).toBeDefined();
  await run('web', 'a', 'shop');
  await client.remove(namespaceKind, { name: 'shop' });
  await react();
  const namespace = await client.get(namespaceKind, { name: 'shop' });
  expect(namespace.status?.phase).toBe('Terminating');
  expect(namespace.status?.conditions?.find(({ type }) => type === 'NamespaceContentRemaining')?.message).toMatch(
    /^Some resources are remaining: .*pods\. has 1 resource instances/,
  );
  await client.remove(podKind, { namespace: 'shop', name: 'web' }, { gracePeriodSeconds: 0 });
  await react();
  await expect(client.get(namespaceKind, { name: 'shop' })).rejects.toThrow('namespaces "shop" not found');
  expect((await client.list(configMapKind, { namespace: 'shop' })).items).toEqual([]);
  expect((await client.list(eventKind, { namespace: 'shop' })).items).toEqual([]);
  expect(failures).toEqual([]);
});

test('evictions stop at the budget, and the budget counts them until the pods are gone', async () => {
  const { client, join, run, react, failures } = await start();
  await join('a');
  const labels = { app: 'web' };
  await client.create(podDisruptionBudgetKind, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'pdb', namespace: 'default' },
    spec: { minAvailable: 1, selector: { matchLabels: labels } },
  });
  for (const name of ['p1', 'p2']) await run(name, 'a', 'default', labels);
  await react();
  const status = async () => (await client.get(podDisruptionBudgetKind, { namespace: 'default', name: 'pdb' })).status;
  expect(await status()).toMatchObject({
    disruptionsAllowed: 1,
    currentHealthy: 2,
    desiredHealthy: 1,
    expectedPods: 2,
  });
  const evict = (name: string) =>
    client.post(podKind, { namespace: 'default', name }, 'eviction', {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name, namespace: 'default' },
    });
  await evict('p1');
  await expect(evict('p2')).rejects.toThrow("Cannot evict pod as it would violate the pod's disruption budget.");
  await react();
  expect(await status()).toMatchObject({ disruptionsAllowed: 0, currentHealthy: 1 });
  expect(failures).toEqual([]);
});
