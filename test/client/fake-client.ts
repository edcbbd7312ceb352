/**
 * A whole cluster API in memory for tests of what talks to a Client: revisions, uids, watch with history, selectors,
 * status subresource, preconditions, pod grace, finalizers, namespace finalization. Far from validation and admission:
 * those are the registry's. `fault` lets a test break any call.
 */
import type { Kind } from '#api/kind.ts';
import { groupResource } from '#api/kind.ts';
import type { KubeList, KubeObject, ObjectRef } from '#api/object.ts';
import { type ApiError, alreadyExists, conflict, expired, modified, notFound } from '#api/status.ts';
import { type Clock, type Signal, toTime } from '#base/clock.ts';
import { deepCopy, deepEqual, deepFreeze, getPath, type Mutable } from '#base/deep.ts';
import { type Random, seededRandom } from '#base/random.ts';
import type {
  Client,
  DeleteOptions,
  ListOptions,
  Patch,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '#client/client.ts';

export interface Call {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'post';
  /** `pods`, `leases.coordination.k8s.io`, … */
  readonly resource: string;
  readonly name: string;
  readonly subresource: string;
  readonly body?: unknown;
}

interface Change {
  readonly revision: number;
  readonly resource: string;
  readonly was: KubeObject | undefined;
  readonly now: KubeObject | undefined;
}

type Draft = Mutable<KubeObject> & { spec?: Record<string, unknown>; status?: Record<string, unknown> };

export class FakeClient implements Client {
  readonly calls: Call[] = [];
  /** Called before each call; what it returns is thrown. */
  fault: (call: Call) => ApiError | undefined = () => undefined;
  /** How long each way takes: of a call to the server, of its answer, of a watch's events. */
  delayMs: () => number = () => 0;
  readonly #clock: Clock;
  readonly #random: Random = seededRandom(1);
  readonly #objects = new Map<string, KubeObject>();
  #history: Change[] = [];
  #oldest = 0;
  #revision = 0;
  #wake = new Set<() => void>();
  #generation = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Forgets the history: watches from an older revision get Expired. */
  compact(): void {
    this.#history = [];
    this.#oldest = this.#revision;
  }

  /** Ends every running watch, as a server that goes away does. */
  endWatches(): void {
    this.#generation++;
    this.#wakeAll();
  }

  /** Writes an object as it is, past every rule: for setting the scene. */
  put<T extends KubeObject>(kind: Kind<T>, object: Omit<T, 'apiVersion' | 'kind'>): T {
    const draft = deepCopy({
      apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
      kind: kind.kind,
      ...object,
    }) as Draft;
    const was = this.#objects.get(pathOf(kind, draft.metadata));
    draft.metadata.uid ??= was?.metadata.uid ?? this.#random.uuid();
    draft.metadata.creationTimestamp ??= toTime(this.#clock.now());
    return this.#commit(kind, was, draft) as unknown as T;
  }

  /** The object, or undefined: for assertions. */
  peek<T extends KubeObject>(kind: Kind<T>, name: string, namespace?: string): T | undefined {
    return this.#objects.get(pathOf(kind, { name, ...(namespace ? { namespace } : {}) })) as T | undefined;
  }

  /** All objects of the kind: for assertions. */
  all<T extends KubeObject>(kind: Kind<T>): T[] {
    return this.#select(kind, {}) as unknown as T[];
  }

  async get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T> {
    await this.#called('get', kind, ref.name, '');
    return this.#answered(this.#must(kind, ref)) as Promise<unknown> as Promise<T>;
  }

  async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): Promise<KubeList<T>> {
    await this.#called('list', kind, '', '');
    const items = this.#select(kind, options) as unknown as T[];
    const start = Number(options.continue ?? 0);
    const end = options.limit === undefined ? items.length : start + options.limit;
    return this.#answered({
      apiVersion: 'v1',
      kind: `${kind.kind}List`,
      metadata: {
        resourceVersion: String(this.#revision),
        ...(end < items.length ? { continue: String(end) } : {}),
      },
      items: items.slice(start, end),
    });
  }

  async *watch<T extends KubeObject>(
    kind: Kind<T>,
    options: WatchOptions,
  ): AsyncGenerator<readonly WatchEvent<T>[], void> {
    await this.#called('watch', kind, '', '');
    const generation = this.#generation;
    let at = options.resourceVersion === undefined ? this.#revision : Number(options.resourceVersion);
    if (options.resourceVersion === undefined) {
      yield this.#select(kind, options).map(object => ({ type: 'ADDED', object }) as unknown as WatchEvent<T>);
    }
    const ended = () => options.signal.aborted || this.#generation !== generation;
    while (!ended()) {
      if (at < this.#oldest) throw expired(`too old resource version: ${at} (${this.#oldest})`);
      const changes = this.#history.filter(change => change.revision > at);
      at = this.#revision;
      const events = changes.flatMap(change => eventOf(change, kind, options)) as unknown as WatchEvent<T>[];
      if (events.length > 0) yield await this.#answered(events);
      else if (at === this.#revision) await this.#changed(options.signal);
    }
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const draft = deepCopy(object) as unknown as Draft;
    if (!draft.metadata.name && draft.metadata.generateName) {
      draft.metadata.name = draft.metadata.generateName + this.#random.uuid().slice(0, 5);
    }
    await this.#called('create', kind, draft.metadata.name, '', object);
    if (this.#objects.has(pathOf(kind, draft.metadata))) throw alreadyExists(kind, draft.metadata.name);
    draft.metadata.uid = this.#random.uuid();
    draft.metadata.creationTimestamp = toTime(this.#clock.now());
    if (kind.kind === 'Namespace') {
      draft.spec = { finalizers: ['kubernetes'] };
      draft.status = { phase: 'Active' };
    }
    if (options.dryRun) return deepFreeze(draft) as unknown as T;
    return this.#answered(this.#commit(kind, undefined, draft)) as Promise<unknown> as Promise<T>;
  }

  async update<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    await this.#called('update', kind, object.metadata.name, options.subresource ?? '', object);
    const was = this.#must(kind, object.metadata);
    const draft = deepCopy(object) as unknown as Draft;
    return this.#answered(this.#write(kind, was, draft, options.subresource)) as Promise<unknown> as Promise<T>;
  }

  async patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    await this.#called('patch', kind, ref.name, options.subresource ?? '', patch.body);
    const was = this.#must(kind, ref);
    if (patch.type === 'json') throw new Error('the fake client does not know JSON patches');
    const body = deepCopy(patch.body) as Record<string, unknown>;
    const uid = getPath(body, ['metadata', 'uid']);
    if (uid !== undefined && uid !== was.metadata.uid)
      throw conflict(
        kind,
        ref.name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${was.metadata.uid}`,
      );
    const draft = merge(deepCopy(was), body, patch.type !== 'merge') as Draft;
    return this.#answered(this.#write(kind, was, draft, options.subresource)) as Promise<unknown> as Promise<T>;
  }

  async remove<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    await this.#called('delete', kind, ref.name, '', options);
    const was = this.#must(kind, ref);
    const { uid, resourceVersion } = options.preconditions ?? {};
    if (uid !== undefined && uid !== was.metadata.uid) throw conflict(kind, ref.name, 'Precondition failed: UID');
    if (resourceVersion !== undefined && resourceVersion !== was.metadata.resourceVersion)
      throw modified(kind, ref.name);
    const draft = deepCopy(was) as Draft;
    const grace = graceOf(kind, draft, options);
    const held = (draft.metadata.finalizers?.length ?? 0) > 0 || kind.kind === 'Namespace' || grace > 0;
    if (!held) {
      this.#commit(kind, was, undefined);
      return this.#travel();
    }
    if (draft.metadata.deletionTimestamp !== undefined) return this.#travel();
    draft.metadata.deletionTimestamp = toTime(this.#clock.now() + grace * 1000);
    draft.metadata.deletionGracePeriodSeconds = grace;
    if (kind.kind === 'Namespace') draft.status = { ...draft.status, phase: 'Terminating' };
    this.#commit(kind, was, draft);
    await this.#travel();
  }

  async post<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, subresource: string, body: object): Promise<void> {
    await this.#called('post', kind, ref.name, subresource, body);
    if (subresource !== 'binding') throw notFound(kind, `${ref.name}/${subresource}`);
    const was = this.#must(kind, ref);
    const draft = deepCopy(was) as Draft;
    draft.spec = { ...draft.spec, nodeName: getPath(body, ['target', 'name']) };
    this.#commit(kind, was, draft);
    await this.#travel();
  }

  #write(kind: Kind<never>, was: KubeObject, draft: Draft, subresource: string | undefined): KubeObject {
    const asked = draft.metadata.resourceVersion;
    if (asked !== undefined && asked !== '' && asked !== was.metadata.resourceVersion)
      throw modified(kind, draft.metadata.name);
    const old = deepCopy(was) as Draft;
    let next = draft;
    if (subresource === 'status') next = { ...old, status: draft.status ?? {} };
    else if (subresource === 'finalize') next = { ...old, spec: draft.spec ?? {} };
    else if (kind.hasStatus) next = { ...draft, ...(old.status === undefined ? {} : { status: old.status }) };
    const { uid, creationTimestamp, deletionTimestamp } = was.metadata;
    Object.assign(next.metadata, {
      uid,
      creationTimestamp,
      deletionTimestamp,
      resourceVersion: was.metadata.resourceVersion,
    });
    const finalizers = [
      ...(next.metadata.finalizers ?? []),
      ...(kind.kind === 'Namespace' ? ((next.spec?.['finalizers'] as string[] | undefined) ?? []) : []),
    ];
    const grace = next.metadata.deletionGracePeriodSeconds ?? 0;
    if (deletionTimestamp !== undefined && finalizers.length === 0 && grace === 0)
      return this.#commit(kind, was, undefined);
    if (deepEqual(next, was)) return was;
    return this.#commit(kind, was, next);
  }

  #commit(kind: Kind<never>, was: KubeObject | undefined, now: Draft | undefined): KubeObject {
    const revision = ++this.#revision;
    const object = now ?? (deepCopy(was) as Draft);
    object.metadata.resourceVersion = String(revision);
    deepFreeze(object);
    const path = pathOf(kind, object.metadata);
    if (now) this.#objects.set(path, object);
    else this.#objects.delete(path);
    this.#history.push({
      revision,
      resource: groupResource(kind),
      was: now ? was : object,
      now: now ? object : undefined,
    });
    this.#wakeAll();
    return object;
  }

  #must(kind: Kind<never>, ref: ObjectRef): KubeObject {
    const object = this.#objects.get(pathOf(kind, ref));
    if (!object) throw notFound(kind, ref.name);
    return object;
  }

  #select(kind: Kind<never>, options: ListOptions): KubeObject[] {
    const prefix = `${groupResource(kind)}/`;
    const found = [...this.#objects].filter(([path, object]) => path.startsWith(prefix) && selects(object, options));
    return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  async #called(
    verb: Call['verb'],
    kind: Kind<never>,
    name: string,
    subresource: string,
    body?: unknown,
  ): Promise<void> {
    await this.#travel();
    const call = { verb, resource: groupResource(kind), name, subresource, ...(body === undefined ? {} : { body }) };
    this.calls.push(call);
    const error = this.fault(call);
    if (error) throw error;
  }

  async #answered<T>(answer: T): Promise<T> {
    await this.#travel();
    return answer;
  }

  async #travel(): Promise<void> {
    const delayMs = this.delayMs();
    if (delayMs > 0) await this.#clock.sleep(delayMs);
  }

  #changed(signal: Signal): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        this.#wake.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wake.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #wakeAll(): void {
    for (const wake of [...this.#wake]) wake();
  }
}

const pathOf = (kind: Kind<never>, ref: ObjectRef): string =>
  `${groupResource(kind)}/${kind.namespaced ? (ref.namespace ?? 'default') : ''}/${ref.name}`;

const graceOf = (kind: Kind<never>, draft: Draft, options: DeleteOptions): number => {
  if (kind.kind !== 'Pod' || kind.group !== '') return 0;
  const { nodeName, terminationGracePeriodSeconds } = draft.spec ?? {};
  if (!nodeName || ['Succeeded', 'Failed'].includes(String(draft.status?.['phase']))) return 0;
  return options.gracePeriodSeconds ?? (terminationGracePeriodSeconds as number | undefined) ?? 30;
};

const selects = (object: KubeObject, options: ListOptions): boolean => {
  if (options.namespace !== undefined && object.metadata.namespace !== options.namespace) return false;
  const fields = terms(options.fieldSelector).every(
    ([path, value, equal]) => (String(getPath(object, path.split('.')) ?? '') === value) === equal,
  );
  const labels = terms(options.labelSelector).every(
    ([key, value, equal]) => ((object.metadata.labels?.[key] ?? '') === value) === equal,
  );
  return fields && labels;
};

/** `a=b,c!=d` as [key, value, wanted equal]. */
const terms = (selector: string | undefined): [string, string, boolean][] =>
  (selector ?? '')
    .split(',')
    .filter(term => term !== '')
    .map(term => {
      const [key = '', value = ''] = term.split(/!=|==?/);
      return [key, value, !term.includes('!=')];
    });

const eventOf = (change: Change, kind: Kind<never>, options: ListOptions): object[] => {
  if (change.resource !== groupResource(kind)) return [];
  const was = change.was && selects(change.was, options);
  const now = change.now && selects(change.now, options);
  if (now) return [{ type: was ? 'MODIFIED' : 'ADDED', object: change.now }];
  if (!was) return [];
  const gone = deepCopy(change.now ?? change.was) as Draft;
  gone.metadata.resourceVersion = String(change.revision);
  return [{ type: 'DELETED', object: deepFreeze(gone) }];
};

/** JSON merge patch; with `strategic` the lists that Kubernetes merges by `type` or `uid` are merged by it. */
const merge = (target: unknown, patch: unknown, strategic: boolean): unknown => {
  if (Array.isArray(patch) || typeof patch !== 'object' || patch === null) return patch;
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    const by = { conditions: 'type', ownerReferences: 'uid' }[key];
    if (value === null) delete result[key];
    else if (strategic && by && Array.isArray(value)) result[key] = mergeList(result[key], value, by);
    else result[key] = merge(result[key], value, strategic);
  }
  return result;
};

const mergeList = (target: unknown, patch: readonly unknown[], by: string): unknown[] => {
  const list = Array.isArray(target) ? [...target] : [];
  for (const item of patch) {
    const at = list.findIndex(other => getPath(other, [by]) === getPath(item, [by]));
    if (getPath(item, ['$patch']) === 'delete') {
      if (at >= 0) list.splice(at, 1);
    } else if (at < 0) list.push(item);
    else list[at] = merge(list[at], item, true);
  }
  return list;
};
