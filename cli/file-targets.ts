/** The objects that `-f` names, for commands that read or delete what manifests describe. */
import type { Cluster } from './cluster.ts';
import { resourceOfKind } from './discovery.ts';
import { CliError, throwAll } from './failure.ts';
import { type Manifest, readManifests } from './manifests.ts';
import type { Target, Targets } from './targets.ts';

/** Every object of the manifests as a target; throws when one cannot be read or its kind is unknown. */
export const targetsOfFiles = async (
  cluster: Cluster,
  paths: readonly string[],
  recursive: boolean,
): Promise<Targets & { targets: readonly (Target & { manifest: Manifest })[] }> => {
  const read = await readManifests(cluster.io, paths, { recursive, duplicates: 'ignore' });
  throwAll(read.flatMap(item => ('failure' in item ? [item.failure] : [])));
  const resources = await cluster.resources();
  const targets = read.flatMap(item => {
    if ('failure' in item) return [];
    const { object } = item.manifest;
    const resource = resourceOfKind(resources, object.apiVersion, object.kind);
    if (!resource) throw unknownKind(item.manifest);
    if (!object.metadata.name)
      throw new CliError(`resource name may not be empty (${item.manifest.locate('metadata').text})`);
    const namespace = resource.namespaced ? (object.metadata.namespace ?? cluster.namespace) : undefined;
    return [{ resource, name: object.metadata.name, namespace, manifest: item.manifest }];
  });
  const severalKinds = new Set(targets.map(target => target.resource)).size > 1;
  return { targets, severalKinds, named: true };
};

/** kubectl's text for a kind that the server does not have, with the place. */
export const unknownKind = ({ object, source, locate }: Manifest): CliError => {
  const { name = '', namespace = '' } = object.metadata;
  return new CliError(
    `resource mapping not found for name: "${name}" namespace: "${namespace}" from ${JSON.stringify(source)}: no matches for kind ${JSON.stringify(object.kind)} in version ${JSON.stringify(object.apiVersion)} (${locate('kind').text})\nensure CRDs are installed first`,
  );
};
