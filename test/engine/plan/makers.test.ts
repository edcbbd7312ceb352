/** Which pods the kinds that make pods would make and delete. */
import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/kinds/core.ts';
import { isBoundToNode, type Making, makerOf, successorOf } from '#engine/plan/makers.ts';

const template = { metadata: { labels: { app: 'x' }, annotations: { a: 'b' } }, spec: { containers: [] } };
const setOf = (kind: string, spec: object) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'x', namespace: 'default', uid: 'x' },
  spec: { selector: {}, template, ...spec },
});
const make = (kind: string, spec: object, own: readonly Pod[] = [], hasNewTemplate = false): Making => {
  const set = setOf(kind, spec);
  return makerOf(set)!.make(set as never, own, hasNewTemplate);
};

const pod = (name: string, more: { node?: string; phase?: string; ready?: boolean; created?: string } = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, creationTimestamp: more.created ?? '2026-01-01T00:00:00Z' },
    spec: { containers: [], ...(more.node === undefined ? {} : { nodeName: more.node }) },
    status: {
      phase: more.phase ?? 'Pending',
      conditions: more.ready ? [{ type: 'Ready', status: 'True' }] : [],
    },
  }) as unknown as Pod;

const names = (pods: readonly { name?: string; metadata?: { name: string } }[]) =>
  pods.map(one => one.name ?? one.metadata?.name);

describe('a ReplicaSet', () => {
  test('makes what is missing, by the template', () => {
    const { create, remove } = make('ReplicaSet', { replicas: 3 }, [pod('x-1')]);
    expect(create).toEqual(
      [1, 2].map(() => ({ generateName: 'x-', labels: { app: 'x' }, annotations: { a: 'b' }, spec: template.spec })),
    );
    expect(remove).toEqual([]);
    expect(make('ReplicaSet', {}).create).toHaveLength(1);
  });

  test('takes first what is missed least: without a node, pending, not ready, newest', () => {
    const own = [
      pod('old', { node: 'n', phase: 'Running', ready: true }),
      pod('new', { node: 'n', phase: 'Running', ready: true, created: '2026-02-01T00:00:00Z' }),
      pod('unready', { node: 'n', phase: 'Running' }),
      pod('starting', { node: 'n' }),
      pod('homeless'),
    ];
    const removed = (replicas: number) => names(make('ReplicaSet', { replicas }, own).remove);
    expect(removed(0)).toEqual(['homeless', 'starting', 'unready', 'new', 'old']);
    expect(removed(3)).toEqual(['homeless', 'starting']);
    expect(removed(5)).toEqual([]);
  });

  test('leaves pods of an older template alone', () => {
    expect(make('ReplicaSet', { replicas: 1 }, [pod('x-1')], true)).toEqual({ create: [], remove: [] });
  });
});

describe('a StatefulSet', () => {
  test('makes pods with ordinals, from where it says', () => {
    const { create } = make('StatefulSet', { replicas: 2, serviceName: 'svc', ordinals: { start: 5 } }, [pod('x-5')]);
    expect(create).toMatchObject([
      {
        name: 'x-6',
        labels: { app: 'x', 'statefulset.kubernetes.io/pod-name': 'x-6', 'apps.kubernetes.io/pod-index': '6' },
        spec: { hostname: 'x-6', subdomain: 'svc' },
      },
    ]);
  });

  test('deletes what is beyond', () => {
    const { create, remove } = make('StatefulSet', { replicas: 1 }, [pod('x-0'), pod('x-1'), pod('x-2')]);
    expect([names(create), names(remove)]).toEqual([[], ['x-1', 'x-2']]);
  });

  test('replaces pods from the partition on when its template changes, unless told not to', () => {
    const own = [pod('x-0'), pod('x-1'), pod('x-2')];
    const updated = (updateStrategy: object) => {
      const { create, remove } = make('StatefulSet', { replicas: 3, updateStrategy }, own, true);
      return [names(create), names(remove)];
    };
    expect(updated({ type: 'RollingUpdate' })).toEqual([
      ['x-0', 'x-1', 'x-2'],
      ['x-0', 'x-1', 'x-2'],
    ]);
    expect(updated({ type: 'RollingUpdate', rollingUpdate: { partition: 2 } })).toEqual([['x-2'], ['x-2']]);
    expect(updated({ type: 'OnDelete' })).toEqual([[], []]);
  });
});

test('pods of DaemonSets and static pods stay with their node; bare pods are not made again', () => {
  const owned = (kind: string): Pod => {
    const one = pod('p', { node: 'n' });
    const owner = { apiVersion: 'x/v1', kind, name: 'o', uid: 'o', controller: true };
    return { ...one, metadata: { ...one.metadata, ownerReferences: [owner] } };
  };
  expect(['DaemonSet', 'Node', 'ReplicaSet', 'Job'].map(kind => isBoundToNode(owned(kind)))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(['DaemonSet', 'Node', 'ReplicaSet', 'Job'].map(kind => successorOf(owned(kind)) !== undefined)).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(successorOf(pod('bare', { node: 'n' }))).toBeUndefined();
});
