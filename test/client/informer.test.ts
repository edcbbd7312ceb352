import { expect, test } from 'vitest';
import { keyOf } from '#api/object.ts';
import { unavailable } from '#api/status.ts';
import { type Log, silentLog } from '#base/log.ts';
import { createStop } from '#base/stop.ts';
import { Informer, type ObjectChange } from '#client/informer.ts';
import { FakeClient } from '#test/client/fake-client.ts';
import { type Thing, thing, thingKind } from '#test/client/thing.ts';
import { virtualClock } from '#test/virtual.ts';

const told = (changes: readonly ObjectChange<Thing>[]) =>
  changes.map(({ was, now }) => `${was?.metadata.name ?? '-'}:${was?.spec?.size ?? '-'}>${now?.spec?.size ?? '-'}`);

const start = (log: Log = silentLog, more: { labelSelector?: string } = {}) => {
  const clock = virtualClock();
  const client = new FakeClient(clock);
  const informer = new Informer({ client, kind: thingKind, clock, log, ...more });
  const seen: string[][] = [];
  informer.subscribe(changes => seen.push(told(changes)));
  const stop = createStop();
  const run = () => informer.run(stop.signal);
  return { clock, client, informer, seen, stop, run };
};

test('the first list comes as one batch and makes it synced; changes follow in order with what was', async () => {
  const { clock, client, informer, seen, stop, run } = start();
  client.put(thingKind, thing('a', 1));
  client.put(thingKind, thing('b', 2));
  const ended = run();
  expect(informer.synced).toBe(false);
  await informer.whenSynced();
  expect(seen).toEqual([['-:->1', '-:->2']]);
  client.put(thingKind, thing('a', 5));
  client.put(thingKind, thing('c', 3));
  await client.remove(thingKind, { name: 'b', namespace: 'default' });
  await clock.advance(0);
  expect(seen.slice(1).flat()).toEqual(['a:1>5', '-:->3', 'b:2>-']);
  expect(informer.list().map(keyOf)).toEqual(['default/a', 'default/c']);
  expect([informer.get('default/a')?.spec?.size, informer.get('default/b'), informer.size]).toEqual([5, undefined, 2]);
  expect(informer.revision).toBe(client.revision);
  stop.stop();
  await ended;
  client.put(thingKind, thing('d', 1));
  await clock.advance(100_000);
  expect(informer.size).toBe(2);
});

test('an expired history leads to a new list of which listeners see only the difference', async () => {
  const { clock, client, informer, seen, stop, run } = start();
  for (const name of ['a', 'b', 'c']) client.put(thingKind, thing(name, 1));
  const ended = run();
  await informer.whenSynced();
  client.fault = call => (call.verb === 'watch' ? unavailable('away') : undefined);
  client.endWatches();
  await clock.advance(10);
  client.put(thingKind, thing('b', 2));
  await client.remove(thingKind, { name: 'c', namespace: 'default' });
  client.put(thingKind, thing('d', 9));
  client.compact();
  client.fault = () => undefined;
  await clock.advance(60_000);
  expect(seen.slice(1)).toEqual([['c:1>-', 'b:1>2', '-:->9']]);
  expect(informer.revision).toBe(client.revision);
  expect(client.calls.filter(call => call.verb === 'list').length).toBe(2);
  stop.stop();
  await ended;
});

test('an object deleted and made again between two lists is told as gone and as new', async () => {
  const { clock, client, seen, informer, stop, run } = start();
  client.put(thingKind, thing('a', 1, { uid: 'one' }));
  const ended = run();
  await informer.whenSynced();
  client.fault = call => (call.verb === 'watch' ? unavailable('away') : undefined);
  client.endWatches();
  await clock.advance(0);
  await client.remove(thingKind, { name: 'a', namespace: 'default' });
  client.put(thingKind, thing('a', 7, { uid: 'two' }));
  client.compact();
  client.fault = () => undefined;
  await clock.advance(60_000);
  expect(seen.slice(1)).toEqual([['a:1>-', '-:->7']]);
  stop.stop();
  await ended;
});

test('while the server is away it retries with growing delays and then goes on where it was', async () => {
  const { clock, client, informer, seen, stop, run } = start();
  client.fault = () => unavailable('connection refused');
  const ended = run();
  await clock.advance(120_000);
  const tries = client.calls.length;
  expect(informer.synced).toBe(false);
  expect(tries).toBeGreaterThan(5);
  expect(tries).toBeLessThan(20);
  client.fault = () => undefined;
  client.put(thingKind, thing('a', 1));
  await clock.advance(40_000);
  expect(seen).toEqual([['-:->1']]);
  stop.stop();
  await ended;
});

test('a server that ends each watch at once is not hammered', async () => {
  const { clock, client, stop, run } = start();
  const ended = run();
  await clock.advance(0);
  const nagging = (async () => {
    while (!stop.signal.aborted) {
      client.endWatches();
      await clock.sleep(1, stop.signal);
    }
  })();
  await clock.advance(10_000);
  expect(client.calls.filter(call => call.verb === 'watch').length).toBeLessThan(12);
  stop.stop();
  await Promise.all([ended, nagging]);
});

test('a listener that throws is logged and costs neither the others nor the informer anything', async () => {
  const errors: string[] = [];
  const { clock, client, informer, stop, run } = start({
    ...silentLog,
    error: (_, message) => void errors.push(message),
  });
  const seen: string[] = [];
  informer.subscribe(() => {
    throw new Error('a bug');
  });
  informer.subscribe(changes => seen.push(...told(changes)));
  const ended = run();
  client.put(thingKind, thing('a', 1));
  await clock.advance(0);
  client.put(thingKind, thing('a', 2));
  await clock.advance(0);
  expect(seen).toEqual(['-:->1', 'a:1>2']);
  expect(errors).toEqual(['a listener of an informer failed', 'a listener of an informer failed']);
  stop.stop();
  await ended;
});

test('objects of the cache are frozen and unchanged ones are the same object', async () => {
  const { clock, client, informer, stop, run } = start();
  client.put(thingKind, thing('a', 1));
  const ended = run();
  await informer.whenSynced();
  const before = informer.get('default/a');
  expect(Object.isFrozen(before?.spec)).toBe(true);
  client.put(thingKind, thing('b', 1));
  await clock.advance(0);
  expect(informer.get('default/a')).toBe(before);
  stop.stop();
  await ended;
});

test('big collections are listed in pages', async () => {
  const { client, informer, seen, stop, run } = start();
  for (let i = 0; i < 2100; i++) client.put(thingKind, thing(`t${i}`, i));
  const ended = run();
  await informer.whenSynced();
  expect(client.calls.filter(call => call.verb === 'list').length).toBe(3);
  expect([informer.size, seen.length]).toEqual([2100, 1]);
  stop.stop();
  await ended;
});

test('with a selector an object that stops matching is gone', async () => {
  const { clock, client, informer, seen, stop, run } = start(silentLog, { labelSelector: 'app=web' });
  client.put(thingKind, thing('a', 1, { labels: { app: 'web' } }));
  client.put(thingKind, thing('b', 1, { labels: { app: 'db' } }));
  const ended = run();
  await informer.whenSynced();
  client.put(thingKind, thing('a', 1, { labels: { app: 'db' } }));
  client.put(thingKind, thing('b', 3, { labels: { app: 'web' } }));
  await clock.advance(0);
  expect(seen.flat()).toEqual(['-:->1', 'a:1>-', '-:->3']);
  stop.stop();
  await ended;
});
