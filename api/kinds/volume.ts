/** Schemas of pod volumes that Berth mounts: emptyDir, configMap, secret, downwardAPI, projected, hostPath; and claims. */
import type { Static } from 'typebox';
import {
  bool,
  core,
  field,
  int32,
  int64,
  listBy,
  listOf,
  mapOf,
  openEnum,
  quantity,
  resourceList,
  string,
  struct,
  time,
} from '#api/schema.ts';
import { objectFieldSelectorSchema, resourceFieldSelectorSchema } from './env.ts';
import {
  conditionStatus,
  labelSelectorSchema,
  objectMetaSchema,
  templateMetaSchema,
  typedLocalObjectReferenceSchema,
  typedObjectReferenceSchema,
} from './meta.ts';
import { foreignVolumeSources } from './volume-foreign.ts';

const defaultMode = (description: string) => int32(description, { default: 0o644 });

const keyToPathSchema = struct(
  core('KeyToPath'),
  'A key that becomes a file.',
  { key: string('The key.'), path: string('Path of the file, relative and without "..".') },
  { mode: int32('Mode bits of the file, 0 to 0777; default those of the volume.') },
);
export interface KeyToPath extends Static<typeof keyToPathSchema> {}

const downwardAPIVolumeFileSchema = struct(
  core('DownwardAPIVolumeFile'),
  'A file with a field of the pod.',
  { path: string('Path of the file, relative and without "..".') },
  {
    fieldRef: field(objectFieldSelectorSchema, 'A field of the pod.'),
    resourceFieldRef: field(resourceFieldSelectorSchema, 'A resource request or limit of a container.'),
    mode: int32('Mode bits of the file, 0 to 0777; default those of the volume.'),
  },
);
export interface DownwardAPIVolumeFile extends Static<typeof downwardAPIVolumeFileSchema> {}

const hostPathSchema = struct(
  core('HostPathVolumeSource'),
  'A file or directory of the node.',
  { path: string('Path on the node.') },
  {
    type: openEnum<
      '' | 'DirectoryOrCreate' | 'Directory' | 'FileOrCreate' | 'File' | 'Socket' | 'CharDevice' | 'BlockDevice'
    >('What must be there, or is made; empty: no check.', { default: '' }),
  },
);
const emptyDirSchema = struct(
  core('EmptyDirVolumeSource'),
  'A directory that is empty at first and lives as long as the pod.',
  {},
  {
    medium: string('Memory for one kept in memory; empty for the disk of the node.'),
    sizeLimit: quantity('The most it may hold.'),
  },
);
const secretVolumeSchema = struct(
  core('SecretVolumeSource'),
  'The keys of a Secret as files.',
  {},
  {
    secretName: string('Name of the Secret.'),
    items: listOf(keyToPathSchema, 'Keys to show, and where; default all, each under its own name.'),
    defaultMode: defaultMode('Mode bits of the files; default 0644.'),
    optional: bool('True: Secret or keys may be missing.'),
  },
);
const configMapVolumeSchema = struct(
  core('ConfigMapVolumeSource'),
  'The keys of a ConfigMap as files.',
  {},
  {
    name: string('Name of the ConfigMap.'),
    items: listOf(keyToPathSchema, 'Keys to show, and where; default all, each under its own name.'),
    defaultMode: defaultMode('Mode bits of the files; default 0644.'),
    optional: bool('True: ConfigMap or keys may be missing.'),
  },
);
const downwardAPIVolumeSchema = struct(
  core('DownwardAPIVolumeSource'),
  'Fields of the pod as files.',
  {},
  {
    items: listOf(downwardAPIVolumeFileSchema, 'The files.'),
    defaultMode: defaultMode('Mode bits of the files; default 0644.'),
  },
);

