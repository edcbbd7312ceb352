/**
 * kill -9 of the server and of agents while pods come and go. The engine's own event stream is the witness (engine-ledger.ts).
 * $BERTH_FAULT_KILLS sets the number of kills, $BERTH_FAULT_SEED what is done when.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Pod, podKind, type Secret, secretKind } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import { below, type Random, seededRandom } from '#base/random.ts';
import { systemClock } from '#base/system.ts';
import { findRunning, readSettings } from '#cli/local/instance.ts';
import { parseJoin } from '#cli/local/join.ts';
import { ConnectionError } from '#client/http-errors.ts';
import { filesBelow, freePort, modeOf, openPlace, textOf, until } from './berth.ts';
import { containersOf, type Ledger, openLedger, removeAllOf, volumesOf } from './engine-ledger.ts';
import { deleteAllPods, idle, idlePod, running } from './pods.ts';
import { cgroupsOf, type SplitCluster, startSplitCluster } from './split-cluster.ts';

const kills = Number(process.env['BERTH_FAULT_KILLS'] ?? 12);
const seed = Number(process.env['BERTH_FAULT_SEED'] ?? 20261121);
const mostPods = 10;
const nodes = ['k-a=cpu:1,memory:2Gi', 'k-b=cpu:1,memory:2Gi'];

/** What a pod does, and how often its container is started because of that. */
const behaviours = {
  stays: { script: idle, policy: 'Always', starts: 1, phase: 'Running' },
  ends: { script: 'true', policy: 'Never', starts: 1, phase: 'Succeeded' },
  retries: {
    script: `[ -e /state/tried ] || { touch /state/tried; exit 1; }; ${idle}`,
    policy: 'OnFailure',
    starts: 2,
    phase: 'Running',
  },
} as const;
type Behaviour = keyof typeof behaviours;

const secretValue = 'tr3asure-of-the-test';

const treasure: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: 'default', name: 'treasure' },
  stringData: { value: secretValue },
};

const podOf = (name: string, behaviour: Behaviour): Pod =>
  idlePod(
    name,
    {
      command: ['sh', '-c', behaviours[behaviour].script],
      env: [{ name: 'TREASURE', valueFrom: { secretKeyRef: { name: 'treasure', key: 'value' } } }],
      volumeMounts: [
        { name: 'state', mountPath: '/state' },
        { name: 'treasure', mountPath: '/treasure' },
      ],
    },
    {
      restartPolicy: behaviours[behaviour].policy,
      volumes: [
        { name: 'state', emptyDir: {} },
        { name: 'treasure', secret: { secretName: 'treasure' } },
      ],
    },
  );

/** Tries until the server has answered; what a lost answer leaves open, the next try finds out. */
const acknowledged = async (work: () => Promise<unknown>, doneBefore: string): Promise<void> => {
  let isOpen = false;
  await until('the server answers a write', async () => {
    try {
      await work();
      return true;
    } catch (error) {
      if (isOpen && isReason(error, doneBefore)) return true;
      if (!(error instanceof ConnectionError) && !isReason(error, 'ServiceUnavailable')) throw error;
      isOpen = true;
      return false;
    }
  });
};

interface World {
  readonly cluster: SplitCluster;
  readonly random: Random;
  /** Acknowledged as created and not as deleted. */
  readonly wanted: Map<string, Behaviour>;
  readonly deleted: Map<string, Behaviour>;
  /** The last acknowledged value of an annotation. */
  readonly marks: Map<string, string>;
  stopped: boolean;
}

/** Pods come and go, and are annotated, until `stopped`. */
const comeAndGo = async (world: World): Promise<void> => {
  const { client } = world.cluster;
  const { random, wanted, deleted, marks } = world;
  for (let i = 0; !world.stopped; i++) {
    const names = [...wanted.keys()].filter(name => name !== 'witness');
    const name = names[below(random, Math.max(1, names.length))];
    const dice = below(random, 10);
    if (wanted.size < mostPods && (dice < 6 || name === undefined)) {
      const behaviour = (['stays', 'stays', 'ends', 'retries'] as const)[below(random, 4)]!;
      const fresh = `p${i}-${behaviour}`;
      await acknowledged(() => client.create(podKind, podOf(fresh, behaviour)), 'AlreadyExists');
      wanted.set(fresh, behaviour);
    } else if (name !== undefined && (dice < 8 || wanted.size >= mostPods)) {
      await acknowledged(() => client.remove(podKind, { namespace: 'default', name }), 'NotFound');
      deleted.set(name, wanted.get(name)!);
      wanted.delete(name);
    } else if (name !== undefined) {
      const body = { metadata: { annotations: { mark: String(i) } } };
      await acknowledged(() => client.patch(podKind, { namespace: 'default', name }, { type: 'merge', body }), '');
      marks.set(name, String(i));
    }
    await systemClock.sleep(50 + below(random, 300));
  }
};

