/**
 * One pod's worker: asks pod-machine.ts what to do, does it, and asks again, until the pod is gone. Everything that
 * happens (a change of the object, of a container, a timer) only wakes it. Long work (pulls, hooks) runs beside the
 * loop and wakes it at its end; statuses are written by status-writer.ts without holding the loop up.
 */
import type { Pod, PodStatus } from '#api/kinds/core.ts';
import { isNewer } from '#api/object.ts';
import { createBackoff } from '#base/backoff.ts';
import { toTime } from '#base/clock.ts';
import { createStop } from '#base/stop.ts';
import { label, type PodSeen } from '../names.ts';
import { isFault } from '../runtime.ts';
import { backoffNotes, type Told } from './backoff-events.ts';
import { Jobs } from './jobs.ts';
import { heardOom, killsIn, livedOn, oomSettlesMs, tellOomInside } from './oom.ts';
import { Pause } from './pause.ts';
import { perform, podIPOf, type Round, same, stopContainer } from './performing.ts';
import type { Change } from './pod-actions.ts';
import { finishPod } from './pod-cleanup.ts';
import { type PodDeps, podEvent } from './pod-deps.ts';
import { advance } from './pod-machine.ts';
import {
  adopted,
  containerMemory,
  forgetGone,
  newMemory,
  type PodMemory,
  referencesChanged,
  withInstance,
  withPod,
} from './pod-memory.ts';
import { isTerminal } from './pod-phase.ts';
import { allContainers } from './pod-plan.ts';
import { Prober } from './probes.ts';
import { StatusWriter } from './status-writer.ts';

/** The kubelet looks at a pod in trouble again after this time, and up to half of it more (backOffPeriod). */
const syncEveryMs = 10_000;
const syncJitter = 0.5;

export class PodWorker {
  readonly #deps: PodDeps;
  readonly #stop = createStop();
  readonly #pause: Pause;
  readonly #status: StatusWriter;
  readonly #prober: Prober;
  readonly #jobs: Jobs<Change>;
  #pod: Pod;
  #memory: PodMemory;
  #isGone = false;
  #isDone = false;
  #told: Told = new Map();
  #volumesStale = false;

  constructor(deps: PodDeps, pod: Pod) {
    this.#deps = deps;
    this.#pod = pod;
    this.#pause = new Pause(deps.clock, this.#stop.signal);
    this.#jobs = new Jobs(deps, { pod: pod.metadata.name }, change => this.#change(change), this.#stop.signal);
    this.#memory = adopted(newMemory(deps.clock.now()), deps.observer.pod(pod.metadata.uid ?? ''));
    this.#status = new StatusWriter(deps.client, deps.clock, deps.random, deps.log, written => this.update(written));
    this.#prober = new Prober(deps, {
      changed: (id, change) => this.#change(memory => withInstance(memory, id, change)),
      unhealthy: (container, seen, cause, graceMs) =>
        stopContainer(this.#round(deps.observer.pod(this.#uid)), container, seen, cause, graceMs),
    });
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** The node has taken it and it has not ended: its requests count. */
  get isActive(): boolean {
    return this.#memory.admitted && !isTerminal(this.#pod.status?.phase);
  }

  /** A newer state of the API object. */
  update(pod: Pod): void {
    if (pod.metadata.uid !== this.#pod.metadata.uid || !isNewer(pod, this.#pod)) return;
    this.#volumesStale ||= hasDownwardChange(this.#pod, pod);
    this.#pod = pod;
    this.wake();
  }

  /** The API object is gone: end everything, and report nothing any more. */
  gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    const metadata = {
      ...this.#pod.metadata,
      deletionTimestamp: this.#pod.metadata.deletionTimestamp ?? toTime(this.#deps.clock.now()),
      deletionGracePeriodSeconds: 0,
    };
    this.#pod = { ...this.#pod, metadata };
    this.wake();
  }

  /** A ConfigMap or Secret that it refers to has changed. */
  referencesChanged(): void {
    this.#volumesStale = true;
    this.#change(referencesChanged);
  }

