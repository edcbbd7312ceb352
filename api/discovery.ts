/**
 * What the API serves, told to clients: the aggregated documents that kubectl asks for, and the legacy ones, which drain and
 * older clients read too (KUBECTL-WIRE §2.3). Order is meaning: the first group that has a plural name wins, so the core
 * group comes first and metrics last.
 */
import type { GroupVersionKind, Kind } from './kind.ts';

/** What discovery says of a resource; every Kind is one, and so are resources that are answered but not stored. */
export type Served = Pick<
  Kind,
  | 'group'
  | 'version'
  | 'kind'
  | 'plural'
  | 'singular'
  | 'namespaced'
  | 'shortNames'
  | 'categories'
  | 'verbs'
  | 'subresources'
>;

/** The resources of which a review is created, answered and forgotten. */
export const reviewResources: readonly Served[] = [
  review('authentication.k8s.io', 'SelfSubjectReview'),
  review('authorization.k8s.io', 'SelfSubjectAccessReview'),
  review('authorization.k8s.io', 'SelfSubjectRulesReview'),
];

function review(group: string, kind: string): Served {
  const singular = kind.toLowerCase();
  return {
    group,
    version: 'v1',
    kind,
    plural: `${singular}s`,
    singular,
    namespaced: false,
    shortNames: [],
    categories: [],
    verbs: ['create'],
    subresources: [],
  };
}

export interface DiscoveryDocument {
  readonly contentType: string;
  readonly body: object;
}

/**
 * The document at a path (`/api`, `/apis`, `/api/v1`, `/apis/apps`, `/apis/apps/v1`) in the form that `accept` asks for;
 * undefined where there is none. `serverAddress` is `host:port`.
 */
export const discoveryAt = (
  resources: readonly Served[],
  path: string,
  accept: string | undefined,
  serverAddress: string,
): DiscoveryDocument | undefined => {
  const [root, group, version, ...more] = path.replace(/^\/|\/$/g, '').split('/');
  if (more.length > 0) return undefined;
  if (group === undefined && (root === 'api' || root === 'apis')) {
    const aggregated = aggregatedVersion(accept);
    if (aggregated !== undefined)
      return {
        contentType: `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`,
        body: aggregatedDiscovery(resources, root === 'api' ? 'core' : 'groups', aggregated),
      };
    return json(root === 'api' ? coreVersions(resources, serverAddress) : groupList(resources));
  }
  if (root === 'api') return version === undefined ? json(resourceList(resources, '', group ?? '')) : undefined;
  if (root !== 'apis' || group === undefined || group === '') return undefined;
  return json(version === undefined ? groupOf(resources, group) : resourceList(resources, group, version));
};

const json = (body: object | undefined): DiscoveryDocument | undefined =>
  body === undefined ? undefined : { contentType: 'application/json', body };

/** The aggregated form that the client prefers, or undefined when it wants legacy documents. */
const aggregatedVersion = (accept: string | undefined): 'v2' | 'v2beta1' | undefined => {
  for (const range of (accept ?? '').split(',')) {
    const parameters = range.split(';').map(part => part.trim());
    if (parameters[0] === 'application/json' && !parameters.some(part => part.startsWith('as='))) return undefined;
    if (!parameters.includes('as=APIGroupDiscoveryList')) continue;
    if (parameters.includes('v=v2')) return 'v2';
    if (parameters.includes('v=v2beta1')) return 'v2beta1';
  }
  return undefined;
};

// Upstream's priorities; groups that are not named here come before metrics, in the order of their names.
const groupOrder = [
  '',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
];
const lastGroups = ['metrics.k8s.io'];

const placeOf = (group: string): number => {
  const known = groupOrder.indexOf(group);
  if (known !== -1) return known;
  return groupOrder.length + 1 + lastGroups.indexOf(group);
};

interface Group {
  readonly name: string;
  readonly versions: readonly { readonly version: string; readonly resources: readonly Served[] }[];
}

const groupsOf = (resources: readonly Served[]): readonly Group[] => {
  const groups = Map.groupBy(resources, ({ group }) => group);
  return [...groups]
    .sort(([a], [b]) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1))
    .map(([name, members]) => ({
      name,
      versions: [...Map.groupBy(members, ({ version }) => version)].map(([version, served]) => ({
        version,
        resources: [...served].sort((a, b) => (a.plural < b.plural ? -1 : 1)),
      })),
    }));
};

const aggregatedDiscovery = (
  resources: readonly Served[],
  part: 'core' | 'groups',
  version: 'v2' | 'v2beta1',
): object => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: `apidiscovery.k8s.io/${version}`,
  metadata: {},
  items: groupsOf(resources)
    .filter(({ name }) => (name === '') === (part === 'core'))
    .map(({ name, versions }) => ({
      metadata: { name, creationTimestamp: null },
      versions: versions.map(one => ({
        version: one.version,
        resources: one.resources.map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
});

const aggregatedResource = (served: Served): object => ({
  resource: served.plural,
  responseKind: gvk(served),
  scope: served.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: served.singular,
  verbs: [...served.verbs].sort(),
  ...(served.shortNames.length === 0 ? {} : { shortNames: served.shortNames }),
  ...(served.categories.length === 0 ? {} : { categories: served.categories }),
  ...(served.subresources.length === 0
    ? {}
    : {
        subresources: sortedSubresources(served).map(({ name, body, verbs }) => ({
          subresource: name,
          responseKind: gvk(body ?? served),
          verbs: [...verbs].sort(),
        })),
      }),
});

const gvk = ({ group, version, kind }: GroupVersionKind): GroupVersionKind => ({ group, version, kind });

const sortedSubresources = ({ subresources }: Served) => [...subresources].sort((a, b) => (a.name < b.name ? -1 : 1));

const coreVersions = (resources: readonly Served[], serverAddress: string): object => ({
  kind: 'APIVersions',
  versions: groupsOf(resources)
    .filter(({ name }) => name === '')
    .flatMap(({ versions }) => versions.map(({ version }) => version)),
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
});

const groupList = (resources: readonly Served[]): object => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groupsOf(resources)
    .filter(({ name }) => name !== '')
    .map(describeGroup),
});

const groupOf = (resources: readonly Served[], group: string): object | undefined => {
  const found = groupsOf(resources).find(({ name }) => name === group);
  return found === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(found) };
};

const describeGroup = ({ name, versions }: Group) => {
  const described = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: described, preferredVersion: described[0] };
};

const resourceList = (resources: readonly Served[], group: string, version: string): object | undefined => {
  const served = groupsOf(resources)
    .find(({ name }) => name === group)
    ?.versions.find(one => one.version === version)?.resources;
  if (served === undefined) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: served.flatMap(legacyResource),
  };
};

const legacyResource = (served: Served): readonly object[] => [
  {
    name: served.plural,
    singularName: served.singular,
    namespaced: served.namespaced,
    kind: served.kind,
    verbs: [...served.verbs].sort(),
    ...(served.shortNames.length === 0 ? {} : { shortNames: served.shortNames }),
    ...(served.categories.length === 0 ? {} : { categories: served.categories }),
  },
  ...sortedSubresources(served).map(({ name, body, verbs }) => ({
    name: `${served.plural}/${name}`,
    singularName: '',
    namespaced: served.namespaced,
    // Named only where they differ from the list's own: this is how drain finds policy/v1 Eviction.
    ...(body === undefined || (body.group === served.group && body.version === served.version)
      ? {}
      : { group: body.group, version: body.version }),
    kind: body?.kind ?? served.kind,
    verbs: [...verbs].sort(),
  })),
];
