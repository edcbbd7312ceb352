/** A Docker Engine that is not there, dies, hangs, is slow and comes back, as seen by one agent through a socket of its own. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { podKind } from '#api/kinds/core.ts';
import { below, seededRandom } from '#base/random.ts';
import { systemClock } from '#base/system.ts';
import { until } from './berth.ts';
import { containersOf, engine, type Ledger, openLedger } from './engine-ledger.ts';
import { type EngineProxy, openEngineProxy } from './engine-proxy.ts';
import { deleteAllPods, idlePod, running } from './pods.ts';
import { type SplitCluster, startSplitCluster } from './split-cluster.ts';

let cluster: SplitCluster;
let proxy: EngineProxy;
let ledger: Ledger;

beforeAll(async () => {
  cluster = await startSplitCluster();
  proxy = await openEngineProxy(join(cluster.place.folder, 'docker.sock'), false);
  ledger = await openLedger(cluster.id);
  cluster.startAgent('e=cpu:1,memory:1Gi', { docker: proxy.address });
});

afterAll(async () => {
  ledger?.close();
  await proxy?.close();
  await cluster?.stop();
});

const uid = (id: string): string => id.replace('docker://', '');
const startsOf = (pod: string): readonly string[] => ledger.starts(`default/${pod}/app`);

test('that is not there when the agent starts: the node says so, and goes on by itself when it is', async () => {
  const condition = await cluster.ready('e', 'False');
  expect(condition).toEqual({
    reason: 'KubeletNotReady',
    message: `container runtime is down: cannot reach the Docker Engine: connect ENOENT ${proxy.socket}`,
  });
  await cluster.client.create(podKind, idlePod('early'));
  await proxy.live();
  await cluster.ready('e', 'True');
  await running(cluster.client, 'early');
  expect(startsOf('early')).toEqual(['0']);
});

test('that dies: the node says so; what ends meanwhile is seen afterwards, what runs is left alone', async () => {
  const { client } = cluster;
  const before = await running(client, 'early');
  await client.create(podKind, idlePod('mortal'));
  const mortal = await running(client, 'mortal');
  await proxy.die();
  const { reason, message } = await cluster.ready('e', 'False');
  expect(reason).toBe('KubeletNotReady');
  expect(message).toMatch(/^container runtime is down: .*Docker Engine/);
  await engine.call('POST', `/containers/${uid(mortal.containerID!)}/kill`);
  await client.create(podKind, idlePod('meanwhile', {}, { nodeName: 'e' }));
  await client.create(podKind, idlePod('doomed', {}, { nodeName: 'e' }));
  await client.remove(podKind, { namespace: 'default', name: 'doomed' }, { gracePeriodSeconds: 0 });
  await proxy.live();
  await cluster.ready('e', 'True');
  await running(client, 'meanwhile');
  const after = await until('the end of mortal is seen', async () => {
    const [status] = (await client.get(podKind, { namespace: 'default', name: 'mortal' })).status!.containerStatuses!;
    return status!.restartCount === 1 && status!.state?.running && status;
  });
  expect(after.lastState!.terminated!.exitCode).toBe(137);
  expect(startsOf('mortal')).toEqual(['0', '1']);
  expect(startsOf('meanwhile')).toEqual(['0']);
  expect(startsOf('doomed')).toEqual([]);
  expect(await running(client, 'early')).toEqual(before);
});

test('that hangs: the node says that it does not answer, and goes on when it does', async () => {
  const before = await running(cluster.client, 'early');
  proxy.hang();
  const { reason, message } = await cluster.ready('e', 'False');
  expect(reason).toBe('KubeletNotReady');
  expect(message).toBe('container runtime is down: the Docker Engine does not answer');
  await proxy.live();
  await cluster.ready('e', 'True');
  expect(await running(cluster.client, 'early')).toEqual(before);
});

test('that takes a second for everything: pods run once, end, and the node stays Ready', async () => {
  const { client } = cluster;
  const since = (await cluster.node('e'))!.status!.conditions!.find(({ type }) => type === 'Ready')!;
  proxy.slow(1000);
  try {
    await client.create(podKind, idlePod('slow-1'));
    await client.create(podKind, idlePod('slow-2'));
    for (const name of ['slow-1', 'slow-2']) await running(client, name);
    await client.remove(podKind, { namespace: 'default', name: 'slow-1' });
    await until('slow-1 is gone', async () =>
      (await client.list(podKind, { namespace: 'default' })).items.every(pod => pod.metadata.name !== 'slow-1'),
    );
  } finally {
    proxy.slow(0);
  }
  expect(startsOf('slow-1')).toEqual(['0']);
  expect(startsOf('slow-2')).toEqual(['0']);
  const ready = (await cluster.node('e'))!.status!.conditions!.find(({ type }) => type === 'Ready')!;
  expect([ready.status, ready.lastTransitionTime]).toEqual(['True', since.lastTransitionTime]);
});

test('that dies again and again while pods come: each runs, once, and nothing is left of them in the end', async () => {
  const { client } = cluster;
  const random = seededRandom(20261122);
  const names = Array.from({ length: 8 }, (_, i) => `flap-${i}`);
  for (const name of names) {
    await client.create(podKind, idlePod(name));
    await systemClock.sleep(below(random, 700));
    await proxy.die();
    await systemClock.sleep(below(random, 300));
    await proxy.live();
  }
  for (const name of names) await running(client, name, 90);
  for (const name of names) {
    expect(startsOf(name), name).toEqual(['0']);
    expect(ledger.starts(`default/${name}/POD`), name).toEqual(['0']);
  }
  expect(ledger.overlaps).toEqual([]);
  await deleteAllPods(client);
  await until('no container is left', async () => (await containersOf(cluster.id)).length === 0);
});

test('that is not there when berth up starts: it says which one, and the exit code is 1', async () => {
  const address = `unix://${join(cluster.place.folder, 'nowhere.sock')}`;
  const data = join(cluster.place.folder, 'up');
  const said = await cluster.place.run(['up', '--data', data, '--port', '0', '--docker', address]);
  expect(said.code).toBe(1);
  expect(said.stdout).toBe('');
  expect(said.stderr).toContain(
    `error: no Docker Engine answers at ${address}: cannot reach the Docker Engine: connect ENOENT`,
  );
  expect(said.stderr).toContain('Start it, or name another one with --docker');
  const status = await cluster.place.run(['down', '--data', data]);
  expect(status.code).toBe(0);
});
