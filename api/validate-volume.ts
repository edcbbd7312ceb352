/** Validation of pod volumes and of where containers mount them. */
import type { Container, KeyToPath, Volume, VolumeMount, VolumeProjection } from './kinds/core.ts';
import { foreignVolumeSources } from './kinds/volume-foreign.ts';
import { backstepFaults, descendingPathFaults, labelFaults, volumePathFaults } from './names.ts';
import { compareQuantities } from './quantity.ts';
import { duplicate, forbiddenField, invalidValue, notSupported, required } from './status.ts';
import { type Causes, checkName, notFoundValue, pushFaults } from './validate.ts';
import { validateFieldRef, validateResourceFieldRef, volumeFieldPaths } from './validate-env.ts';

export type Volumes = ReadonlyMap<string, Volume>;

/** Returns the volumes that are sound, by name: only those can be mounted. */
export const validateVolumes = (volumes: readonly Volume[], path: string, causes: Causes): Volumes => {
  const sound = new Map<string, Volume>();
  volumes.forEach((volume, i) => {
    const at = `${path}[${i}]`;
    const before = causes.length;
    validateSources(volume, at, causes);
    checkName(causes, `${at}.name`, volume.name, labelFaults);
    if (sound.has(volume.name)) causes.push(duplicate(`${at}.name`, volume.name));
    if (causes.length === before) sound.set(volume.name, volume);
  });
  return sound;
};

const sourceNames = [
  'emptyDir',
  'hostPath',
  'secret',
  'persistentVolumeClaim',
  'downwardAPI',
  'configMap',
  'projected',
  'ephemeral',
  'image',
  ...(Object.keys(foreignVolumeSources) as (keyof typeof foreignVolumeSources)[]),
] as const;

const validateSources = (volume: Volume, path: string, causes: Causes): void => {
  const present = sourceNames.filter(name => volume[name] !== undefined);
  for (const name of present.slice(1))
    causes.push(forbiddenField(`${path}.${name}`, 'may not specify more than 1 volume type'));
  if (present.length === 0) causes.push(required(path, 'must specify a volume type'));
  else if (present.length === 1) validateSource(volume, path, causes);
};

