/**
 * What the scheduler writes: bindings, the PodScheduled condition, nominations, evictions, and the events about them
 * (SEMANTICS F.10, G.4, H.3). All in the background and bounded; the loop waits when too much is under way.
 */
import { type Pod, type PodCondition, podKind } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import { type Clock, toTime } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Client } from '#client/client.ts';
import type { Recorder } from '#client/events.ts';
import type { Columns } from '#engine/columns.ts';
import type { Decision } from '#engine/decision.ts';
import { eventMessage } from '#engine/fit-error.ts';
import type { Preemption } from '#engine/preempt.ts';
import type { QueuedPod, SchedulingQueue } from '#engine/queue.ts';
import { namespaceOf, type PodView } from '#engine/shape.ts';
import type { Candidate } from '#engine/victims.ts';
import type { FollowedCluster } from './scheduling-cluster.ts';
import type { Counters } from './scheduling-counters.ts';

export interface WriterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly recorder: Recorder;
  readonly columns: Columns;
  readonly queue: SchedulingQueue;
  readonly cluster: FollowedCluster;
  readonly counters: Counters;
  readonly wake: () => void;
}

export interface Writer {
  /** False while as much is under way as may be. */
  readonly hasRoom: boolean;
  /** Resolves when there is room again. */
  room(): Promise<void>;
  bind(queued: QueuedPod, nodeName: string): void;
  refuse(
    queued: QueuedPod,
    decision: Decision,
    preemption: Preemption & { readonly chosen: Candidate | undefined },
  ): void;
  /** The attempt ended by an error that is not the pod's fault: it is told, and tried again after its backoff. */
  failed(queued: QueuedPod, error: unknown): void;
  /** A pod that is being deleted is not placed any more. */
  skipped(queued: QueuedPod): void;
  settled(): Promise<void>;
}

const maxUnderWay = 128;