const secretProjectionSchema = struct(
  core('SecretProjection'),
  'The keys of a Secret as files of a projected volume.',
  {},
  {
    name: string('Name of the Secret.'),
    items: listOf(keyToPathSchema, 'Keys to show, and where; default all, each under its own name.'),
    optional: bool('True: Secret or keys may be missing.'),
  },
);
const configMapProjectionSchema = struct(
  core('ConfigMapProjection'),
  'The keys of a ConfigMap as files of a projected volume.',
  {},
  {
    name: string('Name of the ConfigMap.'),
    items: listOf(keyToPathSchema, 'Keys to show, and where; default all, each under its own name.'),
    optional: bool('True: ConfigMap or keys may be missing.'),
  },
);
const downwardAPIProjectionSchema = struct(
  core('DownwardAPIProjection'),
  'Fields of the pod as files of a projected volume.',
  {},
  { items: listOf(downwardAPIVolumeFileSchema, 'The files.') },
);
const serviceAccountTokenProjectionSchema = struct(
  core('ServiceAccountTokenProjection'),
  'A token of the service account as a file.',
  { path: string('Path of the file.') },
  {
    audience: string('Audience of the token.'),
    expirationSeconds: int64('How long the token is valid, at least 600 seconds.', { default: 3600 }),
  },
);
const clusterTrustBundleProjectionSchema = struct(
  core('ClusterTrustBundleProjection'),
  'Trust anchors as a file.',
  { path: string('Path of the file.') },
  {
    name: string('Name of one ClusterTrustBundle; excludes signerName.'),
    signerName: string('Signer whose bundles are taken; excludes name.'),
    labelSelector: field(labelSelectorSchema, 'Selects bundles of the signer.'),
    optional: bool('True: bundles may be missing.'),
  },
);
const podCertificateProjectionSchema = struct(
  core('PodCertificateProjection'),
  'A certificate issued for the pod, as files.',
  { signerName: string('Signer that issues it.'), keyType: string('Type of key to make.') },
  {
    maxExpirationSeconds: int32('Longest validity asked for.'),
    credentialBundlePath: string('File for key and chain together.'),
    keyPath: string('File for the key.'),
    certificateChainPath: string('File for the chain.'),
    userAnnotations: mapOf(string('A value.'), 'Annotations passed to the signer.'),
  },
);
const volumeProjectionSchema = struct(
  core('VolumeProjection'),
  'One source of a projected volume; exactly one field.',
  {},
  {
    secret: field(secretProjectionSchema, 'Keys of a Secret.'),
    downwardAPI: field(downwardAPIProjectionSchema, 'Fields of the pod.'),
    configMap: field(configMapProjectionSchema, 'Keys of a ConfigMap.'),
    serviceAccountToken: field(serviceAccountTokenProjectionSchema, 'A token of the service account.'),
    clusterTrustBundle: field(clusterTrustBundleProjectionSchema, 'Trust anchors.'),
    podCertificate: field(podCertificateProjectionSchema, 'A certificate for the pod.'),
  },
);
export interface VolumeProjection extends Static<typeof volumeProjectionSchema> {}
const projectedSchema = struct(
  core('ProjectedVolumeSource'),
  'Several sources in one directory.',
  {},
  {
    sources: listOf(volumeProjectionSchema, 'The sources.'),
    defaultMode: defaultMode('Mode bits of the files; default 0644.'),
  },
);

const persistentVolumeClaimVolumeSchema = struct(
  core('PersistentVolumeClaimVolumeSource'),
  'The volume of a PersistentVolumeClaim.',
  { claimName: string('Name of the claim.') },
  { readOnly: bool('True: mounted read-only in all containers.') },
);
const imageVolumeSchema = struct(
  core('ImageVolumeSource'),
  'The content of an image, read-only.',
  {},
  {
    reference: string('The image.'),
    pullPolicy: openEnum<'Always' | 'IfNotPresent' | 'Never'>('When the image is pulled.'),
  },
);