const validateSource = (volume: Volume, path: string, causes: Causes): void => {
  const { emptyDir, hostPath, secret, configMap, downwardAPI, projected, persistentVolumeClaim } = volume;
  if (emptyDir?.sizeLimit !== undefined && compareQuantities(emptyDir.sizeLimit, '0') < 0)
    causes.push(forbiddenField(`${path}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
  if (hostPath !== undefined) validateHostPath(hostPath, `${path}.hostPath`, causes);
  if (secret !== undefined) {
    if (!secret.secretName) causes.push(required(`${path}.secret.secretName`));
    checkMode(secret.defaultMode, `${path}.secret.defaultMode`, causes);
    validateItems(secret.items, `${path}.secret.items`, causes);
  }
  if (configMap !== undefined) {
    if (!configMap.name) causes.push(required(`${path}.configMap.name`));
    checkMode(configMap.defaultMode, `${path}.configMap.defaultMode`, causes);
    validateItems(configMap.items, `${path}.configMap.items`, causes);
  }
  if (downwardAPI !== undefined) {
    checkMode(downwardAPI.defaultMode, `${path}.downwardAPI.defaultMode`, causes);
    for (const file of downwardAPI.items ?? []) validateDownwardFile(file, `${path}.downwardAPI`, causes);
  }
  if (projected !== undefined) {
    checkMode(projected.defaultMode, `${path}.projected.defaultMode`, causes);
    validateProjection(projected.sources ?? [], `${path}.projected`, causes);
  }
  if (persistentVolumeClaim !== undefined && !persistentVolumeClaim.claimName)
    causes.push(required(`${path}.persistentVolumeClaim.claimName`));
};

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

const validateHostPath = (source: { path: string; type?: string }, path: string, causes: Causes): void => {
  if (!source.path) causes.push(required(`${path}.path`));
  else pushFaults(causes, `${path}.path`, source.path, backstepFaults(source.path));
  if (source.type !== undefined && !hostPathTypes.includes(source.type))
    causes.push(notSupported(`${path}.type`, source.type, hostPathTypes));
};

const fileMode = 'must be a number between 0 and 0777 (octal), both inclusive';
const checkMode = (mode: number | undefined, path: string, causes: Causes): void => {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) causes.push(invalidValue(path, mode, fileMode));
};

const validateItems = (items: readonly KeyToPath[] | undefined, path: string, causes: Causes): void => {
  (items ?? []).forEach((item, i) => {
    const at = `${path}[${i}]`;
    if (!item.key) causes.push(required(`${at}.key`));
    checkFilePath(item.path, `${at}.path`, causes);
    checkMode(item.mode, `${at}.mode`, causes);
  });
};

const checkFilePath = (file: string | undefined, path: string, causes: Causes): void => {
  if (!file) causes.push(required(path));
  else pushFaults(causes, path, file, volumePathFaults(file));
};

type DownwardFile = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

const validateDownwardFile = (file: DownwardFile, path: string, causes: Causes): void => {
  checkFilePath(file.path, `${path}.path`, causes);
  if (file.fieldRef !== undefined) {
    validateFieldRef(file.fieldRef, volumeFieldPaths, `${path}.fieldRef`, causes);
    if (file.resourceFieldRef !== undefined)
      causes.push(invalidValue(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
  } else if (file.resourceFieldRef !== undefined) {
    validateResourceFieldRef(file.resourceFieldRef, `${path}.resourceFieldRef`, true, causes);
  } else {
    causes.push(required(path, 'one of fieldRef and resourceFieldRef is required'));
  }
  checkMode(file.mode, `${path}.mode`, causes);
};

const validateProjection = (sources: readonly VolumeProjection[], path: string, causes: Causes): void => {
  const paths = new Set<string>();
  const claim = (file: string | undefined, shown: string) => {
    if (!file) return;
    if (paths.has(file)) causes.push(invalidValue(path, shown, 'conflicting duplicate paths'));
    paths.add(file);
  };
  sources.forEach((source, i) => {
    const at = `${path}.sources[${i}]`;
    for (const name of ['secret', 'configMap'] as const) {
      const projection = source[name];
      if (projection === undefined) continue;
      if (!projection.name) causes.push(required(`${at}.${name}.name`));
      validateItems(projection.items, `${at}.${name}.items`, causes);
      for (const item of projection.items ?? []) claim(item.path, projection.name ?? '');
    }
    for (const file of source.downwardAPI?.items ?? []) {
      validateDownwardFile(file, `${at}.downwardAPI`, causes);
      claim(file.path, file.path);
    }
    if (source.serviceAccountToken !== undefined) validateToken(source.serviceAccountToken, path, at, causes);
    if (Object.values(source).filter(value => value !== undefined).length > 1)
      causes.push(forbiddenField(at, 'may not specify more than 1 volume type per source'));
  });
};

const validateToken = (
  token: { path: string; expirationSeconds?: number },
  path: string,
  at: string,
  causes: Causes,
): void => {
  const seconds = token.expirationSeconds ?? 3600;
  const field = `${at}.serviceAccountToken.expirationSeconds`;
  if (seconds < 600) causes.push(invalidValue(field, seconds, 'may not specify a duration less than 10 minutes'));
  if (seconds > 2 ** 32)
    causes.push(invalidValue(field, seconds, 'may not specify a duration larger than 2^32 seconds'));
  checkFilePath(token.path, `${path}.path`, causes);
};

/** Where a container mounts volumes and devices. */
export const validateMounts = (container: Container, volumes: Volumes, path: string, causes: Causes): void => {
  const { volumeMounts = [], volumeDevices = [] } = container;
  const places = new Set<string>();
  volumeMounts.forEach((mount, i) => {
    const at = `${path}.volumeMounts[${i}]`;
    if (!mount.name) causes.push(required(`${at}.name`));
    if (!volumes.has(mount.name)) causes.push(notFoundValue(`${at}.name`, mount.name ?? ''));
    if (!mount.mountPath) causes.push(required(`${at}.mountPath`));
    if (places.has(mount.mountPath)) causes.push(invalidValue(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    places.add(mount.mountPath);
    if (volumeDevices.some(device => device.name === mount.name))
      causes.push(invalidValue(`${at}.name`, mount.name, 'must not already exist in volumeDevices'));
    if (volumeDevices.some(device => device.devicePath === mount.mountPath))
      causes.push(
        invalidValue(`${at}.mountPath`, mount.mountPath, 'must not already exist as a path in volumeDevices'),
      );
    validateMountOptions(mount, container, at, `${path}.volumeMounts`, causes);
  });
  validateDevices(volumeDevices, volumeMounts, volumes, `${path}.volumeDevices`, causes);
};

const validateMountOptions = (
  mount: VolumeMount,
  container: Container,
  at: string,
  list: string,
  causes: Causes,
): void => {
  const { subPath, subPathExpr, mountPropagation, recursiveReadOnly } = mount;
  if (subPath) pushFaults(causes, `${list}.subPath`, subPath, descendingPathFaults(subPath));
  if (subPathExpr) {
    if (subPath)
      causes.push(invalidValue(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
    pushFaults(causes, `${list}.subPathExpr`, subPathExpr, descendingPathFaults(subPathExpr));
  }
  if (mountPropagation !== undefined) {
    const known = ['Bidirectional', 'HostToContainer', 'None'];
    if (!known.includes(mountPropagation))
      causes.push(notSupported(`${list}.mountPropagation`, mountPropagation, known));
    if (mountPropagation === 'Bidirectional' && !container.securityContext?.privileged)
      causes.push(
        forbiddenField(
          `${list}.mountPropagation`,
          'Bidirectional mount propagation is available only to privileged containers',
        ),
      );
  }
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return;
  const field = `${list}.recursiveReadOnly`;
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') {
    causes.push(notSupported(field, recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible']));
    return;
  }
  if (!mount.readOnly) causes.push(forbiddenField(field, 'may only be specified when readOnly is true'));
  if (mountPropagation !== undefined && mountPropagation !== 'None')
    causes.push(forbiddenField(field, 'may only be specified when mountPropagation is None or not specified'));
};

const validateDevices = (
  devices: readonly { name: string; devicePath: string }[],
  mounts: readonly VolumeMount[],
  volumes: Volumes,
  path: string,
  causes: Causes,
): void => {
  const names = new Set<string>();
  const places = new Set<string>();
  devices.forEach(({ name, devicePath }, i) => {
    const at = `${path}[${i}]`;
    const volume = volumes.get(name);
    if (!name) causes.push(required(`${at}.name`));
    if (names.has(name)) causes.push(invalidValue(`${at}.name`, name, 'must be unique'));
    names.add(name);
    if (volume === undefined) causes.push(notFoundValue(`${at}.name`, name ?? ''));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined)
      causes.push(
        invalidValue(
          `${at}.name`,
          name,
          'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
        ),
      );
    if (!devicePath) causes.push(required(`${at}.devicePath`));
    else if (places.has(devicePath)) causes.push(invalidValue(`${at}.devicePath`, devicePath, 'must be unique'));
    else if (backstepFaults(devicePath).length > 0)
      causes.push(invalidValue(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    places.add(devicePath);
    if (mounts.some(mount => mount.name === name))
      causes.push(invalidValue(`${at}.name`, name, 'must not already exist in volumeMounts'));
    if (mounts.some(mount => mount.mountPath === devicePath))
      causes.push(invalidValue(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
  });
};
