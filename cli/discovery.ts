/**
 * Which resources the server has, and what a user means by `po`, `pods`, `deployments.apps` or a manifest's kind.
 * Order is meaning, as in kubectl: the first resource that answers to a name wins, and the core group comes first.
 */
import { collectionPath, objectPath } from '#client/paths.ts';
import type { Api } from './api.ts';
import { CliError } from './failure.ts';

export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

interface Discovered {
  items?: {
    metadata: { name?: string };
    versions: {
      version: string;
      resources?: {
        resource: string;
        responseKind: { group?: string; version?: string; kind: string };
        scope: string;
        singularResource: string;
        verbs: string[];
        shortNames?: string[];
        categories?: string[];
      }[];
    }[];
  }[];
}

/** Reads aggregated discovery. */
export const discover = async (api: Api): Promise<readonly Resource[]> => {
  const kind = 'APIGroupDiscoveryList';
  const accept = `application/json;g=apidiscovery.k8s.io;v=v2;as=${kind}`;
  const documents = await Promise.all(['/api', '/apis'].map(path => api.send<Discovered>({ path, accept })));
  return documents.flatMap(document =>
    (document.items ?? []).flatMap(group =>
      group.versions.flatMap(({ version, resources }) =>
        (resources ?? []).map(found => ({
          group: group.metadata.name ?? '',
          version,
          kind: found.responseKind.kind,
          plural: found.resource,
          singular: found.singularResource,
          shortNames: found.shortNames ?? [],
          categories: found.categories ?? [],
          namespaced: found.scope === 'Namespaced',
          verbs: found.verbs,
        })),
      ),
    ),
  );
};

/** The resource that a user's word means: plural, singular, short name or kind, with or without `.group` or `.version.group`. */
export const resourceNamed = (resources: readonly Resource[], word: string): Resource => {
  const [name = '', ...suffix] = word.split('.');
  const dotted = suffix.join('.');
  const lower = name.toLowerCase();
  const fits = (resource: Resource) =>
    dotted === '' ||
    resource.group === dotted ||
    `${resource.version}.${resource.group}` === dotted ||
    (resource.group !== '' && resource.group.startsWith(`${dotted}.`));
  const candidates = resources.filter(fits);
  const found =
    candidates.find(resource => resource.plural === lower || resource.singular === lower) ??
    candidates.find(resource => resource.shortNames.includes(lower)) ??
    candidates.find(resource => resource.kind.toLowerCase() === lower);
  if (!found) throw new CliError(`the server doesn't have a resource type ${JSON.stringify(name)}`);
  return found;
};

/** The resource of a manifest, or undefined. */
export const resourceOfKind = (
  resources: readonly Resource[],
  apiVersion: string,
  kind: string,
): Resource | undefined => resources.find(r => r.kind === kind && groupVersionOf(r) === apiVersion);

export const groupVersionOf = (resource: Pick<Resource, 'group' | 'version'>): string =>
  resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;

/** `pods` or `deployments.apps`. */
export const resourceName = (resource: Pick<Resource, 'group' | 'plural'>): string =>
  resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;

/** `pod` or `deployment.apps`, as messages about one object begin. */
export const objectPrefix = (resource: Pick<Resource, 'group' | 'kind'>): string =>
  resource.group === '' ? resource.kind.toLowerCase() : `${resource.kind.toLowerCase()}.${resource.group}`;

/**
 * The path of a collection, or of one object in it. Throws CliError for names that are no single segment of a path: they
 * would mean something else (an empty one the whole collection, `..` the namespace).
 */
export const pathOf = (
  resource: Resource,
  namespace: string | undefined,
  name?: string,
  subresource?: string,
): string => {
  if (namespace !== undefined) checkSegment(namespace, 'namespace');
  if (name === undefined) return collectionPath(resource, namespace);
  if (name === '') throw new CliError('resource name may not be empty');
  checkSegment(name, 'resource name');
  return objectPath(resource, { name, ...(namespace === undefined ? {} : { namespace }) }, subresource);
};

const checkSegment = (text: string, what: string): void => {
  const faults = text === '.' || text === '..' ? [`may not be '${text}'`] : [];
  for (const character of ['/', '%']) if (text.includes(character)) faults.push(`may not contain '${character}'`);
  if (faults.length > 0) throw new CliError(`invalid ${what} ${JSON.stringify(text)}: [${faults.join(' ')}]`);
};