  /** The engine's `oom` event of one of its containers. */
  outOfMemory(id: string): void {
    this.#change(memory => heardOom(memory, id));
    this.#jobs.begin(async () => {
      await this.#deps.clock.sleep(oomSettlesMs, this.#stop.signal);
      await this.#lookAfterOom(id);
      return same;
    }, same);
  }

  /** OOM kills of a container since the pod came to this agent. */
  oomKills(container: string): number {
    return containerMemory(this.#memory, container).oomKills ?? 0;
  }

  async #lookAfterOom(id: string): Promise<void> {
    const seen = await this.#deps.observer.look(id);
    const container = allContainers(this.#pod).find(({ name }) => name === seen?.labels[label.containerName]);
    if (seen?.phase !== 'running' || !container) return;
    const { fresh, memory } = livedOn(this.#memory, container.name, id, killsIn(this.#deps, seen));
    this.#change(() => memory);
    if (fresh > 0) await tellOomInside(this.#deps, this.#pod, container, fresh);
  }

  wake(): void {
    this.#pause.wake();
  }

  /** Ends the worker and leaves the pod as it is. */
  async stop(): Promise<void> {
    this.#stop.stop();
    this.#prober.stop();
    await Promise.all([this.#jobs.ended(), this.#status.stop()]);
  }

  /** Works until the pod is gone or the worker is stopped. */
  async run(): Promise<void> {
    const { clock, log, random } = this.#deps;
    const { signal } = this.#stop;
    const backoff = createBackoff(random, 200, 10_000);
    while (!signal.aborted && !this.#isDone) {
      this.#pause.begin();
      try {
        const sleepMs = await this.#step();
        backoff.reset();
        if (!this.#isDone) await this.#pause.rest(sleepMs);
      } catch (error) {
        if (!isFault(error, 'unavailable'))
          log.error({ err: error, pod: this.#pod.metadata.name }, 'pod worker failed');
        await clock.sleep(backoff.next(), signal);
      }
    }
    this.#prober.stop();
    await this.#jobs.ended();
  }

  /** One decision and its actions; gives the time until the next look, 0 for at once. */
  async #step(): Promise<number> {
    const { deps, seen } = this.#observe();
    if (deps.observer.fault !== undefined) return Number.POSITIVE_INFINITY;
    this.#admit(seen);
    const facts = { hostIP: deps.hostIP, runtime: deps.runtime.name };
    const step = advance(this.#pod, this.#memory, seen, deps.clock.now(), facts, deps.policy);
    const tellAtMs = this.#tell(step.status);
    this.#report(step.status);
    this.#probe(seen);
    if (this.#volumesStale && this.#memory.volumesReady) {
      this.#volumesStale = false;
      this.#apply(await perform(this.#round(seen), { do: 'volumes' }));
    }
    const changes = await Promise.all(
      step.actions.map(action => (action.do === 'finish' ? this.#finish() : perform(this.#round(seen), action))),
    );
    for (const change of changes) this.#apply(change);
    if (changes.length > 0) return 0;
    return Math.min(step.wakeAtMs ?? Number.POSITIVE_INFINITY, tellAtMs) - deps.clock.now();
  }

  #observe(): { deps: PodDeps; seen: PodSeen } {
    const deps = this.#deps;
    const seen = deps.observer.pod(this.#uid);
    const present = [...seen.sandboxes, ...[...seen.containers.values()].flat()].map(({ id }) => id);
    this.#memory = forgetGone(this.#memory, new Set(present));
    return { deps, seen };
  }

  get #uid(): string {
    return this.#pod.metadata.uid ?? '';
  }

  /** What ran before the agent's restart was admitted then. */
  #admit(seen: PodSeen): void {
    if (this.#memory.admitted || this.#memory.rejection) return;
    const isKnown =
      seen.sandboxes.length > 0 || this.#pod.status?.containerStatuses?.some(status => status.containerID);
    const isEnding = this.#pod.metadata.deletionTimestamp !== undefined || isTerminal(this.#pod.status?.phase);
    const rejection = isKnown || isEnding ? undefined : this.#deps.admit(this.#pod);
    if (rejection) podEvent(this.#deps, this.#pod, 'Warning', rejection.reason, rejection.message);
    this.#apply(memory => withPod(memory, rejection ? { rejection } : { admitted: true }));
  }

  /** Events of back-offs; gives when the next is due. */
  #tell(status: PodStatus): number {
    const { clock, random } = this.#deps;
    const everyMs = syncEveryMs * (1 + syncJitter * random.next());
    const notes = backoffNotes(this.#pod, status, this.#told, clock.now(), everyMs);
    this.#told = notes.told;
    for (const { container, type, reason, message } of notes.events)
      podEvent(this.#deps, this.#pod, type, reason, message, container);
    return notes.wakeAtMs;
  }

  #report(status: PodStatus): void {
    if (this.#pod.status?.phase !== status.phase && status.reason === 'DeadlineExceeded')
      podEvent(this.#deps, this.#pod, 'Normal', 'DeadlineExceeded', status.message ?? '');
    if (!this.#isGone) {
      this.#status.write(this.#pod, status);
      return;
    }
    // Nobody is left to report to.
    if (isTerminal(status.phase) && this.#pod.status !== status) {
      this.#pod = { ...this.#pod, status };
      this.#pause.wake();
    }
  }

  #probe(seen: PodSeen): void {
    const isEnding = this.#pod.metadata.deletionTimestamp !== undefined;
    this.#prober.keep(this.#pod, seen, this.#memory, podIPOf(this.#round(seen)), isEnding);
  }

  #round(seen: PodSeen): Round {
    return {
      deps: this.#deps,
      pod: this.#pod,
      memory: this.#memory,
      seen,
      signal: this.#stop.signal,
      begin: (work, undo) => this.#jobs.begin(work, undo),
      change: change => this.#change(change),
    };
  }

  async #finish(): Promise<Change> {
    this.#isDone = this.#isGone || (await finishPod(this.#deps, this.#pod));
    if (!this.#isDone) await this.#deps.clock.sleep(1000, this.#stop.signal);
    return same;
  }

  #apply(change: Change): void {
    this.#memory = change(this.#memory);
  }

  #change(change: Change): void {
    this.#apply(change);
    this.wake();
  }
}

/** Labels or annotations, which downward API files show. */
const hasDownwardChange = (a: Pod, b: Pod): boolean =>
  JSON.stringify([a.metadata.labels, a.metadata.annotations]) !==
  JSON.stringify([b.metadata.labels, b.metadata.annotations]);
