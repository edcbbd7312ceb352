/** What the engine is told to create for a pod: its sandbox, and each of its containers inside it; pure. */
import type { Container, Pod } from '#api/kinds/core.ts';
import { containerIdentity, type Owner, sandboxIdentity } from '../names.ts';
import type { ContainerSpec, EngineMount, HostConfig, ImageFound, PortBinding } from '../runtime.ts';
import { ConfigError, commandLine } from './env.ts';
import { allowedOomScore, type NodeLimits, resourceConfig, securityConfig, userOf } from './host-config.ts';
import { numericUser, withTag } from './image-policy.ts';

/** kubelet's own limits of a container's log: 10 MiB a file, five files. */
const logConfig = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '5' } };

/** PodInfraOOMAdj: the sandbox is the last to go. */
const sandboxOomScore = -998;
const longestHostname = 63;

export const hostnameOf = (pod: Pod): string =>
  (pod.spec.hostnameOverride || pod.spec.hostname || pod.metadata.name).slice(0, longestHostname).replace(/[-.]+$/, '');

const portKey = (port: { readonly containerPort: number; readonly protocol?: string }): string =>
  `${port.containerPort}/${(port.protocol ?? 'TCP').toLowerCase()}`;

const bindingsOf = (pod: Pod): Readonly<Record<string, readonly PortBinding[]>> => {
  const bindings: Record<string, PortBinding[]> = {};
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  for (const port of containers.flatMap(container => container.ports ?? [])) {
    if (!port.hostPort) continue;
    const binding = { HostPort: String(port.hostPort), ...(port.hostIP ? { HostIp: port.hostIP } : {}) };
    bindings[portKey(port)] = [...(bindings[portKey(port)] ?? []), binding];
  }
  return bindings;
};

const dnsOf = (pod: Pod): Partial<HostConfig> => {
  const { nameservers = [], searches = [], options = [] } = pod.spec.dnsConfig ?? {};
  const words = options.map(({ name = '', value }) => (value === undefined ? name : `${name}:${value}`));
  return {
    ...(nameservers.length === 0 ? {} : { Dns: nameservers }),
    ...(searches.length === 0 ? {} : { DnsSearch: searches }),
    ...(words.length === 0 ? {} : { DnsOptions: words }),
  };
};

export interface SandboxContext {
  readonly owner: Owner;
  readonly image: string;
  /** Engine network of pods. */
  readonly network: string;
  readonly limits: NodeLimits;
  /** The pod's cgroup as the engine names it; undefined: the engine's default parent. */
  readonly cgroupParent: string | undefined;
  /** Memory volumes: held by the sandbox, so that they outlive containers. */
  readonly heldVolumes: readonly string[];
}

export const sandboxSpec = (pod: Pod, attempt: number, context: SandboxContext): ContainerSpec => {
  const { spec } = pod;
  const isHost = spec.hostNetwork === true;
  const bindings = bindingsOf(pod);
  const sysctls = spec.securityContext?.sysctls ?? [];
  const hosts = (spec.hostAliases ?? []).flatMap(alias => (alias.hostnames ?? []).map(name => `${name}:${alias.ip}`));
  const mounts = context.heldVolumes.map(
    (volume, i): EngineMount => ({ Type: 'volume', Source: volume, Target: `/berth-volumes/${i}` }),
  );
  return {
    ...sandboxIdentity(context.owner, pod, attempt),
    image: context.image,
    env: [],
    ...(isHost ? {} : { hostname: hostnameOf(pod), exposedPorts: Object.keys(bindings) }),
    tty: false,
    stdin: false,
    stdinOnce: false,
    host: {
      NetworkMode: isHost ? 'host' : context.network,
      IpcMode: spec.hostIPC ? 'host' : 'shareable',
      ...(spec.hostPID ? { PidMode: 'host' } : {}),
      ...(context.cgroupParent === undefined ? {} : { CgroupParent: context.cgroupParent }),
      CpuShares: 2,
      OomScoreAdj: allowedOomScore(sandboxOomScore, context.limits),
      ...(isHost || Object.keys(bindings).length === 0 ? {} : { PortBindings: bindings }),
      ...(isHost || hosts.length === 0 ? {} : { ExtraHosts: hosts }),
      ...(isHost ? {} : dnsOf(pod)),
      ...(sysctls.length === 0 ? {} : { Sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [name, value])) }),
      ...(mounts.length === 0 ? {} : { Mounts: mounts }),
      LogConfig: { Type: 'none', Config: {} },
    },
  };
};

export interface ContainerContext {
  readonly owner: Owner;
  readonly limits: NodeLimits;
  readonly sandboxId: string;
  readonly attempt: number;
  readonly backoffMs: number;
  readonly cgroupParent: string | undefined;
  /** The group that OOM evidence is read from, `/`-joined; empty without cgroups. */
  readonly cgroup: string;
  readonly env: ReadonlyMap<string, string>;
  readonly image: ImageFound;
  readonly mounts: readonly EngineMount[];
}

/** Throws ConfigError for a user the pod may not run as, UnworkableResources for limits the engine cannot set. */
export const containerSpec = (pod: Pod, container: Container, context: ContainerContext): ContainerSpec => {
  checkUser(pod, container, context.image);
  const user = userOf(pod, container);
  const { attempt, sandboxId, backoffMs, cgroup } = context;
  const imageDigest = context.image.digests[0] ?? '';
  return {
    ...containerIdentity(context.owner, pod, container, { attempt, sandboxId, backoffMs, cgroup, imageDigest }),
    image: withTag(container.image ?? ''),
    ...commandLine(container, context.env),
    env: [...context.env].map(([name, value]) => `${name}=${value}`),
    ...(container.workingDir ? { workingDir: container.workingDir } : {}),
    ...(user === undefined ? {} : { user }),
    ...(container.lifecycle?.stopSignal ? { stopSignal: container.lifecycle.stopSignal } : {}),
    tty: container.tty === true,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    host: {
      NetworkMode: pod.spec.hostNetwork ? 'host' : `container:${sandboxId}`,
      IpcMode: pod.spec.hostIPC ? 'host' : `container:${sandboxId}`,
      ...pidMode(pod, sandboxId),
      ...(context.cgroupParent === undefined ? {} : { CgroupParent: context.cgroupParent }),
      ...resourceConfig(pod, container, context.limits),
      ...securityConfig(pod, container),
      ...(context.mounts.length === 0 ? {} : { Mounts: context.mounts }),
      LogConfig: logConfig,
    },
  };
};

const pidMode = (pod: Pod, sandboxId: string): Pick<HostConfig, 'PidMode'> => {
  if (pod.spec.hostPID) return { PidMode: 'host' };
  return pod.spec.shareProcessNamespace ? { PidMode: `container:${sandboxId}` } : {};
};

/** runAsNonRoot, with upstream's words (kuberuntime security_context.go). */
const checkUser = (pod: Pod, container: Container, image: ImageFound): void => {
  const shared = pod.spec.securityContext ?? {};
  const own = container.securityContext ?? {};
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) !== true) return;
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid ?? ''})", container: ${container.name})`;
  const chosen = own.runAsUser ?? shared.runAsUser;
  if (chosen === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`);
  if (chosen !== undefined) return;
  const user = numericUser(image.user);
  if (user === 0) throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`);
  if (user === undefined)
    throw new ConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.user.split(':')[0]}), cannot verify user is non-root ${where}`,
    );
};
