/** Schemas of the volume sources of storage systems, known so that a manifest that names one is refused by name. */
import { bool, core, field, int32, listOf, mapOf, string, struct } from '#api/schema.ts';
import { localObjectReferenceSchema } from './meta.ts';

const readOnly = bool('True: mounted read-only.');
const fsType = string('File system type.');
const secretRef = field(localObjectReferenceSchema, 'Secret with the credentials.');

const awsElasticBlockStore = struct(
  core('AWSElasticBlockStoreVolumeSource'),
  'An AWS disk.',
  { volumeID: string('ID of the disk.') },
  { fsType, partition: int32('Partition; 0 for the whole disk.'), readOnly },
);
const azureDisk = struct(
  core('AzureDiskVolumeSource'),
  'An Azure data disk.',
  { diskName: string('Name of the disk.'), diskURI: string('URI of the disk.') },
  {
    cachingMode: string('None, ReadOnly or ReadWrite.', { default: 'ReadWrite' }),
    fsType: string('File system type.', { default: 'ext4' }),
    readOnly: bool('True: mounted read-only.', { default: false }),
    kind: string('Shared, Dedicated or Managed.', { default: 'Shared' }),
  },
);
const azureFile = struct(
  core('AzureFileVolumeSource'),
  'An Azure file share.',
  { secretName: string('Secret with account and key.'), shareName: string('Name of the share.') },
  { readOnly },
);
const cephfs = struct(
  core('CephFSVolumeSource'),
  'A Ceph file system.',
  { monitors: listOf(string('A monitor.'), 'Ceph monitors.') },
  {
    path: string('Root within the file system.'),
    user: string('RADOS user.'),
    secretFile: string('Key ring file.'),
    secretRef,
    readOnly,
  },
);
const cinder = struct(
  core('CinderVolumeSource'),
  'An OpenStack Cinder volume.',
  { volumeID: string('ID of the volume.') },
  { fsType, readOnly, secretRef },
);
const csi = struct(
  core('CSIVolumeSource'),
  'A volume of a CSI driver.',
  { driver: string('Name of the driver.') },
  {
    readOnly,
    fsType,
    volumeAttributes: mapOf(string('A value.'), 'Attributes passed to the driver.'),
    nodePublishSecretRef: secretRef,
  },
);
const fc = struct(
  core('FCVolumeSource'),
  'A Fibre Channel volume.',
  {},
  {
    targetWWNs: listOf(string('A world wide name.'), 'Targets.'),
    lun: int32('LUN of the target.'),
    fsType,
    readOnly,
    wwids: listOf(string('A world wide identifier.'), 'Volume identifiers.'),
  },
);
const flexVolume = struct(
  core('FlexVolumeSource'),
  'A volume of a FlexVolume driver.',
  { driver: string('Name of the driver.') },
  { fsType, secretRef, readOnly, options: mapOf(string('A value.'), 'Options passed to the driver.') },
);
const flocker = struct(
  core('FlockerVolumeSource'),
  'A Flocker volume.',
  {},
  { datasetName: string('Name of the dataset.'), datasetUUID: string('UUID of the dataset.') },
);
const gcePersistentDisk = struct(
  core('GCEPersistentDiskVolumeSource'),
  'A Google Cloud disk.',
  { pdName: string('Name of the disk.') },
  { fsType, partition: int32('Partition; 0 for the whole disk.'), readOnly },
);
const gitRepo = struct(
  core('GitRepoVolumeSource'),
  'A git repository (removed upstream).',
  { repository: string('URL of the repository.') },
  { revision: string('Commit.'), directory: string('Directory to clone into.') },
);
const glusterfs = struct(
  core('GlusterfsVolumeSource'),
  'A GlusterFS volume.',
  { endpoints: string('Endpoints object of the servers.'), path: string('Path of the volume.') },
  { readOnly },
);
const iscsi = struct(
  core('ISCSIVolumeSource'),
  'An iSCSI disk.',
  {
    targetPortal: string('Address of the target.'),
    iqn: string('Qualified name of the target.'),
    lun: int32('LUN of the target.'),
  },
  {
    iscsiInterface: string('Interface of the initiator.', { default: 'default' }),
    fsType,
    readOnly,
    portals: listOf(string('A portal.'), 'Further addresses of the target.'),
    chapAuthDiscovery: bool('True: CHAP for discovery.'),
    chapAuthSession: bool('True: CHAP for sessions.'),
    secretRef,
    initiatorName: string('Name of the initiator.'),
  },
);
const nfs = struct(
  core('NFSVolumeSource'),
  'An NFS export.',
  { server: string('The server.'), path: string('The exported path.') },
  { readOnly },
);
const photonPersistentDisk = struct(
  core('PhotonPersistentDiskVolumeSource'),
  'A Photon disk.',
  { pdID: string('ID of the disk.') },
  { fsType },
);
const portworxVolume = struct(
  core('PortworxVolumeSource'),
  'A Portworx volume.',
  { volumeID: string('ID of the volume.') },
  { fsType, readOnly },
);
const quobyte = struct(
  core('QuobyteVolumeSource'),
  'A Quobyte volume.',
  { registry: string('The registry services.'), volume: string('Name of the volume.') },
  {
    readOnly,
    user: string('User for access.'),
    group: string('Group for access.'),
    tenant: string('Tenant of the volume.'),
  },
);
const rbd = struct(
  core('RBDVolumeSource'),
  'A Ceph block device.',
  { monitors: listOf(string('A monitor.'), 'Ceph monitors.'), image: string('Name of the image.') },
  {
    fsType,
    pool: string('RADOS pool.', { default: 'rbd' }),
    user: string('RADOS user.', { default: 'admin' }),
    keyring: string('Key ring file.', { default: '/etc/ceph/keyring' }),
    secretRef,
    readOnly,
  },
);
const scaleIO = struct(
  core('ScaleIOVolumeSource'),
  'A ScaleIO volume.',
  { gateway: string('API gateway.'), system: string('Storage system.'), secretRef },
  {
    sslEnabled: bool('True: use TLS.'),
    protectionDomain: string('Protection domain.'),
    storagePool: string('Storage pool.'),
    storageMode: string('ThickProvisioned or ThinProvisioned.', { default: 'ThinProvisioned' }),
    volumeName: string('Name of the volume.'),
    fsType: string('File system type.', { default: 'xfs' }),
    readOnly,
  },
);
const storageos = struct(
  core('StorageOSVolumeSource'),
  'A StorageOS volume.',
  {},
  {
    volumeName: string('Name of the volume.'),
    volumeNamespace: string('Namespace of the volume in StorageOS.'),
    fsType,
    readOnly,
    secretRef,
  },
);
const vsphereVolume = struct(
  core('VsphereVirtualDiskVolumeSource'),
  'A vSphere disk.',
  { volumePath: string('Path of the disk.') },
  { fsType, storagePolicyName: string('Storage policy.'), storagePolicyID: string('ID of the storage policy.') },
);

