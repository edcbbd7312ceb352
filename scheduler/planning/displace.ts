/** What becomes of pods that have to leave their node, whatever the reason. */
import type { Pod } from '#api/kinds/core.ts';
import { controllerOf, isBoundToNode, successorOf } from '#engine/plan/makers.ts';
import { type Settled, type SettleOptions, settle } from '#engine/plan/settle.ts';
import type { WhatIf } from '#engine/plan/what-if.ts';
import type { Displaced, NodeLoss, PlannedPreemption } from '#engine/plan.ts';
import { podKey } from '#engine/world.ts';

export const ownerOf = (pod: Pod): { owner?: string } => {
  const owner = controllerOf(pod);
  return owner === undefined ? {} : { owner: `${owner.kind}/${owner.name}` };
};

/** What became of a pod after it was evicted. */
export const displaced = (pod: Pod, settled: Pick<Settled, 'fates'>): Displaced => {
  const key = podKey(pod);
  const fate = settled.fates.get(key);
  const head = { pod: key, priority: pod.spec.priority ?? 0, ...ownerOf(pod) };
  if (fate === undefined || successorOf(pod) === undefined) return { ...head, lost: true };
  return fate.is === 'placed' ? { ...head, to: fate.node } : { ...head, pending: fate.message };
};

export const preemptionsOf = (settled: Settled): readonly PlannedPreemption[] =>
  settled.preemptions.map(({ by, node, victims, pdbViolations }) => ({
    by,
    node,
    pdbViolations,
    victims: victims.map(victim => displaced(victim, settled)),
  }));

/** Thinks one node away and places its pods elsewhere; `world` is afterwards as it was. */
export const nodeLoss = (world: WhatIf, name: string, options: SettleOptions): NodeLoss => {
  const { mark } = world;
  // Those that belong to the node go with it and are missed nowhere else.
  const pods = world.podsOn(name).filter(pod => pod.metadata.deletionTimestamp === undefined && !isBoundToNode(pod));
  for (const pod of world.podsOn(name)) world.remove(podKey(pod));
  world.removeNode(name);
  const settled = settle(
    world,
    pods.flatMap(pod => successorOf(pod) ?? []),
    options,
  );
  world.rollback(mark);
  const leaving = pods.map(pod => displaced(pod, settled));
  const preemptions = preemptionsOf(settled);
  const isPending = ({ pending }: Displaced): boolean => pending !== undefined;
  const survives = preemptions.length === 0 && !leaving.some(isPending);
  return { node: name, survives, displaced: leaving, preemptions };
};
