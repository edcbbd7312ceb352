/**
 * `describe node`, in kubectl's layout, with one column more: what the node really uses now beside what its pods
 * requested, because that pair is what this product is about.
 */
import { age } from '#api/duration.ts';
import type { Node, Pod, Taint } from '#api/kinds/core.ts';
import { addQuantities, milliValue, quantityOf } from '#api/quantity.ts';
import { podLimits, podRequests, type ResourceList } from '#api/resources.ts';
import { type Events, eventLines } from './events.ts';
import { annotationLines, dateText, mapLines, Page } from './page.ts';

export interface NodeFacts {
  readonly node: Node;
  /** Those that have not ended. */
  readonly pods: readonly Pod[];
  readonly events: Events;
  readonly lease:
    | { spec?: { holderIdentity?: string; acquireTime?: string; renewTime?: string } }
    | { failure: string };
  /** From metrics.k8s.io; absent while there are none. */
  readonly usage: Readonly<Record<string, string>> | undefined;
}

export const describeNode = (facts: NodeFacts, nowMs: number): string => {
  const { node } = facts;
  const page = new Page();
  head(page, node);
  leaseLines(page, facts.lease);
  conditionLines(page, node);
  page.line(0, 'Addresses:');
  for (const { type, address } of node.status?.addresses ?? []) page.line(1, `${type}:\t${address}`);
  amountLines(page, 'Capacity', node.status?.capacity);
  amountLines(page, 'Allocatable', node.status?.allocatable);
  systemLines(page, node);
  podLines(page, facts, nowMs);
  allocatedLines(page, facts);
  eventLines(page, facts.events, nowMs);
  return page.text();
};

const rolePrefix = 'node-role.kubernetes.io/';

const head = (page: Page, node: Node): void => {
  const { metadata, spec } = node;
  const labels = metadata.labels ?? {};
  const roles = Object.keys(labels).filter(key => key.startsWith(rolePrefix) && key !== rolePrefix);
  const named = roles.map(key => key.slice(rolePrefix.length));
  if (labels['kubernetes.io/role']) named.push(labels['kubernetes.io/role']);
  page.line(0, `Name:\t${metadata.name}`);
  page.line(0, `Roles:\t${named.length === 0 ? '<none>' : [...new Set(named)].sort().join(',')}`);
  mapLines(page, 'Labels', labels);
  annotationLines(page, metadata.annotations);
  page.line(0, `CreationTimestamp:\t${dateText(metadata.creationTimestamp)}`);
  taintLines(page, spec?.taints ?? []);
  page.line(0, `Unschedulable:\t${spec?.unschedulable ?? false}`);
};

/** `key=value:Effect`, by effect and then by key. */
const taintLines = (page: Page, taints: readonly Taint[]): void => {
  if (taints.length === 0) {
    page.line(0, 'Taints:\t<none>');
    return;
  }
  const text = ({ key, value, effect }: Taint) => `${key}${value ? `=${value}` : ''}${effect ? `:${effect}` : ''}`;
  const order = ({ effect, key }: Taint) => `${effect},${key}`;
  const sorted = [...taints].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  for (const [i, taint] of sorted.entries()) page.line(0, `${i === 0 ? 'Taints:' : ''}\t${text(taint)}`);
};

const leaseLines = (page: Page, lease: NodeFacts['lease']): void => {
  if ('failure' in lease) {
    page.line(0, `Lease:\tFailed to get lease: ${lease.failure}`);
    return;
  }
  const { holderIdentity, acquireTime, renewTime } = lease.spec ?? {};
  page.line(0, 'Lease:');
  page.line(1, `HolderIdentity:\t${holderIdentity ?? '<unset>'}`);
  page.line(1, `AcquireTime:\t${acquireTime ? dateText(acquireTime) : '<unset>'}`);
  page.line(1, `RenewTime:\t${renewTime ? dateText(renewTime) : '<unset>'}`);
};

const conditionLines = (page: Page, node: Node): void => {
  const conditions = node.status?.conditions ?? [];
  if (conditions.length === 0) return;
  page.line(0, 'Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage');
  page.line(1, '----\t------\t-----------------\t------------------\t------\t-------');
  for (const { type, status, lastHeartbeatTime, lastTransitionTime, reason = '', message = '' } of conditions) {
    const times = `${dateText(lastHeartbeatTime)} \t${dateText(lastTransitionTime)}`;
    page.line(1, `${type} \t${status} \t${times} \t${reason} \t${message}`);
  }
};

const amountLines = (page: Page, title: string, amounts: ResourceList | undefined): void => {
  const names = Object.keys(amounts ?? {}).sort();
  if (names.length > 0) page.line(0, `${title}:`);
  for (const name of names) page.line(1, `${name}:\t${amounts![name]}`);
};

