/** Schemas of Pod: specification and template. The status is in pod-status.ts. */
import type { Static } from 'typebox';
import {
  atomicMapOf,
  bool,
  core,
  field,
  int32,
  int64,
  listBy,
  listOf,
  objectSchema,
  oneOf,
  openEnum,
  resourceList,
  string,
  struct,
} from '#api/schema.ts';
import { affinitySchema, tolerationSchema, topologySpreadConstraintSchema } from './affinity.ts';
import {
  appArmorProfileSchema,
  containerSchema,
  ephemeralContainerSchema,
  resourceRequirementsSchema,
  seccompProfileSchema,
  seLinuxOptionsSchema,
  windowsOptionsSchema,
} from './container.ts';
import { localObjectReferenceSchema, objectMetaSchema, templateMetaSchema } from './meta.ts';
import { podStatusSchema } from './pod-status.ts';
import { volumeSchema } from './volume.ts';

const sysctlSchema = struct(
  core('Sysctl'),
  'A kernel parameter.',
  { name: string('Name of the parameter.'), value: string('Value of the parameter.') },
  {},
);

const podSecurityContextSchema = struct(
  core('PodSecurityContext'),
  'Privileges of all containers of the pod; a container may override them.',
  {},
  {
    seLinuxOptions: field(seLinuxOptionsSchema, 'SELinux label of the containers.'),
    windowsOptions: field(windowsOptionsSchema, 'Settings for Windows containers.'),
    runAsUser: int64('User ID of the processes.'),
    runAsGroup: int64('Group ID of the processes.'),
    runAsNonRoot: bool('True: refuse to start as user 0.'),
    supplementalGroups: listOf(int64('A group ID.'), 'Further groups of the processes.'),
    supplementalGroupsPolicy: openEnum<'Merge' | 'Strict'>(
      'Merge: groups of the image count too; Strict: they do not.',
    ),
    fsGroup: int64('Group that owns the volumes.'),
    sysctls: listOf(sysctlSchema, 'Kernel parameters of the pod.'),
    fsGroupChangePolicy: openEnum<'OnRootMismatch' | 'Always'>('When ownership of volumes is changed.'),
    seccompProfile: field(seccompProfileSchema, 'System calls that are allowed.'),
    appArmorProfile: field(appArmorProfileSchema, 'AppArmor confinement.'),
    seLinuxChangePolicy: string('How volumes are relabelled: MountOption or Recursive.'),
  },
);
export interface PodSecurityContext extends Static<typeof podSecurityContextSchema> {}

const hostAliasSchema = struct(
  core('HostAlias'),
  'Names for an address, written to /etc/hosts.',
  { ip: string('The address.') },
  { hostnames: listOf(string('A name.'), 'Its names.') },
);
export interface HostAlias extends Static<typeof hostAliasSchema> {}

const podDNSConfigOptionSchema = struct(
  core('PodDNSConfigOption'),
  'An option of the resolver.',
  {},
  { name: string('Name of the option; required.'), value: string('Value of the option.') },
);
const podDNSConfigSchema = struct(
  core('PodDNSConfig'),
  'Settings of the resolver, added to those of dnsPolicy.',
  {},
  {
    nameservers: listOf(string('An address.'), 'Name servers.'),
    searches: listOf(string('A domain.'), 'Search domains.'),
    options: listOf(podDNSConfigOptionSchema, 'Options of the resolver.'),
  },
);
export interface PodDNSConfig extends Static<typeof podDNSConfigSchema> {}

const podReadinessGateSchema = struct(
  core('PodReadinessGate'),
  'A condition that must be true for the pod to be ready.',
  { conditionType: string('Type of the condition.') },
  {},
);
const podSchedulingGateSchema = struct(
  core('PodSchedulingGate'),
  'Holds the pod back from scheduling.',
  { name: string('Name of the gate, unique in the pod.') },
  {},
);
const podOSSchema = struct(core('PodOS'), 'Operating system of the pod.', { name: string('linux or windows.') }, {});
const podResourceClaimSchema = struct(
  core('PodResourceClaim'),
  'A claim of devices by the pod.',
  { name: string('Name of the claim within the pod.') },
  {
    resourceClaimName: string('Name of a ResourceClaim.'),
    resourceClaimTemplateName: string('Name of a ResourceClaimTemplate.'),
  },
);
const workloadReferenceSchema = struct(
  core('WorkloadReference'),
  'The Workload the pod belongs to.',
  { name: string('Name of the Workload.'), podGroup: string('Name of the pod group within it.') },
  { podGroupReplicaKey: string('Which replica of the group.') },
);
const podSchedulingGroupSchema = struct(
  core('PodSchedulingGroup'),
  'The group the pod is scheduled with.',
  {},
  { podGroupName: string('Name of the PodGroup.') },
);

