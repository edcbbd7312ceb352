/**
 * What kinds a server has, from its discovery documents, and which of them a user means by a word. Order is meaning: of
 * several groups with the same plural the first that the server lists is meant, core first (KUBECTL-WIRE §2.3).
 */
import type { HttpApi } from './http-api.ts';
import type { ResourceType } from './paths.ts';

export interface DiscoveredResource extends ResourceType {
  readonly kind: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

/** Every resource of the server, in its order; two requests. */
export const discover = async (api: Pick<HttpApi, 'getJson'>): Promise<DiscoveredResource[]> => {
  const [core, groups] = await Promise.all([
    api.getJson<GroupDiscoveryList>('/api', accept),
    api.getJson<GroupDiscoveryList>('/apis', accept),
  ]);
  return [...resourcesOf(core), ...resourcesOf(groups)];
};

/** As much of apidiscovery.k8s.io/v2 APIGroupDiscoveryList as is read. */
export interface GroupDiscoveryList {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind?: { readonly kind?: string };
        readonly scope: string;
        readonly singularResource?: string;
        readonly verbs?: readonly string[];
        readonly shortNames?: readonly string[];
        readonly categories?: readonly string[];
        readonly subresources?: readonly { readonly subresource: string }[];
      }[];
    }[];
  }[];
}

const resourcesOf = (list: GroupDiscoveryList): DiscoveredResource[] =>
  (list.items ?? []).flatMap(({ metadata, versions = [] }) =>
    versions.flatMap(({ version, resources = [] }) =>
      resources.map(resource => ({
        group: metadata?.name ?? '',
        version,
        plural: resource.resource,
        kind: resource.responseKind?.kind ?? '',
        namespaced: resource.scope === 'Namespaced',
        singular: resource.singularResource ?? '',
        shortNames: resource.shortNames ?? [],
        categories: resource.categories ?? [],
        verbs: resource.verbs ?? [],
        subresources: (resource.subresources ?? []).map(({ subresource }) => subresource),
      })),
    ),
  );

/**
 * The resource that a user means: `pods`, `pod`, `po`, `Pod`, `deploy.apps`, `deployments.v1.apps`; undefined when the
 * server has none of that name.
 */
export const findResource = (
  resources: readonly DiscoveredResource[],
  word: string,
): DiscoveredResource | undefined => {
  const wanted = word.toLowerCase();
  const [name = '', ...rest] = wanted.split('.');
  const qualifier = rest.join('.');
  const isNamed = ({ plural, singular, shortNames, kind }: DiscoveredResource) =>
    plural === name || singular === name || shortNames.includes(name) || kind.toLowerCase() === name;
  return resources.find(
    resource =>
      isNamed(resource) &&
      (qualifier === '' ||
        qualifier === resource.group ||
        qualifier === `${resource.version}.${resource.group}` ||
        (resource.group === '' && qualifier === resource.version)),
  );
};

/** The resource of an object's apiVersion and kind. */
export const resourceOfKind = (
  resources: readonly DiscoveredResource[],
  apiVersion: string,
  kind: string,
): DiscoveredResource | undefined =>
  resources.find(
    resource =>
      resource.kind === kind &&
      (resource.group === '' ? resource.version : `${resource.group}/${resource.version}`) === apiVersion,
  );

/** The resources that `all` and other categories stand for. */
export const resourcesOfCategory = (resources: readonly DiscoveredResource[], category: string): DiscoveredResource[] =>
  resources.filter(({ categories }) => categories.includes(category));
