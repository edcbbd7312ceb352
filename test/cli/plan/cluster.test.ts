/** `berth plan` against a whole control plane in memory, over HTTPS: what is there counts, and nothing of it is changed. */
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { replicaSetKind } from '#api/kinds/apps.ts';
import { configMapKind, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { podDisruptionBudgetKind } from '#api/kinds/policy.ts';
import { priorityClassKind } from '#api/kinds/scheduling.ts';
import { silentLog } from '#base/log.ts';
import { systemClock, systemRandom } from '#base/system.ts';
import type { Client } from '#client/client.ts';
import { type ControlPlane, startControlPlane } from '#scheduler/main.ts';
import { startFakeApi } from '../fake-api.ts';
import { type Ran, type Shell, shellFor } from '../run.ts';
import { documents, huge, replicaSet, web } from './manifests.ts';

let plane: ControlPlane | undefined;
let shell: Shell;
let client: Client;

const start = async (scheduler: boolean): Promise<void> => {
  plane = await startControlPlane({ clock: systemClock, random: systemRandom, log: silentLog, port: 0, scheduler });
  client = plane.client();
  shell = shellFor(plane.url);
  const ca = Buffer.from(plane.caPem).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'berth',
    contexts: [{ name: 'berth', context: { cluster: 'berth', user: 'berth' } }],
    clusters: [{ name: 'berth', cluster: { server: plane.url, 'certificate-authority-data': ca } }],
    users: [{ name: 'berth', user: { token: plane.adminToken } }],
  };
  writeFileSync(shell.kubeconfig, JSON.stringify(config));
};

afterEach(async () => {
  await plane?.stop();
  plane = undefined;
});

const addNode = async (name: string, cpu: string, memory = '4Gi'): Promise<void> => {
  const allocatable = { cpu, memory, pods: '10' };
  const status = { capacity: allocatable, allocatable, conditions: [{ type: 'Ready', status: 'True' as const }] };
  const labels = { 'kubernetes.io/hostname': name };
  await client.create(nodeKind, { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: {} });
  await client.patch(nodeKind, { name }, { type: 'strategic', body: { status } }, { subresource: 'status' });
};

interface Running {
  readonly cpu?: string;
  readonly priorityClassName?: string;
  readonly owner?: string;
  readonly ownerUid?: string;
  readonly labels?: Record<string, string>;
}

/** A pod that runs on the node, ready, as the agent would have left it. */
const run = async (
  name: string,
  node: string,
  { cpu = '1', priorityClassName, owner, ownerUid = 'uid-of-set', labels = {} }: Running = {},
) => {
  const ownerReferences = [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner ?? '', uid: ownerUid, controller: true },
  ];
  await client.create(podKind, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels, ...(owner === undefined ? {} : { ownerReferences }) },
    spec: {
      containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }],
      nodeName: node,
      ...(priorityClassName === undefined ? {} : { priorityClassName }),
    },
  } as Pod);
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  const ref = { namespace: 'default', name };
  await client.patch(podKind, ref, { type: 'strategic', body: { status } }, { subresource: 'status' });
};

const urgent = `apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: urgent}
value: 1000
`;
const urgentPod = (cpu: string, node: string): string => `apiVersion: v1
kind: Pod
metadata: {name: urgent}
spec:
  priorityClassName: urgent
  nodeSelector: {kubernetes.io/hostname: ${node}}
  containers:
  - {name: c, image: x, resources: {requests: {cpu: ${cpu}}}}
`;

const plan = (...args: readonly string[]): Promise<Ran> => shell.run(['plan', ...args]);
const golden = (name: string, { out }: Ran): Promise<void> =>
  expect(out).toMatchFileSnapshot(`../../golden/plan/${name}`) as Promise<void>;

