/** How full nodes are: what the pods on them ask for and may use at most, against what there is to give. */
import type { Node, Pod } from '#api/kinds/core.ts';
import { podLimits, podRequests } from '#api/resources.ts';
import { amountOf } from '../requests.ts';

/** Cpu in milli, everything else in whole units. */
export interface Amount {
  readonly allocatable: number;
  readonly requests: number;
  readonly limits: number;
}

/** By resource: cpu, memory, pods, then whatever else a pod on the node asks for or the node has besides. */
export type Usage = Readonly<Record<string, Amount>>;

export const usageOf = (node: Node | undefined, pods: readonly Pod[]): Usage => {
  const allocatable = node?.status?.allocatable ?? {};
  const requests = new Map<string, number>();
  const limits = new Map<string, number>();
  const add = (to: Map<string, number>, amounts: Readonly<Record<string, string>>): void => {
    for (const name in amounts) to.set(name, (to.get(name) ?? 0) + amountOf(name, amounts[name]!));
  };
  for (const pod of pods) {
    add(requests, podRequests(pod, { useStatus: true }));
    add(limits, podLimits(pod, { useStatus: true }));
  }
  requests.set('pods', pods.length);
  limits.set('pods', pods.length);
  const names = [...new Set(['cpu', 'memory', 'pods', ...Object.keys(allocatable), ...requests.keys()])];
  return Object.fromEntries(
    names.map(name => [
      name,
      {
        allocatable: allocatable[name] === undefined ? 0 : amountOf(name, allocatable[name]),
        requests: requests.get(name) ?? 0,
        limits: limits.get(name) ?? 0,
      },
    ]),
  );
};

export const totalOf = (usages: readonly Usage[]): Usage => {
  const total: Record<string, Amount> = {};
  for (const usage of usages)
    for (const [name, amount] of Object.entries(usage)) {
      const sum = total[name] ?? { allocatable: 0, requests: 0, limits: 0 };
      total[name] = {
        allocatable: sum.allocatable + amount.allocatable,
        requests: sum.requests + amount.requests,
        limits: sum.limits + amount.limits,
      };
    }
  return total;
};
