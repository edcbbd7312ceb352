/** Reads objects and tables of the API for the commands, with kubectl's manners (namespace probe, chunks, watch lines). */
import type { ObjectMeta } from '#api/object.ts';
import { ApiError, isReason, type Status } from '#api/status.ts';
import type { Call } from './api.ts';
import type { Cluster } from './cluster.ts';
import { groupVersionOf, pathOf, type Resource } from './discovery.ts';
import { withContext } from './failure.ts';

/** An object of any kind, as the API sends it. */
export interface AnyObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export interface Selection {
  /** Absent: all namespaces. */
  readonly namespace: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Objects per page, 0: all in one; absent: 500. */
  readonly chunkSize?: number | undefined;
  /** As kubectl's commands for known kinds ask: a refusal is told in the server's words alone. */
  readonly typed?: boolean;
}

const usualChunkSize = 500;

/** What the flags of a command choose, wherever it is. */
export const selectionOf = (flags: {
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly chunkSize?: number;
}): Omit<Selection, 'namespace'> => ({
  labelSelector: flags.selector,
  fieldSelector: flags.fieldSelector,
  chunkSize: flags.chunkSize,
});

export const selectorQuery = (selection: Selection): NonNullable<Call['query']> => ({
  labelSelector: selection.labelSelector || undefined,
  fieldSelector: selection.fieldSelector || undefined,
});

/** One object, or what `accept` makes of it. A 404 in a namespace that is not there names the namespace. */
export const getOne = async <T = AnyObject>(
  cluster: Cluster,
  resource: Resource,
  ref: { namespace: string | undefined; name: string },
  accept?: string,
): Promise<T> => {
  const path = pathOf(resource, ref.namespace, ref.name);
  try {
    return await cluster.api.send<T>({ path, ...(accept ? { accept } : {}) });
  } catch (error) {
    if (isReason(error, 'NotFound') && resource.namespaced) await probeNamespace(cluster, ref.namespace);
    throw error;
  }
};

/** Throws the 404 of the namespace itself when it is not there; `default` is taken for granted. */
export const probeNamespace = async (cluster: Cluster, namespace: string | undefined): Promise<void> => {
  if (!namespace || namespace === 'default') return;
  try {
    await cluster.api.send({ path: `/api/v1/namespaces/${encodeURIComponent(namespace)}` });
  } catch (error) {
    if (isReason(error, 'NotFound')) throw error;
  }
};

/** All items of a collection, page by page, each with apiVersion and kind. */
export const listAll = async <T extends object = AnyObject>(
  cluster: Cluster,
  resource: Resource,
  selection: Selection,
): Promise<{ items: T[]; resourceVersion: string }> => {
  const items: T[] = [];
  let resourceVersion = '';
  for await (const page of pages<{ metadata?: ListMeta; items?: T[] | null }>(
    cluster,
    resource,
    selection,
    undefined,
  )) {
    for (const item of page.items ?? [])
      items.push({ ...item, apiVersion: groupVersionOf(resource), kind: resource.kind });
    resourceVersion = page.metadata?.resourceVersion ?? resourceVersion;
  }
  return { items, resourceVersion };
};

interface ListMeta {
  resourceVersion?: string;
  continue?: string;
}

/** The pages of a list in the form that `accept` asks for. */
export async function* pages<T extends { metadata?: ListMeta }>(
  cluster: Cluster,
  resource: Resource,
  selection: Selection,
  accept: string | undefined,
  more: NonNullable<Call['query']> = {},
): AsyncGenerator<T> {
  let next: string | undefined;
  do {
    const limit = (selection.chunkSize ?? usualChunkSize) || undefined;
    const call = {
      path: pathOf(resource, selection.namespace),
      query: { ...selectorQuery(selection), limit, ...more, continue: next },
      ...(accept ? { accept } : {}),
    };
    const page: T = await cluster.api.send<T>(call).catch(error => {
      const unfound = !selection.typed && (isReason(error, 'BadRequest') || isReason(error, 'NotFound'));
      throw unfound ? withContext(error, unfindable(resource, selection)) : error;
    });
    yield page;
    next = page.metadata?.continue || undefined;
  } while (next);
}

/** The objects of a target: the one that it names, or all that the selectors choose. */
export const objectsOf = async (
  cluster: Cluster,
  { resource, name, namespace }: { resource: Resource; name: string | undefined; namespace: string | undefined },
  selection: Omit<Selection, 'namespace'> = {},
): Promise<readonly AnyObject[]> =>
  name === undefined
    ? (await listAll(cluster, resource, { ...selection, namespace })).items
    : [await getOne(cluster, resource, { namespace, name })];

/** What kubectl says before the server's word on a list that it refused. */
const unfindable = (resource: Resource, { labelSelector = '', fieldSelector = '' }: Selection): string => {
  const name = `"${resource.group}/${resource.version}, Resource=${resource.plural}"`;
  if (labelSelector === '' && fieldSelector === '') return `Unable to list ${name}: `;
  return `Unable to find ${name} that match label selector ${JSON.stringify(labelSelector)}, field selector ${JSON.stringify(fieldSelector)}: `;
};

export interface WatchLine<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/** The events of a watch, until the server or `signal` ends it; an ERROR event is thrown as ApiError. */
export async function* watchLines<T>(
  cluster: Cluster,
  resource: Resource,
  selection: Selection,
  options: { resourceVersion?: string | undefined; accept?: string; signal: AbortSignal },
): AsyncGenerator<WatchLine<T>> {
  const call: Call = {
    path: pathOf(resource, selection.namespace),
    query: { ...selectorQuery(selection), watch: true, resourceVersion: options.resourceVersion },
    ...(options.accept ? { accept: options.accept } : {}),
  };
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of cluster.api.stream(call, options.signal)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      if (line.trim() === '') continue;
      const event = JSON.parse(line) as WatchLine<T> | { type: 'ERROR'; object: Status };
      if (event.type === 'ERROR') {
        const { status: _, ...status } = event.object;
        throw new ApiError({ ...status, code: status.code ?? 500, reason: status.reason ?? '' });
      }
      yield event;
    }
  }
}
