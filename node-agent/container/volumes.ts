/**
 * The volumes of a pod: what each must hold (pure), and putting it on disk. A volume is a directory below the agent's
 * data directory that is bind-mounted into containers, a path of the node, or an engine volume of memory. Files of
 * ConfigMaps and Secrets are replaced all at once, and again whenever their source changes.
 */
import type { Pod, Volume } from '#api/kinds/core.ts';
import { wholeValue } from '#api/quantity.ts';
import type { Content, Files, VolumeFile } from '../machine.ts';
import type { ContainerRuntime } from '../runtime.ts';
import { type DownwardFacts, fieldText, resourceText } from './downward.ts';
import { containerNamed, type References } from './env.ts';

export type VolumePlan =
  | { readonly kind: 'files'; readonly name: string; readonly files: readonly VolumeFile[] }
  | { readonly kind: 'directory'; readonly name: string }
  | { readonly kind: 'memory'; readonly name: string; readonly sizeBytes: number }
  | { readonly kind: 'host'; readonly name: string; readonly path: string; readonly type: string };

/** A volume cannot be set up; `message` goes behind `MountVolume.SetUp failed for volume "v" : `. */
export class VolumeError extends Error {
  override name = 'VolumeError';
  readonly volume: string;

  constructor(volume: string, message: string) {
    super(message);
    this.volume = volume;
  }
}

export interface VolumeContext {
  readonly pod: Pod;
  readonly references: References;
  readonly facts: DownwardFacts;
  /** Size of a memory volume without a limit. */
  readonly memoryBytes: number;
}

type Keys = Readonly<Record<string, Content>>;
type Item = { readonly key: string; readonly path: string; readonly mode?: number };

const pick = (
  keys: Keys,
  items: readonly Item[] | undefined,
  mode: number,
  missing: (key: string) => string | undefined,
): VolumeFile[] => {
  if (!items?.length) return Object.entries(keys).map(([path, content]) => ({ path, content, mode }));
  return items.flatMap(item => {
    const content = keys[item.key];
    if (content) return [{ path: item.path, content, mode: item.mode ?? mode }];
    const fault = missing(item.key);
    if (fault !== undefined) throw new Error(fault);
    return [];
  });
};

interface Source {
  readonly name?: string;
  readonly items?: readonly Item[];
  readonly optional?: boolean;
}

const configMapFiles = (source: Source, mode: number, context: VolumeContext): VolumeFile[] => {
  const name = source.name ?? '';
  const configMap = context.references.configMap(name);
  if (!configMap) {
    if (source.optional) return [];
    throw new Error(`configmap "${name}" not found`);
  }
  const texts = Object.entries(configMap.data ?? {}).map(([key, text]) => [key, { text }] as const);
  const binaries = Object.entries(configMap.binaryData ?? {}).map(([key, base64]) => [key, { base64 }] as const);
  return pick(Object.fromEntries([...texts, ...binaries]), source.items, mode, () =>
    source.optional ? undefined : 'references non-existent config key: '.concat(missingKey(source, configMap.data)),
  );
};

const secretFiles = (source: Source, mode: number, context: VolumeContext): VolumeFile[] => {
  const name = source.name ?? '';
  const secret = context.references.secret(name);
  if (!secret) {
    if (source.optional) return [];
    throw new Error(`secret "${name}" not found`);
  }
  const keys = Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, base64]) => [key, { base64 }] as const));
  return pick(keys, source.items, mode, () =>
    source.optional ? undefined : 'references non-existent secret key: '.concat(missingKey(source, secret.data)),
  );
};

const missingKey = (source: Source, data: Readonly<Record<string, unknown>> | undefined): string =>
  source.items?.find(item => data?.[item.key] === undefined)?.key ?? '';

type DownwardItems = NonNullable<NonNullable<Volume['downwardAPI']>['items']>;

const downwardFiles = (items: DownwardItems, mode: number, { pod, facts }: VolumeContext): VolumeFile[] =>
  items.map(item => {
    const { fieldRef, resourceFieldRef } = item;
    const container = containerNamed(pod, resourceFieldRef?.containerName);
    const text = fieldRef
      ? fieldText(pod, fieldRef.fieldPath, facts)
      : container && resourceText(container, resourceFieldRef!.resource, resourceFieldRef!.divisor, facts.allocatable);
    if (text === undefined)
      throw new Error(
        `downward API file ${item.path}: unknown field ${fieldRef?.fieldPath ?? resourceFieldRef?.resource ?? ''}`,
      );
    return { path: item.path, content: { text }, mode: item.mode ?? mode };
  });