const systemLines = (page: Page, node: Node): void => {
  const { nodeInfo } = node.status ?? {};
  page.line(0, 'System Info:');
  page.line(1, `Machine ID:\t${nodeInfo?.machineID ?? ''}`);
  page.line(1, `System UUID:\t${nodeInfo?.systemUUID ?? ''}`);
  page.line(1, `Boot ID:\t${nodeInfo?.bootID ?? ''}`);
  page.line(1, `Kernel Version:\t${nodeInfo?.kernelVersion ?? ''}`);
  page.line(1, `OS Image:\t${nodeInfo?.osImage ?? ''}`);
  page.line(1, `Operating System:\t${nodeInfo?.operatingSystem ?? ''}`);
  page.line(1, `Architecture:\t${nodeInfo?.architecture ?? ''}`);
  page.line(1, `Container Runtime Version:\t${nodeInfo?.containerRuntimeVersion ?? ''}`);
  page.line(1, `Kubelet Version:\t${nodeInfo?.kubeletVersion ?? ''}`);
  page.line(1, `Kube-Proxy Version:\t${nodeInfo?.kubeProxyVersion ?? ''}`);
  if (node.spec?.podCIDR) page.line(0, `PodCIDR:\t${node.spec.podCIDR}`);
  if (node.spec?.podCIDRs?.length) page.line(0, `PodCIDRs:\t${node.spec.podCIDRs.join(',')}`);
  if (node.spec?.providerID) page.line(0, `ProviderID:\t${node.spec.providerID}`);
};

/** What percentages are taken of: what pods may have, else what there is. */
const wholeOf = (node: Node): ResourceList => {
  const allocatable = node.status?.allocatable ?? {};
  return Object.keys(allocatable).length > 0 ? allocatable : (node.status?.capacity ?? {});
};

const share = (amount: string, whole: string | undefined): string => {
  const total = milliValue(whole ?? '0');
  return `${amount} (${total === 0 ? 0 : Math.trunc((milliValue(amount) / total) * 100)}%)`;
};

const podLines = (page: Page, { node, pods }: NodeFacts, nowMs: number): void => {
  const whole = wholeOf(node);
  page.line(0, `Non-terminated Pods:\t(${pods.length} in total)`);
  page.line(1, 'Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge');
  page.line(1, '---------\t----\t\t------------\t----------\t---------------\t-------------\t---');
  for (const pod of pods) {
    const [requests, limits] = [podRequests(pod), podLimits(pod)];
    const cells = [
      share(requests['cpu'] ?? '0', whole['cpu']),
      share(limits['cpu'] ?? '0', whole['cpu']),
      share(requests['memory'] ?? '0', whole['memory']),
      share(limits['memory'] ?? '0', whole['memory']),
    ];
    const { namespace, name, creationTimestamp } = pod.metadata;
    page.line(1, `${namespace}\t${name}\t\t${cells.join('\t')}\t${age(creationTimestamp, nowMs)}`);
  }
};

const always = ['cpu', 'memory', 'ephemeral-storage'];
const isStandard = (name: string): boolean => always.includes(name) || name === 'storage' || name === 'pods';

const allocatedLines = (page: Page, { node, pods, usage }: NodeFacts): void => {
  const whole = wholeOf(node);
  const requests = sum(pods.map(pod => podRequests(pod)));
  const limits = sum(pods.map(pod => podLimits(pod)));
  page.line(0, 'Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)');
  page.line(1, `Resource\tRequests\tLimits${usage ? '\tUsed' : ''}`);
  page.line(1, `--------\t--------\t------${usage ? '\t----' : ''}`);
  for (const name of always) {
    const used = usage?.[name] === undefined ? '' : `\t${share(usedText(name, usage[name]), whole[name])}`;
    page.line(
      1,
      `${name}\t${share(requests[name] ?? '0', whole[name])}\t${share(limits[name] ?? '0', whole[name])}${used}`,
    );
  }
  for (const name of Object.keys(node.status?.allocatable ?? {})
    .filter(name => !isStandard(name))
    .sort()) {
    page.line(1, `${name}\t${requests[name] ?? '0'}\t${limits[name] ?? '0'}`);
  }
};

const mebibyte = 1024 * 1024;

/** Usage in the units of `kubectl top`: `12m`, `340Mi`. */
const usedText = (name: string, amount: string): string => {
  if (name === 'cpu') return `${milliValue(amount)}m`;
  return quantityOf(Math.floor(milliValue(amount) / 1000 / mebibyte) * mebibyte, 'BinarySI');
};

const sum = (lists: readonly ResourceList[]): ResourceList => {
  const total: Record<string, string> = {};
  for (const list of lists) {
    for (const [name, amount] of Object.entries(list)) total[name] = addQuantities(total[name] ?? '0', amount);
  }
  return total;
};
