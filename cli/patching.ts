/** Small changes to objects that are there: label, annotate, taint, cordon. */
import type { Cluster } from './cluster.ts';
import { objectPrefix, pathOf } from './discovery.ts';
import { CliError, throwAll } from './failure.ts';
import { type AnyObject, getOne, listAll, namespaceFor } from './read.ts';
import { parseTargets, type Target } from './targets.ts';

export interface Chosen {
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly all?: boolean;
}

/** Calls `change` for each object that the arguments or the selector name; failures are collected. */
export const eachObject = async (
  cluster: Cluster,
  args: readonly string[],
  chosen: Chosen,
  change: (target: Target, object: AnyObject) => Promise<void>,
): Promise<void> => {
  const { targets, named } = parseTargets(args, await cluster.resources());
  if (!named && !chosen.all && chosen.selector === undefined) {
    throw new CliError('resource(s) were provided, but no name was specified');
  }
  const failures: unknown[] = [];
  for (const target of targets) {
    const namespace = namespaceFor(cluster, target.resource, chosen.allNamespaces);
    try {
      const objects =
        target.name === undefined
          ? (await listAll(cluster, target.resource, { namespace, labelSelector: chosen.selector })).items
          : [await getOne(cluster, target.resource, { namespace, name: target.name })];
      for (const object of objects) await change(target, object);
    } catch (error) {
      failures.push(error);
    }
  }
  throwAll(failures);
};

/** Sends a patch; with `dryRun` the server only tries it. */
export const sendPatch = (
  cluster: Cluster,
  { resource }: Target,
  object: AnyObject,
  patch: { readonly type: 'merge' | 'strategic'; readonly body: object; readonly manager: string },
): Promise<AnyObject> =>
  cluster.api.send<AnyObject>({
    method: 'PATCH',
    path: pathOf(resource, object.metadata.namespace, object.metadata.name),
    query: { fieldManager: patch.manager },
    contentType: patch.type === 'merge' ? 'application/merge-patch+json' : 'application/strategic-merge-patch+json',
    body: patch.body,
  });

export const lineOf = ({ resource }: Target, object: AnyObject): string =>
  `${objectPrefix(resource)}/${object.metadata.name}`;
