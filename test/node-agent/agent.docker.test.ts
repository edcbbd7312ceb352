/** What pods experience on a node: start, failure, restart, limits, end; on the real engine. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DockerRuntime } from '#agent/docker/engine.ts';
import { type ConfigMap, configMapKind, podKind, type Secret, secretKind } from '#api/kinds/core.ts';
import { createStop } from '#base/stop.ts';
import { engineAt, engineJson } from '#setup/engine-api.ts';
import { execIn } from '#test/engines/checks.ts';
import { dockerFault, type Harness, podOf, rootFault, startHarness, until } from '#test/node-agent/harness.ts';
import { dockerSocket, testImage } from './test-image.ts';

const engine = engineAt(`unix://${dockerSocket}`);
const sh = (script: string) => ({ command: ['sh', '-c', script] });
const idle = 'trap "exit 0" TERM; while :; do sleep 0.05; done';

const logsOf = async (
  h: Harness,
  name: string,
  options: Partial<Parameters<typeof h.agent.handler.logs>[0]> = {},
): Promise<string> => {
  const pod = h.pod(name)!;
  let text = '';
  await h.agent.handler.logs(
    {
      namespace: 'default',
      pod: name,
      uid: pod.metadata.uid!,
      container: 'app',
      follow: false,
      previous: false,
      timestamps: false,
      ...options,
    },
    async chunk => {
      text += Buffer.from(chunk).toString();
    },
    createStop().signal,
  );
  return text;
};

const containersOf = async (runtime: DockerRuntime, h: Harness) => runtime.list({ 'berth.dev/cluster': h.cluster });
const stateOf = (h: Harness, name: string) => h.pod(name)?.status?.containerStatuses?.[0];

describe.skipIf(dockerFault !== undefined)('a pod on a Docker node', () => {
  let h: Harness;
  beforeAll(async () => {
    h = await startHarness();
  });
  afterAll(async () => {
    await h.dispose();
    expect(await containersOf(h.runtime, h)).toEqual([]);
    expect(existsSync(`/sys/fs/cgroup/memory/berth/${h.cluster}`)).toBe(false);
  });

  const run = (name: string, container: Parameters<typeof podOf>[1], spec: Parameters<typeof podOf>[2] = {}) =>
    h.client.put(podKind, podOf(name, container, spec));
  const phase = (name: string, wanted: string) =>
    until(`${name} ${wanted}`, () => h.pod(name)?.status?.phase === wanted && h.pod(name));
  const ready = (name: string) =>
    until(`${name} ready`, () => h.pod(name)?.status?.conditions?.some(c => c.type === 'Ready' && c.status === 'True'));

  test('runs, shows its address, is ready, ends within its grace and leaves nothing', async () => {
    run('web', sh(idle));
    const pod = await phase('web', 'Running');
    await ready('web');
    expect(pod.status!.podIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(stateOf(h, 'web')).toMatchObject({ ready: true, started: true, restartCount: 0 });
    const names = (await containersOf(h.runtime, h)).map(seen => seen.name.replace(pod.metadata.uid!, 'UID')).sort();
    expect(names).toEqual(['k8s_POD_web_default_UID_0', 'k8s_app_web_default_UID_0']);
    await h.client.remove(podKind, { namespace: 'default', name: 'web' });
    await until('web gone', () => h.pod('web') === undefined);
    expect(await containersOf(h.runtime, h)).toEqual([]);
    expect(existsSync(`${h.dataDir}/pods/${pod.metadata.uid}`)).toBe(false);
    await until('events', () => h.events('web').length >= 4);
    expect(h.events('web')).toEqual([
      `Normal Pulled: Container image "${testImage}" already present on machine and can be accessed by the pod`,
      'Normal Created: Container created',
      'Normal Started: Container started',
      'Normal Killing: Stopping container app',
    ]);
  });

  test('succeeds or fails by its exit code under restartPolicy Never, and keeps its log', async () => {
    run('good', sh('echo out; echo err >&2; echo said > /dev/termination-log'), { restartPolicy: 'Never' });
    run('bad', sh('echo why; exit 3'), { restartPolicy: 'Never' });
    await phase('good', 'Succeeded');
    await phase('bad', 'Failed');
    expect(stateOf(h, 'good')!.state!.terminated).toMatchObject({
      exitCode: 0,
      reason: 'Completed',
      message: 'said\n',
    });
    expect(stateOf(h, 'bad')!.state!.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
    expect(await logsOf(h, 'good')).toContain('out\n');
    expect(await logsOf(h, 'good', { stream: 'Stderr' })).toBe('err\n');
    expect(await logsOf(h, 'good', { limitBytes: 2, stream: 'Stdout' })).toBe('ou');
    expect(await logsOf(h, 'good', { timestamps: true, stream: 'Stdout' })).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z out\n$/);
    await until('sandbox removed', async () =>
      (await containersOf(h.runtime, h)).every(seen => !seen.name.includes('POD_good')),
    );
    await h.client.remove(podKind, { namespace: 'default', name: 'good' });
    await h.client.remove(podKind, { namespace: 'default', name: 'bad' });
  });

  test('crashes, waits in CrashLoopBackOff, restarts, and shows the log of the attempt before', async () => {
    run('crash', sh('echo attempt; exit 1'));
    await until('backoff', () => stateOf(h, 'crash')?.state?.waiting?.reason === 'CrashLoopBackOff');
    await until('third', () => (stateOf(h, 'crash')?.restartCount ?? 0) >= 2);
    expect(h.pod('crash')!.status!.phase).toBe('Running');
    expect(stateOf(h, 'crash')!.lastState!.terminated).toMatchObject({ exitCode: 1, reason: 'Error' });
    expect(await logsOf(h, 'crash', { previous: true })).toBe('attempt\n');
    const mine = (await containersOf(h.runtime, h)).filter(seen => seen.name.startsWith('k8s_app_crash'));
    expect(mine.length).toBeLessThanOrEqual(3);
    await h.client.remove(podKind, { namespace: 'default', name: 'crash' }, { gracePeriodSeconds: 0 });
  });

  test('is OOMKilled when it takes more memory than its limit, and restarted', async () => {
    const hog = 'x=a; while :; do x="$x$x"; done';
    run('oom', { ...sh(hog), resources: { limits: { memory: '20Mi' } } });
    await until('oom', () => stateOf(h, 'oom')?.lastState?.terminated?.reason === 'OOMKilled');
    expect(stateOf(h, 'oom')!.lastState!.terminated!.exitCode).toBe(137);
    await until('restart', () => (stateOf(h, 'oom')?.restartCount ?? 0) >= 1);
    await h.client.remove(podKind, { namespace: 'default', name: 'oom' }, { gracePeriodSeconds: 0 });
  });

  test('is OOMKilled also when only a child of its process died', async () => {
    run(
      'oomchild',
      { ...sh('sh -c \'x=a; while :; do x="$x$x"; done\'; exit 1'), resources: { limits: { memory: '20Mi' } } },
      { restartPolicy: 'Never' },
    );
    await phase('oomchild', 'Failed');
    expect(stateOf(h, 'oomchild')!.state!.terminated).toMatchObject({ exitCode: 1, reason: 'OOMKilled' });
    const kills = h.events('oomchild').filter(line => line.includes('OOMKilling'));
    expect(kills.length).toBe(1);
    expect(kills[0]).toMatch(/^Warning OOMKilling: Memory cgroup out of memory: Killed .* \(memory limit 20Mi\)$/);
    await h.client.remove(podKind, { namespace: 'default', name: 'oomchild' });
  });

  test('gets its requests and limits as cgroup values of container and pod', async ({ skip }) => {
    skip(rootFault !== undefined, rootFault);
    run('limits', {
      ...sh(idle),
      resources: { requests: { cpu: '250m', memory: '32Mi' }, limits: { cpu: '500m', memory: '64Mi' } },
    });
    await phase('limits', 'Running');
    const seen = (await containersOf(h.runtime, h)).find(found => found.name.startsWith('k8s_app_limits'))!;
    const inspected = await engineJson<{ HostConfig: object }>(engine, 'GET', `/containers/${seen.id}/json`);
    expect(inspected.HostConfig).toMatchObject({
      NanoCpus: 500_000_000,
      CpuQuota: 0,
      CpuShares: 256,
      Memory: 64 << 20,
      MemorySwap: 64 << 20,
      OomScoreAdj: 999,
    });
    const pod = `berth/${h.cluster}/n1/${h.pod('limits')!.metadata.uid}`;
    expect(readFileSync(`/sys/fs/cgroup/memory/${pod}/memory.limit_in_bytes`, 'utf8').trim()).toBe(String(64 << 20));
    expect(readFileSync(`/sys/fs/cgroup/cpu/${pod}/cpu.cfs_quota_us`, 'utf8').trim()).toBe('50000');
    expect(readFileSync(`/sys/fs/cgroup/cpu/${pod}/cpu.shares`, 'utf8').trim()).toBe('256');
    await h.client.remove(podKind, { namespace: 'default', name: 'limits' });
    await until('cgroup gone', () => !existsSync(`/sys/fs/cgroup/memory/${pod}`));
  });

  test('reads ConfigMaps, Secrets and the downward API from variables and files, and files follow changes', async () => {
    h.client.put<ConfigMap>(configMapKind, {
      metadata: { name: 'cm', namespace: 'default' },
      data: { greeting: 'hello', other: 'x' },
    });
    h.client.put<Secret>(secretKind, {
      metadata: { name: 'se', namespace: 'default' },
      data: { key: Buffer.from('s3cret').toString('base64') },
      type: 'Opaque',
    });
    run(
      'config',
      {
        command: ['sh', '-c'],
        args: [`echo $(GREETING) $KEY $NAME $CPU; cat /etc/cm/greeting /etc/se/key /etc/info/labels; echo; ${idle}`],
        resources: { limits: { cpu: '300m' } },
        env: [
          { name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'cm', key: 'greeting' } } },
          { name: 'KEY', valueFrom: { secretKeyRef: { name: 'se', key: 'key' } } },
          { name: 'NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
        ],
        volumeMounts: [
          { name: 'cm', mountPath: '/etc/cm' },
          { name: 'se', mountPath: '/etc/se' },
          { name: 'info', mountPath: '/etc/info' },
          { name: 'scratch', mountPath: '/scratch' },
          { name: 'ram', mountPath: '/ram' },
        ],
      },
      {
        volumes: [
          { name: 'cm', configMap: { name: 'cm' } },
          { name: 'se', secret: { secretName: 'se', defaultMode: 0o400 } },
          {
            name: 'info',
            downwardAPI: { items: [{ path: 'labels', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } }] },
          },
          { name: 'scratch', emptyDir: {} },
          { name: 'ram', emptyDir: { medium: 'Memory', sizeLimit: '4Mi' } },
        ],
      },
    );
    await phase('config', 'Running');
    await until('output', async () => (await logsOf(h, 'config')).includes('s3cretconfig'));
    expect(await logsOf(h, 'config')).toBe('hello s3cret config 300\nhellos3cretconfig\n');
    const inside = (script: string) => execIn({ harness: h }, 'config', script);
    expect(
      await inside('touch /scratch/a && stat -c %a /scratch && df -k /ram | tail -1 && ls -l /etc/se/..data/key'),
    ).toMatch(/777[\s\S]*4096[\s\S]*-r--------/);
    h.client.put<ConfigMap>(configMapKind, {
      metadata: { name: 'cm', namespace: 'default' },
      data: { greeting: 'changed' },
    });
    await until('changed file', async () => (await inside('cat /etc/cm/greeting')) === 'changed');
    // Names that went are taken away after the swap, as upstream does.
    await until('other is gone', async () => (await inside('ls /etc/cm')) === 'greeting');
    await h.client.remove(podKind, { namespace: 'default', name: 'config' });
    await until('gone', () => h.pod('config') === undefined);
    expect(await h.runtime.volumes({ 'berth.dev/cluster': h.cluster })).toEqual([]);
  });

  test('says which ConfigMap is missing and starts when it appears', async () => {
    run('wants', { ...sh(idle), env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'later', key: 'a' } } }] });
    await until('waiting', () => stateOf(h, 'wants')?.state?.waiting?.reason === 'CreateContainerConfigError');
    expect(stateOf(h, 'wants')!.state!.waiting!.message).toBe('configmap "later" not found');
    h.client.put<ConfigMap>(configMapKind, { metadata: { name: 'later', namespace: 'default' }, data: { a: '1' } });
    await phase('wants', 'Running');
    await h.client.remove(podKind, { namespace: 'default', name: 'wants' });
  });

  test('says why an image cannot be had', async () => {
    run('noimage', { image: 'berth-test/none:1', imagePullPolicy: 'Never', ...sh('true') });
    run('badname', { image: 'Bad Name', ...sh('true') });
    run('nopull', { image: '127.0.0.1:9/none:1', imagePullPolicy: 'IfNotPresent', ...sh('true') });
    await until('never', () => stateOf(h, 'noimage')?.state?.waiting?.reason === 'ErrImageNeverPull');
    await until('invalid', () => stateOf(h, 'badname')?.state?.waiting?.reason === 'InvalidImageName');
    await until('pull', () => stateOf(h, 'nopull')?.state?.waiting?.reason === 'ErrImagePull');
    await until('backoff', () => stateOf(h, 'nopull')?.state?.waiting?.reason === 'ImagePullBackOff');
    expect(stateOf(h, 'nopull')!.state!.waiting!.message).toMatch(
      /^Back-off pulling image "127.0.0.1:9\/none:1": ErrImagePull: .*connection refused/,
    );
    for (const name of ['noimage', 'badname', 'nopull']) await h.client.remove(podKind, { namespace: 'default', name });
  });

  test('uses the image at hand when the policy is Always and no registry can be reached, and says so', async () => {
    await engineJson(engine, 'POST', `/images/${testImage}/tag?repo=127.0.0.1:9/busybox&tag=1`);
    try {
      run(
        'local',
        { image: '127.0.0.1:9/busybox:1', imagePullPolicy: 'Always', ...sh('true') },
        { restartPolicy: 'Never' },
      );
      await phase('local', 'Succeeded');
      await until('event', () => h.events('local').some(event => event.includes('no registry could be reached')));
      await h.client.remove(podKind, { namespace: 'default', name: 'local' });
    } finally {
      await engineJson(engine, 'DELETE', '/images/127.0.0.1:9/busybox:1');
    }
  });

  test('runs init containers in order, sidecars beside, and ends when its containers have', async () => {
    run('inits', sh('cat /work/a /work/b'), {
      restartPolicy: 'Never',
      volumes: [{ name: 'work', emptyDir: {} }],
      initContainers: [
        {
          name: 'first',
          image: testImage,
          ...sh('echo 1 > /work/a'),
          volumeMounts: [{ name: 'work', mountPath: '/work' }],
        },
        { name: 'side', image: testImage, restartPolicy: 'Always', ...sh(idle) },
        {
          name: 'second',
          image: testImage,
          ...sh('cat /work/a && echo 2 > /work/b'),
          volumeMounts: [{ name: 'work', mountPath: '/work' }],
        },
      ],
      containers: [
        {
          name: 'app',
          image: testImage,
          imagePullPolicy: 'IfNotPresent',
          ...sh('cat /work/a /work/b'),
          volumeMounts: [{ name: 'work', mountPath: '/work' }],
        },
      ],
    });
    const pod = await phase('inits', 'Succeeded');
    expect(await logsOf(h, 'inits')).toBe('1\n2\n');
    expect(pod.status!.initContainerStatuses!.map(status => [status.name, status.state?.terminated?.reason])).toEqual([
      ['first', 'Completed'],
      ['side', 'Completed'],
      ['second', 'Completed'],
    ]);
    await h.client.remove(podKind, { namespace: 'default', name: 'inits' });
  });

  test('is rejected by the node when the node has no room for it', async () => {
    run('huge', { ...sh(idle), resources: { requests: { cpu: '64' } } });
    const pod = await phase('huge', 'Failed');
    expect(pod.status).toMatchObject({
      reason: 'OutOfcpu',
      message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 64000, used: 0, capacity: 2000",
    });
    await h.client.remove(podKind, { namespace: 'default', name: 'huge' });
  });

  test('is killed after its grace when it ignores the signal', async () => {
    run('deaf', sh('trap "" TERM; while :; do sleep 0.05; done'));
    await phase('deaf', 'Running');
    const before = Date.now();
    await h.client.remove(podKind, { namespace: 'default', name: 'deaf' }, { gracePeriodSeconds: 1 });
    await until('gone', () => h.pod('deaf') === undefined);
    expect(Date.now() - before).toBeGreaterThanOrEqual(1000);
  });

  test('fails with DeadlineExceeded at its activeDeadlineSeconds', async () => {
    run('late', sh(idle), { activeDeadlineSeconds: 1 });
    const pod = await phase('late', 'Failed');
    expect(pod.status).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
    await h.client.remove(podKind, { namespace: 'default', name: 'late' });
  });

  test('is restarted as a whole when its sandbox dies', async () => {
    run('sandbox', sh(idle));
    await phase('sandbox', 'Running');
    const pause = (await containersOf(h.runtime, h)).find(seen => seen.name.startsWith('k8s_POD_sandbox'))!;
    await h.runtime.signal(pause.id, 'SIGKILL');
    await until('restarted', () => stateOf(h, 'sandbox')?.restartCount === 1 && stateOf(h, 'sandbox')?.ready);
    await until('event', () => h.events('sandbox').some(event => event.includes('SandboxChanged')));
    const pauses = (await containersOf(h.runtime, h)).filter(seen => seen.name.startsWith('k8s_POD_sandbox'));
    expect(pauses.filter(seen => seen.phase === 'running').map(seen => seen.name.slice(-2))).toEqual(['_1']);
    await h.client.remove(podKind, { namespace: 'default', name: 'sandbox' });
  });

  test('is ended when its object is deleted by force', async () => {
    run('forced', sh(idle));
    await phase('forced', 'Running');
    const uid = h.pod('forced')!.metadata.uid!;
    // Past the node agent, as kubectl delete --force does.
    await h.client.remove(podKind, { namespace: 'default', name: 'forced' }, { gracePeriodSeconds: 0 });
    await until('gone', async () => (await containersOf(h.runtime, h)).every(seen => !seen.name.includes(uid)));
  });

  test('reports usage of its containers after two samples', async () => {
    run('busy', { ...sh('while :; do :; done'), resources: { limits: { cpu: '200m' } } });
    await phase('busy', 'Running');
    const usage = await until('usage', async () =>
      (await h.agent.handler.usage())?.pods.find(pod => pod.name === 'busy'),
    );
    expect(usage.containers).toHaveLength(1);
    const cores = await until('steady', async () => {
      const found =
        (await h.agent.handler.usage())?.pods.find(pod => pod.name === 'busy')?.containers[0]?.cpuNanoCores ?? 0;
      return found > 100e6 && found;
    });
    expect(cores).toBeLessThan(300e6);
    const uid = h.pod('busy')!.metadata.uid;
    const counters = h.agent.agent.sampler.counters().find(found => found.podUid === uid && found.container === 'app')!;
    expect(counters.series.last.throttling.throttledPeriods).toBeGreaterThan(0);
    await h.client.remove(podKind, { namespace: 'default', name: 'busy' }, { gracePeriodSeconds: 0 });
  });
});
