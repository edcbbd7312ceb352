import { describe, expect, test } from 'vitest';
import { advance } from '#agent/pod/pod-machine.ts';
import { newMemory, type PodMemory, withContainer, withInstance, withPod } from '#agent/pod/pod-memory.ts';
import type { ContainerSeen } from '#agent/runtime.ts';
import { toTime } from '#base/clock.ts';
import { container, exited, pod, seen, seenSandbox, shown } from '#test/node-agent/pod-fixtures.ts';
import { startMs } from '#test/virtual.ts';

const facts = { hostIP: '192.0.2.1', runtime: 'docker' };
const admitted = withPod(newMemory(startMs), { admitted: true });
const mounted = withPod(admitted, { volumesReady: true });
const ready = withContainer(mounted, 'app', { image: 'ready' });
const step = (p: ReturnType<typeof pod>, memory: PodMemory, all = shown(), nowMs = startMs + 1000) =>
  advance(p, memory, all, nowMs, facts);
const does = (...args: Parameters<typeof step>) => step(...args).actions.map(action => action.do);
const app = (...args: Parameters<typeof step>) => step(...args).status.containerStatuses![0]!;
const settled = (memory: PodMemory, ...ids: string[]) =>
  ids.reduce((now, id) => withInstance(now, id, { settled: true }), memory);

describe('starting', () => {
  test('goes from volumes to sandbox to image to container', () => {
    expect(does(pod(), newMemory(startMs))).toEqual([]);
    expect(does(pod(), admitted)).toEqual(['volumes']);
    expect(step(pod(), mounted).actions).toEqual([{ do: 'sandbox', attempt: 0 }]);
    expect(does(pod(), mounted, shown(seenSandbox()))).toEqual(['pull']);
    expect(does(pod(), withContainer(mounted, 'app', { image: 'pulling' }), shown(seenSandbox()))).toEqual([]);
    expect(step(pod(), ready, shown(seenSandbox())).actions).toMatchObject([{ do: 'create', attempt: 0 }]);
    expect(does(pod(), ready, shown(seenSandbox(), seen('app', 0)))).toEqual([]);
  });

  test('a container that was made says what it was granted and what is in force', () => {
    const resources = { requests: { cpu: '100m' }, limits: { cpu: '200m', memory: '1Gi' } };
    const asking = pod({ containers: [container('app', { resources })] });
    expect(app(asking, ready, shown(seenSandbox()))).not.toHaveProperty('resources');
    expect(app(asking, ready, shown(seenSandbox(), seen('app', 0)))).toMatchObject({
      allocatedResources: { cpu: '100m' },
      resources,
    });
    const status = app(pod(), ready, shown(seenSandbox(), seen('app', 0)));
    expect(status.resources).toEqual({});
    expect(status).not.toHaveProperty('allocatedResources');
  });

  test('uses a sandbox that was created and never started, and starts a created container', () => {
    expect(step(pod(), mounted, shown(seenSandbox(0, { phase: 'created' }))).actions).toEqual([
      { do: 'sandbox', attempt: 0 },
    ]);
    expect(step(pod(), mounted, shown(seenSandbox(), seen('app', 0, { phase: 'created' }))).actions).toMatchObject([
      { do: 'start', id: 'app-0' },
    ]);
  });

  test('shows Pending with ContainerCreating, then Running and ready', () => {
    expect(step(pod(), mounted, shown(seenSandbox())).status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }],
    });
    const { status } = step(pod(), ready, shown(seenSandbox(), seen('app', 0)));
    expect(status).toMatchObject({
      phase: 'Running',
      podIP: '10.0.0.1',
      podIPs: [{ ip: '10.0.0.1' }],
      hostIP: '192.0.2.1',
      qosClass: 'BestEffort',
    });
    expect(status.containerStatuses![0]).toMatchObject({
      ready: true,
      started: true,
      restartCount: 0,
      containerID: 'docker://app-0',
    });
    expect(status.conditions!.map(({ type, status: is }) => `${type}=${is}`)).toEqual([
      'PodReadyToStartContainers=True',
      'Initialized=True',
      'Ready=True',
      'ContainersReady=True',
    ]);
  });

  test('keeps conditions of others and the transition time of its own', () => {
    const old = {
      phase: 'Running' as const,
      conditions: [
        { type: 'PodScheduled', status: 'True' as const, lastTransitionTime: toTime(startMs - 5000) },
        { type: 'Ready', status: 'True' as const, lastTransitionTime: toTime(startMs - 4000) },
      ],
    };
    const { conditions } = step(pod({}, { status: old }), ready, shown(seenSandbox(), seen('app', 0))).status;
    expect(conditions!.find(({ type }) => type === 'PodScheduled')!.lastTransitionTime).toBe(toTime(startMs - 5000));
    expect(conditions!.find(({ type }) => type === 'Ready')!.lastTransitionTime).toBe(toTime(startMs - 4000));
  });

  test('names unready containers', () => {
    const { conditions } = step(
      pod({ containers: [container('a'), container('b')] }),
      mounted,
      shown(seenSandbox(), seen('a', 0)),
    ).status;
    expect(conditions!.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [b]',
    });
  });
});

