import { beforeEach, describe, expect, test } from 'vitest';
import type { Kind } from '#api/kind.ts';
import { configMapKind, podKind } from '#api/kinds/core.ts';
import type { KubeObject } from '#api/object.ts';
import type { RegistryEvent, WatchRequest } from '#registry/read.ts';
import { createPod, createWorld, failure, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
const maps = configMapKind as unknown as Kind;
const pods = podKind as unknown as Kind;
const make = async (...names: string[]) => {
  for (const name of names) await world.create(configMapKind, { metadata: { name, labels: { letter: name } } });
};
const names = (entries: readonly { value: KubeObject }[]) => entries.map(entry => entry.value.metadata.name);

const shown = (event: RegistryEvent): string =>
  event.type === 'BOOKMARK'
    ? `BOOKMARK${event.initial ? ' initial' : ''}`
    : `${event.type} ${event.entry.value.metadata.name}@${event.entry.value.metadata.resourceVersion}`;

/** Collects `count` events of a watch while `work` is done. */
const watching = async (
  request: Omit<WatchRequest, 'signal'>,
  count: number,
  work: () => Promise<unknown>,
  kind = maps,
) => {
  const abort = new AbortController();
  const events = world.registry.watch(kind, { ...request, signal: abort.signal });
  const collected = (async () => {
    const seen: string[] = [];
    for await (const batch of events) {
      seen.push(...batch.map(shown));
      if (seen.length >= count) break;
    }
    return seen;
  })();
  await work();
  const seen = await collected;
  abort.abort();
  return seen;
};

describe('list', () => {
  test('pages through one revision, whatever is written meanwhile', async () => {
    await make('a', 'b', 'c', 'd', 'e');
    const first = world.registry.list(maps, { namespace: 'default', limit: 2 });
    expect(names(first.entries)).toEqual(['a', 'b']);
    expect(first.remaining).toBe(3);
    await world.registry.remove({ kind: maps, namespace: 'default', name: 'c' }, {}, world.context());
    await make('bb', 'f');
    const second = world.registry.list(maps, { namespace: 'default', limit: 2, continue: first.continue });
    expect(names(second.entries)).toEqual(['c', 'd']);
    expect(second.rev).toBe(first.rev);
    const third = world.registry.list(maps, { namespace: 'default', limit: 2, continue: second.continue });
    expect(names(third.entries)).toEqual(['e']);
    expect(third.continue).toBeUndefined();
  });

  test('tells when a page’s revision is gone, and how to go on', async () => {
    world = await createWorld({ retention: { minChanges: 10, maxChanges: 20, ageMs: 1000 } });
    await make('a', 'b', 'c');
    const first = world.registry.list(maps, { namespace: 'default', limit: 1 });
    for (let i = 0; i < 60; i++)
      await world.patch(configMapKind, 'a', { type: 'merge', body: { data: { i: String(i) } } });
    const status = await failure(() =>
      world.registry.list(maps, { namespace: 'default', limit: 1, continue: first.continue }),
    );
    expect(status).toMatchObject({ code: 410, reason: 'Expired' });
    const token = String(status.metadata['continue']);
    expect(names(world.registry.list(maps, { namespace: 'default', continue: token }).entries)).toEqual(['b', 'c']);
  });

  test('selects by labels and fields, over all namespaces or one', async () => {
    await make('a', 'b');
    await world.create(configMapKind, { metadata: { name: 'a', namespace: 'other', labels: { letter: 'a' } } });
    const select = (request: object) => names(world.registry.list(maps, request).entries);
    expect(select({ labelSelector: 'letter=a' })).toEqual(['a', 'a']);
    expect(select({ namespace: 'other', fieldSelector: 'metadata.name=a' })).toEqual(['a']);
    expect(select({ fieldSelector: 'metadata.name=a,metadata.namespace!=other' })).toEqual(['a']);
    expect(select({ labelSelector: 'letter in (b,c)', limit: 1 })).toEqual(['b']);
  });

  test('refuses fields it does not know, broken tokens and revisions of the future', async () => {
    expect(await failure(() => world.registry.list(pods, { fieldSelector: 'spec.bogus=1' }))).toMatchObject({
      code: 400,
      message: 'field label not supported: spec.bogus',
    });
    expect(await failure(() => world.registry.list(maps, { continue: 'garbage' }))).toMatchObject({ code: 400 });
    const other = world.registry.list(pods, {});
    expect(other.continue).toBeUndefined();
    const request = { resourceVersion: '99999', resourceVersionMatch: 'Exact' };
    expect(await failure(() => world.registry.list(maps, request))).toMatchObject({ code: 504, reason: 'Timeout' });
  });
});

describe('watch', () => {
  test('without a revision begins with what is there', async () => {
    await make('a');
    const seen = await watching({ namespace: 'default' }, 2, () => make('b'));
    const rev = world.registry.store.rev;
    expect(seen).toEqual([`ADDED a@${rev - 1}`, `ADDED b@${rev}`]);
  });

  test('from a revision shows only what came after, removals with their own revision', async () => {
    await make('a');
    const resourceVersion = String(world.registry.store.rev);
    const seen = await watching({ resourceVersion }, 3, async () => {
      await make('b');
      await world.patch(configMapKind, 'a', { type: 'merge', body: { data: { x: 'y' } } });
      await world.registry.remove({ kind: maps, namespace: 'default', name: 'a' }, {}, world.context());
    });
    const rev = Number(resourceVersion);
    expect(seen).toEqual([`ADDED b@${rev + 1}`, `MODIFIED a@${rev + 2}`, `DELETED a@${rev + 3}`]);
  });

  test('of a selection shows coming and going as ADDED and DELETED', async () => {
    await make('a');
    const label = (letter: string) =>
      world.patch(configMapKind, 'a', { type: 'merge', body: { metadata: { labels: { letter } } } });
    const request = { labelSelector: 'letter=a', resourceVersion: String(world.registry.store.rev) };
    const rev = world.registry.store.rev;
    const seen = await watching(request, 2, async () => {
      await label('z');
      await label('y');
      await label('a');
    });
    expect(seen).toEqual([`DELETED a@${rev + 1}`, `ADDED a@${rev + 3}`]);
  });

  test('with sendInitialEvents ends the beginning with an annotated bookmark', async () => {
    await make('a', 'b');
    const request = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true };
    const seen = await watching({ ...request, fieldSelector: 'metadata.name=b' }, 2, async () => {});
    expect(seen).toEqual([expect.stringContaining('ADDED b@'), 'BOOKMARK initial']);
    expect(await failure(() => watching({ sendInitialEvents: true }, 1, async () => {}))).toMatchObject({ code: 422 });
  });

  test('sends a bookmark when nothing else happens for a minute', async () => {
    await make('a');
    const request = { resourceVersion: String(world.registry.store.rev), allowWatchBookmarks: true };
    expect(await watching(request, 1, () => world.clock.advance(60_000))).toEqual(['BOOKMARK']);
  });

  test('from a revision that is gone is refused at once, from the future too', async () => {
    world = await createWorld({ retention: { minChanges: 10, maxChanges: 20, ageMs: 1000 } });
    await make('a');
    for (let i = 0; i < 60; i++)
      await world.patch(configMapKind, 'a', { type: 'merge', body: { data: { i: String(i) } } });
    const signal = new AbortController().signal;
    expect(await failure(() => world.registry.watch(maps, { resourceVersion: '2', signal }))).toMatchObject({
      code: 410,
      reason: 'Expired',
      message: expect.stringContaining('too old resource version: 2'),
    });
    expect(await failure(() => world.registry.watch(maps, { resourceVersion: '999999', signal }))).toMatchObject({
      code: 504,
    });
  });

  test('pods by node sees a pod arrive when it is bound', async () => {
    await createPod(world, 'web');
    const request = { fieldSelector: 'spec.nodeName=n1', resourceVersion: String(world.registry.store.rev) };
    const bind = () =>
      world.registry.bind(
        { namespace: 'default', name: 'web' },
        { metadata: {}, target: { name: 'n1' } },
        world.context(),
      );
    expect(await watching(request, 1, bind, pods)).toEqual([expect.stringContaining('ADDED web@')]);
  });
});
