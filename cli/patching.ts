/** Small changes to objects that are there: label, annotate, taint, cordon. */
import type { Cluster } from './cluster.ts';
import { objectPrefix, pathOf } from './discovery.ts';
import { type DryRun, dryRunQuery } from './dry-run.ts';
import { throwAll } from './failure.ts';
import { type AnyObject, objectsOf, selectionOf } from './read.ts';
import { type Choice, chooseTargets, type Target } from './targets.ts';

/** Calls `change` for each object that the arguments, the selector or the files name; failures are collected. */
export const eachObject = async (
  cluster: Cluster,
  args: readonly string[],
  choice: Choice,
  change: (target: Target, object: AnyObject) => Promise<void>,
): Promise<void> => {
  const { targets, failures: unread } = await chooseTargets(cluster, args, choice, {
    explicit: true,
    allBesideNames: true,
  });
  const failures: unknown[] = [...unread];
  for (const target of targets) {
    try {
      for (const object of await objectsOf(cluster, target, selectionOf(choice))) {
        try {
          await change(target, object);
        } catch (error) {
          failures.push(error);
        }
      }
    } catch (error) {
      failures.push(error);
    }
  }
  throwAll(failures);
};

interface Patch {
  readonly type: 'merge' | 'strategic';
  readonly body: object;
  readonly manager: string;
  readonly dryRun: DryRun;
}

/** Sends a patch, with a dry run of the server only to be tried; the object as it then is. */
export const sendPatch = (
  cluster: Cluster,
  { resource }: Target,
  object: AnyObject,
  patch: Patch,
): Promise<AnyObject> =>
  cluster.api.send<AnyObject>({
    method: 'PATCH',
    path: pathOf(resource, object.metadata.namespace, object.metadata.name),
    query: { fieldManager: patch.manager, ...dryRunQuery(patch.dryRun) },
    contentType: patch.type === 'merge' ? 'application/merge-patch+json' : 'application/strategic-merge-patch+json',
    body: patch.body,
  });

export const lineOf = ({ resource }: Target, object: AnyObject): string =>
  `${objectPrefix(resource)}/${object.metadata.name}`;
