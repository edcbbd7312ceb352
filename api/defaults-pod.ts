/**
 * Defaults of pods that depend on other fields (upstream SetDefaults_Pod and its parts; SEMANTICS B.2, B.3). What holds
 * for every pod spec is also filled into templates; what turns limits into requests only into pods. Idempotent.
 */
import type { Container, EphemeralContainer, Pod, PodSpec, PodTemplateSpec, Probe, Volume } from './kinds/core.ts';
import {
  aggregateContainerLimits,
  aggregateContainerRequests,
  isHugePages,
  isPodLevelResource,
  type ResourceList,
} from './resources.ts';
import { isOvercommittable } from './validate-resources.ts';

export const defaultPod = (pod: Pod): void => {
  const { spec } = pod;
  defaultPodSpec(spec);
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    defaultRequests(container);
    if (spec.hostNetwork) for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
  }
  for (const container of spec.containers ?? []) defaultResizePolicy(container, spec);
  if (spec.containers !== undefined) defaultPodResources(pod);
  spec.enableServiceLinks ??= true;
};

export const defaultTemplate = (template: PodTemplateSpec | undefined): void => {
  if (template?.spec !== undefined) defaultPodSpec(template.spec);
};

const defaultPodSpec = (spec: PodSpec): void => {
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of [
    ...(spec.containers ?? []),
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ])
    defaultContainer(container);
  // serviceAccount is the old name of serviceAccountName: both always say the same.
  spec.serviceAccountName ||= spec.serviceAccount ?? '';
  if (spec.serviceAccountName === '') delete spec.serviceAccountName;
  else spec.serviceAccount = spec.serviceAccountName;
};

const defaultVolume = (volume: Volume): void => {
  if (Object.keys(volume).every(name => name === 'name' || volume[name as keyof Volume] === undefined))
    volume.emptyDir = {};
  if (volume.image !== undefined) volume.image.pullPolicy ??= pullPolicyOf(volume.image.reference ?? '');
};

const defaultContainer = (container: Container | EphemeralContainer): void => {
  container.imagePullPolicy ||= pullPolicyOf(container.image ?? '');
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe])
    if (probe !== undefined) defaultProbe(probe);
};

/** Always for the tag `latest`, which an image without tag and digest has too. */
const pullPolicyOf = (image: string): 'Always' | 'IfNotPresent' => {
  if (image === '' || image.includes('@')) return 'IfNotPresent';
  const name = image.slice(image.lastIndexOf('/') + 1);
  const colon = name.indexOf(':');
  return colon < 0 || name.slice(colon + 1) === 'latest' ? 'Always' : 'IfNotPresent';
};

// Zero counts as absent here: the fields are no pointers upstream.
const defaultProbe = (probe: Probe): void => {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
};

const defaultRequests = (container: Container): void => {
  const { resources } = container;
  if (resources?.limits === undefined) return;
  const requests: ResourceList = { ...resources.limits, ...resources.requests };
  if (Object.keys(requests).length > 0) resources.requests = requests;
};

const resizable = ['cpu', 'memory'] as const;

/** Every resizable resource that the container states has a policy (documentation: "defaults to NotRequired"). */
const defaultResizePolicy = (container: Container, spec: PodSpec): void => {
  const { requests = {}, limits = {} } = container.resources ?? {};
  if (spec.resources !== undefined) return;
  for (const resourceName of resizable) {
    const stated = requests[resourceName] !== undefined || limits[resourceName] !== undefined;
    if (!stated || container.resizePolicy?.some(policy => policy.resourceName === resourceName)) continue;
    container.resizePolicy = [...(container.resizePolicy ?? []), { resourceName, restartPolicy: 'NotRequired' }];
  }
};

const defaultPodResources = (pod: Pod): void => {
  const { resources } = pod.spec;
  if (resources === undefined) return;
  if (Object.keys({ ...resources.limits, ...resources.requests }).length > 0) {
    for (const [name, limit] of Object.entries(aggregateContainerLimits(pod)))
      if (isHugePages(name) && resources.limits?.[name] === undefined && resources.requests?.[name] === undefined)
        resources.limits = { ...resources.limits, [name]: limit };
  }
  const limits = Object.entries(resources.limits ?? {});
  if (limits.length === 0) return;
  const requests: ResourceList = { ...resources.requests };
  for (const [name, amount] of Object.entries(aggregateContainerRequests(pod)))
    if (isPodLevelResource(name) && isOvercommittable(name)) requests[name] ??= amount;
  for (const [name, limit] of limits) if (isPodLevelResource(name)) requests[name] ??= limit;
  if (Object.keys(requests).length > 0) resources.requests = requests;
};
