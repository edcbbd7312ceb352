/**
 * Which cgroups a pod has and what is set on them; pure. A node's share is one group; below it each pod has one with
 * the limits of SEMANTICS D.6, and where a pod has several containers each of those one more, so that an OOM kill can
 * be told from the group's counters even when the engine misses it (DOCKER-FACTS §3).
 */
import type { Container, Pod } from '#api/kinds/core.ts';
import { qosClass } from '#api/qos.ts';
import { milliValue, wholeValue } from '#api/quantity.ts';
import { podLimits, podRequests } from '#api/resources.ts';
import type { CgroupLimits, CgroupPath, OomEvidence } from '../machine.ts';
import type { Owner } from '../names.ts';
import { cpuQuota, cpuRequestMilli, cpuShares } from './host-config.ts';

/** The part of the machine that a node may use; absent: all of it. */
export interface Share {
  readonly cpuMilli?: number;
  readonly memoryBytes?: number;
  readonly pods?: number;
  readonly extended?: Readonly<Record<string, string>>;
}

export const nodePath = (owner: Owner): CgroupPath => [owner.cluster, owner.node];
export const podPath = (owner: Owner, uid: string): CgroupPath => [...nodePath(owner), uid];

const containersOf = (pod: Pod): readonly Container[] => [...(pod.spec.initContainers ?? []), ...pod.spec.containers];

/** The group right above a container. */
export const containerPath = (owner: Owner, pod: Pod, container: string): CgroupPath => {
  const path = podPath(owner, pod.metadata.uid ?? '');
  return containersOf(pod).length > 1 ? [...path, container] : path;
};

export const shareLimits = (share: Share): CgroupLimits => ({
  ...(share.cpuMilli === undefined
    ? {}
    : { cpuShares: cpuShares(share.cpuMilli), cpuQuotaMicros: cpuQuota(share.cpuMilli) }),
  ...(share.memoryBytes === undefined ? {} : { memoryBytes: share.memoryBytes }),
});

/** Limits of the pod as a whole; a quota above the node's ceiling (cgroup v1 refuses it) is cut to that. */
export const podCgroupLimits = (pod: Pod, cpuCeilingMilli: number | undefined): CgroupLimits => {
  const qos = qosClass(pod);
  const requests = podRequests(pod);
  const cpu = requests['cpu'];
  const shares = qos === 'BestEffort' || cpu === undefined ? 0 : milliValue(cpu);
  const limits = podLimits(pod);
  const limited = (resource: string): string | undefined =>
    containersOf(pod).every(container => isSet(container.resources?.limits?.[resource])) ||
    isSet(pod.spec.resources?.limits?.[resource])
      ? limits[resource]
      : undefined;
  const [cpuLimit, memoryLimit] = qos === 'BestEffort' ? [] : [limited('cpu'), limited('memory')];
  const milli = cpuLimit === undefined ? undefined : Math.min(milliValue(cpuLimit), cpuCeilingMilli ?? Infinity);
  return {
    cpuShares: cpuShares(shares),
    // The kubelet's NoSwap, its default.
    noSwap: true,
    ...(milli === undefined ? {} : { cpuQuotaMicros: cpuQuota(milli) }),
    ...(memoryLimit === undefined ? {} : { memoryBytes: Math.max(wholeValue(memoryLimit), leastPodMemoryBytes) }),
  };
};

/**
 * Below this the engine cannot even start a sandbox in the group. Containers keep their own, lower limits; one that the
 * engine cannot set is refused with its reason.
 */
const leastPodMemoryBytes = 16 << 20;

const isSet = (quantity: string | undefined): boolean => quantity !== undefined && milliValue(quantity) > 0;

/** The group between pod and container carries the container's weight, or all would weigh the same. */
export const containerCgroupLimits = (container: Container): CgroupLimits => ({
  cpuShares: cpuShares(cpuRequestMilli(container)),
});

/** Whether the memory of a container's group was refused at a limit within the group, and not at one above it. */
export const wasAtLimit = (version: '1' | '2', evidence: OomEvidence, limitBytes: number): boolean =>
  version === '2' ? evidence.limitHits > 0 : evidence.peakBytes >= limitBytes;

/** The kubelet's words for a container that was OOM-killed need proof: grown kills (v2), or peak at the limit (v1). */
export const isOomProven = (
  version: '1' | '2',
  before: { readonly kills: number },
  after: OomEvidence,
  container: { readonly limitBytes: number; readonly exitCode: number },
): boolean => {
  if (version === '2') return after.kills > before.kills;
  // A full page cache also reaches the limit on v1, so only a death by SIGKILL counts.
  return container.limitBytes > 0 && container.exitCode === 137 && after.peakBytes >= container.limitBytes;
};
