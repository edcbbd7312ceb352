import { expect, test } from 'vitest';
import { unavailable } from '#api/status.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { createStop } from '#base/stop.ts';
import { Caches } from '#client/caches.ts';
import { type Controller, ControllerRunner } from '#client/controller.ts';
import { createRecorder } from '#client/events.ts';
import { createOf, patchOf, removeOf } from '#client/plan.ts';
import { FakeClient } from '#test/client/fake-client.ts';
import { type Thing, thing, thingKind } from '#test/client/thing.ts';
import { virtualClock } from '#test/virtual.ts';

const start = <M>(controller: Partial<Controller<Thing, M>> & Pick<Controller<Thing, M>, 'reconcile'>) => {
  const clock = virtualClock();
  const random = seededRandom(1);
  const client = new FakeClient(clock);
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void warnings.push(message) };
  const caches = new Caches({ client, clock, random, log });
  const recorder = createRecorder({ client, clock, random, log, component: 'test' });
  const runner = new ControllerRunner(
    { name: 'test', kind: thingKind, watches: [], ...controller },
    { caches, client, clock, log, recorder },
  );
  const stop = createStop();
  const ended = Promise.all([caches.run(stop.signal), runner.run(stop.signal)]);
  const end = async () => {
    stop.stop();
    await ended;
  };
  return { clock, client, warnings, end };
};

test('changes are reconciled until there is nothing to write, and only then', async () => {
  const { clock, client, end } = start({
    reconcile: object => {
      const size = object.spec?.size ?? 0;
      return { writes: size < 5 ? [patchOf(thingKind, object, 'merge', { spec: { size: size + 1 } })] : [] };
    },
  });
  client.put(thingKind, thing('a', 0));
  await clock.advance(100);
  client.put(thingKind, thing('b', 3));
  await clock.advance(100);
  expect(client.all(thingKind).map(object => object.spec?.size)).toEqual([5, 5]);
  expect(client.calls.filter(call => call.verb === 'patch').length).toBe(7);
  await end();
});

test('a key is not reconciled again before the cache shows what its last plan wrote', async () => {
  const { clock, client, end } = start({
    reconcile: object => ({
      writes:
        object.spec?.size === 1
          ? [patchOf(thingKind, object, 'merge', { status: { seen: 1 } }, { subresource: 'status' })]
          : [],
      againInMs: 10,
    }),
  });
  client.put(thingKind, thing('a', 1));
  await clock.advance(0);
  let lists = 0;
  client.fault = call => {
    if (call.verb === 'patch') client.endWatches();
    if (call.verb === 'watch') return unavailable('away');
    if (call.verb === 'list') lists++;
    return undefined;
  };
  client.calls.length = 0;
  client.put(thingKind, thing('a', 1, { labels: { touched: 'yes' } }));
  await clock.advance(2000);
  expect(client.calls.filter(call => call.verb === 'patch').length).toBe(1);
  expect(lists).toBe(0);
  client.fault = () => undefined;
  await end();
});

test('a deletion is waited for too', async () => {
  const { clock, client, end } = start({
    reconcile: object => ({ writes: object.spec?.size === 9 ? [removeOf(thingKind, object)] : [], againInMs: 5 }),
  });
  client.fault = call => {
    if (call.verb === 'delete') client.endWatches();
    return call.verb === 'watch' && client.calls.some(other => other.verb === 'delete')
      ? unavailable('away')
      : undefined;
  };
  client.put(thingKind, thing('a', 9));
  await clock.advance(1000);
  expect(client.calls.filter(call => call.verb === 'delete').length).toBe(1);
  expect(client.all(thingKind)).toEqual([]);
  await end();
});

test('failures are retried with growing delays, without holding up other keys', async () => {
  const { clock, client, warnings, end } = start({
    reconcile: object => ({
      writes:
        (object.status?.seen ?? 0) < 1
          ? [patchOf(thingKind, object, 'merge', { status: { seen: 1 } }, { subresource: 'status' })]
          : [],
    }),
  });
  client.fault = call => (call.verb === 'patch' && call.name === 'bad' ? unavailable('no') : undefined);
  client.put(thingKind, thing('bad'));
  client.put(thingKind, thing('good'));
  await clock.advance(10_000);
  expect(client.peek(thingKind, 'good', 'default')?.status?.seen).toBe(1);
  const tries = client.calls.filter(call => call.verb === 'patch' && call.name === 'bad').length;
  expect(tries).toBeGreaterThan(5);
  expect(tries).toBeLessThan(12);
  expect(warnings.length).toBe(tries);
  client.fault = () => undefined;
  await clock.advance(60_000);
  expect(client.peek(thingKind, 'bad', 'default')?.status?.seen).toBe(1);
  await end();
});