const projectedFiles = (source: NonNullable<Volume['projected']>, context: VolumeContext): VolumeFile[] => {
  const mode = source.defaultMode ?? 0o644;
  return (source.sources ?? []).flatMap(projection => {
    if (projection.configMap) return configMapFiles(projection.configMap, mode, context);
    if (projection.secret) return secretFiles(projection.secret, mode, context);
    if (projection.downwardAPI) return downwardFiles(projection.downwardAPI.items ?? [], mode, context);
    throw new Error(`projected source ${Object.keys(projection).join(', ')} is not supported by Berth`);
  });
};

const planOf = (volume: Volume, context: VolumeContext): VolumePlan => {
  const { name, emptyDir, configMap, secret, downwardAPI, projected, hostPath } = volume;
  if (emptyDir) {
    if (emptyDir.medium !== 'Memory') return { kind: 'directory', name };
    const limit = emptyDir.sizeLimit === undefined ? 0 : wholeValue(emptyDir.sizeLimit);
    return { kind: 'memory', name, sizeBytes: limit > 0 ? Math.min(limit, context.memoryBytes) : context.memoryBytes };
  }
  if (configMap)
    return { kind: 'files', name, files: configMapFiles(configMap, configMap.defaultMode ?? 0o644, context) };
  if (secret) {
    const { secretName, ...rest } = secret;
    const source = { ...rest, ...(secretName === undefined ? {} : { name: secretName }) };
    return { kind: 'files', name, files: secretFiles(source, secret.defaultMode ?? 0o644, context) };
  }
  if (downwardAPI)
    return {
      kind: 'files',
      name,
      files: downwardFiles(downwardAPI.items ?? [], downwardAPI.defaultMode ?? 0o644, context),
    };
  if (projected) return { kind: 'files', name, files: projectedFiles(projected, context) };
  if (hostPath) return { kind: 'host', name, path: hostPath.path, type: hostPath.type ?? '' };
  const sources = Object.keys(volume).filter(key => key !== 'name');
  // A volume without a source is an emptyDir (SetDefaults_Volume).
  if (sources.length === 0) return { kind: 'directory', name };
  throw new Error(`volume source ${sources.join(', ')} is not supported by Berth`);
};

/** What each volume of the pod is to be; throws VolumeError for the first that cannot be. */
export const planVolumes = (context: VolumeContext): readonly VolumePlan[] =>
  (context.pod.spec.volumes ?? []).map(volume => {
    try {
      return planOf(volume, context);
    } catch (error) {
      throw new VolumeError(volume.name, (error as Error).message);
    }
  });

/** Engine volume of a pod's memory volume. */
export const memoryVolumeName = (uid: string, volume: string): string => `berth_${uid}_${volume}`;

export const podDirectory = (dataDir: string, uid: string): string => `${dataDir}/pods/${uid}`;
export const volumeDirectory = (dataDir: string, uid: string, volume: string): string =>
  `${podDirectory(dataDir, uid)}/volumes/${volume}`;

export interface VolumeDeps {
  readonly files: Files;
  readonly runtime: ContainerRuntime;
  readonly dataDir: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Brings all volumes of the pod to what the plans say; may be repeated. Throws VolumeError. */
export const writeVolumes = async (deps: VolumeDeps, pod: Pod, plans: readonly VolumePlan[]): Promise<void> => {
  const uid = pod.metadata.uid ?? '';
  const group = pod.spec.securityContext?.fsGroup;
  for (const plan of plans) {
    try {
      await writeVolume(deps, uid, plan, group);
    } catch (error) {
      throw error instanceof VolumeError ? error : new VolumeError(plan.name, (error as Error).message);
    }
  }
};

const writeVolume = async (
  deps: VolumeDeps,
  uid: string,
  plan: VolumePlan,
  group: number | undefined,
): Promise<void> => {
  const directory = volumeDirectory(deps.dataDir, uid, plan.name);
  switch (plan.kind) {
    case 'directory':
      return deps.files.makeDirectory(directory, { mode: 0o777, ...(group === undefined ? {} : { group }) });
    case 'files':
      await deps.files.writeVolume(directory, plan.files, group);
      return;
    case 'memory':
      return deps.runtime.createMemoryVolume(memoryVolumeName(uid, plan.name), plan.sizeBytes, deps.labels);
    case 'host': {
      const fault = await deps.files.prepareHostPath(plan.path, plan.type);
      if (fault !== undefined) throw new VolumeError(plan.name, fault);
    }
  }
};
