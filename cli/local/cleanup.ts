/** Removes what a cluster made in the engine and in the cgroup tree; its marks tell it from everything else. */
import { DockerRuntime } from '#agent/docker/engine.ts';
import { hostMachine } from '#agent/host/machine.ts';
import type { Cgroups } from '#agent/machine.ts';
import { label } from '#agent/names.ts';

const atOnce = 8;

/**
 * All of a cluster, or with `node` what one of its nodes made. Resolves with the number of containers removed; throws
 * when the engine does not answer.
 */
export const removeContainers = async (
  docker: string,
  { cluster, node }: { readonly cluster: string; readonly node?: string },
): Promise<number> => {
  const runtime = new DockerRuntime(docker);
  const info = await runtime.info();
  const labels = { [label.cluster]: cluster, ...(node === undefined ? {} : { [label.node]: node }) };
  const containers = await runtime.list(labels);
  const queue = [...containers];
  const worker = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) await runtime.remove(next.id);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  for (const volume of await runtime.volumes(labels)) await runtime.removeVolume(volume);
  const { cgroups } = hostMachine(info);
  if (cgroups.unwritable === undefined) await prune(cgroups, node === undefined ? [cluster] : [cluster, node]);
  return containers.length;
};

/** Removes the group, and those above it that are empty then: the root goes with the last cluster of the machine. */
const prune = async (cgroups: Cgroups, path: readonly string[]): Promise<void> => {
  await cgroups.remove(path);
  for (let above = path.slice(0, -1); ; above = above.slice(0, -1)) {
    if ((await cgroups.children(above)).length > 0) return;
    await cgroups.remove(above);
    if (above.length === 0) return;
  }
};