export const podSpecSchema = struct(
  core('PodSpec'),
  'What the pod is to be.',
  { containers: listBy(containerSchema, { mergeKey: 'name' }, 'Containers that run side by side; at least one.') },
  {
    volumes: listBy(volumeSchema, { mergeKey: 'name', retainKeys: true }, 'Volumes that containers can mount.'),
    initContainers: listBy(
      containerSchema,
      { mergeKey: 'name' },
      'Containers run one after the other before the others; those with restartPolicy Always keep running (sidecars).',
    ),
    ephemeralContainers: listBy(
      ephemeralContainerSchema,
      { mergeKey: 'name' },
      'Containers added for debugging, through the ephemeralcontainers subresource only.',
    ),
    restartPolicy: oneOf(['Always', 'Never', 'OnFailure'], 'When containers that end are restarted.', {
      default: 'Always',
    }),
    terminationGracePeriodSeconds: int64('Seconds from the signal to stop until containers are killed.', {
      default: 30,
    }),
    activeDeadlineSeconds: int64('Seconds after its start when the pod is failed and ended.'),
    dnsPolicy: oneOf(['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'], 'Where name servers come from.', {
      default: 'ClusterFirst',
    }),
    nodeSelector: atomicMapOf(string('A label value.'), 'Labels that a node must have for the pod to run there.'),
    serviceAccountName: string('Service account the pod runs as.'),
    serviceAccount: string('Deprecated alias of serviceAccountName.'),
    automountServiceAccountToken: bool('False: no token of the service account is mounted.'),
    nodeName: string('Node that the pod runs on; set by the scheduler. Set by a user it bypasses scheduling.'),
    hostNetwork: bool('True: containers use the network of the node.'),
    hostPID: bool('True: containers see the processes of the node.'),
    hostIPC: bool('True: containers share IPC with the node.'),
    shareProcessNamespace: bool('True: containers of the pod see one another’s processes.'),
    securityContext: field(podSecurityContextSchema, 'Privileges of all containers.', { default: {} }),
    imagePullSecrets: listBy(localObjectReferenceSchema, { mergeKey: 'name' }, 'Secrets for pulling images.'),
    hostname: string('Host name; default the name of the pod.'),
    subdomain: string('Makes the full name hostname.subdomain.namespace.svc.DOMAIN.'),
    affinity: field(affinitySchema, 'Rules on where the pod may and would rather run.'),
    schedulerName: string('Scheduler that places the pod.', { default: 'default-scheduler' }),
    tolerations: listOf(tolerationSchema, 'Taints that the pod puts up with.'),
    hostAliases: listBy(hostAliasSchema, { mergeKey: 'ip' }, 'Entries of /etc/hosts.'),
    priorityClassName: string('PriorityClass of the pod.'),
    priority: int32('Priority; filled from the PriorityClass.'),
    dnsConfig: field(podDNSConfigSchema, 'Further settings of the resolver.'),
    readinessGates: listOf(podReadinessGateSchema, 'Conditions that must be true for the pod to be ready.'),
    runtimeClassName: string('RuntimeClass the pod runs with.'),
    enableServiceLinks: bool('True: Services are shown as environment variables; default true.'),
    preemptionPolicy: openEnum<'PreemptLowerPriority' | 'Never'>(
      'Whether it may push out pods of lower priority; default PreemptLowerPriority.',
    ),
    overhead: resourceList('Resources used beyond those of the containers; set from the RuntimeClass.'),
    topologySpreadConstraints: listBy(
      topologySpreadConstraintSchema,
      { mergeKey: 'topologyKey', applyKeys: ['topologyKey', 'whenUnsatisfiable'] },
      'How evenly matching pods are spread over places; all must hold.',
    ),
    setHostnameAsFQDN: bool('True: the host name is the full name.'),
    os: field(podOSSchema, 'Operating system of the containers.'),
    hostUsers: bool('False: the pod has a user namespace of its own.'),
    schedulingGates: listBy(
      podSchedulingGateSchema,
      { mergeKey: 'name' },
      'While there are any, the pod is not scheduled.',
    ),
    resourceClaims: listBy(
      podResourceClaimSchema,
      { mergeKey: 'name', retainKeys: true },
      'Device claims that containers can use.',
    ),
    resources: field(resourceRequirementsSchema, 'Requests and limits of the pod as a whole.'),
    hostnameOverride: string('The host name, as it is.'),
    workloadRef: field(workloadReferenceSchema, 'The Workload the pod belongs to.'),
    schedulingGroup: field(podSchedulingGroupSchema, 'The group the pod is scheduled with.'),
  },
);
export interface PodSpec extends Static<typeof podSpecSchema> {}

export const podTemplateSpecSchema = struct(
  core('PodTemplateSpec'),
  'The pods that are made.',
  {},
  {
    metadata: field(templateMetaSchema, 'Labels and annotations of the pods.'),
    spec: field(podSpecSchema, 'What the pods are to be.', { default: {} }),
  },
);
export interface PodTemplateSpec extends Static<typeof podTemplateSpecSchema> {}

export const podSchema = objectSchema(
  { group: '', version: 'v1', kind: 'Pod', title: core('Pod') },
  'Containers that run together on one node and share its network address and volumes.',
  {
    metadata: objectMetaSchema,
    always: { spec: field(podSpecSchema, 'What the pod is to be.') },
    optional: { status: field(podStatusSchema, 'What the pod is; written by scheduler and node agent.') },
  },
);
export interface Pod extends Static<typeof podSchema> {}
