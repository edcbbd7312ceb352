/**
 * What every namespace has from its birth on: the ServiceAccount `default` and the ConfigMap `kube-root-ca.crt` with the
 * CA of the API server. Made again when deleted, and put right when changed.
 */
import { type ConfigMap, configMapKind, type Namespace, namespaceKind, serviceAccountKind } from '#api/kinds/core.ts';
import type { KubeObject } from '#api/object.ts';
import { deepEqual } from '#base/deep.ts';
import type { Controller, Watch } from '#client/controller.ts';
import { createOf, patchOf } from '#client/plan.ts';

const accountName = 'default';
const configMapName = 'kube-root-ca.crt';
/** Upstream's annotation (rootcacertpublisher). */
const description = {
  'kubernetes.io/description':
    'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
};

/** A change of the object in a namespace concerns that namespace. */
const namespaceOf = ({ was, now }: { was: KubeObject | undefined; now: KubeObject | undefined }): string[] => {
  const name = (now ?? was)?.metadata.namespace;
  return name === undefined ? [] : [name];
};

const isActive = (namespace: Namespace): boolean =>
  namespace.metadata.deletionTimestamp === undefined && namespace.status?.phase !== 'Terminating';

const accounts: Watch = {
  kind: serviceAccountKind,
  fieldSelector: `metadata.name=${accountName}`,
  keys: namespaceOf,
};

export const serviceAccounts: Controller<Namespace> = {
  name: 'serviceaccount-controller',
  kind: namespaceKind,
  watches: [accounts],
  reconcile: (namespace, view) => {
    const { name } = namespace.metadata;
    if (!isActive(namespace) || view.get(serviceAccountKind, `${name}/${accountName}`)) return { writes: [] };
    const metadata = { name: accountName, namespace: name };
    return { writes: [createOf(serviceAccountKind, { apiVersion: 'v1', kind: 'ServiceAccount', metadata })] };
  },
};

const configMaps: Watch = {
  kind: configMapKind,
  fieldSelector: `metadata.name=${configMapName}`,
  keys: namespaceOf,
};

export const rootCaPublisher = (caPem: string): Controller<Namespace> => ({
  name: 'root-ca-certificate-publisher-controller',
  kind: namespaceKind,
  watches: [configMaps],
  reconcile: (namespace, view) => {
    if (!isActive(namespace)) return { writes: [] };
    const present = view.get(configMapKind, `${namespace.metadata.name}/${configMapName}`);
    const data = { 'ca.crt': caPem };
    if (present === undefined) return { writes: [createOf(configMapKind, rootCa(namespace.metadata.name, data))] };
    if (deepEqual(present.data, data)) return { writes: [] };
    // Null takes keys out that do not belong there.
    const foreign = Object.fromEntries(Object.keys(present.data ?? {}).map(key => [key, null]));
    return { writes: [patchOf(configMapKind, present, 'merge', { data: { ...foreign, ...data } })] };
  },
});

const rootCa = (namespace: string, data: Record<string, string>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: configMapName, namespace, annotations: description },
  data,
});
