/** Probes, lifecycle hooks, host ports and shared namespaces; on the real engine. */
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { podKind } from '#api/kinds/core.ts';
import { createStop } from '#base/stop.ts';
import { dockerFault, type Harness, podOf, startHarness, until } from '#test/node-agent/harness.ts';

const idle = 'trap "exit 0" TERM; while :; do sleep 0.05; done';
const sh = (script: string) => ({ command: ['sh', '-c', script] });

describe.skipIf(dockerFault !== undefined)('a pod', () => {
  let h: Harness;
  beforeAll(async () => {
    h = await startHarness();
  });
  afterAll(() => h.dispose());
  const state = (name: string) => h.pod(name)?.status?.containerStatuses?.[0];
  const log = async (name: string, previous = false): Promise<string> => {
    let text = '';
    const request = {
      namespace: 'default',
      pod: name,
      uid: h.pod(name)!.metadata.uid!,
      container: 'app',
      follow: false,
      previous,
      timestamps: false,
    };
    await h.agent.handler.logs(
      request,
      async chunk => {
        text += Buffer.from(chunk).toString();
      },
      createStop().signal,
    );
    return text;
  };

  test('is restarted when its liveness probe fails, with the events of upstream', async () => {
    h.client.put(
      podKind,
      podOf(
        'live',
        {
          ...sh(`touch /tmp/healthy; sleep 1; rm /tmp/healthy; ${idle}`),
          livenessProbe: {
            exec: { command: ['cat', '/tmp/healthy'] },
            periodSeconds: 1,
            failureThreshold: 1,
            initialDelaySeconds: 1,
          },
        },
        { terminationGracePeriodSeconds: 1 },
      ),
    );
    await until('restart', () => (state('live')?.restartCount ?? 0) >= 1);
    expect(h.events('live').join('\n')).toMatch(
      /Warning Unhealthy: Liveness probe failed: cat: can't open '\/tmp\/healthy'/,
    );
    expect(h.events('live')).toContain('Normal Killing: Container app failed liveness probe, will be restarted');
    await h.client.remove(podKind, { namespace: 'default', name: 'live' }, { gracePeriodSeconds: 0 });
  });

  test('is ready only when its readiness probe says so', async () => {
    h.client.put(
      podKind,
      podOf('http', {
        ...sh('mkdir /www; sleep 1; echo ok > /www/ok; httpd -f -p 8080 -h /www'),
        ports: [{ name: 'web', containerPort: 8080, protocol: 'TCP' }],
        readinessProbe: { httpGet: { path: '/ok', port: 'web' }, periodSeconds: 1 },
      }),
    );
    await until('running', () => h.pod('http')?.status?.phase === 'Running');
    expect(state('http')!.ready).toBe(false);
    await until('ready', () => state('http')?.ready);
    await until('event', () => h.events('http').some(event => event.includes('Readiness probe failed: Get "http://')));
    await h.client.remove(podKind, { namespace: 'default', name: 'http' }, { gracePeriodSeconds: 0 });
  });

  test('is started once its startup probe has passed', async () => {
    h.client.put(
      podKind,
      podOf('slow', {
        ...sh(`sleep 1; touch /tmp/up; ${idle}`),
        startupProbe: { exec: { command: ['test', '-f', '/tmp/up'] }, periodSeconds: 1, failureThreshold: 30 },
      }),
    );
    await until('running', () => h.pod('slow')?.status?.phase === 'Running');
    expect(state('slow')).toMatchObject({ started: false, ready: false });
    await until('started', () => state('slow')?.started && state('slow')?.ready);
    await h.client.remove(podKind, { namespace: 'default', name: 'slow' }, { gracePeriodSeconds: 0 });
  });

  test('has its postStart hook run after the start and its preStop hook before the signal', async () => {
    h.client.put(
      podKind,
      podOf('hooks', {
        ...sh('trap "echo term; exit 0" TERM; while :; do sleep 0.05; done'),
        lifecycle: {
          postStart: { exec: { command: ['sh', '-c', 'echo post > /proc/1/fd/1'] } },
          preStop: { exec: { command: ['sh', '-c', 'echo pre > /proc/1/fd/1'] } },
        },
      }),
    );
    await until('ready', () => state('hooks')?.ready);
    const uid = h.pod('hooks')!.metadata.uid!;
    expect(await log('hooks')).toBe('post\n');
    // Its end is watched in the engine: the log goes with the container.
    const id = (await h.runtime.list({ 'io.kubernetes.pod.uid': uid })).find(seen =>
      seen.name.startsWith('k8s_app'),
    )!.id;
    let text = '';
    const following = h.runtime.logs(
      id,
      { follow: true, timestamps: false, stdout: true, stderr: true },
      async chunk => {
        text += Buffer.from(chunk).toString();
      },
      createStop().signal,
    );
    await h.client.remove(podKind, { namespace: 'default', name: 'hooks' });
    await following;
    expect(text).toBe('post\npre\nterm\n');
  });

  test('is restarted when its postStart hook fails', async () => {
    h.client.put(
      podKind,
      podOf(
        'badhook',
        { ...sh(idle), lifecycle: { postStart: { exec: { command: ['false'] } } } },
        { terminationGracePeriodSeconds: 1 },
      ),
    );
    await until('restart', () => (state('badhook')?.restartCount ?? 0) >= 1);
    expect(h.events('badhook')).toContain('Warning FailedPostStartHook: PostStartHook failed');
    await h.client.remove(podKind, { namespace: 'default', name: 'badhook' }, { gracePeriodSeconds: 0 });
  });

  test('answers on its host port', async () => {
    h.client.put(
      podKind,
      podOf('port', {
        ...sh('while :; do echo hello | nc -l -p 8080; done'),
        ports: [{ containerPort: 8080, hostPort: 38080, hostIP: '127.0.0.1', protocol: 'TCP' }],
      }),
    );
    await until('running', () => h.pod('port')?.status?.phase === 'Running');
    const answer = await until(
      'answer',
      () =>
        new Promise<string | undefined>(resolve => {
          const socket = net.connect(38080, '127.0.0.1');
          socket.on('data', data => resolve(String(data)));
          socket.on('error', () => resolve(undefined));
          socket.on('close', () => resolve(undefined));
        }),
    );
    expect(answer).toBe('hello\n');
    await h.client.remove(podKind, { namespace: 'default', name: 'port' }, { gracePeriodSeconds: 0 });
  });

  test('shares network, and on demand processes, among its containers; has its host name and aliases', async () => {
    const { spec } = podOf('shared', {});
    h.client.put(podKind, {
      ...podOf('shared', {}),
      spec: {
        ...spec,
        restartPolicy: 'Never',
        shareProcessNamespace: true,
        hostname: 'named',
        hostAliases: [{ ip: '10.9.8.7', hostnames: ['alias.example'] }],
        containers: [
          {
            ...spec.containers[0]!,
            ...sh(
              'hostname; grep alias.example /etc/hosts; until nc 127.0.0.1 7000 < /dev/null 2> /dev/null; do sleep 0.05; done; ps | grep -c "[n]c -l"; true',
            ),
          },
          {
            ...spec.containers[0]!,
            name: 'other',
            ...sh('echo from-other | nc -l -p 7000; sleep 1; true; nc -l -p 7001 & sleep 1; kill $!'),
          },
        ],
      },
    });
    await until('succeeded', () => state('shared')?.state?.terminated);
    expect((await log('shared')).split('\n').slice(0, 3)).toEqual(['named', '10.9.8.7\talias.example', 'from-other']);
    await h.client.remove(podKind, { namespace: 'default', name: 'shared' }, { gracePeriodSeconds: 0 });
  });

  test('names a missing program and a user that may not be root', async () => {
    h.client.put(podKind, podOf('noexec', { command: ['/nonesuch'] }, { restartPolicy: 'Never' }));
    h.client.put(podKind, podOf('root', { ...sh(idle), securityContext: { runAsNonRoot: true } }));
    h.client.put(podKind, podOf('tiny', { ...sh(idle), resources: { limits: { memory: '1Mi' } } }));
    await until('failed', () => h.pod('noexec')?.status?.phase === 'Failed');
    expect(state('noexec')!.state!.terminated).toMatchObject({ exitCode: 128, reason: 'StartError' });
    expect(state('noexec')!.state!.terminated!.message).toContain(
      '"/nonesuch": stat /nonesuch: no such file or directory',
    );
    await until('config error', () => state('root')?.state?.waiting?.reason === 'CreateContainerConfigError');
    expect(state('root')!.state!.waiting!.message).toMatch(
      /^container has runAsNonRoot and image will run as root \(pod: "root_default\(/,
    );
    await until('create error', () => state('tiny')?.state?.waiting?.reason === 'CreateContainerError');
    expect(state('tiny')!.state!.waiting!.message).toContain('below the least that Docker Engine can set: 6Mi');
    for (const name of ['noexec', 'root', 'tiny'])
      await h.client.remove(podKind, { namespace: 'default', name }, { gracePeriodSeconds: 0 });
  });
});
