/** Finds, and as a last resort removes, what a cluster left behind on the engine and in the cgroup tree. */
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { type EngineApi, engineJson } from '#setup/engine-api.ts';

export interface Leftovers {
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  readonly cgroups: readonly string[];
}

const labelled = (cluster: string): string =>
  encodeURIComponent(JSON.stringify({ label: [`berth.dev/cluster=${cluster}`] }));

/** All that carries the cluster's label, and its folders in the cgroup tree. */
export const leftoversOf = async (engine: EngineApi, cluster: string): Promise<Leftovers> => {
  const filters = labelled(cluster);
  const containers = await engineJson<readonly { Id: string }[]>(
    engine,
    'GET',
    `/containers/json?all=1&filters=${filters}`,
  );
  const networks = await engineJson<readonly { Id: string }[]>(engine, 'GET', `/networks?filters=${filters}`);
  const volumes = await engineJson<{ Volumes: readonly { Name: string }[] | null }>(
    engine,
    'GET',
    `/volumes?filters=${filters}`,
  );
  return {
    containers: containers.map(container => container.Id),
    networks: networks.map(network => network.Id),
    volumes: (volumes.Volumes ?? []).map(volume => volume.Name),
    cgroups: cgroupsOf(cluster),
  };
};

const mount = '/sys/fs/cgroup';

/** The folder above all clusters, `berth`: goes with the last of them, and stays when there is another. */
export const removeEmptyRoot = (): void => {
  const controllers = existsSync(mount) ? ['', ...readdirSync(mount)] : [];
  for (const controller of controllers) {
    const folder = join(mount, controller, 'berth');
    if (existsSync(folder)) removeFolder(folder);
  }
};

const cgroupsOf = (cluster: string): string[] => {
  const controllers = existsSync(mount) ? ['', ...readdirSync(mount)] : [];
  return controllers.map(controller => join(mount, controller, 'berth', cluster)).filter(folder => existsSync(folder));
};

/** Removes them: containers by force, then networks, then cgroups from the leaves up. */
export const sweep = async (engine: EngineApi, cluster: string, found: Leftovers): Promise<void> => {
  for (const id of found.containers) await engine.call('DELETE', `/containers/${id}?force=true&v=true`);
  for (const id of found.networks) await engine.call('DELETE', `/networks/${id}`);
  for (const name of found.volumes) await engine.call('DELETE', `/volumes/${name}?force=true`);
  for (const folder of cgroupsOf(cluster)) removeTree(folder);
};

/** Files of a cgroup go with it; only its folders can and need be removed. A busy one stays. */
const removeTree = (folder: string): void => {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  removeFolder(folder);
};

/** What is in use stays, and what another user (root, say) made. */
const removeFolder = (folder: string): void => {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!['EBUSY', 'ENOENT', 'ENOTEMPTY', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
  }
};

export const isEmpty = (found: Leftovers): boolean => Object.values(found).every(ids => ids.length === 0);
