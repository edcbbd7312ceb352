/** What the fake API of test/cli tells of itself: its kinds, discovery and OpenAPI. */

export interface FakeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
  };
  [field: string]: unknown;
}

export interface FakeResource {
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  shortNames?: string[];
  categories?: string[];
  /** Cells after NAME and before AGE. */
  columns?: { name: string; priority?: number; cell: (object: FakeObject) => unknown }[];
}

const podStatus = (object: FakeObject): string => (object['status'] as { phase?: string } | undefined)?.phase ?? '';
export const resources: readonly FakeResource[] = [
  {
    group: '',
    version: 'v1',
    plural: 'pods',
    singular: 'pod',
    kind: 'Pod',
    namespaced: true,
    shortNames: ['po'],
    categories: ['all'],
    columns: [
      { name: 'Status', cell: podStatus },
      { name: 'Node', priority: 1, cell: object => (object['spec'] as { nodeName?: string }).nodeName ?? '<none>' },
    ],
  },
  { group: '', version: 'v1', plural: 'nodes', singular: 'node', kind: 'Node', namespaced: false, shortNames: ['no'] },
  {
    group: '',
    version: 'v1',
    plural: 'events',
    singular: 'event',
    kind: 'Event',
    namespaced: true,
    shortNames: ['ev'],
  },
  {
    group: '',
    version: 'v1',
    plural: 'configmaps',
    singular: 'configmap',
    kind: 'ConfigMap',
    namespaced: true,
    shortNames: ['cm'],
  },
  { group: '', version: 'v1', plural: 'secrets', singular: 'secret', kind: 'Secret', namespaced: true },
  {
    group: '',
    version: 'v1',
    plural: 'serviceaccounts',
    singular: 'serviceaccount',
    kind: 'ServiceAccount',
    namespaced: true,
    shortNames: ['sa'],
  },
  {
    group: '',
    version: 'v1',
    plural: 'namespaces',
    singular: 'namespace',
    kind: 'Namespace',
    namespaced: false,
    shortNames: ['ns'],
  },
  {
    group: 'apps',
    version: 'v1',
    plural: 'replicasets',
    singular: 'replicaset',
    kind: 'ReplicaSet',
    namespaced: true,
    shortNames: ['rs'],
    categories: ['all'],
  },
  { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', singular: 'lease', kind: 'Lease', namespaced: true },
  {
    group: 'scheduling.k8s.io',
    version: 'v1',
    plural: 'priorityclasses',
    singular: 'priorityclass',
    kind: 'PriorityClass',
    namespaced: false,
    shortNames: ['pc'],
  },
  {
    group: 'metrics.k8s.io',
    version: 'v1beta1',
    plural: 'nodes',
    singular: '',
    kind: 'NodeMetrics',
    namespaced: false,
  },
  { group: 'metrics.k8s.io', version: 'v1beta1', plural: 'pods', singular: '', kind: 'PodMetrics', namespaced: true },
];

export const groupVersion = (r: FakeResource) => (r.group === '' ? r.version : `${r.group}/${r.version}`);
export const rootOf = (r: FakeResource) => (r.group === '' ? '/api/v1' : `/apis/${r.group}/${r.version}`);

export interface Answer {
  code?: number;
  body?: unknown;
  text?: string;
  headers?: Record<string, string>;
}
/** Discovery, version and OpenAPI. */
export const meta = (path: string, accept: string): Answer | undefined => {
  if (path === '/version') return { body: { major: '1', minor: '35', gitVersion: 'v1.35.0' } };
  if (path === '/openapi/v2')
    return { text: '', headers: { 'content-type': 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' } };
  if (path === '/openapi/v3')
    return { body: { paths: { 'api/v1': { serverRelativeURL: '/openapi/v3/api/v1?hash=1' } } } };
  if (path === '/openapi/v3/api/v1') return { body: openapi };
  if (path !== '/api' && path !== '/apis') return undefined;
  const as = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  if (!accept.includes('APIGroupDiscoveryList')) return { code: 406, body: {} };
  const groups = [...new Set(resources.map(r => r.group))].filter(group => (path === '/api') === (group === ''));
  return {
    headers: { 'content-type': as },
    body: {
      kind: 'APIGroupDiscoveryList',
      apiVersion: 'apidiscovery.k8s.io/v2',
      metadata: {},
      items: groups.map(group => ({
        metadata: group === '' ? {} : { name: group },
        versions: [
          {
            version: resources.find(r => r.group === group)!.version,
            freshness: 'Current',
            resources: resources
              .filter(r => r.group === group)
              .map(r => ({
                resource: r.plural,
                responseKind: { group: r.group, version: r.version, kind: r.kind },
                scope: r.namespaced ? 'Namespaced' : 'Cluster',
                singularResource: r.singular,
                verbs: ['create', 'delete', 'get', 'list', 'patch', 'watch'],
                ...(r.shortNames ? { shortNames: r.shortNames } : {}),
                ...(r.categories ? { categories: r.categories } : {}),
              })),
          },
        ],
      })),
    },
  };
};

const gvk = (kind: string) => ({ group: '', version: 'v1', kind });
const patchPath = (plural: string, kind: string) => ({
  [`/api/v1/namespaces/{namespace}/${plural}/{name}`]: {
    patch: {
      parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }],
      requestBody: { content: { 'application/strategic-merge-patch+json': {} } },
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': gvk(kind),
    },
  },
});
const keyed = (reference: string, mergeKey: string) => ({
  type: 'array',
  items: { $ref: `#/components/schemas/${reference}` },
  'x-kubernetes-patch-merge-key': mergeKey,
  'x-kubernetes-patch-strategy': 'merge',
});
const openapi = {
  openapi: '3.0.0',
  info: { title: 'Kubernetes', version: 'v1.35.0' },
  paths: { ...patchPath('pods', 'Pod'), ...patchPath('configmaps', 'ConfigMap') },
  components: {
    schemas: {
      Pod: {
        type: 'object',
        'x-kubernetes-group-version-kind': [gvk('Pod')],
        properties: {
          metadata: { allOf: [{ $ref: '#/components/schemas/Meta' }] },
          spec: { allOf: [{ $ref: '#/components/schemas/PodSpec' }] },
        },
      },
      ConfigMap: {
        type: 'object',
        'x-kubernetes-group-version-kind': [gvk('ConfigMap')],
        properties: { data: { type: 'object' } },
      },
      Meta: {
        type: 'object',
        properties: {
          finalizers: { type: 'array', items: { type: 'string' }, 'x-kubernetes-patch-strategy': 'merge' },
        },
      },
      PodSpec: {
        type: 'object',
        properties: { containers: keyed('Container', 'name'), tolerations: { type: 'array', items: {} } },
      },
      Container: {
        type: 'object',
        properties: { env: keyed('Env', 'name'), args: { type: 'array', items: { type: 'string' } } },
      },
      Env: { type: 'object', properties: { name: { type: 'string' }, value: { type: 'string' } } },
    },
  },
};
