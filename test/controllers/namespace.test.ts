import { expect, test } from 'vitest';
import type { Kind } from '#api/kind.ts';
import {
  configMapKind,
  type Namespace,
  namespaceKind,
  nodeKind,
  podKind,
  serviceAccountKind,
} from '#api/kinds/core.ts';
import { podMetricsKind } from '#api/kinds/metrics.ts';
import type { KubeObject } from '#api/object.ts';
import { toTime } from '#base/clock.ts';
import { getPath } from '#base/deep.ts';
import { namespaceController, planNamespace } from '#controllers/namespace.ts';
import { rootCaPublisher, serviceAccounts } from '#controllers/namespace-defaults.ts';
import { startMs } from '#test/virtual.ts';
import { of, pod, viewOf } from './view.ts';

const namespace = (terminating: boolean, more: Partial<Namespace> = {}): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop', uid: 'uid-shop', ...(terminating ? { deletionTimestamp: toTime(startMs) } : {}) },
  spec: { finalizers: ['kubernetes'] },
  status: { phase: terminating ? 'Terminating' : 'Active' },
  ...more,
});
const configMap = (name: string, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, ...metadata },
});
const contents = (kind: Kind<never>, ...items: KubeObject[]) => ({
  kind: kind as unknown as Kind,
  list: { apiVersion: 'v1', kind: 'List', metadata: {}, items },
});
const plan = (pods: KubeObject[], maps: KubeObject[], one = namespace(true)) =>
  planNamespace(one, [contents(configMapKind, ...maps), contents(podKind, ...pods)], startMs);
const removals = (result: ReturnType<typeof plan>) =>
  result.writes.flatMap(write => (write.do === 'remove' ? [write.ref.name] : []));
const conditions = (result: ReturnType<typeof plan>) =>
  result.writes.flatMap(write =>
    write.do === 'patch' ? (getPath(write.patch.body, ['status', 'conditions']) as Record<string, unknown>[]) : [],
  );

test('a namespace that is not being deleted is left alone', () => {
  expect(planNamespace(namespace(false), [contents(configMapKind, configMap('a'))], startMs)).toEqual({ writes: [] });
});

test('pods go first, what they use when they have gone', () => {
  const shopPod = pod('web', { namespace: 'shop', node: 'n' });
  expect(removals(plan([shopPod], [configMap('a')]))).toEqual(['web']);
  const going = pod('web', { namespace: 'shop', node: 'n', metadata: { deletionTimestamp: toTime(startMs) } });
  const waiting = plan([going], [configMap('a')]);
  expect(removals(waiting)).toEqual([]);
  expect(waiting.againInMs).toBe(250);
  expect(removals(plan([], [configMap('a'), configMap('b')]))).toEqual(['a', 'b']);
});

test('when nothing is left the finalizer is taken off, and only ours', () => {
  const empty = plan([], [], namespace(true, { spec: { finalizers: ['other', 'kubernetes'] } }));
  expect(empty.writes).toMatchObject([
    {
      do: 'update',
      subresource: 'finalize',
      object: { metadata: { name: 'shop', uid: 'uid-shop' }, spec: { finalizers: ['other'] } },
    },
  ]);
  expect(plan([], [], namespace(true, { spec: { finalizers: ['other'] } })).writes).toEqual([]);
});

test('conditions say in upstream’s words what is waited for', () => {
  const held = configMap('held', { deletionTimestamp: toTime(startMs), finalizers: ['example.com/keep'] });
  const result = plan([pod('web', { namespace: 'shop' })], [held, configMap('b')]);
  expect(
    conditions(result).map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`),
  ).toEqual([
    'NamespaceDeletionDiscoveryFailure=False ResourcesDiscovered: All resources successfully discovered',
    'NamespaceDeletionGroupVersionParsingFailure=False ParsedGroupVersions: All legacy kube types successfully parsed',
    'NamespaceDeletionContentFailure=False ContentDeleted: All content successfully deleted, may be waiting on finalization',
    'NamespaceContentRemaining=True SomeResourcesRemain: Some resources are remaining: configmaps. has 2 resource instances, pods. has 1 resource instances',
    'NamespaceFinalizersRemaining=True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances',
  ]);
  const told = namespace(true, { status: { phase: 'Terminating', conditions: conditions(result) as never } });
  expect(conditions(plan([pod('web', { namespace: 'shop' })], [held, configMap('b')], told))).toEqual([]);
});

test('only kinds inside namespaces that can be deleted are looked at, and only for a namespace that is going', () => {
  const controller = namespaceController(
    [configMapKind, nodeKind, podMetricsKind, podKind].map(kind => kind as unknown as Kind),
  );
  expect(controller.reads?.(namespace(true)).map(read => [read.kind.plural, read.namespace])).toEqual([
    ['configmaps', 'shop'],
    ['pods', 'shop'],
  ]);
  expect(controller.reads?.(namespace(false))).toEqual([]);
});

test('every active namespace gets its ServiceAccount and the CA, a terminating one does not', () => {
  const ca = rootCaPublisher('CA');
  expect(serviceAccounts.reconcile(namespace(false), viewOf(), startMs, undefined).writes).toMatchObject([
    {
      do: 'create',
      kind: serviceAccountKind,
      object: { kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'shop' } },
    },
  ]);
  expect(ca.reconcile(namespace(false), viewOf(), startMs, undefined).writes).toMatchObject([
    {
      do: 'create',
      object: {
        kind: 'ConfigMap',
        metadata: { name: 'kube-root-ca.crt', namespace: 'shop' },
        data: { 'ca.crt': 'CA' },
      },
    },
  ]);
  expect(serviceAccounts.reconcile(namespace(true), viewOf(), startMs, undefined).writes).toEqual([]);
  expect(ca.reconcile(namespace(true), viewOf(), startMs, undefined).writes).toEqual([]);
});

test('a changed CA is put right, an equal one is not written', () => {
  const ca = rootCaPublisher('CA');
  const present = (data: Record<string, string>) =>
    viewOf(of(configMapKind, { ...configMap('kube-root-ca.crt'), data }));
  expect(ca.reconcile(namespace(false), present({ 'ca.crt': 'CA' }), startMs, undefined).writes).toEqual([]);
  expect(
    ca.reconcile(namespace(false), present({ 'ca.crt': 'old', extra: 'x' }), startMs, undefined).writes,
  ).toMatchObject([{ do: 'patch', patch: { type: 'merge', body: { data: { 'ca.crt': 'CA', extra: null } } } }]);
  expect(namespaceKind.namespaced).toBe(false);
});
