/**
 * What comes of an attempt: a binding, or the condition, nomination and evictions of a pod that fits nowhere, and the
 * events about them (SEMANTICS F.10, G.4, H.3). What the scheduler knows changes at once; the cluster is told in the
 * background, bounded, and a binding that fails is taken back.
 */
import { podKind } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Client } from '#client/client.ts';
import type { Recorder } from '#client/events.ts';
import type { Columns } from '#engine/columns/columns.ts';
import type { Decision } from '#engine/decision.ts';
import { eventMessage } from '#engine/fit-error.ts';
import type { Preemption } from '#engine/preemption/preempt.ts';
import type { Candidate } from '#engine/preemption/victims.ts';
import type { QueuedPod, SchedulingQueue } from '#engine/queue/queue.ts';
import { namespaceOf, type PodView } from '#engine/shapes/shape.ts';
import { type Background, createBackground } from './background.ts';
import type { FollowedCluster } from './scheduling-cluster.ts';
import type { Counters } from './scheduling-counters.ts';
import { evictAll } from './scheduling-evictions.ts';
import { schedulerOf } from './scheduling-pods.ts';
import { patchPodStatus, type Refusal, refusalPatch } from './scheduling-status.ts';

export interface WriterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly recorder: Recorder;
  readonly columns: Columns;
  readonly queue: SchedulingQueue;
  readonly cluster: FollowedCluster;
  readonly counters: Counters;
  readonly wake: () => void;
}

/** A preemption, and which of the best candidates it shall be. */
export type ChosenPreemption = Preemption & { readonly chosen: Candidate | undefined };

/** One request per pod is under way for so many pods at most. */
const maxUnderWay = 128;

export class Writer {
  readonly #options: WriterOptions;
  /** Requests that are under way. */
  readonly background: Background;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.background = createBackground(maxUnderWay, options.log);
  }

  bind(queued: QueuedPod, nodeName: string): void {
    const { queue, cluster } = this.#options;
    queue.done(queued);
    cluster.pods.assume(queued.view, nodeName);
    this.background.run(() => this.#bindNow(queued, nodeName), 'binding', queued.view.key);
  }

  async #bindNow(queued: QueuedPod, nodeName: string): Promise<void> {
    const { client, counters } = this.#options;
    const { view } = queued;
    const { name, uid } = view.pod.metadata;
    const namespace = namespaceOf(view.pod);
    try {
      await client.post(podKind, { namespace, name }, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, uid },
        target: { kind: 'Node', name: nodeName },
      });
    } catch (error) {
      counters.bind(false);
      this.#unbound(queued, error);
      return;
    }
    counters.bind(true);
    this.#tell(view, 'Normal', 'Scheduled', `Successfully assigned ${view.key} to ${nodeName}`);
  }

  /** The binding was refused or did not get through: the pod is free again, and tried again if it still is there. */
  #unbound(queued: QueuedPod, error: unknown): void {
    const { cluster, columns, log, wake } = this.#options;
    const { key, uid } = queued.view;
    if (!cluster.pods.forget(queued.view)) return;
    const present = cluster.pod(key);
    if (present !== undefined && present.metadata.uid === uid && !present.spec.nodeName) {
      log.warn({ pod: key, err: error }, 'binding failed; trying again');
      // It may have changed since it was decided about.
      queued.view = columns.view(present);
      this.failed(queued, error);
    }
    wake();
  }

  /** The attempt ended by an error that is not the pod's fault: it is told, and tried again after its backoff. */
  failed(queued: QueuedPod, error: unknown): void {
    const { queue, clock, cluster } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    cluster.pods.nominate(queued.view, '');
    queued.view = { ...queued.view, nominatedNodeName: '' };
    queue.failed(queued, clock.now());
    // Of a pod that is gone nothing is told; the news of it is on its way.
    if (!isReason(error, 'NotFound')) this.#explain(queued.view, { reason: 'SchedulerError', message, nominated: '' });
  }

  /** The pod fits nowhere as things are. */
  refuse(queued: QueuedPod, { outcome, failure }: Decision, preemption: ChosenPreemption): void {
    const { queue, clock } = this.#options;
    if (failure === undefined) return;
    const nominated = outcome === 'gated' ? undefined : this.#nominate(queued.view, preemption);
    if (nominated !== undefined) queued.view = { ...queued.view, nominatedNodeName: nominated };
    queue.refused(queued, failure.plugins, clock.now());
    if (outcome === 'gated') return;
    this.#explain(queued.view, { reason: 'Unschedulable', message: failure.message + preemption.suffix, nominated });
    this.#preempt(queued.view, preemption);
  }

  /** A pod that is being deleted is not placed any more. */
  skip(queued: QueuedPod): void {
    const { view } = queued;
    this.#options.queue.done(queued);
    this.#tell(view, 'Warning', 'FailedScheduling', `skip schedule deleting pod: ${view.key}`);
  }

  /** What status.nominatedNodeName becomes; undefined: it stays. It counts from now on, not from when it is written. */
  #nominate(view: PodView, { nomination, chosen }: ChosenPreemption): string | undefined {
    const { columns, cluster, client } = this.#options;
    if (nomination === 'unchanged') return undefined;
    const nodeName = chosen === undefined ? '' : columns.names[chosen.slot]!;
    // Less important pods that wait for this node have lost it.
    for (const other of columns.nominations.on(nodeName)) {
      if (other.priority >= view.priority) continue;
      cluster.pods.nominate(other, '');
      const cleared = () => patchPodStatus(client, other, { nominatedNodeName: null });
      this.background.run(cleared, 'clearing a nomination', other.key);
    }
    cluster.pods.nominate(view, nodeName);
    return nodeName;
  }

  #preempt(view: PodView, preemption: ChosenPreemption): void {
    const { columns, counters } = this.#options;
    const { chosen } = preemption;
    if (wasTried(preemption)) counters.preemptionTried();
    const staying = (chosen?.victims ?? []).filter(victim => !victim.terminating).map(victim => victim.view);
    if (chosen === undefined || staying.length === 0) return;
    counters.preempted(chosen.victims.length);
    const nodeName = columns.names[chosen.slot]!;
    this.background.run(() => evictAll(view, staying, nodeName, this.#options), 'preemption', view.key);
  }

  /** Tells the pod's owner why it was not placed. */
  #explain(view: PodView, refusal: Refusal): void {
    const { client, clock, cluster } = this.#options;
    this.#tell(view, 'Warning', 'FailedScheduling', eventMessage(refusal.message));
    const status = refusalPatch(cluster.pod(view.key) ?? view.pod, refusal, clock.now());
    if (status === undefined) return;
    this.background.run(() => patchPodStatus(client, view, status), 'updating the status', view.key);
  }

  /** An event about the pod in the name of its scheduler. */
  #tell({ pod }: PodView, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#options.recorder.event(pod, type, reason, message, { component: schedulerOf(pod) });
  }
}

/** Upstream counts an attempt whenever the plugin was asked, whether it could help or not. */
const wasTried = ({ ineligible, nomination, suffix }: Preemption): boolean =>
  ineligible !== undefined || nomination === 'set' || (nomination === 'cleared' && suffix !== '');
