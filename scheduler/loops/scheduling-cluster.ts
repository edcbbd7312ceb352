/**
 * Keeps the engine's columns and queue in step with the cluster. Informers deliver changes in batches of any size; they
 * are kept in order and applied one by one when the scheduler asks, so that a big batch blocks nobody. What pods are to the
 * scheduler is in scheduling-pods.ts; here are the objects around them.
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
import { type KubeObject, keyOf } from '#api/object.ts';
import type { Clock, Signal } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Client } from '#client/client.ts';
import { Informer, type ObjectChange } from '#client/informer.ts';
import type { Columns } from '#engine/columns/columns.ts';
import type { Workload } from '#engine/columns/surroundings.ts';
import type { ClusterChange } from '#engine/plugin.ts';
import type { Profile } from '#engine/profile.ts';
import { mayHelp } from '#engine/queue/hints.ts';
import type { SchedulingQueue } from '#engine/queue/queue.ts';
import { SchedulerPods, schedulerOf } from './scheduling-pods.ts';

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
  readonly pods: SchedulerPods;
  /** Follows the cluster until the signal aborts. */
  run(signal: Signal): Promise<void>;
  /** Resolves when what is needed for decisions has been listed, or when the signal aborts. */
  whenSynced(signal: Signal): Promise<void>;
  /** Applies the oldest change that waits; false when there is none. */
  applyOne(): boolean;
  /** The pod as the cluster has it now. */
  pod(key: string): Pod | undefined;
  /** The newest revision of an object among the changes that were applied. */
  readonly revision: number;
}

/** How long to wait for kinds that a cluster can do without. */
const optionalWaitMs = 5000;

type Apply<T> = (change: ObjectChange<T>) => void;

export const followCluster = (options: ClusterOptions): FollowedCluster => {
  const { client, clock, random, log, columns, queue, profiles, yieldTurn, wake } = options;
  const tell = (change: ClusterChange): void =>
    queue.wake((pod, refusedBy) => {
      const profile = profiles.get(schedulerOf(pod.pod));
      return profile !== undefined && mayHelp(pod, refusedBy, change, { columns, profile });
    }, clock.now());
  const pods = new SchedulerPods({ clock, columns, queue, isOurs: name => profiles.has(name), tell });
  const around = appliers(columns, tell);
  const inbox = new Inbox(log);
  const follow = <T extends KubeObject>(kind: Kind<T>, apply: Apply<T>): Informer<T> => {
    const informer = new Informer<T>({ client, kind, clock, log, random, yieldTurn });
    informer.subscribe(changes => {
      for (const change of changes) inbox.put(kind.kind, change, apply);
      wake();
    });
    return informer;
  };
  const podInformer = follow<Pod>(podKind, change => pods.apply(change));
  const needed = [
    podInformer,
    follow<Node>(nodeKind, around.node),
    follow<Namespace>(namespaceKind, around.namespace),
  ] as const;
  const optional = [
    follow<Service>(serviceKind, around.service),
    follow(replicaSetKind, around.workload),
    follow(statefulSetKind, around.workload),
    follow<PodDisruptionBudget>(podDisruptionBudgetKind, around.budget),
  ] as const;
  return {
    pods,
    run: async signal => {
      await Promise.all([...needed, ...optional].map(informer => informer.run(signal)));
    },
    async whenSynced(signal) {
      await Promise.all(needed.map(informer => informer.whenSynced(signal)));
      const all = Promise.all(optional.map(informer => informer.whenSynced(signal)));
      await Promise.race([all, clock.sleep(optionalWaitMs, signal)]);
    },
    applyOne: () => inbox.applyOne(),
    pod: key => podInformer.get(key),
    get revision() {
      return inbox.revision;
    },
  };
};

/** Changes that wait to be applied, in the order in which they came. */
class Inbox {
  /** Revision of the newest object among those that were applied. */
  revision = 0;
  readonly #log: Log;
  readonly #changes: (() => void)[] = [];
  #taken = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  put<T extends KubeObject>(kind: string, change: ObjectChange<T>, apply: Apply<T>): void {
    this.#changes.push(() => {
      try {
        apply(change);
      } catch (error) {
        // A bug met with one object must not cost all others their scheduler.
        const object = change.now ?? change.was;
        this.#log.error({ err: error, kind, key: object && keyOf(object) }, 'taking in a change failed');
      }
      this.revision = Math.max(this.revision, Number(change.now?.metadata.resourceVersion ?? 0));
    });
  }

  /** Applies the oldest; false when there is none. */
  applyOne(): boolean {
    const change = this.#changes[this.#taken];
    if (change === undefined) return false;
    this.#changes[this.#taken++] = nothing;
    if (this.#taken === this.#changes.length) {
      this.#changes.length = 0;
      this.#taken = 0;
    }
    change();
    return true;
  }
}

const nothing = (): void => {};

/** What a change of the objects around pods means to the columns, and whom it may help. */
const appliers = (columns: Columns, tell: (change: ClusterChange) => void) => {
  const { surroundings } = columns;
  const namespaceOf = ({ metadata }: KubeObject): string => metadata.namespace ?? 'default';
  return {
    node({ was, now }: ObjectChange<Node>): void {
      if (now === undefined) {
        if (was === undefined) return;
        columns.removeNode(was.metadata.name);
        tell({ type: 'nodeRemoved', node: was });
        return;
      }
      const isNew = columns.slotOf(now.metadata.name) < 0;
      if (!columns.setNode(now)) return;
      tell({ type: isNew ? 'nodeAdded' : 'nodeChanged', slot: columns.slotOf(now.metadata.name) });
    },
    namespace({ was, now }: ObjectChange<Namespace>): void {
      if (now !== undefined) surroundings.setNamespace(now);
      else if (was !== undefined) surroundings.removeNamespace(was.metadata.name);
      tell({ type: 'namespacesChanged' });
    },
    service({ was, now }: ObjectChange<Service>): void {
      if (now !== undefined) surroundings.setService(now);
      else if (was !== undefined) surroundings.removeService(namespaceOf(was), was.metadata.name);
      tell({ type: 'selectorsChanged' });
    },
    workload({ was, now }: ObjectChange<KubeObject & Workload>): void {
      if (now !== undefined) surroundings.setWorkload(now);
      else if (was !== undefined) surroundings.removeWorkload(was);
      tell({ type: 'selectorsChanged' });
    },
    budget({ was, now }: ObjectChange<PodDisruptionBudget>): void {
      if (now !== undefined) surroundings.setBudget(now);
      else if (was !== undefined) surroundings.removeBudget(namespaceOf(was), was.metadata.name);
    },
  };
};
