/** What holds for every pod on a node whatever happens to it, to the engine and to the agent; in virtual time. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { label } from '#agent/names.ts';
import { type Pod, podKind } from '#api/kinds/core.ts';
import { isReason, unavailable } from '#api/status.ts';
import { below, type Random, seededRandom } from '#base/random.ts';
import type { FakeClient } from '#test/client/fake-client.ts';
import type { FakeRuntime, Program } from '#test/node-agent/fake-runtime.ts';
import { newWorld, stopped, type World } from '#test/node-agent/virtual-node.ts';

const programs: Readonly<Record<string, Program>> = {
  'serve:1': {},
  'deaf:1': { deaf: true },
  'job:1': { runsMs: 3000, exitCode: 0 },
  'crash:1': { runsMs: 1000, exitCode: 1 },
  'oom:1': { runsMs: 2000, exitCode: 137, oomKilled: true },
  'broken:1': { startError: 'exec: "x": executable file not found in $PATH' },
};
const images = Object.keys(programs);

type Deed =
  | {
      readonly do: 'create';
      readonly image: string;
      readonly init: string | undefined;
      readonly sidecar: boolean;
      readonly policy: 'Always' | 'OnFailure' | 'Never';
    }
  | { readonly do: 'delete'; readonly pick: number; readonly graceSeconds: number }
  | { readonly do: 'force'; readonly pick: number }
  | { readonly do: 'kill'; readonly pick: number }
  | { readonly do: 'outage'; readonly ms: number }
  | { readonly do: 'server gone'; readonly ms: number }
  | { readonly do: 'server slow'; readonly ms: number }
  | { readonly do: 'annotate'; readonly pick: number }
  | { readonly do: 'engine slow'; readonly ms: number }
  | { readonly do: 'restart' }
  | { readonly do: 'crash'; readonly afterMs: number }
  | { readonly do: 'wait'; readonly ms: number };

const deeds: fc.Arbitrary<Deed[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('create' as const),
        image: fc.constantFrom(...images),
        init: fc.option(fc.constantFrom('job:1', 'crash:1'), { nil: undefined }),
        sidecar: fc.boolean(),
        policy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('delete' as const),
        pick: fc.nat(20),
        graceSeconds: fc.constantFrom(1, 5, 30),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('force' as const), pick: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), pick: fc.nat(20) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('outage' as const), ms: fc.integer({ min: 100, max: 20_000 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('server gone' as const), ms: fc.integer({ min: 100, max: 20_000 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('server slow' as const), ms: fc.integer({ min: 0, max: 2000 }) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('annotate' as const), pick: fc.nat(20) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('engine slow' as const), ms: fc.integer({ min: 0, max: 500 }) }),
    },
    { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('crash' as const), afterMs: fc.integer({ min: 0, max: 1500 }) }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 60_000 }) }) },
  ),
  { minLength: 3, maxLength: 14 },
);

/** Has it done some time: a slow server answers only when time goes on. The pod, or the server, may be gone. */
const remove = ({ client }: World, name: string, gracePeriodSeconds: number): void => {
  void client.remove(podKind, { namespace: 'default', name }, { gracePeriodSeconds }).catch(error => {
    if (!isReason(error, 'NotFound') && !isReason(error, 'ServiceUnavailable')) throw error;
  });
};

const carryOut = async (world: World, deed: Deed, serial: number, random: Random): Promise<void> => {
  const { client, runtime, clock } = world;
  const pods = client.all<Pod>(podKind);
  const chosen = (pick: number) => pods[pick % Math.max(1, pods.length)]?.metadata;
  switch (deed.do) {
    case 'create': {
      const { image, init, sidecar, policy } = deed;
      const initContainers = [
        ...(init ? [{ name: 'init', image: init, imagePullPolicy: 'IfNotPresent' as const, resources: {} }] : []),
        ...(sidecar
          ? [
              {
                name: 'side',
                image: 'serve:1',
                imagePullPolicy: 'IfNotPresent' as const,
                restartPolicy: 'Always',
                resources: {},
              },
            ]
          : []),
      ];
      const containers = [{ name: 'app', image, imagePullPolicy: 'IfNotPresent' as const, resources: {} }];
      client.put(podKind, {
        metadata: { name: `p${serial}`, namespace: 'default' },
        spec: { containers, initContainers, restartPolicy: policy, nodeName: 'n1', terminationGracePeriodSeconds: 10 },
        status: { phase: 'Pending' },
      });
      return;
    }
    case 'delete':
    case 'force': {
      const target = chosen(deed.pick);
      if (target) remove(world, target.name, deed.do === 'force' ? 0 : deed.graceSeconds);
      return;
    }
    case 'kill': {
      if (runtime.outage !== undefined) return;
      const all = await runtime.list({});
      const target = all[deed.pick % Math.max(1, all.length)];
      if (target) await runtime.signal(target.id, 'SIGKILL');
      return;
    }
    case 'outage':
      runtime.outage = 'connection refused';
      await clock.advance(deed.ms);
      runtime.outage = undefined;
      return;
    case 'server gone':
      client.fault = () => unavailable('connection refused');
      client.endWatches();
      await clock.advance(deed.ms);
      client.fault = () => undefined;
      return;
    case 'server slow':
      client.delayMs = () => below(random, deed.ms + 1);
      return;
    case 'engine slow':
      world.engineDelayMs = () => below(random, deed.ms + 1);
      return;
    case 'crash':
      await clock.advance(deed.afterMs);
      return world.crash();
    case 'annotate': {
      const target = chosen(deed.pick);
      const pod = target && client.peek<Pod>(podKind, target.name, 'default');
      if (pod) client.put(podKind, { ...pod, metadata: { ...pod.metadata, annotations: { mark: String(serial) } } });
      return;
    }
    case 'restart':
      return world.restart();
    case 'wait':
      return clock.advance(deed.ms);
  }
};

