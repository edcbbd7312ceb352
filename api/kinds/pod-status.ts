/** Schemas of a pod's status: conditions, addresses and the states of its containers. */
import type { Static } from 'typebox';
import {
  bool,
  core,
  field,
  int32,
  int64,
  listBy,
  listOf,
  openEnum,
  resourceList,
  string,
  struct,
  time,
} from '#api/schema.ts';
import { resourceRequirementsSchema } from './container.ts';
import { conditionStatus } from './meta.ts';

const podConditionSchema = struct(
  core('PodCondition'),
  'One aspect of the state of a pod.',
  { type: string('What it is about, such as Ready or PodScheduled.'), status: conditionStatus('Whether it holds.') },
  {
    observedGeneration: int64('metadata.generation that the condition was set for.'),
    lastProbeTime: time('When it was last checked.'),
    lastTransitionTime: time('When the status last changed.'),
    reason: string('Reason of the last change, as one CamelCase word.'),
    message: string('Details of the last change, for people.'),
  },
);
export interface PodCondition extends Static<typeof podConditionSchema> {}

const podIPSchema = struct(core('PodIP'), 'An address of the pod.', { ip: string('The address.') }, {});
const hostIPSchema = struct(core('HostIP'), 'An address of the node.', { ip: string('The address.') }, {});

const containerStateWaitingSchema = struct(
  core('ContainerStateWaiting'),
  'The container does not run yet, or not again yet.',
  {},
  { reason: string('Why, as one word.'), message: string('Why, for people.') },
);
const containerStateRunningSchema = struct(
  core('ContainerStateRunning'),
  'The container runs.',
  {},
  { startedAt: time('Since when.') },
);
const containerStateTerminatedSchema = struct(
  core('ContainerStateTerminated'),
  'The container has ended.',
  { exitCode: int32('Exit code.') },
  {
    signal: int32('Signal that ended it.'),
    reason: string('Why, as one word, such as Completed, Error or OOMKilled.'),
    message: string('Its termination message.'),
    startedAt: time('When it started.'),
    finishedAt: time('When it ended.'),
    containerID: string('ID of the container, with the runtime before it.'),
  },
);
export interface ContainerStateTerminated extends Static<typeof containerStateTerminatedSchema> {}
const containerStateSchema = struct(
  core('ContainerState'),
  'State of a container; one of the three.',
  {},
  {
    waiting: field(containerStateWaitingSchema, 'It does not run yet.'),
    running: field(containerStateRunningSchema, 'It runs.'),
    terminated: field(containerStateTerminatedSchema, 'It has ended.'),
  },
);
export interface ContainerState extends Static<typeof containerStateSchema> {}

const linuxContainerUserSchema = struct(
  core('LinuxContainerUser'),
  'User and groups of the first process.',
  { uid: int64('User ID.'), gid: int64('Group ID.') },
  { supplementalGroups: listOf(int64('A group ID.'), 'Further groups.') },
);
const containerUserSchema = struct(
  core('ContainerUser'),
  'User of the first process.',
  {},
  { linux: field(linuxContainerUserSchema, 'On Linux.') },
);
const imageVolumeStatusSchema = struct(
  core('ImageVolumeStatus'),
  'An image volume as it is mounted.',
  { imageRef: string('Digest of the image.') },
  {},
);
const volumeStatusSchema = struct(
  core('VolumeStatus'),
  'A volume as it is mounted.',
  {},
  { image: field(imageVolumeStatusSchema, 'Of an image volume.') },
);
const volumeMountStatusSchema = struct(
  core('VolumeMountStatus'),
  'A mount as it is.',
  { name: string('Name of the volume.'), mountPath: string('Path in the container.') },
  {
    readOnly: bool('True: read-only.'),
    recursiveReadOnly: string('Whether mounts below are read-only too.'),
    volumeStatus: field(volumeStatusSchema, 'The volume as it is mounted.'),
  },
);
const resourceHealthSchema = struct(
  core('ResourceHealth'),
  'Health of one device.',
  { resourceID: string('The device.') },
  { health: string('Healthy, Unhealthy or Unknown.'), message: string('Details, for people.') },
);
const resourceStatusSchema = struct(
  core('ResourceStatus'),
  'Health of the devices of one resource.',
  { name: string('Name of the resource.') },
  { resources: listBy(resourceHealthSchema, { applyKeys: ['resourceID'] }, 'Health of each device.') },
);

