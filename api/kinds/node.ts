/** Schemas of Node. */
import type { Static } from 'typebox';
import {
  bool,
  core,
  field,
  int32,
  int64,
  listBy,
  listOf,
  objectSchema,
  openEnum,
  resourceList,
  setOf,
  string,
  struct,
  time,
} from '#api/schema.ts';
import { conditionStatus, objectMetaSchema } from './meta.ts';

const taintSchema = struct(
  core('Taint'),
  'Keeps pods that do not tolerate it away from the node.',
  {
    key: string('Key of the taint.'),
    effect: openEnum<'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'>(
      'NoSchedule: no new pods; PreferNoSchedule: rather none; NoExecute: running ones must go too.',
    ),
  },
  { value: string('Value of the taint.'), timeAdded: time('When it was put on the node.') },
);
export interface Taint extends Static<typeof taintSchema> {}

const configMapNodeConfigSourceSchema = struct(
  core('ConfigMapNodeConfigSource'),
  'Deprecated; without effect.',
  {
    namespace: string('Namespace of the ConfigMap.'),
    name: string('Name of the ConfigMap.'),
    kubeletConfigKey: string('Key in the ConfigMap.'),
  },
  { uid: string('UID of the ConfigMap.'), resourceVersion: string('Revision of the ConfigMap.') },
);
const nodeConfigSourceSchema = struct(
  core('NodeConfigSource'),
  'Deprecated; without effect.',
  {},
  { configMap: field(configMapNodeConfigSourceSchema, 'Deprecated; without effect.') },
);
const nodeConfigStatusSchema = struct(
  core('NodeConfigStatus'),
  'Deprecated; without effect.',
  {},
  {
    assigned: field(nodeConfigSourceSchema, 'Deprecated; without effect.'),
    active: field(nodeConfigSourceSchema, 'Deprecated; without effect.'),
    lastKnownGood: field(nodeConfigSourceSchema, 'Deprecated; without effect.'),
    error: string('Deprecated; without effect.'),
  },
);

export const nodeSpecSchema = struct(
  core('NodeSpec'),
  'What the node is to be.',
  {},
  {
    podCIDR: string('Address range for pods.'),
    podCIDRs: setOf(string('An address range.'), 'Address ranges for pods, one per IP family.'),
    providerID: string('ID of the machine at its provider.'),
    unschedulable: bool('True: no new pods are placed here (cordoned).'),
    taints: listOf(taintSchema, 'Taints of the node.'),
    configSource: field(nodeConfigSourceSchema, 'Deprecated; without effect.'),
    externalID: string('Deprecated; without effect.'),
  },
);
export interface NodeSpec extends Static<typeof nodeSpecSchema> {}

const nodeConditionSchema = struct(
  core('NodeCondition'),
  'One aspect of the state of a node.',
  { type: string('What it is about, such as Ready.'), status: conditionStatus('Whether it holds.') },
  {
    lastHeartbeatTime: time('When the node last said so.'),
    lastTransitionTime: time('When the status last changed.'),
    reason: string('Reason of the last change, as one CamelCase word.'),
    message: string('Details of the last change, for people.'),
  },
);
export interface NodeCondition extends Static<typeof nodeConditionSchema> {}