test('a bug in reconcile is logged and retried, and the controller lives on', async () => {
  const { clock, client, warnings, end } = start({
    reconcile: object => {
      if (object.metadata.name === 'bad') throw new Error('a bug');
      return {
        writes: object.status
          ? []
          : [patchOf(thingKind, object, 'merge', { status: { seen: 1 } }, { subresource: 'status' })],
      };
    },
  });
  client.put(thingKind, thing('bad'));
  await clock.advance(100);
  client.put(thingKind, thing('good'));
  await clock.advance(100);
  expect(client.peek(thingKind, 'good', 'default')?.status?.seen).toBe(1);
  expect(warnings.length).toBeGreaterThan(0);
  await end();
});

test('what a plan remembers comes back for the same object, not for another under its name', async () => {
  const seen: (number | undefined)[] = [];
  const { clock, client, end } = start<number>({
    reconcile: (_, __, ___, memory) => {
      seen.push(memory);
      return { writes: [], memory: (memory ?? 0) + 1 };
    },
  });
  client.put(thingKind, thing('a', 1));
  await clock.advance(10);
  client.put(thingKind, thing('a', 2));
  await clock.advance(10);
  await client.remove(thingKind, { name: 'a', namespace: 'default' });
  client.put(thingKind, thing('a', 3));
  await clock.advance(10);
  expect(seen).toEqual([undefined, 1, undefined]);
  await end();
});

test('it looks again when the plan says so', async () => {
  const times: number[] = [];
  const { clock, client, end } = start({
    reconcile: (_, __, nowMs) => {
      times.push(nowMs);
      return { writes: [], againInMs: 1000 };
    },
  });
  client.put(thingKind, thing('a'));
  await clock.advance(3500);
  expect(times.map(ms => ms - (times[0] ?? 0))).toEqual([0, 1000, 2000, 3000]);
  await end();
});

test('writes are made in order and the first failure ends the plan; what is gone or there already is no failure', async () => {
  const { clock, client, end } = start({
    reconcile: object =>
      object.metadata.name !== 'lead' || object.spec?.size === 0
        ? { writes: [] }
        : {
            writes: [
              createOf(thingKind, thing('there')),
              removeOf(thingKind, thing('never')),
              createOf(thingKind, thing('made')),
              createOf(thingKind, thing('refused')),
              createOf(thingKind, thing('after')),
              patchOf(thingKind, object, 'merge', { spec: { size: 0 } }),
            ],
          },
  });
  let refusing = true;
  client.fault = call =>
    refusing && call.name === 'refused' && call.verb === 'create' ? unavailable('no') : undefined;
  client.put(thingKind, thing('there'));
  client.put(thingKind, thing('lead', 1));
  await clock.advance(20);
  expect(client.all(thingKind).map(object => object.metadata.name)).toEqual(['lead', 'made', 'there']);
  refusing = false;
  await clock.advance(5000);
  expect(client.all(thingKind).map(object => object.metadata.name)).toEqual([
    'after',
    'lead',
    'made',
    'refused',
    'there',
  ]);
  expect(client.peek(thingKind, 'lead', 'default')?.spec?.size).toBe(0);
  await end();
});

test('many removals of one plan are made some at once', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `t${i}`);
  const { clock, client, end } = start({
    reconcile: object => ({
      writes:
        object.metadata.name === 'lead' && object.spec?.size === 1
          ? [
              ...names.map(name => removeOf(thingKind, thing(name))),
              patchOf(thingKind, object, 'merge', { spec: { size: 0 } }),
            ]
          : [],
    }),
  });
  for (const name of names) client.put(thingKind, thing(name));
  client.put(thingKind, thing('lead', 1));
  await clock.advance(1000);
  expect(client.all(thingKind).map(object => object.metadata.name)).toEqual(['lead']);
  await end();
});
