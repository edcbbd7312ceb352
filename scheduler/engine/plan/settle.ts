/**
 * What the scheduler would do with pods, to the end, in no time: the very queue, decisions and preemptions of the running
 * scheduler (loops/scheduling.ts), with evictions and terminations done whenever there is nothing else to do. Pods that
 * a controller makes again after their eviction are queued again. Ends when nothing more can happen.
 */
import type { Pod } from '#api/kinds/core.ts';
import { assert, must } from '#base/assert.ts';
import { PluginError } from '../custom/guard.ts';
import type { Decision } from '../decision.ts';
import type { ClusterChange } from '../plugin.ts';
import { type Preemption, preempt } from '../preemption/preempt.ts';
import type { Candidate } from '../preemption/victims.ts';
import type { Profile } from '../profile.ts';
import { mayHelp } from '../queue/hints.ts';
import { defaultQueueOptions, type QueuedPod, SchedulingQueue } from '../queue/queue.ts';
import { firstOfTies, schedule, type TieRule } from '../schedule.ts';
import type { PodView } from '../shapes/shape.ts';
import { podKey, schedulerOf } from '../world.ts';
import { bound, terminating } from './steps.ts';
import type { WhatIf } from './what-if.ts';

export interface SettleOptions {
  /** By schedulerName. */
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly nowMs: number;
  /** Default: the node known longest. */
  readonly tie?: TieRule;
  /** Keys of placed pods that are on their way out already. */
  readonly leaving?: readonly string[];
  /** What a controller makes in place of a pod that went; undefined: nothing. Its key is the old one's. */
  successorOf(pod: Pod): Pod | undefined;
}

export type Fate =
  | { readonly is: 'placed'; readonly node: string; readonly decision: Decision; readonly turn: number }
  /** `message`: the FailedScheduling sentence. */
  | { readonly is: 'pending'; readonly message: string }
  | { readonly is: 'gated'; readonly message: string }
  /** No profile has its schedulerName. */
  | { readonly is: 'unmanaged'; readonly message: string };

export interface Preempted {
  /** Key of the pod that others had to make room for. */
  readonly by: string;
  readonly node: string;
  readonly victims: readonly Pod[];
  readonly pdbViolations: number;
}

export interface Settled {
  /** By key, for every pod that was to be placed, those evicted and made again included. */
  readonly fates: ReadonlyMap<string, Fate>;
  /** In order. */
  readonly preemptions: readonly Preempted[];
  /** Placed pods that were evicted, and whether something makes them again. */
  readonly evicted: readonly { readonly pod: Pod; readonly node: string; readonly isMadeAgain: boolean }[];
}

/** A pod that was evicted so often is not placed any more. */
const maxEvictions = 3;

/** Later than any pod may stay parked. */
const parkedMs = defaultQueueOptions.maxParkedMs + 1000;

/** Places `pending` in `world`, which is changed; the pods are in the order in which they came. */
export const settle = (world: WhatIf, pending: readonly Pod[], options: SettleOptions): Settled => {
  const run = new Run(world, options);
  for (const pod of pending) run.enqueue(pod);
  run.toTheEnd(pending.length);
  return run;
};

class Run implements Settled {
  readonly fates = new Map<string, Fate>();
  readonly preemptions: Preempted[] = [];
  readonly evicted: { pod: Pod; node: string; isMadeAgain: boolean }[] = [];
  readonly #world: WhatIf;
  readonly #options: SettleOptions;
  readonly #queue = new SchedulingQueue();
  /** Pods that are placed and not yet bound. */
  #unbound: { readonly pod: Pod; readonly node: string }[] = [];
  /** Evictions that are decided and not yet carried out. */
  #decided: { readonly preemptor: PodView; readonly victims: readonly PodView[] }[] = [];
  /** Pods to be made again. */
  #successors: Pod[] = [];
  /** How often pods were evicted, by key. */
  readonly #evictions = new Map<string, number>();
  /** Uids of pods that some preemption has evicted. */
  readonly #named = new Set<string>();
  /** Keys of pods that terminate. */
  #leaving: string[];
  #nowMs: number;
  #turn = 0;
  #attempts = 0;

