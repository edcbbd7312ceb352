/** The kinds of the core group: what generic code needs to know of each, and the types under the names of Go's API. */
import {
  configMapColumns,
  eventColumns,
  namespaceColumns,
  nodeColumns,
  podColumns,
  secretColumns,
  serviceAccountColumns,
  serviceColumns,
} from '#api/columns/core.ts';
import { defaultNamespace, defaultNode, defaultSecret, defaultService } from '#api/defaults-kinds.ts';
import { defaultPod } from '#api/defaults-pod.ts';
import { allVerbs, type Kind, type Subresource, verbsWithoutCollection } from '#api/kind.ts';
import {
  unsupportedInPod,
  unsupportedInSecret,
  unsupportedInService,
  unsupportedInServiceAccount,
} from '#api/unsupported.ts';
import {
  validateConfigMap,
  validateEvent,
  validateNamespace,
  validateNode,
  validateSecret,
} from '#api/validate-kinds.ts';
import { validatePod } from '#api/validate-pod.ts';
import { validateService } from '#api/validate-workload.ts';
import { warningsOfPod } from '#api/warnings-pod.ts';
import type { ConfigMap, Event, Namespace, Secret, ServiceAccount } from './config.ts';
import { configMapSchema, eventSchema, namespaceSchema, secretSchema, serviceAccountSchema } from './config.ts';
import { type Node, nodeSchema } from './node.ts';
import { type Pod, podSchema } from './pod.ts';
import { prepareNamespace, prepareNamespaceUpdate, preparePod } from './prepare.ts';
import { type Service, serviceSchema } from './service.ts';

export type * from './affinity.ts';
export type * from './config.ts';
export type * from './container.ts';
export type * from './env.ts';
export type * from './meta.ts';
export type * from './node.ts';
export type * from './pod.ts';
export type * from './pod-status.ts';
export type * from './probe.ts';
export type * from './service.ts';
export type * from './volume.ts';

export type ResourceList = Record<string, string>;

const core = { group: '', version: 'v1', verbs: allVerbs } as const;
const none = { shortNames: [], categories: [], selectable: {}, hasStatus: false, hasGeneration: false } as const;
const status: Subresource = { name: 'status', verbs: ['get', 'patch', 'update'] };

export const podKind: Kind<Pod> = {
  ...core,
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  schema: podSchema,
  columns: podColumns,
  selectable: {
    'spec.nodeName': pod => pod.spec.nodeName ?? '',
    'spec.restartPolicy': pod => pod.spec.restartPolicy ?? '',
    'spec.schedulerName': pod => pod.spec.schedulerName ?? '',
    'spec.serviceAccountName': pod => pod.spec.serviceAccountName ?? '',
    'spec.hostNetwork': pod => String(pod.spec.hostNetwork ?? false),
    'status.phase': pod => pod.status?.phase ?? '',
    'status.podIP': pod => pod.status?.podIP ?? '',
    'status.nominatedNodeName': pod => pod.status?.nominatedNodeName ?? '',
  },
  hasStatus: true,
  hasGeneration: true,
  subresources: [
    status,
    { name: 'binding', body: { group: '', version: 'v1', kind: 'Binding' }, verbs: ['create'] },
    { name: 'eviction', body: { group: 'policy', version: 'v1', kind: 'Eviction' }, verbs: ['create'] },
    { name: 'log', verbs: ['get'] },
    { name: 'exec', body: { group: '', version: 'v1', kind: 'PodExecOptions' }, verbs: ['create', 'get'] },
    { name: 'attach', body: { group: '', version: 'v1', kind: 'PodAttachOptions' }, verbs: ['create', 'get'] },
  ],
  defaults: defaultPod,
  prepareCreate: preparePod,
  validate: validatePod,
  // Programs update pods, people make them: as upstream, only these are warned.
  warnings: (pod, old) => (old === undefined ? warningsOfPod(pod) : []),
  unsupported: unsupportedInPod,
};

export const nodeKind: Kind<Node> = {
  ...core,
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  categories: [],
  namespaced: false,
  schema: nodeSchema,
  columns: nodeColumns,
  selectable: { 'spec.unschedulable': node => String(node.spec.unschedulable ?? false) },
  hasStatus: true,
  hasGeneration: false,
  subresources: [status],
  defaults: defaultNode,
  validate: validateNode,
};

export const namespaceKind: Kind<Namespace> = {
  ...core,
  verbs: verbsWithoutCollection,
  ...none,
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  namespaced: false,
  schema: namespaceSchema,
  columns: namespaceColumns,
  selectable: {
    name: namespace => namespace.metadata.name,
    'status.phase': namespace => namespace.status?.phase ?? '',
  },
  hasStatus: true,
  subresources: [status, { name: 'finalize', verbs: ['update'] }],
  defaults: defaultNamespace,
  prepareCreate: prepareNamespace,
  prepareUpdate: prepareNamespaceUpdate,
  validate: validateNamespace,
};

export const eventKind: Kind<Event> = {
  ...core,
  ...none,
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  namespaced: true,
  schema: eventSchema,
  columns: eventColumns,
  selectable: {
    'involvedObject.kind': event => event.involvedObject?.kind ?? '',
    'involvedObject.namespace': event => event.involvedObject?.namespace ?? '',
    'involvedObject.name': event => event.involvedObject?.name ?? '',
    'involvedObject.uid': event => event.involvedObject?.uid ?? '',
    'involvedObject.apiVersion': event => event.involvedObject?.apiVersion ?? '',
    'involvedObject.resourceVersion': event => event.involvedObject?.resourceVersion ?? '',
    'involvedObject.fieldPath': event => event.involvedObject?.fieldPath ?? '',
    reason: event => event.reason ?? '',
    reportingComponent: event => event.reportingComponent ?? '',
    source: event => event.source?.component || (event.reportingComponent ?? ''),
    type: event => event.type ?? '',
  },
  subresources: [],
  validate: validateEvent,
};

export const configMapKind: Kind<ConfigMap> = {
  ...core,
  ...none,
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  namespaced: true,
  schema: configMapSchema,
  columns: configMapColumns,
  subresources: [],
  validate: validateConfigMap,
};

export const secretKind: Kind<Secret> = {
  ...core,
  ...none,
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  namespaced: true,
  schema: secretSchema,
  columns: secretColumns,
  selectable: { type: secret => secret.type ?? '' },
  subresources: [],
  defaults: defaultSecret,
  validate: validateSecret,
  unsupported: unsupportedInSecret,
};

export const serviceAccountKind: Kind<ServiceAccount> = {
  ...core,
  ...none,
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  namespaced: true,
  schema: serviceAccountSchema,
  columns: serviceAccountColumns,
  subresources: [],
  unsupported: unsupportedInServiceAccount,
};

export const serviceKind: Kind<Service> = {
  ...core,
  ...none,
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  schema: serviceSchema,
  columns: serviceColumns,
  selectable: {
    'spec.clusterIP': service => service.spec.clusterIP ?? '',
    'spec.type': service => service.spec.type ?? '',
  },
  hasStatus: true,
  subresources: [status],
  defaults: defaultService,
  prepareCreate: service => {
    service.status = { loadBalancer: {} };
  },
  validate: validateService,
  unsupported: unsupportedInService,
};
