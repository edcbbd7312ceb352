/**
 * Runs controllers. A controller is pure: `reconcile` gets an object, what the caches show and the time, and answers with
 * a plan (plan.ts). The runner turns changes into keys, keeps them in a queue, carries plans out, and retries failures
 * with backoff. Its barrier: a key is not reconciled again before the caches show what its last plan wrote, so that no
 * controller ever decides on a state from before its own writes.
 */
import type { Kind } from '#api/kind.ts';
import type { KubeList, KubeObject } from '#api/object.ts';
import { keyOf } from '#api/object.ts';
import { isReason } from '#api/status.ts';
import type { Clock, Signal } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { WorkQueue } from '#base/queue.ts';
import { cacheName, type InformerOf, makeWrites, type Shown } from './barrier.ts';
import type { Caches, IndexOf, View } from './caches.ts';
import type { Client, ListOptions } from './client.ts';
import type { Recorder } from './events.ts';
import type { Informer, ObjectChange } from './informer.ts';
import type { Plan } from './plan.ts';

/** Another kind that a controller reads, and whose changes concern it. */
export interface Watch<T extends KubeObject = never> {
  readonly kind: Kind<T>;
  /** Reads only what this selects. */
  readonly fieldSelector?: string;
  /** Keys of the objects to reconcile because of this change; absent: it is only read. */
  keys?(change: ObjectChange<T>, view: Omit<View, 'fetched'>): Iterable<string>;
}

/** A list to make before a reconcile. */
export interface Read extends ListOptions {
  readonly kind: Kind;
}

export interface Controller<T extends KubeObject, M = undefined> {
  readonly name: string;
  /** What is reconciled; each of its changes reconciles it. */
  readonly kind: Kind<T>;
  readonly watches: readonly Watch[];
  readonly indexes?: readonly IndexOf<never>[];
  /** True: plans depend on each other across objects, so the barrier and the turn are the controller's, not the key's. */
  readonly serial?: boolean;
  /** True: this change needs no reconcile. Pure, and cheap: it is asked for every change. */
  ignores?(object: T, view: Omit<View, 'fetched'>): boolean;
  /** What it needs beyond the caches to reconcile the object: listed anew each time. */
  reads?(object: T): readonly Read[];
  /** Pure. `memory` is what the last plan for the same object said to remember. */
  reconcile(object: T, view: View, nowMs: number, memory: M | undefined): Plan<M>;
}

export interface ControllerDeps {
  readonly caches: Caches;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly recorder: Recorder;
  /** Keys worked on at once, unless the controller is serial. Default 4. */
  readonly workers?: number;
}

/** After this time a key goes on although its caches never showed its writes (they are being listed anew, say). */
const barrierLimitMs = 30_000;
const retryMs = 50;
const retryLimitMs = 60_000;

interface Waiting {
  readonly shown: readonly Shown[];
  readonly untilMs: number;
}

/** Subscribes the controller to the caches; `run` then works until the signal aborts. Make it before the caches run. */
export class ControllerRunner<T extends KubeObject, M> {
  readonly name: string;
  readonly #controller: Controller<T, M>;
  readonly #deps: ControllerDeps;
  readonly #queue: WorkQueue;
  readonly #objects: Informer<T>;
  readonly #informers = new Map<string, Informer<KubeObject>>();
  readonly #view: Omit<View, 'fetched'>;
  readonly #waiting = new Map<string, Waiting>();
  readonly #parked = new Set<string>();
  readonly #memory = new Map<string, { uid: string | undefined; value: M }>();

