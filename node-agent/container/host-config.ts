/**
 * From Kubernetes' resources, QoS and security settings to the engine's HostConfig; pure. Sources: SEMANTICS D
 * (kubelet cm/helpers_linux.go, qos/policy.go) and DOCKER-FACTS 3 and 4 for what the engine accepts.
 */
import type { Container, Pod } from '#api/kinds/core.ts';
import { qosClass } from '#api/qos.ts';
import { milliValue, wholeValue } from '#api/quantity.ts';
import { podRequests } from '#api/resources.ts';
import type { HostConfig } from '../runtime.ts';

/** What a node's engine and share allow. */
export interface NodeLimits {
  /** CPUs of the machine: the engine refuses NanoCpus above it. */
  readonly hostCpus: number;
  /** Memory of the node, its share where it has one (status.capacity): the measure of oom_score_adj. */
  readonly memoryCapacityBytes: number;
  /** The share's CPU where a parent cgroup enforces it; a container's quota must not exceed it on cgroup v1. */
  readonly cpuCeilingMilli?: number;
  /** False where the engine may not lower oom_score_adj below its own (no CAP_SYS_RESOURCE). */
  readonly negativeOomScore: boolean;
  /** Most processes per container; 0: no limit. */
  readonly pidsLimit: number;
  /** CFS period in microseconds; 100000 unless the node is configured otherwise. */
  readonly cpuPeriodMicros: number;
}

/** A request or limit that the engine cannot carry out, in the user's words. */
export class UnworkableResources extends Error {
  override name = 'UnworkableResources';
}

/** The engine's smallest memory limit (6 MiB) and the kernel's smallest quota (1 ms per period). */
const minMemoryBytes = 6 << 20;
const minQuotaMicros = 1000;
const standardPeriodMicros = 100_000;
const minShares = 2;
const maxShares = 262_144;

/** cgroup v1 shares of a CPU request in millis; the least for none. */
export const cpuShares = (milli: number): number =>
  Math.max(minShares, Math.min(maxShares, Math.floor((milli * 1024) / 1000)));

/** CFS quota in microseconds per period; the kernel's floor makes 10m the least at 100 ms. */
export const cpuQuota = (milli: number, periodMicros = standardPeriodMicros): number =>
  Math.max(minQuotaMicros, Math.floor((milli * periodMicros) / 1000));

/** Milli CPUs of a container's request: its limit where only that is given, 0 for none. */
export const cpuRequestMilli = (container: Container): number => {
  const { requests, limits } = container.resources ?? {};
  const text = requests?.['cpu'] ?? limits?.['cpu'];
  return text === undefined ? 0 : milliValue(text);
};

const cpuLimit = (container: Container, node: NodeLimits): Pick<HostConfig, 'NanoCpus' | 'CpuPeriod' | 'CpuQuota'> => {
  const text = container.resources?.limits?.['cpu'];
  const asked = text === undefined ? 0 : milliValue(text);
  if (asked === 0) return {};
  const milli = Math.min(asked, node.cpuCeilingMilli ?? asked);
  const period = node.cpuPeriodMicros;
  if (period === standardPeriodMicros && milli <= node.hostCpus * 1000) return { NanoCpus: Math.max(milli, 10) * 1e6 };
  return { CpuPeriod: period, CpuQuota: cpuQuota(milli, period) };
};

const memoryLimit = (container: Container): Pick<HostConfig, 'Memory' | 'MemorySwap'> => {
  const text = container.resources?.limits?.['memory'];
  const bytes = text === undefined ? 0 : wholeValue(text);
  if (bytes === 0) return {};
  if (bytes < minMemoryBytes)
    throw new UnworkableResources(
      `resources.limits.memory of container "${container.name}" is ${text}, below the least that Docker Engine can set: 6Mi`,
    );
  return { Memory: bytes, MemorySwap: bytes };
};

