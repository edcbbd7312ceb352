/** The Node object of this agent: capacity, allocatable, conditions, and what it says of itself; pure. */
import type { ContainerImage, Node, NodeCondition, NodeStatus, NodeSystemInfo, Taint } from '#api/kinds/core.ts';
import { milliValue, quantityOf, wholeValue } from '#api/quantity.ts';
import { toTime } from '#base/clock.ts';
import { deepEqual } from '#base/deep.ts';
import type { Share } from '../container/cgroup-plan.ts';
import type { HostFacts } from '../machine.ts';
import type { EngineInfo, ImageFound } from '../runtime.ts';

export interface NodeConfig {
  readonly name: string;
  readonly share: Share;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** Kept from pods for the machine itself (kube-reserved and system-reserved together). */
  readonly reserved: Readonly<Record<string, string>>;
  readonly maxPods: number;
  readonly version: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What is observed of the node at a moment. */
export interface NodeFacts {
  readonly info: EngineInfo;
  readonly host: HostFacts;
  readonly images: readonly ImageFound[];
  readonly fileSystem: { readonly capacityBytes: number; readonly availableBytes: number };
  /** Working set of the node; undefined before it is known. */
  readonly memoryInUseBytes: number | undefined;
  /** Why the engine does not answer; undefined while it does. */
  readonly engineFault: string | undefined;
  /** Undefined: the share is enforced by a cgroup; else why it is not. */
  readonly shareFault: string | undefined;
  /** Further things an administrator should know, such as missing rights of the engine. */
  readonly remarks: readonly string[];
}

/** kubelet's hard eviction thresholds, which are kept from allocatable (SEMANTICS E.1, E.3). */
const evictionMemoryBytes = 100 << 20;
const evictionDiskShare = 0.1;
const maxImages = 50;
/** How long pressure shows after it was last seen (evictionPressureTransitionPeriod). */
const pressureTransitionMs = 5 * 60_000;

const ownResources = new Set(['cpu', 'memory', 'pods', 'ephemeral-storage']);

const capacityOf = (config: NodeConfig, facts: NodeFacts, old: Node | undefined): Record<string, string> => {
  const { share } = config;
  // Resources that somebody advertised by patching status.capacity stay as they were set.
  const advertised = Object.entries(old?.status?.capacity ?? {}).filter(([name]) => !ownResources.has(name));
  return {
    ...share.extended,
    ...Object.fromEntries(advertised),
    cpu: share.cpuMilli === undefined ? String(facts.info.cpus) : quantityOf(share.cpuMilli, 'DecimalSI', true),
    memory: kibibytes(share.memoryBytes ?? facts.info.memoryBytes),
    'ephemeral-storage': kibibytes(facts.fileSystem.capacityBytes),
    pods: String(share.pods ?? config.maxPods),
  };
};

const kibibytes = (bytes: number): string => (bytes % 1024 === 0 ? quantityOf(bytes, 'BinarySI') : String(bytes));

const allocatableOf = (capacity: Readonly<Record<string, string>>, config: NodeConfig): Record<string, string> => {
  const allocatable: Record<string, string> = { ...capacity };
  const reserved = (name: string): string => config.reserved[name] ?? '0';
  const cpu = Math.max(0, milliValue(capacity['cpu'] ?? '0') - milliValue(reserved('cpu')));
  allocatable['cpu'] = quantityOf(cpu, 'DecimalSI', true);
  const memory = wholeValue(capacity['memory'] ?? '0') - wholeValue(reserved('memory')) - evictionMemoryBytes;
  allocatable['memory'] = kibibytes(Math.max(0, memory));
  const disk = wholeValue(capacity['ephemeral-storage'] ?? '0');
  const kept = Math.floor(disk * evictionDiskShare) + wholeValue(reserved('ephemeral-storage'));
  allocatable['ephemeral-storage'] = String(Math.max(0, disk - kept));
  return allocatable;
};

interface Verdict {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

const pressure = (type: 'Memory' | 'Disk' | 'PID', on: boolean): Verdict => {
  const words = {
    Memory: [
      'KubeletHasInsufficientMemory',
      'kubelet has insufficient memory available',
      'KubeletHasSufficientMemory',
      'kubelet has sufficient memory available',
    ],
    Disk: [
      'KubeletHasDiskPressure',
      'kubelet has disk pressure',
      'KubeletHasNoDiskPressure',
      'kubelet has no disk pressure',
    ],
    PID: [
      'KubeletHasInsufficientPID',
      'kubelet has insufficient PID available',
      'KubeletHasSufficientPID',
      'kubelet has sufficient PID available',
    ],
  }[type];
  const [reason, message] = on ? [words[0]!, words[1]!] : [words[2]!, words[3]!];
  return { type: `${type}Pressure`, status: on ? 'True' : 'False', reason, message };
};

const readiness = (facts: NodeFacts): Verdict => {
  if (facts.engineFault === undefined)
    return { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' };
  const message = `container runtime is down: ${facts.engineFault}`;
  return { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message };
};

/** Whether the node's share is a promise kept by the kernel. */
const enforcement = (facts: NodeFacts, share: Share): Verdict => {
  const type = 'SliceEnforced';
  const remarks = facts.remarks.map(remark => `; ${remark}`).join('');
  const hasShare = share.cpuMilli !== undefined || share.memoryBytes !== undefined;
  if (facts.shareFault !== undefined) {
    const what = hasShare ? 'the share is kept by admission only' : 'pods have no cgroups of their own';
    return { type, status: 'False', reason: 'AdmissionOnly', message: `${what}: ${facts.shareFault}${remarks}` };
  }
  const what = hasShare ? 'a parent cgroup holds the pods to the share' : 'pods have cgroups of their own';
  return { type, status: 'True', reason: 'ParentCgroup', message: `${what}${remarks}` };
};

const conditionsOf = (
  config: NodeConfig,
  facts: NodeFacts,
  memoryBytes: number,
  old: readonly NodeCondition[],
  nowMs: number,
): NodeCondition[] => {
  const sticky = (type: string, on: boolean): boolean => {
    const last = old.find(condition => condition.type === type);
    const seenMs = Date.parse(last?.lastHeartbeatTime ?? '');
    return (
      on || (last?.status === 'True' && last.reason !== 'NodeStatusUnknown' && nowMs - seenMs < pressureTransitionMs)
    );
  };
  const isShort = facts.memoryInUseBytes !== undefined && memoryBytes - facts.memoryInUseBytes < evictionMemoryBytes;
  const isFull = facts.fileSystem.availableBytes < facts.fileSystem.capacityBytes * evictionDiskShare;
  const verdicts = [
    pressure('Memory', isShort),
    pressure('Disk', isFull),
    pressure('PID', false),
    enforcement(facts, config.share),
    readiness(facts),
  ];
  const now = toTime(nowMs);
  const own = verdicts.map(verdict => {
    const held = verdict.type.endsWith('Pressure') && verdict.status === 'False' && sticky(verdict.type, false);
    const last = old.find(condition => condition.type === verdict.type);
    if (held && last) return last; // the heartbeat stays that of the last observation
    const same = last?.status === verdict.status;
    return { ...verdict, lastHeartbeatTime: now, lastTransitionTime: (same && last?.lastTransitionTime) || now };
  });
  return [...old.filter(({ type }) => !verdicts.some(verdict => verdict.type === type)), ...own];
};

const systemInfo = (facts: NodeFacts, version: string): NodeSystemInfo => ({
  machineID: facts.host.machineId,
  systemUUID: facts.host.systemUuid,
  bootID: facts.host.bootId,
  kernelVersion: facts.info.kernelVersion,
  osImage: facts.info.operatingSystem,
  containerRuntimeVersion: `docker://${facts.info.serverVersion}`,
  kubeletVersion: version,
  kubeProxyVersion: '',
  operatingSystem: facts.info.osType,
  architecture: facts.info.architecture,
});

const imagesOf = (images: readonly ImageFound[]): ContainerImage[] =>
  [...images]
    .filter(image => image.tags.length + image.digests.length > 0)
    .sort((a, b) => b.sizeBytes - a.sizeBytes || (a.id < b.id ? -1 : 1))
    .slice(0, maxImages)
    .map(image => ({ names: [...image.digests, ...image.tags].map(familiar), sizeBytes: image.sizeBytes }));

/** Names as the scheduler compares them: with their registry (`docker.io/library/nginx:1`). */
const familiar = (name: string): string => {
  const first = name.split('/')[0]!;
  if (name.includes('/') && /[.:]|^localhost$/.test(first)) return name;
  return name.includes('/') ? `docker.io/${name}` : `docker.io/library/${name}`;
};

/** The status to report; `old`: the Node as the server has it. */
export const nodeStatusOf = (
  config: NodeConfig,
  facts: NodeFacts,
  old: Node | undefined,
  nowMs: number,
): NodeStatus => {
  const capacity = capacityOf(config, facts, old);
  return {
    ...old?.status,
    capacity,
    allocatable: allocatableOf(capacity, config),
    conditions: conditionsOf(
      config,
      facts,
      wholeValue(capacity['memory'] ?? '0'),
      old?.status?.conditions ?? [],
      nowMs,
    ),
    addresses: [
      { type: 'InternalIP', address: facts.host.address },
      { type: 'Hostname', address: config.name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
    nodeInfo: systemInfo(facts, config.version),
    images: imagesOf(facts.images),
  };
};

/** Labels that every node has. */
export const nodeLabels = (config: NodeConfig, info: EngineInfo): Readonly<Record<string, string>> => ({
  'kubernetes.io/arch': info.architecture,
  'kubernetes.io/os': info.osType,
  'kubernetes.io/hostname': config.name,
  'beta.kubernetes.io/arch': info.architecture,
  'beta.kubernetes.io/os': info.osType,
  'berth.dev/engine': info.id.replaceAll(':', '').slice(0, 16).toLowerCase(),
  ...config.labels,
});

/** The Node as it is first created. */
export const newNode = (config: NodeConfig, info: EngineInfo): Node => {
  const node = bareNode(config);
  return { ...node, metadata: { ...node.metadata, labels: { ...nodeLabels(config, info) } } };
};

/** The same before anything is known of the engine. */
export const bareNode = (config: NodeConfig): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: config.name,
    labels: { 'kubernetes.io/hostname': config.name, ...config.labels },
    annotations: { ...config.annotations },
  },
  spec: config.taints.length === 0 ? {} : { taints: config.taints.map(taint => ({ ...taint })) },
});

/** True when two statuses differ in more than heartbeats. */
export const differs = (a: NodeStatus | undefined, b: NodeStatus): boolean => !deepEqual(still(a), still(b));

const still = (status: NodeStatus | undefined): unknown => ({
  ...status,
  conditions: status?.conditions?.map(({ lastHeartbeatTime: _, ...condition }) => condition),
});

/** One line for `kubectl describe node`: what is used of what is requested of what there is. */
export const usageText = (
  used: { readonly cpuNanoCores: number; readonly memoryWorkingSetBytes: number },
  requested: { readonly cpuMilli: number; readonly memoryBytes: number },
  allocatable: Readonly<Record<string, string>>,
): string => {
  const mebibytes = (bytes: number) => `${Math.round(bytes / (1 << 20))}Mi`;
  const cpu = `cpu ${Math.round(used.cpuNanoCores / 1e6)}m used, ${requested.cpuMilli}m requested of ${allocatable['cpu'] ?? '0'}`;
  const memory = `memory ${mebibytes(used.memoryWorkingSetBytes)} used, ${mebibytes(requested.memoryBytes)} requested of ${mebibytes(wholeValue(allocatable['memory'] ?? '0'))}`;
  return `${cpu}; ${memory}`;
};
