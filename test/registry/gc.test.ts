import { describe, expect, test } from 'vitest';
import type { Kind } from '#api/kind.ts';
import { configMapKind, type Event, podKind } from '#api/kinds/core.ts';
import type { KubeObject, ObjectMeta } from '#api/object.ts';
import { type Collectable, expiredEvents, planCollection } from '#registry/gc.ts';

const item = (kind: Kind<never>, metadata: ObjectMeta): Collectable => {
  const plain = kind as unknown as Kind;
  return { kind: plain, object: { apiVersion: 'v1', kind: plain.kind, metadata } };
};
const map = (name: string, more: Partial<ObjectMeta> = {}) =>
  item(configMapKind, { name, namespace: 'default', uid: `u-${name}`, ...more });
const owners = (...names: string[]) => ({
  ownerReferences: names.map(name => ({ apiVersion: 'v1', kind: 'ConfigMap', name, uid: `u-${name}` })),
});
const going = (...finalizers: string[]) => ({ deletionTimestamp: '2026-01-01T00:00:00Z', finalizers });
const shown = (all: readonly Collectable[]) =>
  planCollection(all).map(step => {
    const what =
      step.action === 'delete' ? step.propagation : step.action === 'disown' ? [...step.owners].join() : step.finalizer;
    return `${step.action} ${step.ref.name} ${what}`;
  });

describe('the plan of a collection', () => {
  test('is empty when every owner is there', () => {
    expect(shown([map('a'), map('b', owners('a'))])).toEqual([]);
  });

  test('deletes what has lost all its owners, and cuts the ties to some that are gone', () => {
    expect(shown([map('a'), map('lost', owners('x', 'y')), map('half', owners('a', 'x'))])).toEqual([
      'delete lost Background',
      'disown half u-x',
    ]);
  });

  test('does not take another object of the name or uid for the owner', () => {
    const wrongKind = item(podKind, { name: 'a', namespace: 'default', uid: 'u-a' });
    expect(shown([wrongKind, map('b', owners('a'))])).toEqual(['delete b Background']);
    expect(shown([map('a', { uid: 'new' }), map('b', owners('a'))])).toEqual(['delete b Background']);
  });

  test('leaves alone what is being deleted already', () => {
    expect(shown([map('b', { ...owners('x'), ...going('x.io/f') })])).toEqual([]);
  });

  test('in the foreground deletes dependents first, from the bottom up, and lets the owner go last', () => {
    const blocking = (name: string) => ({
      ownerReferences: [{ ...owners(name).ownerReferences[0]!, blockOwnerDeletion: true }],
    });
    const owner = map('a', going('foregroundDeletion'));
    expect(shown([owner, map('b', blocking('a'))])).toEqual(['delete b Background']);
    expect(shown([owner, map('b', blocking('a')), map('c', blocking('b'))])).toEqual(['delete b Foreground']);
    expect(shown([owner])).toEqual(['dropFinalizer a foregroundDeletion']);
    expect(shown([owner, map('b', owners('a'))])).toEqual([
      'dropFinalizer a foregroundDeletion',
      'delete b Background',
    ]);
  });

  test('orphans dependents, then lets the owner go', () => {
    const owner = map('a', going('orphan'));
    expect(shown([owner, map('b', owners('a'))])).toEqual(['disown b u-a']);
    expect(shown([owner])).toEqual(['dropFinalizer a orphan']);
  });
});

test('events live for an hour after they last happened', () => {
  const nowMs = Date.parse('2026-11-21T12:00:00Z');
  const event = (name: string, times: object) =>
    ({ apiVersion: 'v1', kind: 'Event', metadata: { name }, ...times }) as Event & KubeObject;
  const events = [
    event('old', { lastTimestamp: '2026-11-21T10:59:59Z' }),
    event('fresh', { firstTimestamp: '2026-11-20T00:00:00Z', lastTimestamp: '2026-11-21T11:00:01Z' }),
    event('series', {
      eventTime: '2026-11-20T00:00:00.000000Z',
      series: { lastObservedTime: '2026-11-21T11:30:00.000000Z' },
    }),
    event('timeless', {}),
  ];
  expect(expiredEvents(events, nowMs).map(({ metadata }) => metadata.name)).toEqual(['old']);
});
