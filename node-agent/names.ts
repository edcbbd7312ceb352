/**
 * Names and labels of what the agent makes in the engine. They are its only memory across restarts: from them it knows
 * which containers are its own (cluster and node), to which pod, container and attempt each belongs, and the state of
 * its restart backoff. Names are dockershim's, `k8s_<container>_<pod>_<namespace>_<uid>_<attempt>`, so that tools
 * that know those find them.
 */
import type { Container } from '#api/kinds/core.ts';
import type { KubeObject } from '#api/object.ts';
import type { ContainerSeen } from './runtime.ts';

export const label = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
  restartCount: 'io.kubernetes.container.restartCount',
  sandboxId: 'io.kubernetes.sandbox.id',
  type: 'io.kubernetes.docker.type',
  cluster: 'berth.dev/cluster',
  node: 'berth.dev/node',
  specHash: 'berth.dev/spec-hash',
  backoffMs: 'berth.dev/backoff-ms',
  cgroup: 'berth.dev/cgroup',
  imageDigest: 'berth.dev/image-digest',
} as const;

/** dockershim's name for the sandbox among a pod's containers. */
export const sandboxName = 'POD';

/** Which agent a container belongs to. */
export interface Owner {
  readonly cluster: string;
  readonly node: string;
}

export const ownerLabels = (owner: Owner): Readonly<Record<string, string>> => ({
  [label.cluster]: owner.cluster,
  [label.node]: owner.node,
});

export type PodIdentity = Pick<KubeObject, 'metadata'>;

const containerNameOf = (pod: PodIdentity, container: string, attempt: number): string => {
  const { name, namespace = '', uid = '' } = pod.metadata;
  return `k8s_${container}_${name}_${namespace}_${uid}_${attempt}`;
};

export const podLabels = (owner: Owner, pod: PodIdentity): Readonly<Record<string, string>> => ({
  ...ownerLabels(owner),
  [label.podName]: pod.metadata.name,
  [label.podNamespace]: pod.metadata.namespace ?? '',
  [label.podUid]: pod.metadata.uid ?? '',
});

/** Name and labels of the sandbox of an attempt. */
export const sandboxIdentity = (owner: Owner, pod: PodIdentity, attempt: number) => ({
  name: containerNameOf(pod, sandboxName, attempt),
  labels: {
    ...podLabels(owner, pod),
    [label.containerName]: sandboxName,
    [label.type]: 'podsandbox',
    [label.restartCount]: String(attempt),
  },
});

/** Name and labels of an attempt of a container of the pod. */
export const containerIdentity = (
  owner: Owner,
  pod: PodIdentity,
  container: Container,
  instance: {
    readonly attempt: number;
    readonly sandboxId: string;
    readonly backoffMs: number;
    readonly cgroup: string;
    /** `repository@sha256:…` of an image from a registry; empty for one made here. */
    readonly imageDigest: string;
  },
) => ({
  name: containerNameOf(pod, container.name, instance.attempt),
  labels: {
    ...podLabels(owner, pod),
    [label.containerName]: container.name,
    [label.type]: 'container',
    [label.restartCount]: String(instance.attempt),
    [label.sandboxId]: instance.sandboxId,
    [label.specHash]: specHash(container),
    [label.backoffMs]: String(instance.backoffMs),
    ...(instance.cgroup === '' ? {} : { [label.cgroup]: instance.cgroup }),
    ...(instance.imageDigest === '' ? {} : { [label.imageDigest]: instance.imageDigest }),
  },
});

export const attemptOf = (seen: ContainerSeen): number => Number(seen.labels[label.restartCount] ?? 0);
export const isSandbox = (seen: ContainerSeen): boolean => seen.labels[label.type] === 'podsandbox';

/**
 * What must not change under a running container: its name and image, as in the kubelet. Everything else of a
 * container is immutable by the API or, like resources, changed in place.
 */
export const specHash = (container: Pick<Container, 'name' | 'image'>): string =>
  fnv1a(JSON.stringify([container.name, container.image ?? ''])).toString(16);

/** 32-bit FNV-1a of a text's UTF-16 units. */
const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
};

/** Everything the agent shows of a pod's place in the engine. */
export interface PodSeen {
  /** Newest attempt first. */
  readonly sandboxes: readonly ContainerSeen[];
  /** By container name, newest attempt first. */
  readonly containers: ReadonlyMap<string, readonly ContainerSeen[]>;
}

/** Sorts a pod's containers, in any order, by what they are. */
export const sortSeen = (all: readonly ContainerSeen[]): PodSeen => {
  const newestFirst = [...all].sort((a, b) => attemptOf(b) - attemptOf(a) || b.createdAtMs - a.createdAtMs);
  const containers = new Map<string, ContainerSeen[]>();
  for (const seen of newestFirst) {
    if (isSandbox(seen)) continue;
    const name = seen.labels[label.containerName] ?? '';
    const list = containers.get(name);
    if (list) list.push(seen);
    else containers.set(name, [seen]);
  }
  return { sandboxes: newestFirst.filter(isSandbox), containers };
};
