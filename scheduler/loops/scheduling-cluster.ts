/**
 * Keeps the engine's columns and queue in step with the cluster. Informers deliver changes in batches of any size; they
 * are kept in order and applied one by one when the scheduler asks, so that a big batch blocks nobody. A pod that the
 * scheduler has put on a node itself (`assumed`) counts there until the cluster confirms or contradicts it.
 */

import type { Kind } from '#api/kind.ts';
import { replicaSetKind, statefulSetKind } from '#api/kinds/apps.ts';
import {
  type Namespace,
  type Node,
  namespaceKind,
  nodeKind,
  type Pod,
  podKind,
  type Service,
  serviceKind,
} from '#api/kinds/core.ts';
import { type PodDisruptionBudget, podDisruptionBudgetKind } from '#api/kinds/policy.ts';
import type { KubeObject } from '#api/object.ts';
import type { Clock, Signal } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Client } from '#client/client.ts';
import { Informer, type ObjectChange } from '#client/informer.ts';
import type { Columns } from '#engine/columns.ts';
import { mayHelp } from '#engine/hints.ts';
import type { ClusterChange } from '#engine/plugin.ts';
import type { Profile } from '#engine/profile.ts';
import type { SchedulingQueue } from '#engine/queue.ts';
import { namespaceOf, type PodView } from '#engine/shape.ts';
import type { Workload } from '#engine/surroundings.ts';

export interface ClusterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly columns: Columns;
  readonly queue: SchedulingQueue;
  readonly profiles: ReadonlyMap<string, Profile>;
  /** Lets other work of the process run. */
  readonly yieldTurn: () => Promise<void>;
  /** Called when there is something new to apply. */
  readonly wake: () => void;
}

export interface FollowedCluster {
  /** Follows the cluster until the signal aborts. */
  run(signal: Signal): Promise<void>;
  /** Resolves when what is needed for decisions has been listed. */
  whenSynced(signal: Signal): Promise<void>;
  /** Applies the oldest change that waits; false when there is none. */
  applyOne(): boolean;
  /** Puts a pod on a node before the cluster knows. */
  assume(view: PodView, nodeName: string): void;
  /** Takes it off again; false when the cluster has spoken meanwhile. */
  forget(view: PodView): boolean;
  /** The pod as the cluster has it now. */
  pod(key: string): Pod | undefined;
  /** The newest revision of an object among the changes that were applied. */
  readonly revision: number;
}

/** How long to wait for kinds that a cluster can do without. */
const optionalWaitMs = 5000;

