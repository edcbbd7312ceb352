/** OOM kills: the event that the pod gets, what its status says, and the count that outlives the container. */
import { expect, test } from 'vitest';
import { ThrottlingTotals } from '#agent/node/totals.ts';
import { type Pod, podKind } from '#api/kinds/core.ts';
import { container } from '#test/node-agent/pod-fixtures.ts';
import { newWorld, type Programs } from '#test/node-agent/virtual-node.ts';

const programs: Programs = {
  'serve:1': {},
  'hog:1': { runsMs: 3500, exitCode: 137, oomKilled: true },
  'parent:1': { runsMs: 2000, exitCode: 1 },
};

const running = async (image: string, spec: Partial<Pod['spec']> = {}) => {
  const world = await newWorld(programs);
  const { clock, client, runtime, machine } = world;
  const app = container('app', { image, resources: { limits: { memory: '64Mi' } } });
  client.put(podKind, {
    metadata: { name: 'web', namespace: 'default', uid: 'u' },
    spec: { containers: [app], restartPolicy: 'Always', nodeName: 'n1', terminationGracePeriodSeconds: 1, ...spec },
    status: { phase: 'Pending' },
  });
  await clock.advance(1000);
  const nameOf = (attempt: number) => `k8s_app_web_default_u_${attempt}`;
  return {
    ...world,
    /** The engine's event; `kills`: what the container's own counter shows then. */
    oom: async (kills: number | undefined, attempt = 0) => {
      const seen = (await runtime.list({})).find(({ name }) => name === nameOf(attempt))!;
      if (kills !== undefined) machine.oomKills.set(seen.id, kills);
      runtime.outOfMemory(seen.name);
      await clock.advance(1000);
    },
    status: () => client.peek(podKind, 'web', 'default')!.status!.containerStatuses![0]!,
    told: () => world.events('web').filter(line => line.includes('OOMKilling')),
    counted: () =>
      world.agent.sampler.usage()?.pods[0]?.containers.find(({ name }) => name === 'app')?.counters?.oomKills,
  };
};

const inside = 'Memory cgroup out of memory: Killed a process of container app, whose main process goes on';
const ended = (code: number) => `Memory cgroup out of memory: Killed container app, exit code ${code}`;

test('a child that is killed is told, and the container runs on', async () => {
  const { oom, told, status, counted, clock } = await running('serve:1');
  await oom(1);
  expect(told()).toEqual([`Warning OOMKilling: ${inside} (memory limit 64Mi)`]);
  await oom(2);
  expect(told()).toEqual([`Warning OOMKilling x2: ${inside} (memory limit 64Mi)`]);
  expect(status()).toMatchObject({ restartCount: 0, ready: true, state: { running: {} } });
  await clock.advance(2000);
  expect(counted()).toBe(2);
});

test('several children of one moment are told as what they are', async () => {
  const { oom, told } = await running('serve:1');
  await oom(3);
  expect(told()[0]).toContain('Killed 3 processes of container app');
});

test('where counters cannot be read the event of the engine is believed', async () => {
  const { oom, told, counted, clock } = await running('serve:1');
  await oom(undefined);
  expect(told()).toEqual([`Warning OOMKilling: ${inside} (memory limit 64Mi)`]);
  await clock.advance(2000);
  expect(counted()).toBe(1);
});

test('a container that is spared while another one is killed is told nothing, and does not end as OOMKilled', async () => {
  const { oom, told, status, runtime, clock } = await running('serve:1', { restartPolicy: 'Never' });
  await oom(0);
  expect(told()).toEqual([]);
  const app = (await runtime.list({})).find(({ name }) => name.startsWith('k8s_app'))!;
  await runtime.signal(app.id, 'SIGTERM');
  await clock.advance(1000);
  expect(status().state!.terminated).toMatchObject({ exitCode: 143, reason: 'Error' });
});

test('each end by an OOM kill is told once, also by an agent that comes later, and counted over restarts', async () => {
  const { told, status, restart, clock, counted } = await running('hog:1');
  await clock.advance(3000);
  const warning = `Warning OOMKilling: ${ended(137)} (memory limit 64Mi)`;
  expect(told()).toEqual([warning]);
  await clock.advance(3500);
  expect(told()).toEqual([warning.replace(':', ' x2:')]);
  expect(status().lastState!.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
  // Its third run, long enough for two samples.
  await clock.advance(12_500);
  expect(counted()).toBe(2);
  await restart();
  await clock.advance(100);
  expect(told()).toEqual([warning.replace(':', ' x2:')]);
});

test('a main process that ends because its child was killed counts that kill once', async () => {
  const { oom, told, status, clock } = await running('parent:1', { restartPolicy: 'Never' });
  await oom(1);
  await clock.advance(2000);
  expect(status().state!.terminated).toMatchObject({ exitCode: 1, reason: 'OOMKilled' });
  expect(told()).toEqual([`Warning OOMKilling: ${inside} (memory limit 64Mi)`]);
});

test('a kill for want of the memory of the node says so', async () => {
  const app = container('app', { image: 'hog:1' });
  const { told, clock } = await running('hog:1', { containers: [app] });
  await clock.advance(3000);
  expect(told()).toEqual([`Warning OOMKilling: ${ended(137)} (memory of node n1, 8Gi)`]);
});

test('throttling is summed over attempts, by pod and container', () => {
  const totals = new ThrottlingTotals();
  const counters = (n: number) => ({ periods: 10 * n, throttledPeriods: n, throttledNanos: 1000 * n });
  totals.put('u', 'app', 'first', counters(1));
  totals.put('u', 'app', 'first', counters(3));
  totals.put('u', 'app', 'second', counters(1));
  totals.put('u', 'other', 'third', counters(9));
  expect(totals.of('u', 'app')).toEqual(counters(4));
  totals.forget('u');
  expect(totals.of('u', 'app')).toEqual(counters(0));
});
