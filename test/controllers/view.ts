/** A View over given objects, and small objects to put into it, for tests of pure controllers. */
import { groupResource, type Kind } from '#api/kind.ts';
import type { Node, NodeCondition, Pod, PodCondition, Taint } from '#api/kinds/core.ts';
import { type KubeObject, keyOf } from '#api/object.ts';
import { toTime } from '#base/clock.ts';
import type { View } from '#client/caches.ts';
import { startMs } from '#test/virtual.ts';

export const of = <T extends KubeObject>(kind: Kind<T>, ...objects: T[]): [string, readonly KubeObject[]] => [
  groupResource(kind),
  objects,
];

export const viewOf = (...contents: [string, readonly KubeObject[]][]): View => {
  const all = new Map(contents);
  const list = <T extends KubeObject>(kind: Kind<T>) => (all.get(groupResource(kind)) ?? []) as unknown as readonly T[];
  return {
    list,
    get: (kind, key) => list(kind).find(object => keyOf(object) === key),
    by: (index, value) => list(index.kind).filter(object => index.value(object) === value),
    fetched: kind => ({ apiVersion: 'v1', kind: 'List', metadata: {}, items: list(kind) }),
  };
};

export const condition = (type: string, status: string, more: Partial<NodeCondition> = {}): NodeCondition =>
  ({ type, status, lastHeartbeatTime: toTime(startMs), ...more }) as NodeCondition;

export const node = (
  name: string,
  conditions: readonly NodeCondition[],
  more: { labels?: Record<string, string>; taints?: Taint[]; unschedulable?: boolean } = {},
): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    creationTimestamp: toTime(startMs),
    ...(more.labels ? { labels: more.labels } : {}),
  },
  spec: {
    ...(more.taints ? { taints: more.taints } : {}),
    ...(more.unschedulable ? { unschedulable: true } : {}),
  },
  status: { conditions: [...conditions] },
});

export const pod = (
  name: string,
  more: {
    namespace?: string;
    node?: string;
    phase?: NonNullable<Pod['status']>['phase'];
    reason?: string;
    ready?: boolean;
    metadata?: Partial<Pod['metadata']>;
    spec?: Partial<Pod['spec']>;
  } = {},
): Pod => {
  const ready = { type: 'Ready', status: more.ready ? 'True' : 'False' } as PodCondition;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: more.namespace ?? 'default', uid: `uid-${name}`, ...more.metadata },
    spec: { containers: [], ...(more.node ? { nodeName: more.node } : {}), ...more.spec } as Pod['spec'],
    status: {
      phase: more.phase ?? 'Running',
      ...(more.reason ? { reason: more.reason } : {}),
      ...(more.ready === undefined ? {} : { conditions: [ready] }),
    },
  };
};