/** Kubernetes' oom_score_adj of a container (qos/policy.go), before what the engine may set. */
export const oomScoreAdj = (pod: Pod, container: Container, memoryCapacityBytes: number): number => {
  const { priority = 0, priorityClassName } = pod.spec;
  if (priorityClassName === 'system-node-critical' && priority >= 2_000_000_000) return -997;
  const qos = qosClass(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const rest = sharedMemoryRequest(pod);
  const own = burstableScore(memoryRequest(container) + rest, memoryCapacityBytes);
  const isSidecar = container.restartPolicy === 'Always' && (pod.spec.initContainers ?? []).includes(container);
  if (!isSidecar) return own;
  const smallest = Math.min(...pod.spec.containers.map(memoryRequest));
  return Math.min(own, burstableScore(smallest + rest, memoryCapacityBytes));
};

/** What the pod as a whole requests beyond its containers, in equal parts (qos/policy.go remainingPodMemReqPerContainer). */
const sharedMemoryRequest = (pod: Pod): number => {
  const whole = pod.spec.resources?.requests?.['memory'];
  if (whole === undefined) return 0;
  const { resources: _, overhead: _overhead, ...spec } = pod.spec;
  const ofContainers = podRequests({ ...pod, spec })['memory'] ?? '0';
  const count = pod.spec.containers.length + (pod.spec.initContainers ?? []).length;
  return Math.max(0, Math.floor((wholeValue(whole) - wholeValue(ofContainers)) / count));
};

const memoryRequest = (container: Container): number => {
  const text = container.resources?.requests?.['memory'] ?? container.resources?.limits?.['memory'];
  return text === undefined ? 0 : wholeValue(text);
};

const burstableScore = (requestBytes: number, capacityBytes: number): number => {
  const score = 1000 - Math.floor((1000 * requestBytes) / capacityBytes);
  return score < 3 ? 3 : Math.min(score, 999);
};

/** As `oomScoreAdj`, but nothing below 0 where the engine cannot set that; the order of classes stays. */
export const allowedOomScore = (score: number, node: NodeLimits): number =>
  node.negativeOomScore ? score : Math.max(0, score);

/** Requests and limits of a container; throws UnworkableResources. */
export const resourceConfig = (pod: Pod, container: Container, node: NodeLimits): Partial<HostConfig> => ({
  CpuShares: cpuShares(cpuRequestMilli(container)),
  ...cpuLimit(container, node),
  ...memoryLimit(container),
  OomScoreAdj: allowedOomScore(oomScoreAdj(pod, container, node.memoryCapacityBytes), node),
  ...(node.pidsLimit === 0 ? {} : { PidsLimit: node.pidsLimit }),
});

/** securityContext of container and pod; sysctls, fsGroup and namespaces are the sandbox's and the volumes'. */
export const securityConfig = (pod: Pod, container: Container): Partial<HostConfig> => {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const groups = [...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])];
  const seccomp = own.seccompProfile ?? shared.seccompProfile;
  const appArmor = own.appArmorProfile ?? shared.appArmorProfile;
  const options = [
    ...(own.allowPrivilegeEscalation === false ? ['no-new-privileges'] : []),
    ...(seccomp?.type === 'Unconfined' ? ['seccomp=unconfined'] : []),
    ...(appArmor?.type === 'Unconfined' ? ['apparmor=unconfined'] : []),
    ...(appArmor?.type === 'Localhost' ? [`apparmor=${appArmor.localhostProfile ?? ''}`] : []),
    ...(own.procMount === 'Unmasked' ? ['systempaths=unconfined'] : []),
  ];
  return {
    ...(own.privileged ? { Privileged: true } : {}),
    ...(own.capabilities?.add?.length ? { CapAdd: own.capabilities.add } : {}),
    ...(own.capabilities?.drop?.length ? { CapDrop: own.capabilities.drop } : {}),
    ...(groups.length === 0 ? {} : { GroupAdd: groups.map(String) }),
    ...(options.length === 0 ? {} : { SecurityOpt: options }),
    ...(own.readOnlyRootFilesystem ? { ReadonlyRootfs: true } : {}),
  };
};

/** `uid`, `uid:gid`, or undefined for the image's user. */
export const userOf = (pod: Pod, container: Container): string | undefined => {
  const user = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  const group = container.securityContext?.runAsGroup ?? pod.spec.securityContext?.runAsGroup;
  if (user === undefined) return group === undefined ? undefined : `0:${group}`;
  return group === undefined ? String(user) : `${user}:${group}`;
};