export const createWriter = (options: WriterOptions): Writer => {
  const { client, clock, log, recorder, columns, queue, cluster, counters, wake } = options;
  const underWay = new Set<Promise<void>>();
  let waiting: (() => void)[] = [];

  const inBackground = (work: () => Promise<void>, what: string, key: string): void => {
    const running = work()
      .catch(error => log.error({ err: error, pod: key }, `${what} failed`))
      .finally(() => {
        underWay.delete(running);
        const resume = waiting;
        waiting = [];
        for (const go of resume) go();
      });
    underWay.add(running);
  };

  const bind = (queued: QueuedPod, nodeName: string): void => {
    const { view } = queued;
    queue.done(queued);
    cluster.assume(view, nodeName);
    inBackground(() => bindNow(queued, nodeName), 'binding', view.key);
  };

  const bindNow = async (queued: QueuedPod, nodeName: string): Promise<void> => {
    const { view } = queued;
    const { name } = view.pod.metadata;
    const namespace = namespaceOf(view.pod);
    try {
      await client.post(podKind, { namespace, name }, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, uid: view.pod.metadata.uid },
        target: { kind: 'Node', name: nodeName },
      });
      counters.bind(true);
      tell(view, view.pod, 'Normal', 'Scheduled', `Successfully assigned ${view.key} to ${nodeName}`);
    } catch (error) {
      counters.bind(false);
      unbound(queued, error);
    }
  };

  /** The binding was refused or did not get through: the pod is free again, and tried again if it still is there. */
  const unbound = (queued: QueuedPod, error: unknown): void => {
    const { view } = queued;
    if (!cluster.forget(view)) return;
    const present = cluster.pod(view.key);
    const isGone =
      isReason(error, 'NotFound') || present === undefined || present.metadata.uid !== view.pod.metadata.uid;
    if (!isGone) {
      log.warn({ pod: view.key, err: error }, 'binding failed; trying again');
      tellError(view, error);
      if (!present.spec.nodeName) queue.failed(queued, clock.now());
    }
    wake();
  };

  const tellError = (view: PodView, error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    tell(view, view.pod, 'Warning', 'FailedScheduling', eventMessage(message));
    setCondition(view, 'SchedulerError', message, undefined);
  };

  /** An event about `about` in the name of the pod's scheduler. */
  const tell = (view: PodView, about: Pod, type: 'Normal' | 'Warning', reason: string, message: string): void =>
    recorder.event(about, type, reason, message, { component: schedulerOf(view) });

  const refuse: Writer['refuse'] = (queued, decision, preemption) => {
    const { view } = queued;
    const { failure } = decision;
    if (failure === undefined) return;
    if (preemption.candidates.length > 0 || preemption.vain.length > 0)
      counters.preempted(preemption.chosen?.victims.length ?? 0);
    const nominated = decision.outcome === 'gated' ? undefined : nominate(view, preemption);
    // What it was nominated to counts from now on, not from when the cluster has heard of it.
    if (nominated !== undefined) queued.view = { ...view, nominatedNodeName: nominated };
    queue.refused(queued, failure.plugins, clock.now());
    if (decision.outcome === 'gated') return;
    const message = failure.message + preemption.suffix;
    tell(view, view.pod, 'Warning', 'FailedScheduling', eventMessage(message));
    setCondition(view, 'Unschedulable', message, nominated);
    if (preemption.chosen !== undefined) evict(view, preemption.chosen);
  };

  /** What status.nominatedNodeName becomes; undefined: it stays. */
  const nominate = (view: PodView, { nomination, chosen }: Parameters<Writer['refuse']>[2]): string | undefined => {
    if (nomination === 'unchanged') return undefined;
    if (chosen === undefined) {
      columns.nominations.remove(view.key);
      return '';
    }
    const nodeName = columns.names[chosen.slot]!;
    // Less important pods that wait for this node have lost it.
    for (const other of columns.nominations.on(nodeName)) {
      if (other.priority >= view.priority) continue;
      columns.nominations.remove(other.key);
      inBackground(() => patchStatus(other, { nominatedNodeName: null }), 'clearing a nomination', other.key);
    }
    columns.nominations.set({ ...view, nominatedNodeName: nodeName }, nodeName);
    return nodeName;
  };

  const setCondition = (view: PodView, reason: string, message: string, nominated: string | undefined): void => {
    const present = cluster.pod(view.key) ?? view.pod;
    const status = statusPatch(present, reason, message, nominated, clock.now());
    if (status !== undefined) inBackground(() => patchStatus(view, status), 'updating the status', view.key);
  };

  const patchStatus = async (view: PodView, status: object): Promise<void> => {
    const ref = { namespace: namespaceOf(view.pod), name: view.pod.metadata.name };
    const body = { metadata: { uid: view.pod.metadata.uid }, status };
    try {
      await client.patch(podKind, ref, { type: 'strategic', body }, { subresource: 'status' });
    } catch (error) {
      // Gone, or another pod of this name by now: there is nothing to tell.
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
    }
  };

  const evict = (preemptor: PodView, { slot, victims }: Candidate): void => {
    const nodeName = columns.names[slot]!;
    const leaving = victims.filter(({ view }) => !view.terminating).map(({ view }) => view);
    if (leaving.length === 0) return;
    queue.preempting(preemptor.key, true, clock.now());
    inBackground(
      async () => {
        const results = await Promise.allSettled(leaving.map(victim => evictOne(preemptor, victim, nodeName)));
        const hasFailed = results.some(({ status }) => status === 'rejected');
        queue.preempting(preemptor.key, false, clock.now(), hasFailed);
        wake();
        for (const result of results) if (result.status === 'rejected') throw result.reason;
      },
      'preemption',
      preemptor.key,
    );
  };

  const evictOne = async (preemptor: PodView, victim: PodView, nodeName: string): Promise<void> => {
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${schedulerOf(preemptor)}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: toTime(clock.now()),
    };
    const { name, uid } = victim.pod.metadata;
    await patchStatus(victim, { conditions: [condition] });
    try {
      const preconditions = uid === undefined ? {} : { preconditions: { uid } };
      await client.remove(podKind, { namespace: namespaceOf(victim.pod), name }, preconditions);
    } catch (error) {
      if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return;
      throw error;
    }
    const by = preemptor.pod.metadata.uid ?? '';
    tell(preemptor, victim.pod, 'Normal', 'Preempted', `Preempted by pod ${by} on node ${nodeName}`);
  };

  return {
    get hasRoom() {
      return underWay.size < maxUnderWay;
    },
    room: () => (underWay.size < maxUnderWay ? Promise.resolve() : new Promise(resolve => waiting.push(resolve))),
    bind,
    refuse,
    failed(queued, error) {
      tellError(queued.view, error);
      queue.failed(queued, clock.now());
    },
    skipped(queued) {
      queue.done(queued);
      const { view } = queued;
      tell(view, view.pod, 'Warning', 'FailedScheduling', `skip schedule deleting pod: ${view.key}`);
    },
    async settled() {
      await Promise.allSettled([...underWay]);
    },
  };
};

const schedulerOf = ({ pod }: PodView): string => pod.spec.schedulerName ?? 'default-scheduler';

/** The status fields to write; undefined when they say so already. */
const statusPatch = (
  pod: Pod,
  reason: string,
  message: string,
  nominated: string | undefined,
  nowMs: number,
): object | undefined => {
  const present = pod.status?.conditions?.find(({ type }: PodCondition) => type === 'PodScheduled');
  const saysSo = present?.status === 'False' && present.reason === reason && present.message === message;
  const isNominated = nominated === undefined || nominated === (pod.status?.nominatedNodeName ?? '');
  if (saysSo && isNominated) return undefined;
  const lastTransitionTime =
    present?.status === 'False' ? (present.lastTransitionTime ?? toTime(nowMs)) : toTime(nowMs);
  return {
    conditions: [{ type: 'PodScheduled', status: 'False', reason, message, lastTransitionTime }],
    ...(nominated === undefined ? {} : { nominatedNodeName: nominated === '' ? null : nominated }),
  };
};