/** By field name of Volume. */
export const foreignVolumeSources = {
  gcePersistentDisk: field(gcePersistentDisk, 'A Google Cloud disk.'),
  awsElasticBlockStore: field(awsElasticBlockStore, 'An AWS disk.'),
  gitRepo: field(gitRepo, 'A git repository.'),
  nfs: field(nfs, 'An NFS export.'),
  iscsi: field(iscsi, 'An iSCSI disk.'),
  glusterfs: field(glusterfs, 'A GlusterFS volume.'),
  rbd: field(rbd, 'A Ceph block device.'),
  flexVolume: field(flexVolume, 'A volume of a FlexVolume driver.'),
  cinder: field(cinder, 'An OpenStack Cinder volume.'),
  cephfs: field(cephfs, 'A Ceph file system.'),
  flocker: field(flocker, 'A Flocker volume.'),
  fc: field(fc, 'A Fibre Channel volume.'),
  azureFile: field(azureFile, 'An Azure file share.'),
  vsphereVolume: field(vsphereVolume, 'A vSphere disk.'),
  quobyte: field(quobyte, 'A Quobyte volume.'),
  azureDisk: field(azureDisk, 'An Azure data disk.'),
  photonPersistentDisk: field(photonPersistentDisk, 'A Photon disk.'),
  portworxVolume: field(portworxVolume, 'A Portworx volume.'),
  scaleIO: field(scaleIO, 'A ScaleIO volume.'),
  storageos: field(storageos, 'A StorageOS volume.'),
  csi: field(csi, 'A volume of a CSI driver.'),
};