const nodeAddressSchema = struct(
  core('NodeAddress'),
  'An address of the node.',
  { type: string('Hostname, InternalIP, ExternalIP, InternalDNS or ExternalDNS.'), address: string('The address.') },
  {},
);
export interface NodeAddress extends Static<typeof nodeAddressSchema> {}
const daemonEndpointSchema = struct(
  core('DaemonEndpoint'),
  'Where a daemon listens.',
  { Port: int32('The port.') },
  {},
);
const nodeDaemonEndpointsSchema = struct(
  core('NodeDaemonEndpoints'),
  'Where the daemons of the node listen.',
  {},
  { kubeletEndpoint: field(daemonEndpointSchema, 'The node agent.', { default: { Port: 0 } }) },
);
const nodeSwapStatusSchema = struct(
  core('NodeSwapStatus'),
  'Swap of the node.',
  {},
  { capacity: int64('Bytes of swap.') },
);
const nodeSystemInfoSchema = struct(
  core('NodeSystemInfo'),
  'What the node runs on.',
  {
    machineID: string('ID of the machine.'),
    systemUUID: string('UUID of the system.'),
    bootID: string('ID of the boot.'),
    kernelVersion: string('Version of the kernel.'),
    osImage: string('Operating system image.'),
    containerRuntimeVersion: string('Container runtime and its version.'),
    kubeletVersion: string('Version of the node agent.'),
    kubeProxyVersion: string('Deprecated.'),
    operatingSystem: string('Operating system.'),
    architecture: string('Processor architecture.'),
  },
  { swap: field(nodeSwapStatusSchema, 'Swap of the node.') },
);
export interface NodeSystemInfo extends Static<typeof nodeSystemInfoSchema> {}
const containerImageSchema = struct(
  core('ContainerImage'),
  'An image that the node has.',
  {},
  { names: listOf(string('A name.'), 'Names of the image.'), sizeBytes: int64('Size in bytes.') },
);
export interface ContainerImage extends Static<typeof containerImageSchema> {}
const attachedVolumeSchema = struct(
  core('AttachedVolume'),
  'A volume attached to the node.',
  { name: string('Name of the volume.'), devicePath: string('Path of the device.') },
  {},
);
const nodeRuntimeHandlerFeaturesSchema = struct(
  core('NodeRuntimeHandlerFeatures'),
  'What a runtime handler can do.',
  {},
  {
    recursiveReadOnlyMounts: bool('True: recursive read-only mounts.'),
    userNamespaces: bool('True: user namespaces.'),
  },
);
const nodeRuntimeHandlerSchema = struct(
  core('NodeRuntimeHandler'),
  'A runtime handler of the node.',
  {},
  {
    name: string('Name of the handler; empty for the default one.', { default: '' }),
    features: field(nodeRuntimeHandlerFeaturesSchema, 'What it can do.'),
  },
);
const nodeFeaturesSchema = struct(
  core('NodeFeatures'),
  'What the runtime of the node can do.',
  {},
  { supplementalGroupsPolicy: bool('True: supplementalGroupsPolicy is obeyed.') },
);

export const nodeStatusSchema = struct(
  core('NodeStatus'),
  'What the node is.',
  {},
  {
    capacity: resourceList('What the node has.'),
    allocatable: resourceList('What pods may request; default the capacity.'),
    phase: string('Deprecated; not set.'),
    conditions: listBy(nodeConditionSchema, { mergeKey: 'type' }, 'Aspects of its state.'),
    addresses: listBy(nodeAddressSchema, { mergeKey: 'type' }, 'Addresses of the node.'),
    daemonEndpoints: field(nodeDaemonEndpointsSchema, 'Where the daemons of the node listen.', { default: {} }),
    nodeInfo: field(nodeSystemInfoSchema, 'What the node runs on.'),
    images: listOf(containerImageSchema, 'Images that the node has.'),
    volumesInUse: listOf(string('A volume.'), 'Attachable volumes in use.'),
    volumesAttached: listOf(attachedVolumeSchema, 'Volumes attached to the node.'),
    config: field(nodeConfigStatusSchema, 'Deprecated; without effect.'),
    runtimeHandlers: listOf(nodeRuntimeHandlerSchema, 'Runtime handlers of the node.'),
    features: field(nodeFeaturesSchema, 'What the runtime of the node can do.'),
    declaredFeatures: listOf(string('A feature.'), 'Features that the node agent declares.'),
  },
);
export interface NodeStatus extends Static<typeof nodeStatusSchema> {}

export const nodeSchema = objectSchema(
  { group: '', version: 'v1', kind: 'Node', title: core('Node') },
  'A machine, or a share of one, that runs pods.',
  {
    metadata: objectMetaSchema,
    always: { spec: field(nodeSpecSchema, 'What the node is to be.') },
    optional: { status: field(nodeStatusSchema, 'What the node is; written by its agent.') },
  },
);
export interface Node extends Static<typeof nodeSchema> {}
