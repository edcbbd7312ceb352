/**
 * A copy of a cluster in memory, on which changes are tried by the API server's own code (scheduler/registry): decoding,
 * defaults, admission and validation say and refuse what the real server would. Nothing of it reaches the cluster.
 */
import { groupVersion, type Kind } from '#api/kind.ts';
import { replicaSetKind, statefulSetKind } from '#api/kinds/apps.ts';
import { namespaceKind, nodeKind, podKind, serviceAccountKind, serviceKind } from '#api/kinds/core.ts';
import { podDisruptionBudgetKind } from '#api/kinds/policy.ts';
import { priorityClassKind } from '#api/kinds/scheduling.ts';
import type { KubeObject, ObjectRef } from '#api/object.ts';
import { isReason } from '#api/status.ts';
import type { Clock } from '#base/clock.ts';
import { seededRandom } from '#base/random.ts';
import type { Client, Patch, WriteOptions } from '#client/client.ts';
import type { ClusterState } from '#engine/world.ts';
import { storeKey } from '#registry/keys.ts';
import { createLocalClient } from '#registry/local-client.ts';
import { createRegistry } from '#registry/registry.ts';
import { stamp } from '#registry/stamp.ts';
import { memoryJournal } from '#store/journal.ts';
import type { Op } from '#store/state.ts';
import { openStore } from '#store/store.ts';
import { createStartObjects } from '../start-objects.ts';

/** What a copy needs so that admission and scheduling decide as they would in the cluster. */
const copied = [
  namespaceKind,
  priorityClassKind,
  serviceAccountKind,
  nodeKind,
  podKind,
  serviceKind,
  replicaSetKind,
  statefulSetKind,
  podDisruptionBudgetKind,
] as unknown as readonly Kind[];

export interface Rehearsal {
  get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): T | undefined;
  /** Put in as it is, without a word from the server. */
  put(objects: readonly Held[]): Promise<void>;
  create<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, patch: Patch, options?: WriteOptions): Promise<T>;
  /** Gone at once, without grace. */
  remove(kind: Kind, ref: ObjectRef): Promise<void>;
  state(): Promise<ClusterState>;
}

const pageSize = 1000;
const maxPages = 1000;

interface Held {
  readonly kind: Kind;
  readonly object: KubeObject;
}

/**
 * Reads what a copy needs: whole lists, and of other kinds the objects that are `wanted`, to compare with. Kinds that
 * the server does not have are empty.
 */
export const readObjects = async (
  client: Pick<Client, 'list' | 'get'>,
  wanted: readonly Held[] = [],
): Promise<readonly Held[]> => {
  const lists = await Promise.all(copied.map(kind => listAll(client, kind).catch(error => noneIfUnknown(error))));
  const others = wanted.filter(({ kind }) => !copied.includes(kind));
  const found = await mapSome(others, async ({ kind, object: { metadata } }) => {
    const { namespace, name } = metadata;
    const ref = namespace === undefined ? { name } : { namespace, name };
    const objects = await client.get(kind, ref).then(one => [one], noneIfUnknown);
    return objects.map(object => ({ kind, object }));
  });
  return [...lists.flatMap((objects, i) => objects.map(object => ({ kind: copied[i]!, object }))), ...found.flat()];
};

const atOnce = 16;

/** Some at a time, so that a directory of manifests does not become a burst of requests. */
const mapSome = async <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> => {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += atOnce)
    results.push(...(await Promise.all(items.slice(i, i + atOnce).map(work))));
  return results;
};

const noneIfUnknown = (error: unknown): readonly KubeObject[] => {
  if (isReason(error, 'NotFound')) return [];
  throw error;
};

const listAll = async (client: Pick<Client, 'list'>, kind: Kind): Promise<readonly KubeObject[]> => {
  const items: KubeObject[] = [];
  let next = '';
  for (let page = 0; page < maxPages; page++) {
    const list = await client.list(kind, { limit: pageSize, ...(next === '' ? {} : { continue: next }) });
    items.push(...list.items);
    next = list.metadata.continue ?? '';
    if (next === '') return items;
  }
  throw new Error(`the list of ${kind.plural} has more than ${maxPages} pages`);
};

/** An empty cluster with what every cluster has from its first start on. The same calls give the same names and uids. */
export const createRehearsal = async (clock: Clock): Promise<Rehearsal> => {
  const store = openStore<KubeObject>({
    journal: memoryJournal(),
    stamp,
    soon: task => void Promise.resolve().then(task),
    now: () => clock.now(),
  });
  const registry = createRegistry({ store, clock, random: seededRandom(1), usage: async () => [] });
  await createStartObjects(registry);
  const client = createLocalClient(registry, { name: 'berth:plan', groups: ['system:masters'] });
  const list = async <T extends KubeObject>(kind: Kind<T>): Promise<readonly T[]> => (await client.list(kind)).items;
  return {
    get: (kind, ref) => store.get(storeKey(kind, ref))?.value as never,
    async put(objects) {
      const ops = objects.map(({ kind, object }): Op<KubeObject> => {
        const { namespace, name } = object.metadata;
        const key = storeKey(kind, namespace === undefined ? { name } : { namespace, name });
        return { put: key, value: { ...object, apiVersion: groupVersion(kind), kind: kind.kind } };
      });
      if (ops.length > 0) await store.commit(ops);
    },
    create: (kind, object, options) => client.create(kind, object, options),
    patch: (kind, ref, patch, options) => client.patch(kind, ref, patch, options),
    async remove(kind, ref) {
      await store.commit([{ remove: storeKey(kind, ref) }]);
    },
    state: async () => ({
      nodes: await list(nodeKind),
      pods: await list(podKind),
      namespaces: await list(namespaceKind),
      services: await list(serviceKind),
      replicaSets: await list(replicaSetKind),
      statefulSets: await list(statefulSetKind),
      podDisruptionBudgets: await list(podDisruptionBudgetKind),
      priorityClasses: await list(priorityClassKind),
    }),
  };
};
