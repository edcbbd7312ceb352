/**
 * The Client over Kubernetes' REST API: which request each call is. How requests travel is the Transport's business
 * (client/http.ts).
 */
import { groupVersion, type Kind } from '#api/kind.ts';
import type { KubeList, KubeObject, ObjectRef } from '#api/object.ts';
import { ApiError, type Status } from '#api/status.ts';
import type { Signal } from '#base/clock.ts';
import type { Client, DeleteOptions, ListOptions, Patch, WatchEvent, WatchOptions, WriteOptions } from './client.ts';
import { isStatus } from './http-errors.ts';
import { collectionPath, listQuery, objectPath, query, writeQuery } from './paths.ts';

export interface Transport {
  /** Sends one request and gives the parsed JSON of the answer; throws ApiError. */
  json(request: TransportRequest): Promise<unknown>;
  /** Sends one request whose answer matters only when it is an error. */
  send(request: TransportRequest): Promise<void>;
  /** A response of JSON values, one per line, in the batches in which they arrive; ends when either side ends it. */
  lines(path: string, accept: string, signal: Signal): AsyncIterable<readonly unknown[]>;
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: object;
  /** Of the body; `application/json` by default. */
  readonly contentType?: string;
  readonly onWarning?: ((text: string) => void) | undefined;
  /**
   * One of many that come at once and are answered at once; it may be sent before those ahead of it are answered, and
   * again when the connection breaks meanwhile. Only for requests that are refused the second time.
   */
  readonly inBursts?: boolean;
}

export const patchTypes: Readonly<Record<Patch['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** The answers are trusted to be what was asked for: the server checked every object it holds. */
class RestClient implements Client {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T> {
    return this.#json<T>({ method: 'GET', path: objectPath(kind, ref) });
  }

  async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): Promise<KubeList<T>> {
    const path = collectionPath(kind, options.namespace) + listQuery(options);
    const list = await this.#json<KubeList<T>>({ method: 'GET', path });
    return { ...list, items: list.items.map(item => named(kind, item)) };
  }

  async *watch<T extends KubeObject>(
    kind: Kind<T>,
    options: WatchOptions,
  ): AsyncGenerator<readonly WatchEvent<T>[], void> {
    const { labelSelector, fieldSelector, resourceVersion, signal } = options;
    const asked = query({ watch: true, allowWatchBookmarks: true, labelSelector, fieldSelector, resourceVersion });
    const path = collectionPath(kind, options.namespace) + asked;
    for await (const lines of this.#transport.lines(path, 'application/json', signal)) {
      const failed = lines.findIndex(line => (line as { type?: string }).type === 'ERROR');
      const events = (failed < 0 ? lines : lines.slice(0, failed)) as readonly WatchEvent<T>[];
      if (events.length > 0) yield events;
      if (failed >= 0) throw watchError((lines[failed] as { object?: unknown }).object);
    }
  }

  create<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const { subresource, onWarning } = options;
    const { name, namespace } = object.metadata;
    const collection = collectionPath(kind, namespace ?? 'default');
    const path = subresource ? `${collection}/${name}/${subresource}` : collection;
    return this.#json<T>({ method: 'POST', path: path + writeQuery(options), body: named(kind, object), onWarning });
  }

  update<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const path = objectPath(kind, object.metadata, options.subresource) + writeQuery(options);
    return this.#json<T>({ method: 'PUT', path, body: named(kind, object), onWarning: options.onWarning });
  }

  patch<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, patch: Patch, options: WriteOptions = {}): Promise<T> {
    const path = objectPath(kind, ref, options.subresource) + writeQuery(options);
    const { onWarning } = options;
    return this.#json<T>({ method: 'PATCH', path, body: patch.body, contentType: patchTypes[patch.type], onWarning });
  }

  remove<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const { dryRun, ...others } = options;
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...others, ...(dryRun ? { dryRun: ['All'] } : {}) };
    return this.#transport.send({ method: 'DELETE', path: objectPath(kind, ref), body });
  }

  post<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, subresource: string, body: object): Promise<void> {
    const path = objectPath(kind, ref, subresource);
    // A pod is bound once: the second time is a conflict.
    return this.#transport.send({ method: 'POST', path, body, inBursts: subresource === 'binding' });
  }

  #json<T>(request: TransportRequest): Promise<T> {
    return this.#transport.json(request) as Promise<T>;
  }
}

export const createRestClient = (transport: Transport): Client => new RestClient(transport);

/** Items of lists may come without their type. */
const named = <T extends KubeObject>(kind: Kind<T>, object: T): T =>
  object.kind && object.apiVersion ? object : { ...object, apiVersion: groupVersion(kind), kind: kind.kind };

const watchError = (object: unknown): ApiError => {
  const status: Partial<Status> = isStatus(object) ? object : { message: 'the watch ended with an unknown error' };
  return new ApiError({ ...status, code: status.code ?? 500, reason: status.reason ?? 'InternalError' });
};
