/**
 * `kubectl drain` in thought: the node is cordoned and its pods are evicted as far as their disruption budgets allow, by
 * the same rules as the eviction subresource; what finds a new node counts as healthy there, so that the next pods may
 * go. What is left when nothing moves any more is blocked.
 */
import type { Node, Pod } from '#api/kinds/core.ts';
import type { PodDisruptionBudget } from '#api/kinds/policy.ts';
import { labelSelectorMatches } from '#api/labels.ts';
import { ApiError } from '#api/status.ts';
import { planBudget } from '#controllers/disruption.ts';
import { controllerOf, isBoundToNode, successorOf } from '#engine/plan/makers.ts';
import { type SettleOptions, settle } from '#engine/plan/settle.ts';
import type { WhatIf } from '#engine/plan/what-if.ts';
import type { Displaced, Drain, PlannedPreemption } from '#engine/plan.ts';
import { type ClusterState, podKey } from '#engine/world.ts';
import { debit } from '#registry/subresources.ts';
import { displaced, preemptionsOf } from './displace.ts';

export interface DrainOptions extends SettleOptions {
  readonly budgets: Budgets;
}

export const drain = (world: WhatIf, name: string, options: DrainOptions): Drain => {
  world.setNode(cordoned(world.node(name) as Node));
  const present = world.podsOn(name);
  const staying = present.filter(isBoundToNode).map(podKey);
  let left = present.filter(pod => !isBoundToNode(pod) && pod.metadata.deletionTimestamp === undefined);
  const evicted: Displaced[] = [];
  const preemptions: PlannedPreemption[] = [];
  let blocked = new Map<string, string>();
  while (left.length > 0) {
    blocked = new Map<string, string>();
    const leaving = left.filter(pod => {
      const refusal = options.budgets.evict(pod);
      if (refusal !== undefined) blocked.set(podKey(pod), refusal);
      return refusal === undefined;
    });
    if (leaving.length === 0) break;
    for (const pod of leaving) world.remove(podKey(pod));
    const successors = leaving.flatMap(pod => successorOf(pod) ?? []);
    const settled = settle(world, successors, options);
    for (const pod of leaving) {
      const outcome = displaced(pod, settled);
      evicted.push(outcome);
      if (outcome.to !== undefined) options.budgets.healthyAgain(pod);
    }
    preemptions.push(...preemptionsOf(settled));
    left = left.filter(pod => blocked.has(podKey(pod)) && world.columns.placed(podKey(pod)) !== undefined);
  }
  return {
    node: name,
    evicted,
    blocked: [...blocked].map(([pod, message]) => ({ pod, message })),
    staying,
    preemptions,
  };
};

const unschedulable = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' as const };

const cordoned = (node: Node): Node => {
  const taints = (node.spec?.taints ?? []).filter(({ key }) => key !== unschedulable.key);
  return { ...node, spec: { ...node.spec, unschedulable: true, taints: [...taints, unschedulable] } };
};

/** The disruption budgets while pods come and go in thought. */
export class Budgets {
  #budgets: PodDisruptionBudget[];
  readonly #isReady: (pod: Pod) => boolean;
  readonly #nowMs: number;

  /** `ready`: keys of pods that the plan has placed; they are taken to run well by the time of the drain. */
  constructor(state: ClusterState, ready: ReadonlySet<string>, nowMs: number) {
    this.#nowMs = nowMs;
    this.#isReady = pod => ready.has(podKey(pod));
    this.#budgets = state.podDisruptionBudgets.map(budget => {
      const selected = state.pods.filter(pod => selects(budget, pod)).map(pod => this.#assumed(pod));
      const isSeen = (budget.status?.observedGeneration ?? -1) === (budget.metadata.generation ?? 0);
      return isSeen && !selected.some(this.#isReady) ? budget : withStatus(budget, selected, state, nowMs);
    });
  }

  /** Evicts a pod; or says, in the server's words, why it may not go. */
  evict(pod: Pod): string | undefined {
    if (isFree(this.#assumed(pod))) return undefined;
    const matching = this.#budgets.filter(budget => selects(budget, pod));
    if (matching.length === 0) return undefined;
    if (matching.length > 1)
      return 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    const [budget] = matching as [PodDisruptionBudget];
    try {
      const debited = debit(budget, this.#assumed(pod), this.#nowMs);
      if (debited !== undefined) this.#set(budget, { ...debited.status!, currentHealthy: healthy(debited) - 1 });
      return undefined;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const causes = (error.status.details?.causes ?? []).map(({ message }) => message);
      return [error.message, ...causes].join(' ');
    }
  }

  /** An evicted pod runs elsewhere. */
  healthyAgain(pod: Pod): void {
    for (const budget of this.#budgets) {
      if (!selects(budget, pod)) continue;
      const currentHealthy = healthy(budget) + 1;
      const disruptionsAllowed = Math.max(0, currentHealthy - (budget.status?.desiredHealthy ?? 0));
      this.#set(budget, { ...budget.status!, currentHealthy, disruptionsAllowed });
    }
  }

  #set(budget: PodDisruptionBudget, status: NonNullable<PodDisruptionBudget['status']>): void {
    this.#budgets = this.#budgets.map(one => (one === budget ? { ...budget, status } : one));
  }

  #assumed(pod: Pod): Pod {
    if (!this.#isReady(pod)) return pod;
    return { ...pod, status: { ...pod.status, phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } };
  }
}

const healthy = ({ status }: PodDisruptionBudget): number => status?.currentHealthy ?? 0;

const isFree = ({ status }: Pod): boolean => ['Succeeded', 'Failed', 'Pending'].includes(status?.phase ?? 'Pending');

const selects = ({ metadata, spec }: PodDisruptionBudget, pod: Pod): boolean =>
  metadata.namespace === pod.metadata.namespace &&
  spec.selector !== undefined &&
  labelSelectorMatches(spec.selector, pod.metadata.labels);

/** The budget as its controller would show it. */
const withStatus = (
  budget: PodDisruptionBudget,
  selected: readonly Pod[],
  state: ClusterState,
  nowMs: number,
): PodDisruptionBudget => {
  const replicas = (pod: Pod): { uid: string; count: number } | undefined => {
    const owner = controllerOf(pod);
    const sets = [...state.replicaSets, ...state.statefulSets] as readonly {
      metadata: { uid?: string };
      spec?: { replicas?: number };
    }[];
    const set = sets.find(({ metadata }) => metadata.uid !== undefined && metadata.uid === owner?.uid);
    return owner === undefined || set === undefined ? undefined : { uid: owner.uid, count: set.spec?.replicas ?? 1 };
  };
  const [write] = planBudget(budget, selected, replicas, nowMs).writes;
  if (write?.do !== 'patch') return budget;
  const { status } = write.patch.body as unknown as { status: NonNullable<PodDisruptionBudget['status']> };
  return { ...budget, status: { ...status, disruptedPods: {} } };
};
