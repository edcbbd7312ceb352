/**
 * A cache of all objects of one kind (or those a selector picks), kept current by list and watch. Objects in it are
 * frozen and shared. `revision` says how new the cache is: every write up to it is in it, which is what the controller
 * runner's barrier builds on. Failures are retried for ever with backoff; a lost history (410 Expired) means listing
 * again, and listeners then get the difference, so they never miss or repeat a change.
 */
import type { Kind } from '#api/kind.ts';
import { type KubeObject, keyOf } from '#api/object.ts';
import { ApiError, isReason } from '#api/status.ts';
import { type Backoff, createBackoff } from '#base/backoff.ts';
import type { Clock, Signal } from '#base/clock.ts';
import { deepFreeze } from '#base/deep.ts';
import type { Log } from '#base/log.ts';
import { type Random, seededRandom } from '#base/random.ts';
import type { Client, ListOptions, WatchEvent } from './client.ts';

/** One object's change: created (`was` undefined), changed, or gone (`now` undefined). */
export interface ObjectChange<T> {
  readonly was: T | undefined;
  readonly now: T | undefined;
}

export interface InformerOptions<T extends KubeObject> {
  readonly client: Client;
  readonly kind: Kind<T>;
  readonly clock: Clock;
  readonly log: Log;
  /** For the jitter of retries. */
  readonly random?: Random;
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** Awaited between the pages of a list: a client in the server's own process answers without ever letting go. */
  readonly yieldTurn?: () => Promise<void>;
}

export type ChangeListener<T> = (changes: readonly ObjectChange<T>[]) => void;

/** Objects per page of a list: bounds one response of a big cluster to some megabytes. */
const pageSize = 1000;
/** A watch that ends sooner than this counts as a failure, so that a server that closes at once is not hammered. */
const shortWatchMs = 1000;

