/**
 * The scheduling queue (SEMANTICS F.2): `active` pods are tried next, by priority and then by how long they wait;
 * `backoff` pods wait for their time after a failure; `parked` pods were refused and wait for a change that could make
 * them fit, `gated` ones for their gates. Time is passed in. A pod that cannot fit is never in the way of others.
 */
import { Heap } from '#base/heap.ts';
import type { PodView } from '../shapes/shape.ts';
import { ParkedPods } from './parked-pods.ts';

/** A pod in the queue; its fields belong to the queue. */
export interface QueuedPod {
  view: PodView;
  /** When it (last) entered the queue: among equal priorities the earlier goes first. */
  sinceMs: number;
  /** When it was first seen. */
  readonly addedMs: number;
  attempts: number;
  /** Times refused by plugins; decides the backoff. */
  refusals: number;
  /** Internal errors in a row; decide the backoff while there are any. */
  errors: number;
  /** Plugins whose refusal keeps it parked. */
  refusedBy: readonly string[];
  /** Evictions for it are under way: it is not tried before they are done. */
  isPreempting: boolean;
  /** A change came while evictions were under way. */
  isWanted: boolean;
  /** The part of the queue that it is in; `taken` while it is being tried or bound. */
  place: Place | 'taken';
  /** When its backoff ends. */
  readyMs: number;
}

type Place = 'active' | 'backoff' | 'errorBackoff' | 'parked' | 'gated';

/** A part of the queue. */
interface Shelf {
  readonly size: number;
  set(pod: QueuedPod): void;
  remove(key: string): unknown;
}

export interface QueueOptions {
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  /** Parked pods are tried again after this long, whatever happened. */
  readonly maxParkedMs: number;
}

/** Upstream's (podInitialBackoffSeconds, podMaxBackoffSeconds, DefaultPodMaxInUnschedulablePodsDuration). */
export const defaultQueueOptions: QueueOptions = {
  initialBackoffMs: 1000,
  maxBackoffMs: 10_000,
  maxParkedMs: 5 * 60_000,
};

const moreUrgent = (a: QueuedPod, b: QueuedPod): boolean =>
  a.view.priority !== b.view.priority ? a.view.priority > b.view.priority : a.sinceMs < b.sinceMs;

const readyFirst = (a: QueuedPod, b: QueuedPod): boolean =>
  a.readyMs !== b.readyMs ? a.readyMs < b.readyMs : moreUrgent(a, b);

const keyOf = ({ view }: QueuedPod): string => view.key;