const volumeResourceRequirementsSchema = struct(
  core('VolumeResourceRequirements'),
  'The size of a volume.',
  {},
  { limits: resourceList('The most it may have.'), requests: resourceList('The least it must have.') },
);
const persistentVolumeClaimSpecSchema = struct(
  core('PersistentVolumeClaimSpec'),
  'What volume is asked for.',
  {},
  {
    accessModes: listOf(string('An access mode.'), 'How it must be mountable.'),
    selector: field(labelSelectorSchema, 'Selects volumes by label.'),
    resources: field(volumeResourceRequirementsSchema, 'The size.', { default: {} }),
    volumeName: string('The volume it is bound to.'),
    storageClassName: string('StorageClass it is made from.'),
    volumeMode: string('Filesystem or Block.'),
    dataSource: field(typedLocalObjectReferenceSchema, 'What the volume is filled from.'),
    dataSourceRef: field(typedObjectReferenceSchema, 'What the volume is filled from, in any namespace.'),
    volumeAttributesClassName: string('VolumeAttributesClass it is made with.'),
  },
);
const persistentVolumeClaimConditionSchema = struct(
  core('PersistentVolumeClaimCondition'),
  'One aspect of the state of a claim.',
  { type: string('What the condition is about.'), status: conditionStatus('Whether it holds.') },
  {
    lastProbeTime: time('When it was last checked.'),
    lastTransitionTime: time('When the status last changed.'),
    reason: string('Reason of the last change, as one word.'),
    message: string('Details of the last change.'),
  },
);
const modifyVolumeStatusSchema = struct(
  core('ModifyVolumeStatus'),
  'A change of attributes under way.',
  { status: string('Pending, InProgress or Infeasible.') },
  { targetVolumeAttributesClassName: string('The class it changes to.') },
);
const persistentVolumeClaimStatusSchema = struct(
  core('PersistentVolumeClaimStatus'),
  'What the claim has got.',
  {},
  {
    phase: string('Pending, Bound or Lost.'),
    accessModes: listOf(string('An access mode.'), 'How the volume is mountable.'),
    capacity: resourceList('Size of the volume.'),
    conditions: listBy(persistentVolumeClaimConditionSchema, { mergeKey: 'type' }, 'Aspects of its state.'),
    allocatedResources: resourceList('Size that growing will reach.'),
    allocatedResourceStatuses: mapOf(string('A state.'), 'How far growing has got.'),
    currentVolumeAttributesClassName: string('Class the volume has now.'),
    modifyVolumeStatus: field(modifyVolumeStatusSchema, 'A change of attributes under way.'),
  },
);
export const persistentVolumeClaimSchema = struct(
  core('PersistentVolumeClaim'),
  'A request for storage.',
  {},
  {
    apiVersion: string('Version of the API.'),
    kind: string('Always PersistentVolumeClaim.'),
    metadata: field(objectMetaSchema, 'Name, labels and other standard metadata.'),
    spec: field(persistentVolumeClaimSpecSchema, 'What is asked for.'),
    status: field(persistentVolumeClaimStatusSchema, 'What it has got.'),
  },
);
export interface PersistentVolumeClaim extends Static<typeof persistentVolumeClaimSchema> {}
const persistentVolumeClaimTemplateSchema = struct(
  core('PersistentVolumeClaimTemplate'),
  'A claim made for each pod.',
  { spec: field(persistentVolumeClaimSpecSchema, 'What is asked for.') },
  { metadata: field(templateMetaSchema, 'Labels and annotations of the claim.') },
);
const ephemeralVolumeSchema = struct(
  core('EphemeralVolumeSource'),
  'A volume made for the pod and deleted with it.',
  {},
  { volumeClaimTemplate: field(persistentVolumeClaimTemplateSchema, 'The claim that is made.') },
);

export const volumeSchema = struct(
  core('Volume'),
  'A volume of the pod, of exactly one kind; containers mount it by name.',
  { name: string('Name of the volume, unique in the pod.') },
  {
    hostPath: field(hostPathSchema, 'A file or directory of the node.'),
    emptyDir: field(emptyDirSchema, 'A directory that lives as long as the pod.'),
    secret: field(secretVolumeSchema, 'The keys of a Secret as files.'),
    configMap: field(configMapVolumeSchema, 'The keys of a ConfigMap as files.'),
    downwardAPI: field(downwardAPIVolumeSchema, 'Fields of the pod as files.'),
    projected: field(projectedSchema, 'Several sources in one directory.'),
    persistentVolumeClaim: field(persistentVolumeClaimVolumeSchema, 'The volume of a PersistentVolumeClaim.'),
    ephemeral: field(ephemeralVolumeSchema, 'A volume made for the pod and deleted with it.'),
    image: field(imageVolumeSchema, 'The content of an image, read-only.'),
    ...foreignVolumeSources,
  },
);
export interface Volume extends Static<typeof volumeSchema> {}
