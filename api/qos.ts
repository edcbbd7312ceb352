/** A pod's quality of service, from its requests and limits of cpu and memory alone (SEMANTICS B.5, ComputePodQOS). */
import type { Pod } from './kinds/core.ts';
import { addQuantities, compareQuantities, isZero } from './quantity.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

type List = Readonly<Record<string, string>>;

/** The class that the pod's spec amounts to; `status.qosClass` holds it once the pod is stored. */
export const qosClass = (pod: Pod): QosClass => {
  const { requests, limits, allLimited } = pod.spec.resources === undefined ? ofContainers(pod) : ofPod(pod);
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const equal = [...requests].every(([name, amount]) => {
    const limit = limits.get(name);
    return limit !== undefined && compareQuantities(amount, limit) === 0;
  });
  return allLimited && equal && requests.size === limits.size ? 'Guaranteed' : 'Burstable';
};

interface Totals {
  readonly requests: ReadonlyMap<string, string>;
  readonly limits: ReadonlyMap<string, string>;
  /** True when cpu and memory are limited everywhere. */
  readonly allLimited: boolean;
}

const ofContainers = (pod: Pod): Totals => {
  const requests = new Map<string, string>();
  const limits = new Map<string, string>();
  let allLimited = true;
  // A pod without containers is asked for its class too, before validation refuses it.
  for (const list of [pod.spec.containers, pod.spec.initContainers]) {
    for (const { resources } of list ?? []) {
      addPositive(requests, resources?.requests);
      if (addPositive(limits, resources?.limits) !== counted.length) allLimited = false;
    }
  }
  return { requests, limits, allLimited };
};

const ofPod = (pod: Pod): Totals => {
  const requests = new Map<string, string>();
  const limits = new Map<string, string>();
  addPositive(requests, pod.spec.resources?.requests);
  const limited = addPositive(limits, pod.spec.resources?.limits);
  return { requests, limits, allLimited: limited === 0 || limited === counted.length };
};

const counted = ['cpu', 'memory'] as const;

/** Adds what is above zero; returns how many of the counted resources were. */
const addPositive = (into: Map<string, string>, list: List | undefined): number => {
  let found = 0;
  for (const name of counted) {
    const amount = list?.[name];
    if (amount === undefined || isZero(amount) || compareQuantities(amount, '0') < 0) continue;
    const present = into.get(name);
    into.set(name, present === undefined ? amount : addQuantities(present, amount));
    found++;
  }
  return found;
};
