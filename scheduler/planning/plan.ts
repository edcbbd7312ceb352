/**
 * Makes the plan (#engine/plan.ts): takes a rehearsal to which manifests were applied, lets the scheduler's own code place
 * what waits, then drains a node or thinks nodes away. Looks at nothing but its arguments.
 */
import type { Node, Pod } from '#api/kinds/core.ts';
import { quantityOf } from '#api/quantity.ts';
import { successorOf } from '#engine/plan/makers.ts';
import { type Settled, type SettleOptions, settle } from '#engine/plan/settle.ts';
import { totalOf, type Usage, usageOf } from '#engine/plan/usage.ts';
import { WhatIf } from '#engine/plan/what-if.ts';
import {
  type Drain,
  type NodeLoss,
  type PendingPod,
  type Placement,
  type Plan,
  type PodChange,
  planVersion,
  type ResourceUsage,
  type Verdict,
} from '#engine/plan.ts';
import { type Profile, tellApartBy } from '#engine/profile.ts';
import type { TieRule } from '#engine/schedule.ts';
import { type ClusterState, columnsOf, isOver, podKey } from '#engine/world.ts';
import type { Applied } from './apply.ts';
import { nodeLoss, ownerOf, preemptionsOf } from './displace.ts';
import { Budgets, drain } from './drain.ts';

export interface PlanOptions {
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly nowMs: number;
  readonly tie?: TieRule;
  /** Name of the node to drain. */
  readonly drain?: string | undefined;
  /** Names of the nodes to think away, one at a time. */
  readonly lose?: readonly string[] | undefined;
  /** Why a node's agent would not run a pod that was given to it past the scheduler; undefined: it would. */
  refuses(pod: Pod, node: Node, others: readonly Pod[]): string | undefined;
}

/** `before`: the cluster as it is; `after`: as it is with the objects that were applied. */
export const makePlan = (before: ClusterState, after: ClusterState, applied: Applied, options: PlanOptions): Plan => {
  const columns = columnsOf(after, { schedulers: new Set(options.profiles.keys()) });
  columns.shapes.tellApart = tellApartBy(options.profiles);
  const world = new WhatIf(columns);
  const settling: SettleOptions = { ...options, successorOf };
  const fixed = placeFixed(world, applied, options);
  const waiting = waitingPods(after, applied);
  const pending = [...waiting, ...applied.arrivals.map(({ pod }) => pod).filter(pod => !pod.spec.nodeName)];
  const leaving = after.pods.filter(isLeaving).map(podKey);
  const settled = settle(world, pending, { ...settling, leaving });
  const rows = rowsOf(settled, applied, waiting);
  const ready = new Set([...fixed.placements, ...rows.placements].map(({ pod }) => pod));
  const present = { ...after, pods: world.nodes().flatMap(node => world.podsOn(node.metadata.name)) };
  const budgets = new Budgets(present, ready, options.nowMs);
  const drained = options.drain === undefined ? undefined : drain(world, options.drain, { ...settling, budgets });
  const losses = options.lose?.map(name => nodeLoss(world, name, settling));
  const usage = compare(before, world);
  const plan = {
    apiVersion: planVersion,
    kind: 'Plan',
    objects: applied.objects,
    placements: [...fixed.placements, ...rows.placements],
    pending: [...fixed.pending, ...unmade(applied), ...rows.pending],
    preemptions: preemptionsOf(settled),
    removed: applied.removed.map(({ pod, why }) => ({
      pod: podKey(pod),
      ...(pod.spec.nodeName ? { node: pod.spec.nodeName } : {}),
      why,
    })),
    ...usage,
    ...(drained === undefined ? {} : { drain: drained }),
    ...(losses === undefined ? {} : { nodeLoss: losses }),
    notes: [...applied.notes],
  } as const;
  return { ...plan, verdict: verdictOf(plan) };
};

const isLeaving = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp !== undefined && Boolean(pod.spec.nodeName) && !isOver(pod);

/** Pods that were without a node before, the longest waiting first. */
const waitingPods = ({ pods }: ClusterState, { arrivals }: Applied): readonly Pod[] => {
  const arriving = new Set(arrivals.map(({ pod }) => podKey(pod)));
  return pods
    .filter(pod => !pod.spec.nodeName && !isOver(pod) && pod.metadata.deletionTimestamp === undefined)
    .filter(pod => !arriving.has(podKey(pod)))
    .sort((a, b) => compareText(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''));
};

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

interface Rows {
  readonly placements: readonly Placement[];
  readonly pending: readonly PendingPod[];
}

const headOf = (pod: Pod, change: PodChange) => ({
  pod: podKey(pod),
  change,
  ...ownerOf(pod),
  priority: pod.spec.priority ?? 0,
});

/** Pods whose manifest names their node: nobody asks the scheduler, but the node may refuse them. */
const placeFixed = (world: WhatIf, { arrivals }: Applied, { refuses }: PlanOptions): Rows => {
  const placements: Placement[] = [];
  const pending: PendingPod[] = [];
  const wanted = arrivals.filter(({ pod }) => pod.spec.nodeName);
  // They are on their nodes already, as the state has them; in the order of arrival each meets those before it.
  for (const { pod } of wanted) world.remove(podKey(pod));
  for (const { pod, change } of wanted) {
    const { nodeName = '' } = pod.spec;
    const node = world.node(nodeName);
    const why =
      node === undefined ? `node ${JSON.stringify(nodeName)} not found` : refuses(pod, node, world.podsOn(nodeName));
    if (why !== undefined) {
      pending.push({ ...headOf(pod, change), message: `never runs: ${why}` });
      continue;
    }
    world.place(world.columns.view(pod), nodeName);
    placements.push({ ...headOf(pod, change), node: nodeName, fixed: true });
  }
  return { placements, pending };
};

