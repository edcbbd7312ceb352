/** The objects that `-f` names, for commands that read or delete what manifests describe. */
import { parseLabelSelector } from '#api/labels.ts';
import type { Cluster } from './cluster.ts';
import { type Resource, resourceOfKind } from './discovery.ts';
import { CliError } from './failure.ts';
import { type Manifest, readManifests } from './manifests.ts';
import type { NamedTarget, Targets } from './targets.ts';

export type FileTarget = NamedTarget & { readonly manifest: Manifest };

interface FileChoice {
  readonly recursive?: boolean;
  /** Only manifests whose labels it selects. */
  readonly selector?: string;
}

/** Every object of the manifests as a target; what cannot be read or has no known kind is a failure beside the others. */
export const targetsOfFiles = async (
  cluster: Cluster,
  paths: readonly string[],
  { recursive, selector }: FileChoice,
): Promise<Targets & { targets: readonly FileTarget[] }> => {
  const read = await readManifests(cluster.io, paths, { recursive: recursive === true, duplicates: 'ignore' });
  const resources = await cluster.resources();
  const selected = parseLabelSelector(selector ?? '');
  const targets: FileTarget[] = [];
  const failures: unknown[] = [];
  for (const item of read) {
    if ('failure' in item) failures.push(item.failure);
    else if (!selected(labelsOf(item.manifest))) continue;
    else {
      try {
        targets.push(targetOf(cluster, resources, item.manifest));
      } catch (error) {
        failures.push(error);
      }
    }
  }
  return { targets, named: true, failures };
};

export const labelsOf = ({ object }: Manifest): Record<string, string> | undefined =>
  (object.metadata as { labels?: Record<string, string> }).labels;

const targetOf = (cluster: Cluster, resources: readonly Resource[], manifest: Manifest): FileTarget => {
  const { apiVersion, kind, metadata } = manifest.object;
  const resource = resourceOfKind(resources, apiVersion, kind);
  if (!resource) throw unknownKind(manifest);
  if (!metadata.name) throw new CliError(`resource name may not be empty (${manifest.locate('metadata').text})`);
  return { resource, name: metadata.name, namespace: namespaceOf(cluster, resource, manifest), manifest };
};

/** Where the manifest's object is: its own word, else the command's; throws when `-n` contradicts it, as kubectl does. */
export const namespaceOf = (cluster: Cluster, resource: Resource, { object }: Manifest): string | undefined => {
  if (!resource.namespaced) return undefined;
  const own = object.metadata.namespace;
  if (own && cluster.namespaceGiven && own !== cluster.namespace) {
    throw new CliError(
      `the namespace from the provided object ${JSON.stringify(own)} does not match the namespace ${JSON.stringify(cluster.namespace)}. You must pass '--namespace=${own}' to perform this operation.`,
    );
  }
  return own || cluster.namespace;
};

/** kubectl's text for a kind that the server does not have, with the place. */
export const unknownKind = ({ object, source, locate }: Manifest): CliError => {
  const { name = '', namespace = '' } = object.metadata;
  return new CliError(
    `resource mapping not found for name: "${name}" namespace: "${namespace}" from ${JSON.stringify(source)}: no matches for kind ${JSON.stringify(object.kind)} in version ${JSON.stringify(object.apiVersion)} (${locate('kind').text})\nensure CRDs are installed first`,
  );
};