/** Never more than one running container of a name in a pod, and never two running sandboxes. */
const checkEngine = async (runtime: FakeRuntime): Promise<void> => {
  const running = (await runtime.list({})).filter(seen => seen.phase === 'running');
  const keys = running.map(seen => `${seen.labels[label.podUid]} ${seen.labels[label.containerName]}`);
  expect(new Set(keys).size).toBe(keys.length);
  for (const [name, times] of runtime.starts) expect([name, times]).toEqual([name, 1]);
};

/** Phases do not come back from the end, restart counts do not fall. */
const checkHistory = (client: FakeClient, seen: Map<string, Pod>): void => {
  for (const pod of client.all<Pod>(podKind)) {
    const before = seen.get(pod.metadata.uid!);
    if (before && ['Succeeded', 'Failed'].includes(before.status?.phase ?? ''))
      expect(pod.status!.phase).toBe(before.status!.phase);
    for (const status of pod.status?.containerStatuses ?? []) {
      const old = before?.status?.containerStatuses?.find(({ name }) => name === status.name);
      expect(status.restartCount).toBeGreaterThanOrEqual(old?.restartCount ?? 0);
    }
    seen.set(pod.metadata.uid!, pod);
  }
};

test('whatever happens, each attempt runs once, nothing goes back, and in the end nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(deeds, async plan => {
      const world = await newWorld(programs);
      const history = new Map<string, Pod>();
      const random = seededRandom(plan.length);
      for (const [serial, deed] of plan.entries()) {
        await carryOut(world, deed, serial, random);
        await world.clock.advance(200);
        await checkEngine(world.runtime);
        checkHistory(world.client, history);
      }
      await world.clock.advance(60_000);
      await checkEngine(world.runtime);
      checkHistory(world.client, history);
      const serving = world.client
        .all<Pod>(podKind)
        .filter(
          pod =>
            pod.spec.containers[0]!.image === 'serve:1' &&
            pod.spec.restartPolicy === 'Always' &&
            pod.metadata.deletionTimestamp === undefined &&
            !pod.spec.initContainers?.some(({ name }) => name === 'init'),
        );
      for (const pod of serving) expect([pod.metadata.name, pod.status?.phase]).toEqual([pod.metadata.name, 'Running']);
      for (const pod of world.client.all<Pod>(podKind)) remove(world, pod.metadata.name, 1);
      await world.clock.advance(120_000);
      expect(world.client.all(podKind)).toEqual([]);
      expect((await world.runtime.list({})).map(({ name }) => name)).toEqual([]);
      expect([...world.machine.disk.keys()]).toEqual([]);
      await stopped(world.clock, world.agent);
    }),
    { numRuns: Number(process.env['BERTH_AGENT_RUNS'] ?? 200), seed: Number(process.env['BERTH_AGENT_SEED'] ?? 4711) },
  );
}, 120_000);

test('a full disk is told as FailedMount, and the pod starts when there is room again', async () => {
  const world = await newWorld(programs);
  world.machine.diskFault = 'ENOSPC: no space left on device, write';
  world.client.put(podKind, {
    metadata: { name: 'full', namespace: 'default' },
    spec: {
      containers: [{ name: 'app', image: 'serve:1', imagePullPolicy: 'IfNotPresent', resources: {} }],
      volumes: [{ name: 'v', emptyDir: {} }],
      restartPolicy: 'Always',
      nodeName: 'n1',
    },
    status: { phase: 'Pending' },
  });
  await world.clock.advance(3000);
  const told = world.client.calls
    .filter(({ verb, resource }) => verb === 'create' && resource === 'events')
    .map(({ body }) => (body as { message: string }).message);
  expect(told).toContain('MountVolume.SetUp failed for volume "v" : ENOSPC: no space left on device, write');
  world.machine.diskFault = undefined;
  await world.clock.advance(130_000);
  expect(world.client.peek(podKind, 'full', 'default')!.status!.phase).toBe('Running');
  await stopped(world.clock, world.agent);
});