  constructor(controller: Controller<T, M>, deps: ControllerDeps) {
    this.name = controller.name;
    this.#controller = controller;
    this.#deps = deps;
    this.#queue = new WorkQueue({ clock: deps.clock, baseDelayMs: retryMs, maxDelayMs: retryLimitMs });
    for (const index of controller.indexes ?? []) deps.caches.index(index);
    this.#objects = deps.caches.informer(controller.kind);
    this.#register(controller.kind, this.#objects);
    this.#view = this.#viewOf(deps.caches);
    this.#objects.subscribe(changes => this.#changed(changes));
    for (const watch of controller.watches) this.#follow(watch);
    for (const informer of this.#informers.values()) informer.onProgress(() => this.#unpark());
  }

  /** Works on keys until `signal` aborts; plans under way are finished. */
  async run(signal: Signal): Promise<void> {
    await Promise.all([...this.#informers.values()].map(informer => informer.whenSynced(signal)));
    const workers = this.#controller.serial ? 1 : (this.#deps.workers ?? 4);
    await Promise.all(Array.from({ length: workers }, () => this.#work(signal)));
    // Its timer would keep the process alive until the next key falls due.
    if (signal.aborted) this.#queue.close();
  }

  #register(kind: Kind<never>, informer: unknown): void {
    this.#informers.set(cacheName(kind), informer as Informer<KubeObject>);
  }

  #viewOf(caches: Caches): Omit<View, 'fetched'> {
    const informerOf = <K extends KubeObject>(kind: Kind<K>) =>
      this.#informers.get(cacheName(kind)) as unknown as Informer<K> | undefined;
    return {
      get: (kind, key) => informerOf(kind)?.get(key),
      list: kind => informerOf(kind)?.list() ?? [],
      by: (index, value) => caches.by(index, value),
    };
  }

  #follow(watch: Watch): void {
    const informer = this.#deps.caches.informer(watch.kind, watch.fieldSelector);
    if (!this.#informers.has(cacheName(watch.kind))) this.#register(watch.kind, informer);
    if (watch.keys === undefined) return;
    informer.subscribe(changes => {
      for (const change of changes) for (const key of watch.keys?.(change, this.#view) ?? []) this.#queue.add(key);
    });
  }

  #changed(changes: readonly ObjectChange<T>[]): void {
    for (const { was, now } of changes) {
      const object = now ?? was;
      if (object === undefined) continue;
      const key = keyOf(object);
      if (now === undefined) this.#forget(key);
      else if (!this.#controller.ignores?.(now, this.#view)) this.#queue.add(key);
    }
  }

  #forget(key: string): void {
    this.#memory.delete(key);
    this.#parked.delete(key);
    this.#queue.forget(key);
    if (!this.#controller.serial) this.#waiting.delete(key);
  }

  async #work(signal: Signal): Promise<void> {
    for (let key = await this.#queue.take(signal); key !== undefined; key = await this.#queue.take(signal)) {
      try {
        await this.#turn(key);
      } finally {
        this.#queue.done(key);
      }
    }
  }

  async #turn(key: string): Promise<void> {
    const object = this.#objects.get(key);
    if (object === undefined) return;
    if (!this.#isCurrent(key)) {
      this.#parked.add(key);
      this.#queue.addAfter(key, barrierLimitMs);
      return;
    }
    try {
      await this.#carryOut(key, object);
      this.#queue.forget(key);
    } catch (error) {
      this.#failed(key, error);
    }
  }

  async #carryOut(key: string, object: T): Promise<void> {
    const { client, clock, recorder } = this.#deps;
    const remembered = this.#memory.get(key);
    const memory = remembered?.uid === object.metadata.uid ? remembered?.value : undefined;
    const view = await this.#fetchedFor(object);
    const plan = this.#controller.reconcile(object, view, clock.now(), memory);
    if (plan.memory === undefined) this.#memory.delete(key);
    else this.#memory.set(key, { uid: object.metadata.uid, value: plan.memory });
    const shown: Shown[] = [];
    try {
      await makeWrites(client, plan.writes, this.#informerOf, shown);
    } finally {
      if (shown.length > 0) this.#waiting.set(this.#barrierOf(key), { shown, untilMs: clock.now() + barrierLimitMs });
    }
    for (const { about, type, reason, message, more } of plan.notes ?? []) {
      recorder.event(about, type, reason, message, more);
    }
    if (plan.againInMs !== undefined) this.#queue.addAfter(key, Math.max(1, plan.againInMs));
  }

  async #fetchedFor(object: T): Promise<View> {
    const reads = this.#controller.reads?.(object) ?? [];
    const lists = await Promise.all(reads.map(({ kind, ...options }) => this.#deps.client.list(kind, options)));
    const byKind = new Map<string, unknown>(reads.map((read, i) => [cacheName(read.kind), lists[i]]));
    const fetched = <K extends KubeObject>(kind: Kind<K>) => byKind.get(cacheName(kind)) as KubeList<K> | undefined;
    return { ...this.#view, fetched };
  }

  readonly #informerOf: InformerOf = kind => this.#informers.get(cacheName(kind));

  #failed(key: string, error: unknown): void {
    this.#queue.retry(key);
    const fields = { controller: this.name, key, err: error, failures: this.#queue.failures(key) };
    // Somebody else was faster; the next look has their change.
    if (isReason(error, 'Conflict')) this.#deps.log.debug(fields, 'controller decided on an older state; trying again');
    else this.#deps.log.warn(fields, 'controller failed; trying again');
  }

  #barrierOf(key: string): string {
    return this.#controller.serial ? '' : key;
  }

  #isCurrent(key: string): boolean {
    const waiting = this.#waiting.get(this.#barrierOf(key));
    if (waiting === undefined) return true;
    if (this.#deps.clock.now() < waiting.untilMs && !waiting.shown.every(shown => shown())) return false;
    this.#waiting.delete(this.#barrierOf(key));
    return true;
  }

  #unpark(): void {
    for (const key of this.#parked) {
      if (!this.#isCurrent(key)) continue;
      this.#parked.delete(key);
      this.#queue.add(key);
    }
  }
}