const containerStatusSchema = struct(
  core('ContainerStatus'),
  'What a container is.',
  {
    name: string('Name of the container.'),
    ready: bool('True: it is ready for work.'),
    restartCount: int32('How often it was restarted.'),
    image: string('Image it runs.'),
    imageID: string('Digest of the image.'),
  },
  {
    state: field(containerStateSchema, 'Its state now.', { default: {} }),
    lastState: field(containerStateSchema, 'How its last run ended.', { default: {} }),
    containerID: string('ID of the container, with the runtime before it.'),
    started: bool('True: it runs and has passed its startup probe.'),
    allocatedResources: resourceList('Requests that the node has granted.'),
    resources: field(resourceRequirementsSchema, 'Requests and limits in force.'),
    volumeMounts: listBy(volumeMountStatusSchema, { mergeKey: 'mountPath' }, 'Its mounts as they are.'),
    user: field(containerUserSchema, 'User of its first process.'),
    allocatedResourcesStatus: listBy(resourceStatusSchema, { mergeKey: 'name' }, 'Health of its devices.'),
    stopSignal: string('Signal that stops it.'),
  },
);
export interface ContainerStatus extends Static<typeof containerStatusSchema> {}

const podResourceClaimStatusSchema = struct(
  core('PodResourceClaimStatus'),
  'A claim made for the pod.',
  { name: string('Name of the claim within the pod.') },
  { resourceClaimName: string('Name of the ResourceClaim.') },
);
const containerExtendedResourceRequestSchema = struct(
  core('ContainerExtendedResourceRequest'),
  'Which request of a claim backs an extended resource.',
  {
    containerName: string('Name of the container.'),
    resourceName: string('Name of the resource.'),
    requestName: string('Name of the request.'),
  },
  {},
);
const podExtendedResourceClaimStatusSchema = struct(
  core('PodExtendedResourceClaimStatus'),
  'The claim that backs extended resources.',
  {
    requestMappings: listOf(containerExtendedResourceRequestSchema, 'What backs what.'),
    resourceClaimName: string('Name of the ResourceClaim.'),
  },
  {},
);
const nodeAllocatableResourceClaimStatusSchema = struct(
  core('NodeAllocatableResourceClaimStatus'),
  'Node resources that a claim takes.',
  { resourceClaimName: string('Name of the ResourceClaim.') },
  {
    containers: listOf(string('A container.'), 'Containers that use the claim.'),
    resources: resourceList('What it takes.'),
  },
);

export const podStatusSchema = struct(
  core('PodStatus'),
  'What the pod is.',
  {},
  {
    observedGeneration: int64('metadata.generation that the node agent has seen.'),
    phase: openEnum<'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'>('Where the pod is in its life.'),
    conditions: listBy(podConditionSchema, { mergeKey: 'type' }, 'Aspects of its state.'),
    message: string('Why it is in this state, for people.'),
    reason: string('Why it is in this state, as one word, such as Evicted.'),
    nominatedNodeName: string('Node on which others are pushed out for it.'),
    hostIP: string('Address of the node.'),
    hostIPs: listBy(hostIPSchema, { mergeKey: 'ip', applyKeys: 'atomic' }, 'Addresses of the node.'),
    podIP: string('Address of the pod.'),
    podIPs: listBy(podIPSchema, { mergeKey: 'ip' }, 'Addresses of the pod.'),
    startTime: time('When the node agent took it up.'),
    initContainerStatuses: listOf(containerStatusSchema, 'Status of each init container.'),
    containerStatuses: listOf(containerStatusSchema, 'Status of each container.'),
    qosClass: openEnum<'Guaranteed' | 'Burstable' | 'BestEffort'>('Quality of service, from requests and limits.'),
    ephemeralContainerStatuses: listOf(containerStatusSchema, 'Status of each ephemeral container.'),
    resize: string('Deprecated: see conditions PodResizePending and PodResizeInProgress.'),
    resourceClaimStatuses: listBy(
      podResourceClaimStatusSchema,
      { mergeKey: 'name', retainKeys: true },
      'Claims made for the pod.',
    ),
    extendedResourceClaimStatus: field(
      podExtendedResourceClaimStatusSchema,
      'The claim that backs extended resources.',
    ),
    allocatedResources: resourceList('Requests that the node has granted to the pod as a whole.'),
    resources: field(resourceRequirementsSchema, 'Requests and limits in force for the pod as a whole.'),
    nodeAllocatableResourceClaimStatuses: listOf(
      nodeAllocatableResourceClaimStatusSchema,
      'Node resources that claims take.',
    ),
  },
);
export interface PodStatus extends Static<typeof podStatusSchema> {}