const killAndRestart = async ({ cluster, random }: World): Promise<void> => {
  for (let round = 0; round < kills; round++) {
    await systemClock.sleep(100 + below(random, 1400));
    const victim = below(random, 3);
    if (victim === 0) {
      await cluster.server().end('SIGKILL');
      await systemClock.sleep(below(random, 500));
      await cluster.startServer();
    } else {
      const node = nodes[victim - 1]!;
      await cluster.agent(node.split('=')[0]!).end('SIGKILL');
      await systemClock.sleep(below(random, 500));
      cluster.startAgent(node);
    }
  }
};

const phasesOf = async ({ client }: SplitCluster): Promise<ReadonlyMap<string, Pod>> =>
  new Map((await client.list(podKind, { namespace: 'default' })).items.map(pod => [pod.metadata.name, pod]));

/** What keeps a pod from the state that it should come to; undefined: nothing. */
const missing = (name: string, behaviour: Behaviour, pod: Pod | undefined): string | undefined => {
  const { phase, starts } = behaviours[behaviour];
  const status = pod?.status;
  const isThere = status?.phase === phase && status.containerStatuses?.[0]?.restartCount === starts - 1;
  return isThere ? undefined : `${name} should be ${phase} after ${starts} starts: ${JSON.stringify(pod)}`;
};

const settled = ({ cluster, wanted }: World): Promise<ReadonlyMap<string, Pod>> => {
  let faults: readonly string[] = [];
  return until(
    'every pod is in its state and every deleted one gone',
    async () => {
      const pods = await phasesOf(cluster);
      faults = [
        ...[...wanted].flatMap(([name, behaviour]) => missing(name, behaviour, pods.get(name)) ?? []),
        ...[...pods].flatMap(([name, pod]) => (wanted.has(name) ? [] : `${name} is deleted: ${JSON.stringify(pod)}`)),
      ];
      return faults.length === 0 && pods;
    },
    120,
    () => `${faults.join('\n')}\n${nodes.map(node => textOf(cluster.agent(node.split('=')[0]!).log)).join('\n')}`,
  );
};

const expectStarts = ({ wanted, deleted }: World, ledger: Ledger): void => {
  for (const [name, behaviour] of wanted) {
    const attempts = Array.from({ length: behaviours[behaviour].starts }, (_, attempt) => String(attempt));
    expect(ledger.starts(`default/${name}/app`), name).toEqual(attempts);
    expect(ledger.starts(`default/${name}/POD`), name).toEqual(['0']);
  }
  for (const [name, behaviour] of deleted) {
    expect(ledger.starts(`default/${name}/app`).length, name).toBeLessThanOrEqual(behaviours[behaviour].starts);
    expect(ledger.starts(`default/${name}/POD`).length, name).toBeLessThanOrEqual(1);
  }
  expect(ledger.overlaps).toEqual([]);
};

test('kill -9 of server and agents loses no acknowledged object, runs no pod twice, forgets none, restarts none', {
  timeout: 120_000 + kills * 10_000,
}, async () => {
  const cluster = await startSplitCluster();
  onTestFinished(() => cluster.stop());
  const ledger = await openLedger(cluster.id);
  onTestFinished(() => ledger.close());
  const { client } = cluster;
  for (const node of nodes) cluster.startAgent(node);
  for (const node of nodes) await cluster.ready(node.split('=')[0]!, 'True');
  await client.create(secretKind, treasure);
  const world: World = {
    cluster,
    random: seededRandom(seed),
    wanted: new Map([['witness', 'stays']]),
    deleted: new Map(),
    marks: new Map(),
    stopped: false,
  };
  await client.create(podKind, podOf('witness', 'stays'));
  const witness = await running(client, 'witness');

  const traffic = comeAndGo(world);
  try {
    await killAndRestart(world);
  } finally {
    world.stopped = true;
    await traffic;
  }

  const pods = await settled(world);
  expect([...pods.keys()].sort()).toEqual([...world.wanted.keys()].sort());
  expect(world.wanted.size + world.deleted.size).toBeGreaterThan(kills);
  for (const [name, mark] of world.marks)
    if (world.wanted.has(name)) expect(pods.get(name)!.metadata.annotations?.['mark'], name).toBe(mark);
  expect(pods.get('witness')!.status!.containerStatuses![0]).toEqual(witness);
  expectStarts(world, ledger);
  const live = (await containersOf(cluster.id)).filter(({ state }) => state === 'running');
  const expected = [...world.wanted].filter(([, behaviour]) => behaviours[behaviour].phase === 'Running').length;
  expect(live.filter(({ labels }) => labels['io.kubernetes.docker.type'] === 'container')).toHaveLength(expected);

  await deleteAllPods(client);
  await until('no container is left', async () => (await containersOf(cluster.id)).length === 0);
  await until('no cgroup of a pod is left', () => podCgroups(cluster.id).length === 0);
  await until('no volume is left', () => podFolders(cluster).length === 0);
  expect(await volumesOf(cluster.id)).toEqual([]);
  expect(textOf(join(cluster.serverData, 'server', 'secrets.json'))).toContain(parseJoin(cluster.join).token);
  expectNoSecretsTold(cluster.place.folder, join(cluster.serverData, 'server'));
});

