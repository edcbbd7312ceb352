/**
 * Reading: get, list and watch of any kind, with selectors, paging and bookmarks, as the upstream watch cache answers them.
 * Results are store entries, so whoever sends them uses their JSON as it is.
 */
import type { Kind } from '#api/kind.ts';
import { fieldMatcher, parseFieldSelector, parseLabelSelector } from '#api/labels.ts';
import type { KubeObject, ObjectRef } from '#api/object.ts';
import { notFound } from '#api/status.ts';
import type { Clock, Signal } from '#base/clock.ts';
import { Compacted } from '#store/change-log.ts';
import { type Change, Entry } from '#store/state.ts';
import type { Store } from '#store/store.ts';
import { prefixOf, storeKey } from './keys.ts';
import {
  checkInitialEvents,
  decodeToken,
  encodeToken,
  exactRevision,
  revisionOf,
  tokenExpired,
  tooLarge,
  tooOld,
} from './revisions.ts';
import { stamp } from './stamp.ts';

export interface Selection {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface ListRequest extends Selection {
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
}

export interface WatchRequest extends Selection {
  /** Changes after it; absent or `0`: the present objects first, as ADDED. */
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
  readonly sendInitialEvents?: boolean | undefined;
  readonly allowWatchBookmarks?: boolean | undefined;
  readonly signal: Signal;
}

export interface ListResult {
  readonly entries: readonly Entry<KubeObject>[];
  readonly rev: number;
  readonly continue: string | undefined;
  /** Only known without selectors, as upstream. */
  readonly remaining: number | undefined;
}

export type RegistryEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly entry: Entry<KubeObject> }
  /** `initial`: all present objects have been sent (KUBECTL-WIRE §2.8). */
  | { readonly type: 'BOOKMARK'; readonly rev: number; readonly initial: boolean };

export interface ReadDeps {
  readonly store: Store<KubeObject>;
  readonly clock: Clock;
}

const bookmarkEveryMs = 60_000;
/** Present objects per batch at the beginning of a watch, so that a slow client holds little memory. */
const initialBatch = 500;

/** Throws NotFound. */
export const getEntry = ({ store }: ReadDeps, kind: Kind, ref: ObjectRef): Entry<KubeObject> => {
  const entry = store.get(storeKey(kind, ref));
  if (entry === undefined) throw notFound(kind, ref.name);
  return entry;
};

/** One page in the order of keys. Throws BadRequest for selectors and tokens, Expired when the revision is forgotten. */
export const listEntries = ({ store }: ReadDeps, kind: Kind, request: ListRequest): ListResult => {
  const { matches, prefix } = selectionOf(kind, request);
  const wanted = exactRevision(store, request);
  const from = request.continue ? decodeToken(request.continue, prefixOf(kind, request.namespace)) : undefined;
  const atRev = from?.rev ?? wanted;
  const limit = request.limit !== undefined && request.limit > 0 ? request.limit : undefined;
  try {
    const page = store.list(prefix, {
      ...(from === undefined ? {} : { after: from.key }),
      ...(limit === undefined ? {} : { limit }),
      ...(atRev === undefined ? {} : { atRev }),
      ...(matches === undefined ? {} : { where: entry => matches(entry.value) }),
    });
    const last = page.entries.at(-1);
    const more = page.remaining > 0 && last !== undefined;
    return {
      entries: page.entries,
      rev: page.rev,
      continue: more ? encodeToken(page.rev, last.key) : undefined,
      remaining: more && matches === undefined ? page.remaining : undefined,
    };
  } catch (error) {
    throw error instanceof Compacted ? tokenExpired(from, store.rev) : error;
  }
};

/**
 * Events in revision order, in batches. Objects that begin or cease to be selected come as ADDED and DELETED. Throws at
 * once for a faulty or too old request, Expired from the iteration when the watcher falls too far behind.
 */
