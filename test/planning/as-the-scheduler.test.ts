/** What a plan says comes true: the same pods, given to the running scheduler over a real registry, end up just so. */
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Kind } from '#api/kind.ts';
import { namespaceKind, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import type { KubeObject } from '#api/object.ts';
import type { Clock, Signal } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import type { Client } from '#client/client.ts';
import { defaultProfile } from '#engine/profile.ts';
import { hashOfTies } from '#engine/schedule.ts';
import { podKey, withChanges } from '#engine/world.ts';
import { startScheduler } from '#loops/scheduling.ts';
import { storeKey } from '#registry/keys.ts';
import { createLocalClient } from '#registry/local-client.ts';
import { createRegistry, type Registry } from '#registry/registry.ts';
import { systemUser } from '#registry/request.ts';
import { stamp } from '#registry/stamp.ts';
import { nothingApplied } from '#scheduler/planning/apply.ts';
import { makePlan } from '#scheduler/planning/plan.ts';
import { memoryJournal } from '#store/journal.ts';
import { openStore } from '#store/store.ts';
import { type World, worldArbitrary } from './worlds.ts';

const startMs = Date.parse('2026-11-21T12:00:00Z');

/** Time that passes a little with each look at it, so that what came first is known, and a lot when a test says so. */
class TickingClock implements Clock {
  #nowMs = startMs;
  #timers: { readonly atMs: number; readonly task: () => void }[] = [];

  now(): number {
    this.#nowMs += 1 / 1024;
    return this.#nowMs;
  }

  sleep(delayMs: number, signal?: Signal): Promise<void> {
    return new Promise(resolve => {
      const cancel = this.after(delayMs, resolve);
      const abort = () => {
        cancel();
        resolve();
      };
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter(one => one !== timer);
    };
  }

  skip(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { task } of due) task();
  }
}

/** Where each pod is in the end, by key; '' without a node. Pods that were evicted are not in it. */
type Outcome = Readonly<Record<string, string>>;

const live = async ({ state, arrivals }: World): Promise<Outcome> => {
  const clock = new TickingClock();
  const store = openStore<KubeObject>({
    journal: memoryJournal(),
    stamp,
    soon: task => void setImmediate().then(task),
    now: () => clock.now(),
  });
  const registry = createRegistry({ store, clock, random: seededRandom(1), usage: async () => [] });
  const put = (kind: Kind, objects: readonly KubeObject[]) =>
    store.commit(objects.map(object => ({ put: storeKey(kind, refOf(object)), value: object })));
  const home = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' }, status: { phase: 'Active' } };
  await put(namespaceKind as unknown as Kind, [home]);
  await put(nodeKind as unknown as Kind, state.nodes);
  if (state.pods.length > 0) await put(plainPod, state.pods);
  const evicted: Pod[] = [];
  const client = createLocalClient(registry, systemUser);
  const scheduler = startScheduler({
    client: noting(client, registry, evicted),
    clock,
    // The first of equals, and ties by hash with seed 0.
    random: { ...seededRandom(2), next: () => 0 },
    log: silentLog,
    yieldTurn: () => setImmediate(),
  });
  const quiet = async (): Promise<void> => {
    let before = '';
    for (let calm = 0; calm < 15; ) {
      for (let turn = 0; turn < 4; turn++) await setImmediate();
      const { attempts, pending } = scheduler.counters;
      const now = JSON.stringify([attempts, pending, store.rev]);
      calm = now === before && pending.active + pending.backoff === 0 ? calm + 1 : 0;
      before = now;
    }
  };
  await quiet();
  await put(plainPod, arrivals);
  await quiet();
  let before = -1;
  let gone = 0;
  for (;;) {
    const left = evicted.splice(0);
    gone += left.length;
    if (left.length > 0) {
      await store.commit(left.map(pod => ({ remove: storeKey(plainPod, refOf(pod)) })));
    } else {
      if (scheduler.counters.bound + gone === before) break;
      before = scheduler.counters.bound + gone;
      // As long as the scheduler leaves a pod parked that nothing seems to help, and until it looks at its queue again.
      clock.skip(5 * 60_000 + 1000);
      for (let turn = 0; turn < 4; turn++) await setImmediate();
      clock.skip(31_000);
    }
    await quiet();
  }
  await scheduler.stop();
  const pods = store.list('pods/').entries.map(({ value }) => value as Pod);
  return Object.fromEntries(pods.map(pod => [podKey(pod), pod.spec.nodeName ?? '']));
};

const plainPod = podKind as unknown as Kind;

const refOf = ({ metadata: { namespace, name } }: KubeObject) =>
  namespace === undefined ? { name } : { namespace, name };

/** Notes the pods that the scheduler evicts, in order; they stay, terminating, until the test ends them. */
const noting = (client: Client, registry: Registry, evicted: Pod[]): Client => ({
  ...client,
  remove: async (kind, ref, options) => {
    const pod = registry.get(kind as unknown as Kind, ref).value as Pod;
    await client.remove(kind, ref, options);
    if (!evicted.some(other => other.metadata.uid === pod.metadata.uid)) evicted.push(pod);
  },
});

const planned = ({ state, arrivals }: World): Outcome => {
  const applied = { ...nothingApplied(), arrivals: arrivals.map(pod => ({ pod, change: 'new' as const })) };
  const plan = makePlan(state, withChanges(state, { setPods: arrivals }), applied, {
    profiles: new Map([['default-scheduler', defaultProfile()]]),
    nowMs: startMs,
    tie: hashOfTies(0),
    refuses: () => undefined,
  });
  const gone = new Set(plan.preemptions.flatMap(({ victims }) => victims.map(({ pod }) => pod)));
  const kept = state.pods.filter(pod => !gone.has(podKey(pod)));
  return Object.fromEntries([
    ...kept.map(pod => [podKey(pod), pod.spec.nodeName ?? '']),
    ...plan.placements.map(({ pod, node }) => [pod, node]),
    ...plan.pending.map(({ pod }) => [pod, '']),
  ]);
};

test('the running scheduler puts every pod where the plan says, and evicts whom it says', async () => {
  let evictions = 0;
  await fc.assert(
    fc.asyncProperty(worldArbitrary(), async world => {
      const expected = planned(world);
      expect(await live(world)).toEqual(expected);
      if (Object.keys(expected).length < world.state.pods.length + world.arrivals.length) evictions++;
    }),
    { numRuns: Number(process.env['BERTH_PROPERTY_RUNS'] ?? 60) },
  );
  // A world in which nobody ever has to go would prove little.
  expect(evictions).toBeGreaterThan(0);
}, 120_000);
