/** A scheduler over a real registry in virtual time, and short ways to fill it and to look at it. */
import { setImmediate } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { type Event, eventKind, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { priorityClassKind } from '#api/kinds/scheduling.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import type { Client } from '#client/client.ts';
import type { Ledger } from '#loops/ledger.ts';
import { type RunningScheduler, type SchedulerConfig, startScheduler } from '#loops/scheduling.ts';
import { createLocalClient } from '#registry/local-client.ts';
import { systemUser } from '#registry/request.ts';
import { createWorld, type World } from '#test/registry/world.ts';

export interface SchedulingWorld {
  readonly world: World;
  readonly client: Client;
  readonly scheduler: RunningScheduler;
  node(name: string, allocatable?: Record<string, string>, more?: object): Promise<void>;
  pod(name: string, requests?: Record<string, string>, more?: PodParts): Promise<Pod>;
  get(name: string): Pod;
  /** The node a pod is on, or ''. */
  nodeOf(name: string): string;
  /** Messages of the events with this reason about the pod. */
  events(reason: string, name: string): Promise<readonly string[]>;
  /** Lets `ms` pass, in small steps, so that everything that is set off also runs. */
  pass(ms: number): Promise<void>;
}

export interface PodParts {
  readonly labels?: Record<string, string>;
  readonly spec?: object;
}

export const schedulingWorld = async (
  options: { config?: SchedulerConfig; ledger?: Ledger; wrap?: (client: Client) => Client } = {},
): Promise<SchedulingWorld> => {
  const world = await createWorld();
  const plain = createLocalClient(world.registry, systemUser);
  const client = options.wrap?.(plain) ?? plain;
  const scheduler = startScheduler({
    client,
    clock: world.clock,
    random: seededRandom(11),
    log: silentLog,
    yieldTurn: () => setImmediate(),
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.ledger === undefined ? {} : { ledger: options.ledger }),
  });
  const pass = async (ms: number): Promise<void> => {
    const steps = 10;
    for (let step = 0; step < steps; step++) {
      await world.clock.advance(ms / steps);
      for (let turn = 0; turn < 10; turn++) await setImmediate();
    }
  };
  const get = (name: string): Pod => world.get<Pod>(podKind as never, name);
  return {
    world,
    client,
    scheduler,
    pass,
    get,
    nodeOf: name => get(name).spec.nodeName ?? '',
    async node(name, allocatable = { cpu: '4', memory: '8Gi', pods: '110' }, more = {}) {
      await world.create(nodeKind as never, {
        metadata: { name, labels: { 'kubernetes.io/hostname': name } },
        status: { capacity: allocatable, allocatable },
        ...more,
      });
      const status = { capacity: allocatable, allocatable };
      await world.patch(nodeKind as never, name, { type: 'merge', body: { status } }, { subresource: 'status' });
    },
    pod: (name, requests = { cpu: '100m' }, { labels = {}, spec = {} } = {}) =>
      world.create<Pod>(podKind as never, {
        metadata: { name, labels },
        spec: {
          containers: [{ name: 'c', image: 'x', resources: { requests } }],
          terminationGracePeriodSeconds: 0,
          ...spec,
        },
      }),
    async events(reason, name) {
      const { items } = await plain.list<Event>(eventKind, { namespace: 'default' });
      return items
        .filter(event => event.reason === reason && event.involvedObject?.name === name)
        .map(event => event.message ?? '');
    },
  };
};

/** A world for one test, which stops its scheduler when it ends. There is a PriorityClass `high`. */
export const startWorld = async (options: Parameters<typeof schedulingWorld>[0] = {}): Promise<SchedulingWorld> => {
  const it = await schedulingWorld(options);
  onTestFinished(async () => {
    const stopping = it.scheduler.stop();
    await it.world.clock.advance(10_000);
    await stopping;
  });
  await it.world.create(priorityClassKind as never, { metadata: { name: 'high' }, value: 1000 });
  return it;
};

/** Parts of a pod that is more important than others. */
export const important: PodParts = { spec: { priorityClassName: 'high' } };

export const patchPod = (it: SchedulingWorld, name: string, body: object, subresource?: string): Promise<Pod> =>
  it.world.patch<Pod>(podKind as never, name, { type: 'merge', body }, { subresource });

export const removePod = (it: SchedulingWorld, name: string): Promise<void> =>
  it.client.remove(podKind, { namespace: 'default', name });

/** Ends in keeping a pod that is deleted, until its finalizers go too. */
export const finalizers = { metadata: { finalizers: ['example.com/slow'] } };
export const noFinalizers = { metadata: { finalizers: null } };