export const watchEntries = (deps: ReadDeps, kind: Kind, request: WatchRequest): AsyncIterable<RegistryEvent[]> => {
  checkInitialEvents(request);
  const { matches, prefix } = selectionOf(kind, request);
  const { store } = deps;
  const wanted = revisionOf(request.resourceVersion);
  const fromNow = wanted === undefined || wanted === 0;
  if (!fromNow && wanted > store.rev) throw tooLarge(wanted, store.rev);
  const sendInitial = request.sendInitialEvents ?? fromNow;
  const startRev = sendInitial || fromNow ? store.rev : wanted;
  const initial: RegistryEvent[] = sendInitial
    ? store
        .list(prefix, matches === undefined ? {} : { where: entry => matches(entry.value) })
        .entries.map(entry => ({ type: 'ADDED', entry }))
    : [];
  if (request.sendInitialEvents === true && request.allowWatchBookmarks)
    initial.push({ type: 'BOOKMARK', rev: startRev, initial: true });
  const bookmarks = request.allowWatchBookmarks === true;
  const changes = openChanges(store, prefix, startRev, request.signal);
  return eventsOf(deps.clock, { initial, changes, matches, bookmarks, signal: request.signal });
};

const openChanges = (store: Store<KubeObject>, prefix: string, rev: number, signal: Signal) => {
  try {
    return store.watch(prefix, rev, signal);
  } catch (error) {
    throw error instanceof Compacted ? tooOld(rev, error.rev) : error;
  }
};

interface EventSource {
  readonly initial: RegistryEvent[];
  readonly changes: ReturnType<Store<KubeObject>['watch']>;
  readonly matches: Matches | undefined;
  readonly bookmarks: boolean;
  readonly signal: Signal;
}

async function* eventsOf(clock: Clock, source: EventSource): AsyncGenerator<RegistryEvent[]> {
  const { initial, changes, matches, bookmarks, signal } = source;
  const iterator = changes[Symbol.asyncIterator]();
  try {
    for (let i = 0; i < initial.length; i += initialBatch) yield initial.slice(i, i + initialBatch);
    let next = iterator.next();
    for (;;) {
      const step = bookmarks ? await within(clock, bookmarkEveryMs, next) : await next;
      if (step === undefined) {
        yield [{ type: 'BOOKMARK', rev: changes.rev, initial: false }];
        continue;
      }
      if (step.done || signal.aborted) return;
      const events = step.value.flatMap(change => eventOf(change, matches) ?? []);
      next = iterator.next();
      // A rejection must not go unhandled while the consumer is busy with the batch.
      next.catch(() => {});
      if (events.length > 0) yield events;
    }
  } catch (error) {
    throw error instanceof Compacted ? tooOld(changes.rev, error.rev) : error;
  } finally {
    await iterator.return?.();
  }
}

/** The result, or undefined when it is not there after `ms`. */
const within = async <T>(clock: Clock, ms: number, result: Promise<T>): Promise<T | undefined> => {
  let cancel = () => {};
  const late = new Promise<undefined>(resolve => {
    cancel = clock.after(ms, () => resolve(undefined));
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    cancel();
  }
};

const eventOf = (change: Change<KubeObject>, matches: Matches | undefined): RegistryEvent | undefined => {
  const { was, now, last } = change;
  const matched = was !== undefined && (matches === undefined || matches(was.value));
  const selected = now !== undefined && (matches === undefined || matches(now.value));
  if (selected) return { type: matched ? 'MODIFIED' : 'ADDED', entry: now };
  if (!matched) return undefined;
  // Gone, or no longer selected: then watchers get what they knew, at the new revision.
  const entry = now === undefined ? last : new Entry(was.key, change.rev, stamp(was.value, change.rev));
  return { type: 'DELETED', entry };
};

type Matches = (object: KubeObject) => boolean;

/** The predicate of a selection (undefined: everything) and the narrowest prefix that holds all of it. */
export const selectionOf = (kind: Kind, selection: Selection): { matches: Matches | undefined; prefix: string } => {
  const tests: Matches[] = [];
  if (selection.labelSelector) {
    const labels = parseLabelSelector(selection.labelSelector);
    tests.push(object => labels(object.metadata.labels));
  }
  const fields = selection.fieldSelector ? parseFieldSelector(selection.fieldSelector) : [];
  if (fields.length > 0) tests.push(fieldMatcher(kind, fields));
  const { namespace } = selection;
  const name = fields.find(({ field, operator }) => field === 'metadata.name' && operator === '=')?.value;
  const wide = prefixOf(kind, kind.namespaced ? namespace : undefined);
  const narrow = name !== undefined && (!kind.namespaced || namespace !== undefined);
  const matches =
    tests.length === 0
      ? undefined
      : tests.length === 1
        ? tests[0]
        : (object: KubeObject) => tests.every(t => t(object));
  return { matches, prefix: narrow ? wide + name : wide };
};
