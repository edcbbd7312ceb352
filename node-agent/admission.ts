/**
 * Whether a pod may run on this node at all, decided by the agent as the kubelet does (lifecycle/predicate.go): the
 * scheduler may have been bypassed (spec.nodeName), or have seen another state. Only the first reason counts. Pure.
 */
import type { Node, Pod } from '#api/kinds/core.ts';
import { podMatchesNodeSelectorAndAffinity } from '#api/node-selector.ts';
import { milliValue, wholeValue } from '#api/quantity.ts';
import { podRequests } from '#api/resources.ts';
import { findUntolerated } from '#api/taints.ts';

export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

/** Whole units of a resource as upstream compares them: CPU in millis, everything else whole. */
const unitsOf = (resource: string, quantity: string): number =>
  resource === 'cpu' ? milliValue(quantity) : wholeValue(quantity);

const resourceOrder = (name: string): string =>
  ({ cpu: '0', memory: '1', 'ephemeral-storage': '2' })[name] ?? `3${name}`;

const lacking = (
  pod: Pod,
  others: readonly Pod[],
  allocatable: Readonly<Record<string, string>>,
): Rejection | undefined => {
  const tooMany = (resource: string, requested: number, used: number): Rejection | undefined => {
    const capacity = unitsOf(resource, allocatable[resource] ?? '0');
    if (requested === 0 || requested + used <= capacity) return undefined;
    const message = `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
    return { reason: `OutOf${resource}`, message };
  };
  const crowded = tooMany('pods', 1, others.length);
  if (crowded) return crowded;
  const requests = podRequests(pod);
  const used = others.map(other => podRequests(other, { useStatus: true }));
  const names = Object.keys(requests).sort((a, b) => (resourceOrder(a) < resourceOrder(b) ? -1 : 1));
  for (const resource of names) {
    const inUse = used.reduce((sum, other) => sum + unitsOf(resource, other[resource] ?? '0'), 0);
    const rejection = tooMany(resource, unitsOf(resource, requests[resource]!), inUse);
    if (rejection) return rejection;
  }
  return undefined;
};

const hostPortsOf = (pod: Pod): readonly { key: string; port: number; ip: string }[] =>
  [...(pod.spec.initContainers ?? []).filter(container => container.restartPolicy === 'Always'), ...pod.spec.containers]
    .flatMap(container => container.ports ?? [])
    .filter(port => (port.hostPort ?? 0) > 0)
    .map(port => ({
      key: `${port.protocol ?? 'TCP'}/${port.hostPort}`,
      port: port.hostPort!,
      ip: port.hostIP || '0.0.0.0',
    }));

const portsClash = (pod: Pod, others: readonly Pod[]): boolean => {
  const taken = others.flatMap(hostPortsOf);
  return hostPortsOf(pod).some(({ key, ip }) =>
    taken.some(other => other.key === key && (ip === '0.0.0.0' || other.ip === '0.0.0.0' || other.ip === ip)),
  );
};

/** The reason why the node refuses the pod beside `others` (those admitted and not ended), or undefined. */
export const reject = (pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined => {
  const resources = lacking(pod, others, node.status?.allocatable ?? {});
  if (resources) return resources;
  if (!podMatchesNodeSelectorAndAffinity(pod, node))
    return {
      reason: 'NodeAffinity',
      message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    };
  if (portsClash(pod, others))
    return {
      reason: 'NodePorts',
      message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    };
  if (pod.spec.os?.name !== undefined && pod.spec.os.name !== 'linux')
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" };
  if (findUntolerated(node.spec.taints ?? [], pod.spec.tolerations ?? [], ['NoExecute']))
    return { reason: 'TaintToleration', message: 'Predicate TaintToleration failed' };
  return undefined;
};