describe('restarting', () => {
  const ended = (code: number, attempt = 0, atMs = startMs) =>
    shown(seenSandbox(), seen('app', attempt, exited(code, atMs)));

  test('gathers evidence first and reports nothing meanwhile', () => {
    const p = pod({}, { status: { phase: 'Running' } });
    expect(step(p, ready, ended(1))).toMatchObject({ actions: [{ do: 'settle' }], status: { phase: 'Running' } });
  });

  test('restarts the first time at once, then waits 10 s, 20 s … 300 s', () => {
    let memory = settled(ready, 'app-0');
    const delays: number[] = [];
    let now = startMs + 1000;
    for (let attempt = 0; attempt < 8; attempt++) {
      memory = settled(memory, `app-${attempt}`);
      const all = ended(1, attempt, now);
      const first = step(pod(), memory, all, now);
      const at = first.actions.length > 0 ? now : first.wakeAtMs!;
      delays.push((at - now) / 1000);
      const [create] = step(pod(), memory, all, at).actions;
      if (create?.do !== 'create') throw new Error('want a create');
      expect(create.attempt).toBe(attempt + 1);
      memory = withContainer(memory, 'app', { crash: create.crash });
      now = at + 100; // it runs for 100 ms
    }
    expect(delays).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
  });

  test('says how long it waits, in CrashLoopBackOff, while the pod is Running', () => {
    const memory = withContainer(settled(ready, 'app-0'), 'app', { crash: { delayMs: 80_000, updatedAtMs: startMs } });
    const { status, wakeAtMs } = step(pod(), memory, ended(1), startMs + 1000);
    expect(status.phase).toBe('Running');
    expect(status.containerStatuses![0]).toMatchObject({
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: 'back-off 1m20s restarting failed container=app pod=web_default(uid-1)',
        },
      },
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
      ready: false,
      restartCount: 0,
    });
    expect(wakeAtMs).toBe(startMs + 80_000);
  });

  test('forgets its backoff after ten minutes of running', () => {
    const finished = startMs + 11 * 60_000;
    const memory = withContainer(settled(ready, 'app-0'), 'app', { crash: { delayMs: 160_000, updatedAtMs: startMs } });
    expect(step(pod(), memory, ended(1, 0, finished), finished + 1).actions).toMatchObject([
      { do: 'create', crash: { delayMs: 10_000 } },
    ]);
  });

  test.each([
    ['Always', 0, true],
    ['Always', 1, true],
    ['OnFailure', 0, false],
    ['OnFailure', 1, true],
    ['Never', 0, false],
    ['Never', 1, false],
  ] as const)('%s after exit code %i restarts: %s', (restartPolicy, code, restarts) => {
    const actions = does(pod({ restartPolicy }), settled(ready, 'app-0'), ended(code));
    expect(actions.includes('create')).toBe(restarts);
  });

  test('ends Succeeded or Failed where nothing is restarted', () => {
    expect(step(pod({ restartPolicy: 'Never' }), settled(ready, 'app-0'), ended(0)).status.phase).toBe('Succeeded');
    const { status } = step(pod({ restartPolicy: 'Never' }), settled(ready, 'app-0'), ended(2));
    expect(status.phase).toBe('Failed');
    expect(status.conditions!.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'PodFailed',
    });
  });

  test('a container whose image was changed is stopped and comes back', () => {
    const changed = pod({ containers: [container('app', { image: 'app:2' })] });
    expect(step(changed, ready, shown(seenSandbox(), seen('app', 0))).actions).toMatchObject([
      { do: 'stop', cause: 'changed' },
    ]);
    expect(step(changed, settled(ready, 'app-0'), ended(143)).actions).toMatchObject([{ do: 'create', attempt: 1 }]);
  });

  test('a container that vanished from the engine counts as ended with 137', () => {
    const status = {
      phase: 'Running' as const,
      containerStatuses: [
        {
          name: 'app',
          image: '',
          imageID: '',
          lastState: {},
          ready: true,
          restartCount: 2,
          containerID: 'docker://gone',
          state: { running: { startedAt: toTime(startMs) } },
        },
      ],
    };
    const result = step(pod({ restartPolicy: 'Never' }, { status }), ready, shown(seenSandbox()));
    expect(result.status).toMatchObject({
      phase: 'Failed',
      containerStatuses: [{ state: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } } }],
    });
    expect(step(pod({}, { status }), ready, shown(seenSandbox())).actions).toMatchObject([
      { do: 'create', attempt: 3 },
    ]);
  });

  test('an OOM kill is told by flag, event or evidence, but not when we killed it', () => {
    const dead = (flag: boolean) => shown(seenSandbox(), seen('app', 0, exited(137, startMs, { oomKilled: flag })));
    const reason = (memory: PodMemory, flag: boolean) =>
      app(pod({ restartPolicy: 'Never' }), memory, dead(flag)).state!.terminated!.reason;
    expect(reason(settled(ready, 'app-0'), true)).toBe('OOMKilled');
    expect(reason(withInstance(settled(ready, 'app-0'), 'app-0', { oom: true }), false)).toBe('OOMKilled');
    expect(reason(settled(ready, 'app-0'), false)).toBe('Error');
    const killed = withInstance(settled(ready, 'app-0'), 'app-0', {
      oom: true,
      stopping: { cause: 'pod', askedAtMs: 0, graceMs: 0, killedAtMs: 1 },
    });
    expect(reason(killed, true)).toBe('Error');
  });

  test('a start that failed shows as StartError with the words of the engine', () => {
    const broken = shown(
      seenSandbox(),
      seen('app', 0, { phase: 'created', exitCode: 127, error: 'exec: "x": not found' }),
    );
    expect(app(pod({ restartPolicy: 'Never' }), ready, broken).state!.terminated).toMatchObject({
      exitCode: 128,
      reason: 'StartError',
      message: 'exec: "x": not found',
    });
  });
});

