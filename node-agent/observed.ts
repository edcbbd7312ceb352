/**
 * The agent's picture of its containers in the engine: a list taken when the event stream opens and again at times,
 * and one inspection for each event. Events only say what to look at; what is seen decides. Also knows whether the
 * engine answers at all.
 */
import { createBackoff } from '#base/backoff.ts';
import type { Clock, Signal } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createStop } from '#base/stop.ts';
import { label, type Owner, ownerLabels, type PodSeen, sortSeen } from './names.ts';
import { type ContainerRuntime, type ContainerSeen, isFault, type RuntimeEvent } from './runtime.ts';

export interface ObserverDeps {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly owner: Owner;
  readonly pingMs: number;
  /** Something of this pod changed in the engine. */
  changed(podUid: string): void;
  /** A container was seen running for the first time since it started. */
  started(seen: ContainerSeen): void;
  /** An `oom` event of a container. */
  outOfMemory(podUid: string, id: string): void;
  /** The engine stopped or began to answer. */
  engineChanged(fault: string | undefined): void;
}

/** How often the whole list is taken even when events flow. */
const relistMs = 30_000;
/** Events worth a look. Creation and start are the agent's own doing, and it looks by itself then. */
const telling = new Set(['die', 'oom', 'destroy', 'pause', 'unpause', 'restart']);
const maxBackoffMs = 5000;
/** Containers are never started twice by the agent, so their phases only go on. */
const order = { created: 0, running: 1, exited: 2 } as const;

export class Observer {
  readonly #deps: ObserverDeps;
  readonly #seen = new Map<string, ContainerSeen>();
  readonly #byPod = new Map<string, Set<string>>();
  readonly #listed: Promise<void>;
  #setListed: () => void = () => {};
  #isListed = false;
  #fault: string | undefined = 'not connected yet';
  /** Containers that are known to be newer than the list being taken. */
  #touched: Set<string> | undefined;

  constructor(deps: ObserverDeps) {
    this.#deps = deps;
    this.#listed = new Promise(resolve => {
      this.#setListed = resolve;
    });
  }

  /** Why the engine does not answer, or undefined while it does. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** The first list is in. */
  get isListed(): boolean {
    return this.#isListed;
  }

  /** Resolves when the first list is in. */
  whenListed(): Promise<void> {
    return this.#listed;
  }

  pod(uid: string): PodSeen {
    const ids = [...(this.#byPod.get(uid) ?? [])];
    return sortSeen(ids.map(id => this.#seen.get(id)!));
  }

  podUids(): readonly string[] {
    return [...this.#byPod.keys()];
  }

  all(): readonly ContainerSeen[] {
    return [...this.#seen.values()];
  }

  /** Looks at one container now; used right after the agent has changed it. */
  async look(id: string): Promise<ContainerSeen | undefined> {
    const seen = await this.#deps.runtime.inspect(id);
    this.#touched?.add(id);
    if (seen) this.#put(seen);
    else this.#drop(id);
    return seen;
  }

  /** The agent has removed it. */
  removed(id: string): void {
    this.#touched?.add(id);
    this.#drop(id);
  }

  async run(signal: Signal): Promise<void> {
    const { clock, log, random } = this.#deps;
    const backoff = createBackoff(random, 200, maxBackoffMs);
    while (!signal.aborted) {
      try {
        await this.#follow(signal, () => backoff.reset());
        if (signal.aborted) return;
        this.#setFault('the Docker Engine ended its event stream');
      } catch (error) {
        if (signal.aborted) return;
        if (isFault(error, 'unavailable')) this.#setFault(error.message);
        else log.warn({ err: error }, 'following the engine failed');
      }
      await clock.sleep(backoff.next(), signal);
    }
  }

  async #follow(signal: Signal, good: () => void): Promise<void> {
    const { runtime, owner } = this.#deps;
    const stop = createStop(signal);
    let opened: () => void = () => {};
    const whenOpened = new Promise<void>(resolve => {
      opened = resolve;
    });
    const events = runtime
      .events(ownerLabels(owner), event => void this.#handle(event), opened, stop.signal)
      .finally(() => {
        stop.stop();
        opened();
      });
    // Its failure is awaited below; this only keeps it from counting as unhandled until then.
    events.catch(() => {});
    try {
      await whenOpened;
      while (!stop.signal.aborted) {
        await this.#relist();
        good();
        this.#setFault(undefined);
        this.#isListed = true;
        this.#setListed();
        await this.#untilRelist(stop.signal);
      }
    } finally {
      // A question that was not answered ends the following; the stream may still be open then.
      stop.stop();
    }
    await events;
  }

  async #untilRelist(signal: Signal): Promise<void> {
    const { runtime, clock, pingMs } = this.#deps;
    for (let waitedMs = 0; waitedMs < relistMs && !signal.aborted; waitedMs += pingMs) {
      await clock.sleep(pingMs, signal);
      if (!signal.aborted) await runtime.ping();
    }
  }

  async #relist(): Promise<void> {
    this.#touched = new Set();
    const found = await this.#deps.runtime.list(ownerLabels(this.#deps.owner));
    const touched = this.#touched;
    this.#touched = undefined;
    const present = new Set(found.map(({ id }) => id));
    for (const seen of found) if (!touched.has(seen.id)) this.#put(seen);
    for (const id of [...this.#seen.keys()]) if (!present.has(id) && !touched.has(id)) this.#drop(id);
  }

  async #handle(event: RuntimeEvent): Promise<void> {
    const uid = event.labels[label.podUid] ?? '';
    if (event.action === 'oom') this.#deps.outOfMemory(uid, event.id);
    if (!telling.has(event.action)) return;
    try {
      await this.look(event.id);
    } catch (error) {
      if (!isFault(error, 'unavailable')) this.#deps.log.warn({ err: error, id: event.id }, 'cannot inspect container');
    }
  }

  #put(seen: ContainerSeen): void {
    const uid = seen.labels[label.podUid] ?? '';
    const old = this.#seen.get(seen.id);
    // Inspections overtake each other: an older answer must not undo a newer one.
    if (old && order[seen.phase] < order[old.phase] && seen.startedAtMs <= old.startedAtMs) return;
    this.#seen.set(seen.id, seen);
    if (seen.phase === 'running' && old?.startedAtMs !== seen.startedAtMs) this.#deps.started(seen);
    const ids = this.#byPod.get(uid);
    if (ids) ids.add(seen.id);
    else this.#byPod.set(uid, new Set([seen.id]));
    if (!old || old.phase !== seen.phase || old.startedAtMs !== seen.startedAtMs) this.#deps.changed(uid);
  }

  #drop(id: string): void {
    const old = this.#seen.get(id);
    if (!old) return;
    this.#seen.delete(id);
    const uid = old.labels[label.podUid] ?? '';
    const ids = this.#byPod.get(uid);
    ids?.delete(id);
    if (ids?.size === 0) this.#byPod.delete(uid);
    this.#deps.changed(uid);
  }

  #setFault(fault: string | undefined): void {
    if (this.#fault === fault) return;
    const wasUp = this.#fault === undefined;
    this.#fault = fault;
    if (wasUp !== (fault === undefined)) this.#deps.engineChanged(fault);
  }
}