test('kill -9 of what berth up started, and berth up again: everything is there, and nothing was restarted', async () => {
  const place = openPlace();
  const data = join(place.folder, 'data');
  onTestFinished(async () => {
    await place.run(['down', '--data', data]);
    const known = readSettings(data)?.id;
    if (known !== undefined) await removeAllOf(known);
    await place.leave();
  });
  const port = String(await freePort());
  const up = async (): Promise<void> => {
    const said = await place.run(['up', '--data', data, '--port', port, '--node', 'u=cpu:1,memory:1Gi']);
    expect(said.stderr).toBe('');
    expect(said.code).toBe(0);
  };
  const kill = async (): Promise<void> => {
    const { pid } = findRunning(data)!;
    process.kill(pid, 'SIGKILL');
    await until('the process has ended', () => findRunning(data) === undefined);
  };
  await up();
  const { id } = readSettings(data)!;
  const ledger = await openLedger(id);
  onTestFinished(() => ledger.close());
  const client = await place.client(place.env['KUBECONFIG']!);
  await client.create(secretKind, treasure);
  await client.create(podKind, podOf('witness', 'stays'));
  const witness = await running(client, 'witness');
  for (let round = 0; round < 3; round++) {
    await client.create(podKind, idlePod(`late-${round}`));
    await kill();
    await up();
  }
  for (let round = 0; round < 3; round++) await running(client, `late-${round}`);
  expect(await running(client, 'witness')).toEqual(witness);
  for (const name of ['witness', 'late-0', 'late-1', 'late-2'])
    expect(ledger.starts(`default/${name}/app`), name).toEqual(['0']);
  // What a killed process leaves behind, down takes away too.
  await kill();
  const said = await place.run(['down', '--data', data]);
  expect(said.code).toBe(0);
  expect(said.stdout).toContain('Berth was down already; 8 containers left over were removed');
  expect(await containersOf(id)).toEqual([]);
  expect(cgroupsOf(id)).toEqual([]);
  expectNoSecretsTold(place.folder, join(data, 'server'));
});

/** Cgroups below those of the nodes. */
const podCgroups = (cluster: string): readonly string[] =>
  cgroupsOf(cluster).filter(path => !/\/berth\/[^/]+\/[^/]+$/.test(path));

const podFolders = ({ agentData }: SplitCluster): readonly string[] =>
  readdirSync(agentData).flatMap(node => {
    const pods = join(agentData, node, 'pods');
    return existsSync(pods) ? readdirSync(pods).map(name => join(pods, name)) : [];
  });

/**
 * No token, key or secret value stands in a log, and the files that hold one are private; those of volumes, whose modes
 * are their pods', by the folder of their node.
 */
const expectNoSecretsTold = (folder: string, serverFolder: string): void => {
  const tokens = Object.values(JSON.parse(textOf(join(serverFolder, 'secrets.json'))) as Record<string, string>);
  const values = [secretValue, Buffer.from(secretValue).toString('base64'), ...tokens];
  const files = filesBelow(folder);
  expect(files.filter(file => file.endsWith('.log')).length).toBeGreaterThan(0);
  for (const file of files) {
    const text = textOf(file);
    const isSecret = values.some(value => text.includes(value)) || /PRIVATE KEY/.test(text);
    if (file.endsWith('.log')) expect(isSecret || /node\.[\w-]+\.[\w-]{43}/.test(text), file).toBe(false);
    else if (isSecret && file.includes('/pods/')) expect(modeOf(file.split('/pods/')[0]!), file).toBe('700');
    else if (isSecret) expect(modeOf(file), file).toBe('600');
  }
};