describe('images', () => {
  const failedAt = (atMs: number) =>
    withContainer(mounted, 'app', {
      imageFailure: { reason: 'ErrImagePull', message: 'no such host', retryAtMs: atMs + 10_000, delayMs: 10_000 },
    });

  test('a failed pull shows first as ErrImagePull, then as ImagePullBackOff, then is tried again', () => {
    const memory = failedAt(startMs);
    const sandbox = shown(seenSandbox());
    expect(app(pod(), memory, sandbox, startMs + 1).state!.waiting).toEqual({
      reason: 'ErrImagePull',
      message: 'no such host',
    });
    expect(app(pod(), memory, sandbox, startMs + 5000).state!.waiting).toEqual({
      reason: 'ImagePullBackOff',
      message: 'Back-off pulling image "app:1": ErrImagePull: no such host',
    });
    expect(does(pod(), memory, sandbox, startMs + 10_000)).toEqual(['pull']);
  });
});

describe('init containers', () => {
  const inits = {
    initContainers: [container('one'), container('side', { restartPolicy: 'Always' }), container('two')],
  };
  const all = ['one', 'side', 'two', 'app'].reduce(
    (memory, name) => withContainer(memory, name, { image: 'ready' }),
    mounted,
  );
  const done = (name: string) => seen(name, 0, exited(0, startMs));
  const creates = (...list: readonly ContainerSeen[]) =>
    step(pod(inits), settled(all, 'one-0', 'two-0', 'side-0'), shown(seenSandbox(), ...list)).actions.map(action =>
      'container' in action ? action.container.name : action.do,
    );

  test('run one after the other, a sidecar only has to have started', () => {
    expect(creates()).toEqual(['one']);
    expect(creates(seen('one', 0))).toEqual([]);
    expect(creates(done('one'))).toEqual(['side']);
    expect(creates(done('one'), seen('side', 0))).toEqual(['two']);
    expect(creates(done('one'), seen('side', 0), done('two'))).toEqual(['app']);
  });

  test('a sidecar that ends comes back while the pod runs', () => {
    expect(creates(done('one'), done('side'), done('two'), seen('app', 0))).toEqual(['side']);
  });

  test('show the pod as initializing', () => {
    const { status } = step(pod(inits), all, shown(seenSandbox(), seen('one', 0)));
    expect(status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
    });
    expect(status.conditions!.find(({ type }) => type === 'Initialized')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [one side two]',
    });
  });

  test('that fail under Never fail the pod', () => {
    const failed = shown(seenSandbox(), seen('one', 0, exited(1, startMs)));
    expect(step(pod({ ...inits, restartPolicy: 'Never' }), settled(all, 'one-0'), failed).status.phase).toBe('Failed');
  });

  test('when the apps are done the sidecar is stopped, and only then the pod has succeeded', () => {
    const p = pod({ ...inits, restartPolicy: 'Never' });
    const memory = settled(all, 'one-0', 'two-0', 'app-0', 'side-0');
    const apps = [done('one'), done('two'), done('app')];
    const running = step(p, memory, shown(seenSandbox(), ...apps, seen('side', 0)));
    expect(running.actions).toMatchObject([{ do: 'stop', id: 'side-0' }]);
    expect(running.status.phase).not.toBe('Succeeded');
    expect(step(p, memory, shown(seenSandbox(), ...apps, done('side'))).status.phase).toBe('Succeeded');
  });
});

