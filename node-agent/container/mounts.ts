/** Where a container's volumes and its termination log appear in it. */
import type { Container, Pod } from '#api/kinds/core.ts';
import type { Files } from '../machine.ts';
import type { EngineMount } from '../runtime.ts';
import { ConfigError, expand } from './env.ts';
import { memoryVolumeName, podDirectory, type VolumePlan, volumeDirectory } from './volumes.ts';

export interface MountContext {
  readonly files: Files;
  readonly dataDir: string;
  readonly hostDataDir: string;
  readonly plans: readonly VolumePlan[];
  readonly env: ReadonlyMap<string, string>;
  readonly attempt: number;
}

export const terminationLogOf = (dataDir: string, uid: string, container: string, attempt: number): string =>
  `${podDirectory(dataDir, uid)}/containers/${container}/${attempt}`;

type VolumeMount = NonNullable<Container['volumeMounts']>[number];

const propagations = { HostToContainer: 'rslave', Bidirectional: 'rshared' } as const;

/** All mounts of the container; throws ConfigError for one that cannot be. */
export const mountsOf = async (
  pod: Pod,
  container: Container,
  context: MountContext,
): Promise<readonly EngineMount[]> => {
  const mounts: EngineMount[] = [];
  for (const mount of container.volumeMounts ?? []) mounts.push(await mountOf(pod, mount, context));
  const target = container.terminationMessagePath || '/dev/termination-log';
  if (mounts.some(mount => mount.Target === target)) return mounts;
  const uid = pod.metadata.uid ?? '';
  const file = terminationLogOf(context.dataDir, uid, container.name, context.attempt);
  await context.files.writeFile(file, '', 0o666);
  return [...mounts, { Type: 'bind', Source: onHost(file, context), Target: target }];
};

/** A path of the agent as the engine's host names it. */
const onHost = (path: string, context: MountContext): string =>
  path.startsWith(context.dataDir) ? context.hostDataDir + path.slice(context.dataDir.length) : path;

const mountOf = async (pod: Pod, mount: VolumeMount, context: MountContext): Promise<EngineMount> => {
  const plan = context.plans.find(({ name }) => name === mount.name);
  if (!plan) throw new ConfigError(`volume mount ${mount.name} names no volume of the pod`);
  const inside = mount.subPathExpr ? expand(mount.subPathExpr, name => context.env.get(name)) : (mount.subPath ?? '');
  const isReadOnly = mount.readOnly === true || plan.kind === 'files';
  const uid = pod.metadata.uid ?? '';
  const base = { Target: mount.mountPath, ...(isReadOnly ? { ReadOnly: true } : {}) };
  if (plan.kind === 'memory') {
    if (inside !== '')
      throw new ConfigError(
        `volumeMounts ${mount.mountPath}: Docker Engine cannot mount a subPath of an emptyDir of medium Memory`,
      );
    return { Type: 'volume', Source: memoryVolumeName(uid, plan.name), ...base };
  }
  const root = plan.kind === 'host' ? plan.path : volumeDirectory(context.dataDir, uid, plan.name);
  const path = inside === '' ? root : await subPath(root, inside, plan.kind !== 'files', context);
  const propagation = propagations[mount.mountPropagation as keyof typeof propagations];
  return {
    Type: 'bind',
    Source: plan.kind === 'host' ? path : onHost(path, context),
    ...base,
    ...(propagation ? { BindOptions: { Propagation: propagation } } : {}),
  };
};

const subPath = async (root: string, inside: string, create: boolean, { files }: MountContext): Promise<string> => {
  try {
    return await files.resolveInside(root, inside, { create });
  } catch (error) {
    throw new ConfigError(`failed to prepare subPath for volumeMount: ${(error as Error).message}`);
  }
};
