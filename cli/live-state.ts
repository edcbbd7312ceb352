/** Reads everything that scheduling decisions depend on, in one go, for commands that run the engine themselves. */
import type { Kind } from '#api/kind.ts';
import { replicaSetKind, statefulSetKind } from '#api/kinds/apps.ts';
import { namespaceKind, nodeKind, podKind, serviceKind } from '#api/kinds/core.ts';
import { podDisruptionBudgetKind } from '#api/kinds/policy.ts';
import { priorityClassKind } from '#api/kinds/scheduling.ts';
import type { KubeObject } from '#api/object.ts';
import type { Client } from '#client/client.ts';
import type { ClusterState } from '#engine/world.ts';

/** Bounds one response to some megabytes, and one list to what any cluster can have. */
const pageSize = 1000;
const maxPages = 1000;

/**
 * The lists of a cluster. Each is consistent in itself; between them some milliseconds may have passed, as between the
 * caches of a scheduler. Throws ApiError when a list is refused or cannot be read.
 */
export const readCluster = async (client: Client): Promise<ClusterState> => {
  const [nodes, pods, namespaces, services, replicaSets, statefulSets, podDisruptionBudgets, priorityClasses] =
    await Promise.all([
      all(client, nodeKind),
      all(client, podKind),
      all(client, namespaceKind),
      all(client, serviceKind),
      all(client, replicaSetKind),
      all(client, statefulSetKind),
      all(client, podDisruptionBudgetKind),
      all(client, priorityClassKind),
    ]);
  return { nodes, pods, namespaces, services, replicaSets, statefulSets, podDisruptionBudgets, priorityClasses };
};

const all = async <T extends KubeObject>(client: Client, kind: Kind<T>): Promise<readonly T[]> => {
  const items: T[] = [];
  let next: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const list = await client.list(kind, { limit: pageSize, ...(next === undefined ? {} : { continue: next }) });
    items.push(...list.items);
    next = list.metadata.continue;
    if (!next) return items;
  }
  throw new Error(`the list of ${kind.plural} has more than ${maxPages} pages`);
};