describe('ending', () => {
  const deleted = (more: Parameters<typeof pod>[0] = {}, grace = 30, status = { phase: 'Running' as const }) =>
    pod(more, {
      metadata: { deletionTimestamp: toTime(startMs + grace * 1000), deletionGracePeriodSeconds: grace },
      status,
    });
  const running = shown(seenSandbox(), seen('app', 0));
  const asked = (atMs: number, graceMs = 30_000) =>
    withInstance(ready, 'app-0', { stopping: { cause: 'pod', askedAtMs: atMs, graceMs } });

  test('asks to end, waits for the grace, then kills', () => {
    expect(step(deleted(), ready, running).actions).toMatchObject([{ do: 'stop', graceMs: 30_000 }]);
    expect(step(deleted(), asked(startMs), running)).toMatchObject({ actions: [], wakeAtMs: startMs + 30_000 });
    expect(does(deleted(), asked(startMs), running, startMs + 30_000)).toEqual(['kill']);
  });

  test('a grace that was shortened counts from the first asking', () => {
    expect(does(deleted({}, 2), asked(startMs), running, startMs + 2000)).toEqual(['kill']);
  });

  test('is reported, then cleaned, then finished', () => {
    const dead = shown(seenSandbox(), seen('app', 0, exited(143, startMs)));
    const memory = settled(ready, 'app-0');
    expect(step(deleted(), memory, dead)).toMatchObject({ actions: [], status: { phase: 'Failed' } });
    const reported = pod({}, { metadata: { deletionTimestamp: toTime(startMs) }, status: { phase: 'Failed' } });
    expect(step(reported, memory, dead).actions).toEqual([{ do: 'clean', containers: true }]);
    expect(does(reported, withPod(memory, { cleaned: true }), shown())).toEqual(['finish']);
  });

  test('of a pod that only ended keeps its containers for their logs', () => {
    const over = pod({}, { status: { phase: 'Succeeded' } });
    const dead = shown(seenSandbox(), seen('app', 0, exited(0, startMs)));
    expect(step(over, ready, dead).actions).toEqual([{ do: 'clean', containers: false }]);
    expect(does(over, withPod(ready, { cleaned: true }), shown(seen('app', 0, exited(0, startMs))))).toEqual([]);
  });

  test('sidecars end after the apps, the last first', () => {
    const p = deleted({
      initContainers: [container('s1', { restartPolicy: 'Always' }), container('s2', { restartPolicy: 'Always' })],
    });
    expect(step(p, ready, shown(seenSandbox(), seen('s1', 0), seen('s2', 0), seen('app', 0))).actions).toMatchObject([
      { id: 'app-0' },
    ]);
    const appDone = settled(ready, 'app-0');
    expect(
      step(p, appDone, shown(seenSandbox(), seen('s1', 0), seen('s2', 0), seen('app', 0, exited(0, startMs)))).actions,
    ).toMatchObject([{ id: 's2-0' }]);
  });

  test('at the active deadline fails with its reason once all has ended', () => {
    const p = pod({ activeDeadlineSeconds: 5 }, { status: { phase: 'Running', startTime: toTime(startMs) } });
    expect(step(p, ready, running, startMs + 4999).wakeAtMs).toBe(startMs + 5000);
    expect(step(p, ready, running, startMs + 5000)).toMatchObject({
      actions: [{ do: 'stop' }],
      status: { phase: 'Running' },
    });
    const dead = shown(seenSandbox(), seen('app', 0, exited(0, startMs + 5100)));
    expect(step(p, settled(ready, 'app-0'), dead, startMs + 5200).status).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
    });
  });

  test("a rejected pod fails with the node's reason and runs nothing", () => {
    const memory = withPod(newMemory(startMs), { rejection: { reason: 'OutOfcpu', message: 'no room' } });
    expect(step(pod(), memory)).toMatchObject({
      actions: [],
      status: { phase: 'Failed', reason: 'OutOfcpu', message: 'Pod was rejected: no room' },
    });
  });
});

