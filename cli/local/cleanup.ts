/** Removes what a cluster made in the engine and in the cgroup tree; its marks tell it from everything else. */
import { DockerRuntime } from '#agent/docker/engine.ts';
import { hostMachine } from '#agent/host/machine.ts';
import { label } from '#agent/names.ts';

const atOnce = 8;

/** Resolves with the number of containers removed. Throws when the engine does not answer. */
export const removeContainers = async (docker: string, cluster: string): Promise<number> => {
  const runtime = new DockerRuntime(docker);
  const info = await runtime.info();
  const labels = { [label.cluster]: cluster };
  const containers = await runtime.list(labels);
  const queue = [...containers];
  const worker = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) await runtime.remove(next.id);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  for (const volume of await runtime.volumes(labels)) await runtime.removeVolume(volume);
  const { cgroups } = hostMachine(info);
  if (cgroups.unwritable === undefined) {
    await cgroups.remove([cluster]);
    // The root that all clusters of the machine share goes with the last of them.
    if ((await cgroups.children([])).length === 0) await cgroups.remove([]);
  }
  return containers.length;
};