export class Informer<T extends KubeObject> {
  readonly #options: InformerOptions<T>;
  readonly #backoff: Backoff;
  readonly #objects = new Map<string, T>();
  readonly #listeners = new Set<ChangeListener<T>>();
  readonly #progressListeners = new Set<() => void>();
  readonly #synced: Promise<void>;
  #setSynced: () => void = () => {};
  #isSynced = false;
  #revision = 0;
  #snapshot: readonly T[] | undefined;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.#backoff = createBackoff(options.random ?? seededRandom(options.clock.now()), 200, 30_000);
    this.#synced = new Promise(resolve => {
      this.#setSynced = resolve;
    });
  }

  get kind(): Kind<T> {
    return this.#options.kind;
  }

  /** True once the first list is in the cache. */
  get synced(): boolean {
    return this.#isSynced;
  }

  /** Resolves when the first list is in the cache and its listeners were told, or when `signal` aborts. */
  async whenSynced(signal?: Signal): Promise<void> {
    if (signal === undefined) return this.#synced;
    if (signal.aborted || this.#isSynced) return;
    await new Promise<void>(resolve => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      void this.#synced.then(done);
    });
  }

  /** The highest revision seen: the cache holds every write of the kind up to it. 0 before the first list. */
  get revision(): number {
    return this.#revision;
  }

  /** Number of objects in the cache. */
  get size(): number {
    return this.#objects.size;
  }

  /** By `namespace/name`, or `name` for cluster-scoped kinds. */
  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  /** All objects as they are now; the array is shared and never changes. */
  list(): readonly T[] {
    this.#snapshot ??= Object.freeze([...this.#objects.values()]);
    return this.#snapshot;
  }

  /** Calls `listener` with each batch of changes after the cache has them; the returned function ends that. */
  subscribe(listener: ChangeListener<T>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` whenever `revision` rose, also when no object in the cache changed. */
  onProgress(listener: () => void): () => void {
    this.#progressListeners.add(listener);
    return () => this.#progressListeners.delete(listener);
  }

  /** Lists and watches until `signal` aborts; never rejects. */
  async run(signal: Signal): Promise<void> {
    let listed = false;
    while (!signal.aborted) {
      try {
        if (!listed) {
          await this.#relist(signal);
          if (signal.aborted) return;
          listed = true;
        }
        await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (historyIsLost(error)) listed = false;
        await this.#wait(error, signal);
      }
    }
  }

  async #wait(error: unknown, signal: Signal): Promise<void> {
    const delayMs = this.#backoff.next();
    const fields = { kind: this.kind.kind, err: error, retryInMs: Math.round(delayMs) };
    if (isReason(error, 'Expired')) this.#options.log.debug(fields, 'watch history expired; listing again');
    else this.#options.log.warn(fields, 'list and watch failed; trying again');
    await this.#options.clock.sleep(delayMs, signal);
  }

  async #relist(signal: Signal): Promise<void> {
    const { client, kind } = this.#options;
    const found = new Map<string, T>();
    let page: { metadata: { resourceVersion?: string; continue?: string }; items: readonly T[] };
    let next: string | undefined;
    do {
      page = await client.list(kind, this.#scope({ limit: pageSize, ...(next ? { continue: next } : {}) }));
      if (signal.aborted) return;
      for (const item of page.items) found.set(keyOf(item), deepFreeze(item));
      next = page.metadata.continue;
      if (next) await this.#options.yieldTurn?.();
    } while (next);
    const changes = this.#replace(found);
    // Set, not raised: after a restore of an older store the revisions start lower, and the barrier must follow.
    this.#revision = Number(page.metadata.resourceVersion ?? 0);
    this.#notify(changes);
    this.#isSynced = true;
    this.#setSynced();
  }

  #replace(found: ReadonlyMap<string, T>): ObjectChange<T>[] {
    const changes: ObjectChange<T>[] = [];
    for (const [key, was] of this.#objects) if (!found.has(key)) changes.push({ was, now: undefined });
    for (const [key, now] of found) {
      const was = this.#objects.get(key);
      if (was?.metadata.uid !== now.metadata.uid && was !== undefined) {
        changes.push({ was, now: undefined }, { was: undefined, now });
      } else if (was?.metadata.resourceVersion !== now.metadata.resourceVersion || was === undefined) {
        changes.push({ was, now });
      }
    }
    this.#objects.clear();
    for (const [key, now] of found) this.#objects.set(key, now);
    return changes;
  }

  async #watch(signal: Signal): Promise<void> {
    const { client, kind, clock } = this.#options;
    const startedMs = clock.now();
    const options = { ...this.#scope({}), resourceVersion: String(this.#revision), signal };
    for await (const events of client.watch(kind, options)) {
      if (signal.aborted) return;
      this.#apply(events);
      this.#backoff.reset();
    }
    if (signal.aborted || clock.now() - startedMs >= shortWatchMs) return;
    await clock.sleep(this.#backoff.next(), signal);
  }

  #apply(events: readonly WatchEvent<T>[]): void {
    const changes: ObjectChange<T>[] = [];
    for (const event of events) {
      const change = event.type === 'BOOKMARK' ? undefined : this.#applyOne(event.type, event.object);
      if (change) changes.push(change);
      const revision = Number(event.object.metadata.resourceVersion ?? 0);
      if (revision > this.#revision) this.#revision = revision;
    }
    this.#notify(changes);
  }

  #applyOne(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): ObjectChange<T> | undefined {
    const key = keyOf(object);
    const was = this.#objects.get(key);
    if (type === 'DELETED') {
      this.#objects.delete(key);
      // `was` is what listeners were last told, not the event's object: what they added up, they can take off again.
      return was === undefined ? undefined : { was, now: undefined };
    }
    const now = deepFreeze(object);
    if (was !== undefined && was.metadata.resourceVersion === now.metadata.resourceVersion) return undefined;
    this.#objects.set(key, now);
    return { was, now };
  }

  #notify(changes: readonly ObjectChange<T>[]): void {
    if (changes.length > 0) {
      this.#snapshot = undefined;
      for (const listener of [...this.#listeners]) this.#call(() => listener(changes));
    }
    for (const listener of [...this.#progressListeners]) this.#call(listener);
  }

  // A listener's bug must not cost the others their changes, nor end the informer.
  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#options.log.error({ kind: this.kind.kind, err: error }, 'a listener of an informer failed');
    }
  }

  #scope(options: ListOptions): ListOptions {
    const { namespace, fieldSelector, labelSelector } = this.#options;
    return {
      ...options,
      ...(namespace === undefined ? {} : { namespace }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    };
  }
}

/** Anything but an unreachable or busy server: the revision may mean nothing to it any more, so list again. */
const historyIsLost = (error: unknown): boolean => !(error instanceof ApiError) || ![429, 503].includes(error.code);
