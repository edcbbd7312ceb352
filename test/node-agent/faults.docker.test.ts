/** Agents that are killed, engines that go away, shares that are enforced; on the real engine. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DockerRuntime } from '#agent/docker/engine.ts';
import { nodeKind, podKind } from '#api/kinds/core.ts';
import { below, seededRandom } from '#base/random.ts';
import { systemClock } from '#base/system.ts';
import { FakeClient } from '#test/client/fake-client.ts';
import { dockerFault, podOf, rootFault, startHarness, until } from '#test/node-agent/harness.ts';
import { serveClient } from '#test/node-agent/ipc-client.ts';
import { dockerSocket, needTestImage, testImage } from '#test/node-agent/test-image.ts';

const idle = { command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done'] };

/** A socket in front of the engine's that can be cut: the engine itself is shared and must live. */
const cuttableEngine = async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'berth-proxy-'));
  const socket = path.join(directory, 'docker.sock');
  const open = new Set<net.Socket>();
  let isCut = false;
  const server = net.createServer(client => {
    if (isCut) return client.destroy();
    const engine = net.connect(dockerSocket);
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>(resolve => server.listen(socket, resolve));
  return {
    socket,
    cut: () => {
      isCut = true;
      for (const each of open) each.destroy();
    },
    mend: () => {
      isCut = false;
    },
    close: () => {
      for (const each of open) each.destroy();
      server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

describe.skipIf(dockerFault !== undefined)('an agent', () => {
  test('that is restarted adopts what runs, without a restart, and removes what was deleted meanwhile', async () => {
    const h = await startHarness();
    onTestFinished(() => h.dispose());
    for (const name of ['stays', 'goes', 'forgotten']) h.client.put(podKind, podOf(name, idle));
    await until('running', () =>
      ['stays', 'goes', 'forgotten'].every(name => h.pod(name)?.status?.phase === 'Running'),
    );
    const before = h.pod('stays')!.status!.containerStatuses![0]!;
    const forgotten = h.pod('forgotten')!.metadata.uid!;
    await h.agent.stop();
    await h.client.remove(podKind, { namespace: 'default', name: 'goes' });
    await h.client.remove(podKind, { namespace: 'default', name: 'forgotten' }, { gracePeriodSeconds: 0 });
    await h.restart();
    await until('goes gone', () => h.pod('goes') === undefined);
    await until('forgotten gone', async () =>
      (await h.runtime.list({ 'berth.dev/cluster': h.cluster })).every(seen => !seen.name.includes(forgotten)),
    );
    expect(h.pod('stays')!.status!.containerStatuses![0]!).toEqual(before);
    expect(
      (await h.runtime.list({ 'berth.dev/cluster': h.cluster })).filter(seen => seen.phase === 'running'),
    ).toHaveLength(2);
    await until('its directory gone', () => !existsSync(`${h.dataDir}/pods/${forgotten}`));
  });

  test('that stops leaves the cgroup of its node while a pod runs in it, and none otherwise', async ({ skip }) => {
    skip(rootFault !== undefined, rootFault);
    const h = await startHarness();
    onTestFinished(() => h.dispose());
    const groups = () =>
      ['memory', ''].filter(part => existsSync(path.join('/sys/fs/cgroup', part, 'berth', h.cluster, h.node)));
    expect(groups()).toHaveLength(1);
    h.client.put(podKind, podOf('only', idle));
    await until('running', () => h.pod('only')?.status?.phase === 'Running');
    await h.agent.stop();
    expect(groups()).toHaveLength(1);
    await h.restart();
    await h.client.remove(podKind, { namespace: 'default', name: 'only' }, { gracePeriodSeconds: 0 });
    await until('gone', async () => (await h.runtime.list({ 'berth.dev/cluster': h.cluster })).length === 0);
    await h.agent.stop();
    expect(groups()).toEqual([]);
  });

  test('that loses its engine says so, and goes on by itself when it is back', async () => {
    const engine = await cuttableEngine();
    const h = await startHarness({ dockerHost: engine.socket });
    onTestFinished(async () => {
      engine.mend();
      await h.dispose();
      engine.close();
    });
    h.client.put(podKind, podOf('before', idle));
    await until('before', () => h.pod('before')?.status?.phase === 'Running');
    const id = h.pod('before')!.status!.containerStatuses![0]!.containerID;
    engine.cut();
    const condition = () => h.theNode()?.status?.conditions?.find(({ type }) => type === 'Ready');
    await until('not ready', () => condition()?.status === 'False');
    expect(condition()).toMatchObject({ reason: 'KubeletNotReady' });
    expect(condition()!.message).toMatch(/^container runtime is down: /);
    h.client.put(podKind, podOf('meanwhile', idle));
    await h.runtime.signal(id!.replace('docker://', ''), 'SIGKILL');
    expect(h.pod('before')!.status!.phase).toBe('Running');
    engine.mend();
    await until('ready again', () => condition()?.status === 'True');
    await until('meanwhile runs', () => h.pod('meanwhile')?.status?.phase === 'Running');
    await until('the exit is seen', () => h.pod('before')?.status?.containerStatuses?.[0]?.restartCount === 1);
    expect(h.pod('before')!.status!.containerStatuses![0]!.lastState!.terminated!.exitCode).toBe(137);
  });

  test('that is killed again and again runs every pod once, forgets none, and restarts none because of it', async () => {
    await needTestImage();
    const random = seededRandom(20261121);
    const client = new FakeClient(systemClock);
    const runtime = new DockerRuntime(dockerSocket);
    const cluster = `k${Math.floor(Date.now() / 1000).toString(36)}`;
    const dataDir = mkdtempSync(path.join(tmpdir(), 'berth-killed-'));
    const options = JSON.stringify({ nodeName: 'n1', cluster, dataDir, dockerHost: dockerSocket });
    let child: ChildProcess | undefined;
    const begin = () => {
      child = fork(path.resolve('test/node-agent/agent-process.ts'), [options], {
        serialization: 'advanced',
        stdio: 'inherit',
      });
      serveClient(child, client);
    };
    const kill = async () => {
      const dead = new Promise(resolve => child!.once('exit', resolve));
      child!.kill('SIGKILL');
      await dead;
    };
    const mine = () => runtime.list({ 'berth.dev/cluster': cluster });
    onTestFinished(async () => {
      if (child?.exitCode === null) await kill();
      for (const seen of await mine()) await runtime.remove(seen.id);
      rmSync(dataDir, { recursive: true, force: true });
      execFileSync('sh', [
        '-c',
        `find /sys/fs/cgroup/*/berth/${cluster} -depth -type d -exec rmdir {} + 2>/dev/null || true`,
      ]);
    });
    begin();
    client.put(podKind, podOf('witness', idle));
    await until('witness', () => client.peek(podKind, 'witness', 'default')?.status?.phase === 'Running');
    const witness = client.peek(podKind, 'witness', 'default')!.status!.containerStatuses![0]!;
    const wanted = new Set(['witness']);
    for (let round = 0; round < 5; round++) {
      for (const name of [`a${round}`, `b${round}`]) {
        client.put(podKind, podOf(name, idle));
        wanted.add(name);
      }
      if (round > 0) {
        await client.remove(podKind, { namespace: 'default', name: `a${round - 1}` }, { gracePeriodSeconds: 2 });
        wanted.delete(`a${round - 1}`);
      }
      await new Promise(resolve => setTimeout(resolve, 100 + below(random, 900)));
      await kill();
      begin();
    }
    await until('all run', () =>
      [...wanted].every(name => client.peek(podKind, name, 'default')?.status?.phase === 'Running'),
    );
    await until('the deleted are gone', () => client.all(podKind).length === wanted.size);
    const running = await until('exactly one container each', async () => {
      const found = (await mine()).filter(seen => seen.phase === 'running' && !seen.name.startsWith('k8s_POD_'));
      return found.length === wanted.size && found;
    });
    expect(running.map(seen => seen.labels['io.kubernetes.pod.name']).sort()).toEqual([...wanted].sort());
    expect((await mine()).filter(seen => seen.phase === 'running')).toHaveLength(2 * wanted.size);
    expect(client.peek(podKind, 'witness', 'default')!.status!.containerStatuses![0]).toEqual(witness);
    for (const name of wanted)
      expect(client.peek(podKind, name, 'default')!.status!.containerStatuses![0]!.restartCount).toBe(0);
  });

  test('with a share keeps its pods to it by a parent cgroup, and admits no more than it has', async ({ skip }) => {
    skip(rootFault !== undefined, rootFault);
    const h = await startHarness({
      share: { cpuMilli: 300, memoryBytes: 256 << 20, pods: 3, extended: { 'example.com/dongle': '2' } },
    });
    onTestFinished(() => h.dispose());
    const status = h.theNode()!.status!;
    expect(status.capacity).toMatchObject({ cpu: '300m', memory: '256Mi', pods: '3', 'example.com/dongle': '2' });
    expect(status.allocatable).toMatchObject({ cpu: '300m', memory: '156Mi', 'example.com/dongle': '2' });
    expect(status.conditions!.find(({ type }) => type === 'SliceEnforced')).toMatchObject({
      status: 'True',
      reason: 'ParentCgroup',
    });
    // Two spinning pods without limits of their own share the node's 300m.
    for (const name of ['spin1', 'spin2'])
      h.client.put(podKind, podOf(name, { command: ['sh', '-c', 'while :; do :; done'] }));
    await until('spinning', () => ['spin1', 'spin2'].every(name => h.pod(name)?.status?.phase === 'Running'));
    const group = `/sys/fs/cgroup/cpuacct/berth/${h.cluster}/n1/cpuacct.usage`;
    const read = () => ({ cpu: Number(readFileSync(group, 'utf8')), at: process.hrtime.bigint() });
    const first = read();
    await new Promise(resolve => setTimeout(resolve, 2000));
    const second = read();
    const cores = (second.cpu - first.cpu) / Number(second.at - first.at);
    expect(cores).toBeGreaterThan(0.05);
    expect(cores).toBeLessThan(0.33);
    // A limit above the share is cut to it, or cgroup v1 would refuse to start the container.
    h.client.put(
      podKind,
      podOf('wide', {
        ...idle,
        resources: { limits: { cpu: '2', memory: '32Mi' }, requests: { cpu: '100m', memory: '32Mi' } },
      }),
    );
    await until('wide', () => h.pod('wide')?.status?.phase === 'Running');
    h.client.put(podKind, podOf('fourth', idle));
    await until('rejected', () => h.pod('fourth')?.status?.phase === 'Failed');
    expect(h.pod('fourth')!.status!.reason).toBe('OutOfpods');
    await until('usage is told', () => h.theNode()?.metadata.annotations?.['berth.dev/usage'], 20_000);
    expect(h.theNode()!.metadata.annotations!['berth.dev/usage']).toMatch(
      /^cpu \d+m used, 100m requested of 300m; memory \d+Mi used, 32Mi requested of 156Mi$/,
    );
  });

  test('mirrors a resource that somebody advertises on its node', async () => {
    const h = await startHarness();
    onTestFinished(() => h.dispose());
    const node = h.theNode()!;
    await h.client.update(
      nodeKind,
      { ...node, status: { ...node.status, capacity: { ...node.status!.capacity, 'example.com/dongle': '4' } } },
      { subresource: 'status' },
    );
    await until('mirrored', () => h.theNode()?.status?.allocatable?.['example.com/dongle'] === '4');
  });

  test('leaves containers of others alone', async () => {
    await needTestImage();
    const runtime = new DockerRuntime(dockerSocket);
    const labels = { 'berth.dev/cluster': 'somebody-else', 'berth.dev/node': 'n1', 'io.kubernetes.pod.uid': 'x' };
    const id = await runtime.create({
      name: `berth-other-${process.pid}`,
      image: testImage,
      labels,
      env: [],
      command: ['sleep', '60'],
      tty: false,
      stdin: false,
      stdinOnce: false,
      host: { NetworkMode: 'none' },
    });
    onTestFinished(() => runtime.remove(id));
    await runtime.start(id);
    const h = await startHarness();
    h.client.put(podKind, podOf('own', idle));
    await until('own', () => h.pod('own')?.status?.phase === 'Running');
    await h.dispose();
    expect((await runtime.inspect(id))!.phase).toBe('running');
  });
});