  constructor(world: WhatIf, options: SettleOptions) {
    this.#world = world;
    this.#options = options;
    this.#leaving = [...(options.leaving ?? [])];
    this.#nowMs = Math.floor(options.nowMs / 1000) * 1000;
  }

  enqueue(pod: Pod): void {
    const { columns } = this.#world;
    const key = podKey(pod);
    if (!this.#options.profiles.has(schedulerOf(pod))) {
      this.fates.set(key, { is: 'unmanaged', message: `no scheduler named ${JSON.stringify(schedulerOf(pod))} runs` });
      return;
    }
    const view = columns.view(pod);
    this.#world.nominate(view, view.nominatedNodeName);
    if (view.gates.length > 0) {
      const message = `waiting for scheduling gates: [${view.gates.join(' ')}]`;
      this.fates.set(key, { is: 'gated', message });
    }
    this.#queue.set(view, this.#tick());
  }

  toTheEnd(pods: number): void {
    // Every pod is evicted a few times at most, so this is far more than can happen.
    const limit = 1000 + 100 * (pods + this.#world.columns.placedCount);
    for (;;) {
      const before = this.#progress();
      this.#untilIdle(limit);
      if (this.#progress() === before) return;
      // As upstream after five minutes: everything is tried once more, in case that a change was not seen to help.
      this.#nowMs += parkedMs;
      this.#queue.flushParked(this.#nowMs);
    }
  }

  #progress(): number {
    return this.#turn + this.preemptions.length + this.evicted.length;
  }

  #untilIdle(limit: number): void {
    for (;;) {
      const queued = this.#queue.pop(this.#tick());
      if (queued !== undefined) {
        assert(++this.#attempts <= limit, 'the plan does not come to an end');
        this.#attempt(queued);
      } else if (!this.#bind() && !this.#evict() && !this.#makeAgain() && !this.#terminate()) return;
    }
  }

  #attempt(queued: QueuedPod): void {
    const { view } = queued;
    const { columns } = this.#world;
    const profile = this.#options.profiles.get(schedulerOf(view.pod));
    if (profile === undefined || view.terminating) {
      this.#queue.done(queued);
      return;
    }
    const outcome = this.#decide(view, profile);
    if ('failure' in outcome) {
      // The scheduler tries it again after a backoff; here it waits for the end of the plan, with the others that do not fit.
      this.#queue.refused(queued, [], this.#tick());
      this.fates.set(view.key, { is: 'pending', message: outcome.failure });
      return;
    }
    const { decision, preemption } = outcome;
    if (preemption !== undefined) {
      this.#refuse(queued, decision, preemption);
      return;
    }
    const { name } = must(decision.node, 'a pod that is not refused has a node');
    this.#queue.done(queued);
    this.#world.place(view, name);
    this.fates.set(view.key, { is: 'placed', node: name, decision, turn: this.#turn++ });
    this.#tell({ type: 'podAdded', pod: columns.placed(view.key)! });
    this.#unbound.push({ pod: view.pod, node: name });
  }

  /** What the scheduler would do; or why it could do nothing, when a plugin of the user's own fails. */
  #decide(view: PodView, profile: Profile): { decision: Decision; preemption?: Preemption } | { failure: string } {
    const { columns } = this.#world;
    try {
      const decision = schedule(view, columns, profile, this.#options.tie ?? firstOfTies);
      if (decision.node !== undefined) return { decision };
      return {
        decision,
        preemption: preempt(decision, columns, profile, { nowMs: this.#options.nowMs, offset: () => 0 }),
      };
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      return { failure: error.message };
    }
  }

  /** Carries out the bindings, which copy the labels that say where a node is (PodTopologyLabels). */
  #bind(): boolean {
    if (this.#unbound.length === 0) return false;
    const unbound = this.#unbound;
    this.#unbound = [];
    for (const { pod, node } of unbound) {
      const changed = this.#world.update(bound(pod, this.#world.node(node), node));
      if (changed !== undefined) this.#tell({ type: 'podAdded', pod: changed.now });
    }
    return true;
  }

  #refuse(queued: QueuedPod, decision: Decision, preemption: Preemption): void {
    const { view } = queued;
    const { failure } = decision;
    assert(failure !== undefined, 'a pod without a node has a reason');
    const chosen = preemption.best[0];
    const nominated = this.#nominate(view, preemption, chosen);
    if (nominated !== undefined) queued.view = { ...view, nominatedNodeName: nominated };
    this.#queue.refused(queued, failure.plugins, this.#tick());
    this.fates.set(view.key, { is: 'pending', message: failure.message + preemption.suffix });
    if (chosen === undefined) return;
    const victims = chosen.victims.filter(victim => !victim.view.terminating).map(victim => victim.view);
    if (victims.length === 0) return;
    this.#queue.preempting(view.key, true, this.#tick());
    this.#decided.push({ preemptor: view, victims });
    // A victim that another pod's preemption has named already goes only once.
    const fresh = victims.filter(({ uid }) => !this.#named.has(uid));
    for (const { uid } of fresh) this.#named.add(uid);
    if (fresh.length === 0) return;
    this.preemptions.push({
      by: view.key,
      node: this.#world.columns.names[chosen.slot]!,
      victims: fresh.map(({ pod }) => pod),
      pdbViolations: chosen.pdbViolations,
    });
  }

  #nominate(view: PodView, { nomination }: Preemption, chosen: Candidate | undefined): string | undefined {
    if (nomination === 'unchanged') return undefined;
    if (chosen === undefined) {
      this.#world.nominate(view, '');
      return '';
    }
    const { columns } = this.#world;
    const nodeName = columns.names[chosen.slot]!;
    for (const other of columns.nominations.on(nodeName))
      if (other.priority < view.priority) this.#world.nominate(other, '');
    this.#world.nominate(view, nodeName);
    return nodeName;
  }

  /** Carries out what preemption decided: the victims begin to terminate. False: there was nothing to do. */
  #evict(): boolean {
    if (this.#decided.length === 0) return false;
    const evictions = this.#decided;
    this.#decided = [];
    for (const { preemptor, victims } of evictions) {
      for (const { key, uid } of victims) {
        const placed = this.#world.columns.placed(key);
        if (placed === undefined || placed.view.uid !== uid || placed.view.terminating) continue;
        this.#tellUpdate(this.#world.update(terminating(placed.view.pod, this.#options.nowMs)));
        this.#leaving.push(key);
      }
      this.#queue.preempting(preemptor.key, false, this.#tick());
    }
    return true;
  }

  /** Terminating pods end all at once. False: there were none. */
  #terminate(): boolean {
    if (this.#leaving.length === 0) return false;
    const leaving = this.#leaving;
    this.#leaving = [];
    for (const key of leaving) {
      const removed = this.#world.remove(key);
      if (removed === undefined) continue;
      const { pod } = removed.view;
      const successor = this.#options.successorOf(pod);
      this.evicted.push({ pod, node: removed.nodeName, isMadeAgain: successor !== undefined });
      this.#tell({ type: 'podRemoved', pod: removed });
      this.fates.delete(key);
      if (successor !== undefined) this.#successors.push(successor);
    }
    return true;
  }

  /**
   * Controllers make the pods again that went. Those that had to go for others come after them, but nothing in the
   * scheduler's rules keeps two pods from pushing each other out for ever; here they stop at some time.
   */
  #makeAgain(): boolean {
    if (this.#successors.length === 0) return false;
    const successors = this.#successors;
    this.#successors = [];
    for (const pod of successors) {
      const key = podKey(pod);
      const times = (this.#evictions.get(key) ?? 0) + 1;
      this.#evictions.set(key, times);
      if (times < maxEvictions) this.enqueue(pod);
      else
        this.fates.set(key, {
          is: 'pending',
          message: `placed and evicted again ${times} times, it does not come to rest`,
        });
    }
    return true;
  }

  #tellUpdate(changed: ReturnType<WhatIf['update']>): void {
    if (changed === undefined) return;
    this.#tell({ type: 'podChanged', pod: changed.now });
    this.#tell({ type: 'podRemoved', pod: changed.was });
  }

  #tell(change: ClusterChange): void {
    const { columns } = this.#world;
    this.#queue.wake((pod, refusedBy) => {
      const profile = this.#options.profiles.get(schedulerOf(pod.pod));
      return profile !== undefined && mayHelp(pod, refusedBy, change, { columns, profile });
    }, this.#tick());
  }

  /** Time passes just enough to tell what came first. */
  #tick(): number {
    this.#nowMs += 1 / 1024;
    return this.#nowMs;
  }
}