/** A pod is in it from `set` until `done` or `remove`; between `pop` and the answer to it the pod is `taken`. */
export class SchedulingQueue {
  readonly #options: QueueOptions;
  /** All pods, those that are taken included. */
  readonly #pods = new Map<string, QueuedPod>();
  readonly #active = new Heap<QueuedPod>(keyOf, moreUrgent);
  readonly #backoff = new Heap<QueuedPod>(keyOf, readyFirst);
  readonly #errorBackoff = new Heap<QueuedPod>(keyOf, readyFirst);
  readonly #parked = new ParkedPods();
  readonly #gated = new Heap<QueuedPod>(keyOf, moreUrgent);
  readonly #shelves: Readonly<Record<Place, Shelf>> = {
    active: this.#active,
    backoff: this.#backoff,
    errorBackoff: this.#errorBackoff,
    parked: this.#parked,
    gated: this.#gated,
  };

  constructor(options: QueueOptions = defaultQueueOptions) {
    this.#options = options;
  }

  /** Pods in each part of the queue; `taken` ones are in none. */
  get sizes(): { active: number; backoff: number; parked: number; gated: number } {
    return {
      active: this.#active.size,
      backoff: this.#backoff.size + this.#errorBackoff.size,
      parked: this.#parked.size,
      gated: this.#gated.size,
    };
  }

  get(key: string): QueuedPod | undefined {
    return this.#pods.get(key);
  }

  // ── what the cluster says ──────────────────────────────────────────────────

  /** A new pod, or a new version of one. Only a change that plugins can see brings a parked pod back. */
  set(view: PodView, nowMs: number): void {
    const known = this.#pods.get(view.key);
    if (known === undefined || known.view.uid !== view.uid) {
      if (known !== undefined) this.remove(view.key);
      this.#add(view, nowMs);
      return;
    }
    const isVisible = known.view.shape !== view.shape || known.view.gates.length !== view.gates.length;
    const { place } = known;
    this.#take(known);
    known.view = view;
    if (place === 'taken') return;
    if (view.gates.length > 0) this.#put(known, 'gated');
    else if (place === 'gated') this.#activate(known, nowMs);
    else if (place === 'parked' && isVisible) this.#retry(known, nowMs);
    else this.#put(known, place);
  }

  remove(key: string): void {
    const pod = this.#pods.get(key);
    if (pod === undefined) return;
    this.#take(pod);
    this.#pods.delete(key);
  }

  /** Brings back the parked pods for which `helps` says that a change may make them fit; asked once per group alike. */
  wake(helps: (sample: PodView, refusedBy: readonly string[]) => boolean, nowMs: number): void {
    for (const pod of this.#parked.those(sample => helps(sample.view, sample.refusedBy)))
      if (pod.isPreempting) pod.isWanted = true;
      else this.#retry(pod, nowMs);
  }

  /**
   * Evictions for the pod begin, or are done; when one has `failed` the pod is tried again after its backoff, however idle
   * the scheduler is. (Upstream tries again at once, for ever.)
   */
  preempting(key: string, on: boolean, nowMs: number, failed = false): void {
    const pod = this.#pods.get(key);
    if (pod === undefined) return;
    pod.isPreempting = on;
    if (on) {
      pod.isWanted = false;
      return;
    }
    if (pod.place !== 'parked') return;
    if (failed) {
      this.#take(pod);
      pod.readyMs = this.#readyMs(pod);
      this.#put(pod, 'errorBackoff');
    } else if (pod.isWanted) this.#retry(pod, nowMs);
  }

  // ── what the scheduler does ────────────────────────────────────────────────

  /**
   * The pod to try now. With nothing active, one that still backs off after a refusal is taken early, as upstream does
   * since v1.33. The caller must answer with `done`, `refused`, `failed` or `remove`.
   */
  pop(nowMs: number): QueuedPod | undefined {
    this.flush(nowMs);
    const pod = this.#active.peek() ?? this.#backoff.peek();
    if (pod === undefined) return undefined;
    this.#take(pod);
    pod.attempts++;
    return pod;
  }

  /** The pod was placed, or is nobody's business any more. */
  done(pod: QueuedPod): void {
    if (this.#pods.get(pod.view.key) === pod) this.#pods.delete(pod.view.key);
  }

  /** Plugins refused the pod: it waits until one of them may have changed its mind. */
  refused(pod: QueuedPod, plugins: readonly string[], nowMs: number): void {
    if (this.#pods.get(pod.view.key) !== pod) return;
    pod.refusals++;
    pod.errors = 0;
    pod.refusedBy = plugins;
    pod.sinceMs = nowMs;
    this.#put(pod, pod.view.gates.length > 0 ? 'gated' : 'parked');
  }

  /** Something went wrong that is not the pod's fault: it is tried again after its backoff. */
  failed(pod: QueuedPod, nowMs: number): void {
    const known = this.#pods.get(pod.view.key);
    if (known !== undefined && known !== pod) return;
    this.#pods.set(pod.view.key, pod);
    pod.errors++;
    pod.sinceMs = nowMs;
    pod.readyMs = this.#readyMs(pod);
    this.#put(pod, 'errorBackoff');
  }

  // ── what time does ─────────────────────────────────────────────────────────

  /** Moves pods whose backoff is over. */
  flush(nowMs: number): void {
    for (const heap of [this.#backoff, this.#errorBackoff])
      for (let pod = heap.peek(); pod !== undefined && pod.readyMs <= nowMs; pod = heap.peek())
        this.#activate(pod, nowMs);
  }

  /** Brings back pods that were parked for too long; upstream looks every 30 s. */
  flushParked(nowMs: number): void {
    for (const pod of this.#parked.all())
      if (!pod.isPreempting && nowMs - pod.sinceMs > this.#options.maxParkedMs) this.#retry(pod, nowMs);
  }

  /** When the next pod's backoff ends; undefined when none backs off. */
  nextReadyMs(): number | undefined {
    const times = [this.#backoff.peek(), this.#errorBackoff.peek()].flatMap(pod => (pod ? [pod.readyMs] : []));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  // ── moves ──────────────────────────────────────────────────────────────────

  #add(view: PodView, nowMs: number): void {
    const pod: QueuedPod = {
      view,
      sinceMs: nowMs,
      addedMs: nowMs,
      attempts: 0,
      refusals: 0,
      errors: 0,
      refusedBy: [],
      isPreempting: false,
      isWanted: false,
      place: 'taken',
      readyMs: nowMs,
    };
    this.#pods.set(view.key, pod);
    this.#put(pod, view.gates.length > 0 ? 'gated' : 'active');
  }

  #activate(pod: QueuedPod, nowMs: number): void {
    this.#take(pod);
    pod.sinceMs = nowMs;
    this.#put(pod, 'active');
  }

  /** Back to active, or to backoff while that lasts. */
  #retry(pod: QueuedPod, nowMs: number): void {
    this.#take(pod);
    pod.readyMs = this.#readyMs(pod);
    if (pod.readyMs <= nowMs) this.#activate(pod, nowMs);
    else this.#put(pod, 'backoff');
  }

  /** 1 s, 2 s, 4 s … after it was parked, cut to whole seconds so that pods come back together. */
  #readyMs(pod: QueuedPod): number {
    const failures = pod.errors > 0 ? pod.errors : pod.refusals;
    if (failures === 0) return pod.sinceMs;
    const delayMs = Math.min(this.#options.initialBackoffMs * 2 ** (failures - 1), this.#options.maxBackoffMs);
    return Math.floor((pod.sinceMs + delayMs) / 1000) * 1000;
  }

  #put(pod: QueuedPod, place: Place): void {
    pod.place = place;
    this.#shelves[place].set(pod);
  }

  /** Takes the pod out of the part of the queue that it is in. */
  #take(pod: QueuedPod): void {
    if (pod.place !== 'taken') this.#shelves[pod.place].remove(pod.view.key);
    pod.place = 'taken';
  }
}