describe('over a cluster without a scheduler of its own', () => {
  beforeEach(() => start(false));

  test('preemption names who loses what', async () => {
    await addNode('a', '2');
    await addNode('b', '1');
    await client.create(priorityClassKind, {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'some' },
      value: 10,
    });
    await run('bare', 'a');
    await run('kept', 'a', { owner: 'set', priorityClassName: 'some' });
    const ran = await plan('-f', shell.file('p.yaml', documents(urgent, urgentPod('2', 'a'))));
    expect(ran).toMatchObject({ code: 1, err: '' });
    await golden('preemption.txt', ran);
    expect((await plan('-f', 'p.yaml', '--fail-on', 'pending')).code).toBe(0);
  });

  test('objects that are there: unchanged, configured, replaced', async () => {
    await addNode('a', '4');
    shell.file('web.yaml', web);
    const settings = (value: string) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: ${value}}\n`;
    shell.file('settings.yaml', settings('one'));
    expect((await shell.run(['apply', '-f', 'web.yaml', '-f', 'settings.yaml'])).code).toBe(0);
    expect((await plan('-f', 'web.yaml', '-f', 'settings.yaml')).out).toContain(
      'Pod/default/web              unchanged\nConfigMap/default/settings   unchanged\n',
    );
    shell.file('web.yaml', web.replace('metadata: {name: web}', 'metadata: {name: web, labels: {app: web}}'));
    shell.file('settings.yaml', settings('two'));
    expect((await plan('-f', 'web.yaml', '-f', 'settings.yaml')).out).toContain(
      'Pod/default/web              configured\nConfigMap/default/settings   configured\n',
    );
    shell.file('web.yaml', web.replace('cpu: 500m', 'cpu: 700m'));
    const replaced = await plan('-f', 'web.yaml');
    expect(replaced.code).toBe(0);
    await golden('replaced.txt', replaced);
    const { data } = await client.get(configMapKind, { namespace: 'default', name: 'settings' });
    expect(data).toEqual({ a: 'one' });
  });

  test('a replaced pod frees what it had, and may not fit any more', async () => {
    await addNode('a', '1');
    await run('web', 'a', { cpu: '1' });
    const bigger = web.replace('cpu: 500m', 'cpu: 1500m');
    const ran = await plan('-f', shell.file('web.yaml', bigger), '-o', 'json');
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.out)).toMatchObject({
      objects: [{ change: 'replaced' }],
      removed: [{ pod: 'default/web', node: 'a', why: 'replaced' }],
      pending: [{ pod: 'default/web', change: 'replaced' }],
      nodes: [{ node: 'a', resources: { cpu: { requests: { before: '1', after: '0' } } } }],
    });
  });

  test('a drain without manifests: moves, what a budget blocks, what is lost', async () => {
    await addNode('a', '4');
    await addNode('b', '4');
    const labels = { app: 'web' };
    await run('web-1', 'a', { owner: 'web', labels });
    await run('web-2', 'a', { owner: 'web', labels });
    await run('db', 'a', { owner: 'db', labels: { app: 'db' } });
    await run('bare', 'a');
    for (const [name, minAvailable] of [
      ['web', 1],
      ['db', 1],
    ] as const)
      await client.create(podDisruptionBudgetKind, {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name, namespace: 'default' },
        spec: { minAvailable, selector: { matchLabels: { app: name } } },
      });
    await expect
      .poll(async () => (await client.list(podDisruptionBudgetKind)).items.map(pdb => pdb.status?.currentHealthy))
      .toEqual([1, 2]);
    const ran = await plan('--drain', 'a');
    expect(ran).toMatchObject({ code: 1, err: '' });
    await golden('drain-blocked.txt', ran);
  });

  test('a ReplicaSet that is there is planned from the pods that it has', async () => {
    await addNode('a', '4');
    shell.file('api.yaml', replicaSet(2));
    expect((await shell.run(['apply', '-f', 'api.yaml'])).code).toBe(0);
    const { metadata } = await client.get(replicaSetKind, { namespace: 'default', name: 'api' });
    await run('api-one', 'a', { owner: 'api', ownerUid: metadata.uid!, labels: { app: 'api' } });
    const made = async (replicas: number) => {
      const { out } = await plan('-f', shell.file('api.yaml', replicaSet(replicas)), '-o', 'json');
      const { objects, placements, removed } = JSON.parse(out);
      return [objects[0].change, placements.length, removed];
    };
    expect(await made(2)).toEqual(['unchanged', 1, []]);
    expect(await made(4)).toEqual(['configured', 3, []]);
    const gone = { pod: 'default/api-one', node: 'a', why: 'scaled down by ReplicaSet/api' };
    expect(await made(0)).toEqual(['configured', 0, [gone]]);
  });

  test('--add-nodes: what a further node would bring to pods that wait', async () => {
    await addNode('a', '1');
    shell.file('p.yaml', documents(huge));
    await shell.run(['apply', '-f', 'p.yaml']);
    const node = `apiVersion: v1\nkind: Node\nmetadata: {name: big}\nstatus: {capacity: {cpu: "8", memory: 128Gi}}\n`;
    const ran = await plan('--add-nodes', shell.file('big.yaml', node), '--survive-node-loss=a');
    expect(ran.code).toBe(0);
    expect(ran.out).toContain('default/huge   big    -       was pending\n');
    expect(
      await plan('--add-nodes', shell.file('a.yaml', node.replace('name: big', 'name: a')), '--drain', 'a'),
    ).toMatchObject({
      code: 2,
      err: 'error: --add-nodes: the cluster has a node "a" already\n',
    });
  });

  test('nothing is written, whatever is asked', async () => {
    await addNode('a', '2');
    await addNode('b', '2');
    await run('low', 'a', { owner: 'set' });
    shell.file('p.yaml', documents(urgent, urgentPod('2', 'a'), replicaSet(3), huge));
    const { store } = plane!.registry;
    let rev = -1;
    await expect
      .poll(
        () => {
          const moved = store.rev - rev;
          rev = store.rev;
          return moved;
        },
        { interval: 100 },
      )
      .toBe(0);
    const ran = await plan('-f', 'p.yaml', '--drain', 'a', '--survive-node-loss', '-o', 'wide');
    expect(ran.code).toBe(1);
    expect(store.rev).toBe(rev);
  });
});

describe('a cluster with a scheduler', () => {
  test('does what was planned when the same files are applied', async () => {
    await start(true);
    // No two nodes alike, so that nothing is left to chance.
    await addNode('a', '4', '8Gi');
    await addNode('b', '3', '5Gi');
    await addNode('c', '1', '1Gi');
    const pod = (name: string, cpu: string, memory: string) =>
      web
        .replace('name: web', `name: ${name}`)
        .replace('cpu: 500m', `cpu: ${cpu}`)
        .replace(/memory: [12]Gi/g, `memory: ${memory}`);
    const files = [
      ['one', '900m', '700Mi'],
      ['two', '1500m', '1Gi'],
      ['three', '700m', '3Gi'],
      ['four', '2', '2Gi'],
      ['five', '3', '1Gi'],
    ] as const;
    shell.file('p.yaml', documents(...files.map(([name, cpu, memory]) => pod(name, cpu, memory))));
    const made = JSON.parse((await plan('-f', 'p.yaml', '-o', 'json')).out);
    const expected = Object.fromEntries([
      ...made.placements.map((one: { pod: string; node: string }) => [one.pod, one.node]),
      ...made.pending.map((one: { pod: string }) => [one.pod, '']),
    ]);
    expect(Object.keys(expected)).toHaveLength(files.length);
    expect((await shell.run(['apply', '-f', 'p.yaml'])).code).toBe(0);
    const settled = async () => {
      const { items } = await client.list(podKind);
      const isDecided = ({ spec, status }: Pod) =>
        spec.nodeName || status?.conditions?.some(({ type }) => type === 'PodScheduled');
      return items.every(isDecided)
        ? Object.fromEntries(items.map(one => [`default/${one.metadata.name}`, one.spec.nodeName ?? '']))
        : {};
    };
    await expect.poll(settled).toEqual(expected);
  });
});

test('only GET requests are made', async () => {
  const api = await startFakeApi();
  try {
    shell = shellFor(api.url);
    api.add({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'a' },
      status: { allocatable: { cpu: '1', memory: '1Gi', pods: '10' } },
    });
    const ran = await plan('-f', shell.file('p.yaml', documents(web, replicaSet(2))), '--drain', 'a');
    expect(ran.code).toBe(1);
    expect(api.asked.length).toBeGreaterThan(5);
    expect(new Set(api.asked.map(({ method }) => method))).toEqual(new Set(['GET']));
  } finally {
    await api.close();
  }
});
