/**
 * The informers that the parts of one process share: one per kind and selection, however many read it; and indexes
 * over them, kept current change by change, so that "the pods of this node" costs no walk over all pods.
 */
import { groupResource, type Kind } from '#api/kind.ts';
import { type KubeList, type KubeObject, keyOf } from '#api/object.ts';
import type { Clock, Signal } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { type Service, supervise } from '#base/supervise.ts';
import type { Client } from './client.ts';
import { Informer } from './informer.ts';

export interface CacheDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Groups the objects of a kind by a value of theirs; undefined: in no group. */
export interface IndexOf<T extends KubeObject> {
  readonly kind: Kind<T>;
  readonly name: string;
  value(object: T): string | undefined;
}

/** What a controller may read; a snapshot while it runs, since it does not await. */
export interface View {
  get<T extends KubeObject>(kind: Kind<T>, key: string): T | undefined;
  list<T extends KubeObject>(kind: Kind<T>): readonly T[];
  /** The objects of one group of an index. */
  by<T extends KubeObject>(index: IndexOf<T>, value: string): readonly T[];
  /** What the controller's `reads` asked for, just listed; undefined for a kind that it did not ask for. */
  fetched<T extends KubeObject>(kind: Kind<T>): KubeList<T> | undefined;
}

export class Caches implements Omit<View, 'fetched'> {
  readonly #deps: CacheDeps;
  readonly #informers = new Map<string, Informer<KubeObject>>();
  readonly #indexes = new Map<string, Index>();

  constructor(deps: CacheDeps) {
    this.#deps = deps;
  }

  /** The shared informer of the kind, made when first asked for; ask before `run`. A field selector makes it another. */
  informer<T extends KubeObject>(kind: Kind<T>, fieldSelector?: string): Informer<T> {
    const id = `${groupResource(kind)}?${fieldSelector ?? ''}`;
    const known = this.#informers.get(id);
    if (known) return known as unknown as Informer<T>;
    const made = new Informer<T>({ ...this.#deps, kind, ...(fieldSelector === undefined ? {} : { fieldSelector }) });
    this.#informers.set(id, made as unknown as Informer<KubeObject>);
    return made;
  }

  /** Keeps the index from now on; ask before `run`. */
  index<T extends KubeObject>(index: IndexOf<T>): void {
    if (this.#indexes.has(index.name)) return;
    this.#indexes.set(
      index.name,
      new Index(this.informer(index.kind) as unknown as Informer<KubeObject>, index as unknown as IndexOf<KubeObject>),
    );
  }

  get<T extends KubeObject>(kind: Kind<T>, key: string): T | undefined {
    return this.informer(kind).get(key);
  }

  list<T extends KubeObject>(kind: Kind<T>): readonly T[] {
    return this.informer(kind).list();
  }

  by<T extends KubeObject>(index: IndexOf<T>, value: string): readonly T[] {
    return (this.#indexes.get(index.name)?.group(value) ?? []) as readonly T[];
  }

  /** Runs every informer asked for so far until `signal` aborts. */
  run(signal: Signal): Promise<void> {
    const services: Service[] = [...this.#informers].map(([name, informer]) => ({
      name: `informer ${name}`,
      run: inner => informer.run(inner),
    }));
    return supervise(services, this.#deps, signal);
  }

  /** Resolves when every informer asked for so far has its first list. */
  async whenSynced(): Promise<void> {
    await Promise.all([...this.#informers.values()].map(informer => informer.whenSynced()));
  }
}

class Index {
  readonly #groups = new Map<string, Map<string, KubeObject>>();
  readonly #value: (object: KubeObject) => string | undefined;

  constructor(informer: Informer<KubeObject>, index: IndexOf<KubeObject>) {
    this.#value = object => index.value(object);
    for (const object of informer.list()) this.#put(object);
    informer.subscribe(changes => {
      for (const { was, now } of changes) {
        if (was) this.#take(was);
        if (now) this.#put(now);
      }
    });
  }

  group(value: string): readonly KubeObject[] {
    const group = this.#groups.get(value);
    return group ? [...group.values()] : [];
  }

  #put(object: KubeObject): void {
    const value = this.#value(object);
    if (value === undefined) return;
    const group = this.#groups.get(value) ?? new Map<string, KubeObject>();
    group.set(keyOf(object), object);
    this.#groups.set(value, group);
  }

  #take(object: KubeObject): void {
    const value = this.#value(object);
    const group = value === undefined ? undefined : this.#groups.get(value);
    group?.delete(keyOf(object));
    if (value !== undefined && group?.size === 0) this.#groups.delete(value);
  }
}