const unmade = ({ unmade }: Applied): readonly PendingPod[] =>
  unmade.map(({ owner, pod, message }) => ({
    pod,
    change: 'new',
    owner,
    priority: 0,
    message: `never made: ${message}`,
  }));

const rowsOf = (settled: Settled, { arrivals }: Applied, waiting: readonly Pod[]): Rows => {
  const moved = settled.evicted.filter(({ isMadeAgain }) => isMadeAgain);
  const from = new Map(moved.map(({ pod, node }) => [podKey(pod), node]));
  const known = new Map<string, { pod: Pod; change: PodChange }>();
  for (const pod of waiting) known.set(podKey(pod), { pod, change: 'waiting' });
  for (const { pod } of moved) known.set(podKey(pod), { pod, change: 'moved' });
  for (const { pod, change } of arrivals) known.set(podKey(pod), { pod, change });
  const placements: (Placement & { turn: number })[] = [];
  const pending: PendingPod[] = [];
  for (const [key, { pod, change }] of known) {
    const fate = settled.fates.get(key);
    if (fate === undefined) continue;
    const origin = change === 'moved' ? { from: from.get(key) ?? '' } : {};
    const head = { ...headOf(pod, change), ...origin };
    if (fate.is === 'placed') {
      const { score, feasible, ties } = fate.decision;
      const why = { ...(score === undefined ? {} : { score }), feasible, ...(ties === undefined ? {} : { ties }) };
      placements.push({ ...head, node: fate.node, ...why, turn: fate.turn });
    } else pending.push({ ...head, message: fate.message, ...(fate.is === 'gated' ? { gated: true } : {}) });
  }
  placements.sort((a, b) => a.turn - b.turn);
  return { placements: placements.map(({ turn: _, ...placement }) => placement), pending };
};

/** Nodes that are in either state, with what their pods ask for before and after. */
const compare = (before: ClusterState, world: WhatIf): Pick<Plan, 'nodes' | 'total'> => {
  const running = before.pods.filter(pod => pod.spec.nodeName && !isOver(pod));
  const was = new Map<string, Pod[]>();
  for (const pod of running) {
    const { nodeName = '' } = pod.spec;
    const pods = was.get(nodeName);
    if (pods === undefined) was.set(nodeName, [pod]);
    else pods.push(pod);
  }
  const pairs = world.nodes().map(node => {
    const { name } = node.metadata;
    return { name, was: usageOf(node, was.get(name) ?? []), now: usageOf(node, world.podsOn(name)) };
  });
  const total = resourcesOf(totalOf(pairs.map(pair => pair.was)), totalOf(pairs.map(pair => pair.now)));
  return { nodes: pairs.map(({ name, was, now }) => ({ node: name, resources: resourcesOf(was, now) })), total };
};

const resourcesOf = (was: Usage, now: Usage): Readonly<Record<string, ResourceUsage>> => {
  const names = [...new Set([...Object.keys(was), ...Object.keys(now)])];
  const none = { allocatable: 0, requests: 0, limits: 0 };
  return Object.fromEntries(
    names.map(name => {
      const [before, after] = [was[name] ?? none, now[name] ?? none];
      const text = (amount: number): string => quantityText(name, amount);
      return [
        name,
        {
          allocatable: text(Math.max(before.allocatable, after.allocatable)),
          requests: { before: text(before.requests), after: text(after.requests) },
          limits: { before: text(before.limits), after: text(after.limits) },
        },
      ];
    }),
  );
};

const binary = /^(memory|ephemeral-storage|hugepages-.*)$/;

const quantityText = (resource: string, amount: number): string =>
  quantityOf(amount, binary.test(resource) ? 'BinarySI' : 'DecimalSI', resource === 'cpu');

type Counted = Pick<Plan, 'pending' | 'preemptions'> & {
  readonly drain?: Drain;
  readonly nodeLoss?: readonly NodeLoss[];
};

const verdictOf = ({ pending, preemptions, drain, nodeLoss = [] }: Counted): Verdict => {
  const displaced = [...(drain?.evicted ?? []), ...nodeLoss.flatMap(loss => loss.displaced)];
  const later = [...(drain?.preemptions ?? []), ...nodeLoss.flatMap(loss => loss.preemptions)];
  const victims = [...preemptions, ...later].flatMap(preemption => preemption.victims);
  const stuck = pending.filter(({ change, gated }) => change !== 'waiting' && gated !== true);
  const counts = {
    pending:
      stuck.length + [...displaced, ...later.flatMap(({ victims }) => victims)].filter(one => one.pending).length,
    evict: victims.length + (drain?.evicted ?? []).filter(one => one.lost).length,
    blocked: drain?.blocked.length ?? 0,
  };
  return { ok: counts.pending + counts.evict + counts.blocked === 0, ...counts };
};
