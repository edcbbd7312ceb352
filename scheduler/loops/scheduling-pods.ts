/**
 * What the scheduler takes a pod for: waiting in the queue, on a node, put on one by itself and not yet confirmed
 * (`assumed`), promised room on one (nominated), or none of its business. Every step between these is here, and each tells
 * the parked pods whether it may help them.
 */
import type { Pod } from '#api/kinds/core.ts';
import type { Clock } from '#base/clock.ts';
import type { ObjectChange } from '#client/informer.ts';
import type { Columns, PlacedView } from '#engine/columns/columns.ts';
import type { ClusterChange } from '#engine/plugin.ts';
import type { SchedulingQueue } from '#engine/queue/queue.ts';
import { namespaceOf, type PodView } from '#engine/shapes/shape.ts';

export interface PodsOptions {
  readonly clock: Clock;
  readonly columns: Columns;
  readonly queue: SchedulingQueue;
  /** Is there a profile for pods of this scheduler name? */
  readonly isOurs: (schedulerName: string) => boolean;
  /** Brings back the parked pods that the change may help. */
  readonly tell: (change: ClusterChange) => void;
}

export class SchedulerPods {
  readonly #options: PodsOptions;
  /** Uids of the pods put on a node that the cluster has not yet confirmed. */
  readonly #assumed = new Map<string, string>();

  constructor(options: PodsOptions) {
    this.#options = options;
  }

  /** The cluster has a pod so from now on. */
  apply({ was, now }: ObjectChange<Pod>): void {
    if (was !== undefined && (now === undefined || was.metadata.uid !== now.metadata.uid)) this.#gone(was);
    if (now === undefined) return;
    if (isOver(now)) this.#gone(now);
    else if (now.spec.nodeName) this.#placed(now, now.spec.nodeName);
    else this.#pending(was, now);
  }

  /** Puts a pod on a node before the cluster knows. */
  assume(view: PodView, nodeName: string): void {
    const { columns, tell } = this.#options;
    this.#assumed.set(view.key, view.uid);
    this.#endNomination(view.key, nodeName);
    tell({ type: 'podAdded', pod: columns.placeView(view, nodeName) });
  }

  /** Takes it off again; false when the cluster has spoken meanwhile. */
  forget({ key, uid }: PodView): boolean {
    if (this.#assumed.get(key) !== uid) return false;
    this.#assumed.delete(key);
    this.#leave(key);
    return true;
  }

  /** Keeps room for the pod on a node from now on, and no longer elsewhere; '' for nowhere. */
  nominate(view: PodView, nodeName: string): void {
    this.#endNomination(view.key, nodeName);
    if (nodeName !== '') this.#options.columns.nominations.set(view, nodeName);
  }

  #gone(pod: Pod): void {
    const key = keyOf(pod);
    this.#options.queue.remove(key);
    this.#assumed.delete(key);
    this.#leave(key);
    this.#endNomination(key, '');
  }

  #placed(pod: Pod, nodeName: string): void {
    const { columns, queue, tell } = this.#options;
    const key = keyOf(pod);
    const isNews = !this.#assumed.delete(key);
    queue.remove(key);
    this.#endNomination(key, nodeName);
    if (columns.placed(key) === undefined) {
      tell({ type: 'podAdded', pod: columns.addPod(pod) });
      return;
    }
    const changed = columns.updatePod(pod);
    // An assumed pod was told when it was assumed; binding may have added labels, which can attract others.
    if (changed === undefined) return;
    tell({ type: isNews ? 'podChanged' : 'podAdded', pod: changed.now });
    if (isNews) tell({ type: 'podRemoved', pod: changed.was });
  }

  #pending(was: Pod | undefined, pod: Pod): void {
    const { columns, queue, clock, isOurs } = this.#options;
    const key = keyOf(pod);
    if (this.#assumed.has(key)) return;
    this.#leave(key);
    if (!isOurs(schedulerOf(pod))) {
      queue.remove(key);
      this.#endNomination(key, '');
      return;
    }
    const view = this.#withNomination(columns.view(pod), was);
    this.nominate(view, view.nominatedNodeName);
    queue.set(view, clock.now());
  }

  /** A change that does not mention a nomination may be older than the one just made: that one stays. */
  #withNomination(view: PodView, was: Pod | undefined): PodView {
    const made = this.#options.columns.nominations.nodeOf(view.key);
    const isSilent = view.nominatedNodeName === '' && !was?.status?.nominatedNodeName;
    return isSilent && made !== undefined ? { ...view, nominatedNodeName: made } : view;
  }

  /** Takes the pod off its node. */
  #leave(key: string): void {
    const removed = this.#options.columns.removePod(key);
    if (removed !== undefined) this.#options.tell({ type: 'podRemoved', pod: removed });
  }

  /** To others a nominated pod counts as if it were on its node: unless it goes there, it is as if it left. */
  #endNomination(key: string, nextNodeName: string): void {
    const { columns, tell } = this.#options;
    const nodeName = columns.nominations.nodeOf(key);
    if (nodeName === undefined) return;
    const view = columns.nominations.on(nodeName).find(other => other.key === key);
    columns.nominations.remove(key);
    if (view === undefined || nodeName === nextNodeName) return;
    tell({ type: 'podRemoved', pod: asIfOn(view, nodeName, columns.slotOf(nodeName)) });
  }
}

/** A pod as it would stand on a node. */
const asIfOn = (view: PodView, nodeName: string, slot: number): PlacedView => ({
  view,
  nodeName,
  slot,
  labelSet: view.shape.labelSet,
  terminating: false,
  held: view.shape.held,
  atLabelSet: -1,
  atNode: -1,
});

export const schedulerOf = (pod: Pod): string => pod.spec.schedulerName ?? 'default-scheduler';

const keyOf = (pod: Pod): string => `${namespaceOf(pod)}/${pod.metadata.name}`;

/** Pods that have ended count for nothing (SEMANTICS F.1). */
const isOver = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