export const followCluster = (options: ClusterOptions): FollowedCluster => {
  const { columns, queue, clock, wake } = options;
  const inbox: (() => void)[] = [];
  let taken = 0;
  let revision = 0;
  const assumed = new Map<string, string>();
  const informers: Informer<KubeObject>[] = [];

  const follow = <T extends KubeObject>(kind: Kind<T>, apply: (change: ObjectChange<T>) => void): Informer<T> => {
    const { client, log, random, yieldTurn } = options;
    const informer = new Informer<T>({ client, kind, clock, log, random, yieldTurn });
    informer.subscribe(changes => {
      for (const change of changes)
        inbox.push(() => {
          apply(change);
          revision = Math.max(revision, Number(change.now?.metadata.resourceVersion ?? 0));
        });
      wake();
    });
    informers.push(informer as unknown as Informer<KubeObject>);
    return informer;
  };

  const tell = (change: ClusterChange): void =>
    queue.wake((pod, refusedBy) => {
      const profile = options.profiles.get(schedulerOf(pod.pod));
      return profile !== undefined && mayHelp(pod, refusedBy, change, { columns, profile });
    }, clock.now());

  const pods = follow<Pod>(podKind, ({ was, now }) => {
    if (was !== undefined && (now === undefined || was.metadata.uid !== now.metadata.uid)) gone(was);
    if (now === undefined) return;
    if (isOver(now)) gone(now);
    else if (now.spec.nodeName) placed(now);
    else pending(now);
  });

  const gone = (pod: Pod): void => {
    const key = keyOf(pod);
    queue.remove(key);
    columns.nominations.remove(key);
    assumed.delete(key);
    const removed = columns.removePod(key);
    if (removed !== undefined) tell({ type: 'podRemoved', pod: removed });
  };

  const placed = (pod: Pod): void => {
    const key = keyOf(pod);
    const isNews = !assumed.delete(key);
    queue.remove(key);
    columns.nominations.remove(key);
    if (columns.placed(key) === undefined) {
      tell({ type: 'podAdded', pod: columns.addPod(pod) });
      return;
    }
    const changed = columns.updatePod(pod);
    // An assumed pod was told when it was assumed; binding may have added labels, which can attract others.
    if (changed === undefined) return;
    tell({ type: isNews ? 'podChanged' : 'podAdded', pod: changed.now });
    if (isNews) tell({ type: 'podRemoved', pod: changed.was });
  };

  const pending = (pod: Pod): void => {
    const key = keyOf(pod);
    if (assumed.has(key)) return;
    const removed = columns.removePod(key);
    if (removed !== undefined) tell({ type: 'podRemoved', pod: removed });
    if (!options.profiles.has(schedulerOf(pod))) {
      queue.remove(key);
      return;
    }
    const view = columns.view(pod);
    if (view.nominatedNodeName === '') columns.nominations.remove(key);
    else columns.nominations.set(view, view.nominatedNodeName);
    queue.set(view, clock.now());
  };

  follow<Node>(nodeKind, ({ was, now }) => {
    if (now === undefined) {
      if (was === undefined) return;
      columns.removeNode(was.metadata.name);
      tell({ type: 'nodeRemoved', node: was });
      return;
    }
    const isNew = columns.slotOf(now.metadata.name) < 0;
    if (!columns.setNode(now)) return;
    tell({ type: isNew ? 'nodeAdded' : 'nodeChanged', slot: columns.slotOf(now.metadata.name) });
  });
  follow<Namespace>(namespaceKind, ({ was, now }) => {
    if (now !== undefined) columns.surroundings.setNamespace(now);
    else if (was !== undefined) columns.surroundings.removeNamespace(was.metadata.name);
    tell({ type: 'namespacesChanged' });
  });
  const required = [...informers];
  follow<Service>(serviceKind, ({ was, now }) => {
    if (now !== undefined) columns.surroundings.setService(now);
    else if (was !== undefined)
      columns.surroundings.removeService(was.metadata.namespace ?? 'default', was.metadata.name);
    tell({ type: 'selectorsChanged' });
  });
  const followWorkloads = <T extends KubeObject & Workload>(kind: Kind<T>): void => {
    follow<T>(kind, ({ was, now }) => {
      if (now !== undefined) columns.surroundings.setWorkload(now);
      else if (was !== undefined) columns.surroundings.removeWorkload(was);
      tell({ type: 'selectorsChanged' });
    });
  };
  followWorkloads(replicaSetKind);
  followWorkloads(statefulSetKind);
  follow<PodDisruptionBudget>(podDisruptionBudgetKind, ({ was, now }) => {
    if (now !== undefined) columns.surroundings.setBudget(now);
    else if (was !== undefined)
      columns.surroundings.removeBudget(was.metadata.namespace ?? 'default', was.metadata.name);
  });

  return {
    run: async signal => {
      await Promise.all(informers.map(informer => informer.run(signal)));
    },
    async whenSynced(signal) {
      const aborted = new Promise<void>(resolve => signal.addEventListener('abort', resolve, { once: true }));
      await Promise.race([Promise.all(required.map(informer => informer.whenSynced())), aborted]);
      const all = Promise.all(informers.map(informer => informer.whenSynced()));
      await Promise.race([all, clock.sleep(optionalWaitMs, signal)]);
    },
    applyOne() {
      const change = inbox[taken];
      if (change === undefined) return false;
      inbox[taken++] = nothing;
      if (taken === inbox.length) {
        inbox.length = 0;
        taken = 0;
      }
      change();
      return true;
    },
    assume(view, nodeName) {
      assumed.set(view.key, view.uid);
      columns.nominations.remove(view.key);
      tell({ type: 'podAdded', pod: columns.placeView(view, nodeName) });
    },
    forget(view) {
      if (assumed.get(view.key) !== view.uid) return false;
      assumed.delete(view.key);
      const removed = columns.removePod(view.key);
      if (removed !== undefined) tell({ type: 'podRemoved', pod: removed });
      return true;
    },
    pod: key => pods.get(key),
    get revision() {
      return revision;
    },
  };
};

const nothing = (): void => {};

const schedulerOf = (pod: Pod): string => pod.spec.schedulerName ?? 'default-scheduler';

const keyOf = (pod: Pod): string => `${namespaceOf(pod)}/${pod.metadata.name}`;

/** Pods that have ended count for nothing (SEMANTICS F.1). */
const isOver = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