describe('a dead sandbox', () => {
  const dead = seenSandbox(0, { phase: 'exited' });
  test('takes its containers with it, and the next attempt is counted as a restart', () => {
    expect(step(pod(), ready, shown(dead, seen('app', 0))).actions).toMatchObject([{ do: 'stop', cause: 'sandbox' }]);
    expect(step(pod(), settled(ready, 'app-0'), shown(dead, seen('app', 0, exited(137, startMs)))).actions).toEqual([
      { do: 'sandbox', attempt: 1 },
    ]);
    const fresh = step(
      pod(),
      settled(ready, 'app-0'),
      shown(seenSandbox(1), dead, seen('app', 0, exited(137, startMs))),
    );
    expect(fresh.actions).toMatchObject([{ do: 'remove', id: 'sandbox-0' }]);
    expect(
      step(pod(), settled(ready, 'app-0'), shown(seenSandbox(1), seen('app', 0, exited(137, startMs)))).actions,
    ).toMatchObject([{ do: 'create', attempt: 1 }]);
  });
  test('is not replaced under Never once something ran', () => {
    const p = pod({ restartPolicy: 'Never' });
    expect(does(p, settled(ready, 'app-0'), shown(dead, seen('app', 0, exited(137, startMs))))).toEqual([]);
    expect(step(p, settled(ready, 'app-0'), shown(dead, seen('app', 0, exited(137, startMs)))).status.phase).toBe(
      'Failed',
    );
  });
});
