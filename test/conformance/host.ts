/** What the host itself shows of a pod's containers: the engine's record and the kernel's cgroup files. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EngineApi, engineJson } from '#setup/engine-api.ts';

export interface HostContainer {
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** The running containers of a pod, without its sandbox. */
export const containersOfPod = async (
  engine: EngineApi,
  namespace: string,
  pod: string,
): Promise<readonly HostContainer[]> => {
  const label = [
    `io.kubernetes.pod.name=${pod}`,
    `io.kubernetes.pod.namespace=${namespace}`,
    'io.kubernetes.docker.type=container',
  ];
  const filters = encodeURIComponent(JSON.stringify({ label }));
  const found = await engineJson<readonly { Id: string; Labels: Record<string, string> }[]>(
    engine,
    'GET',
    `/containers/json?filters=${filters}`,
  );
  return Promise.all(
    found.map(async ({ Id, Labels }) => {
      const { State } = await engineJson<{ State: { Pid: number } }>(engine, 'GET', `/containers/${Id}/json`);
      return { id: Id, name: Labels['io.kubernetes.container.name'] ?? '', pid: State.Pid, labels: Labels };
    }),
  );
};

/** The first of `files` in the cgroup of a process: of the controller on version 1, of the one tree on version 2. */
export const cgroupValue = async (
  pid: number,
  controller: string,
  files: readonly string[],
): Promise<string | undefined> => {
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .trim()
    .split('\n')
    .map(line => line.split(':'));
  for (const [, controllers, ...path] of groups) {
    const folder = controllers === '' ? '/sys/fs/cgroup' : join('/sys/fs/cgroup', controllers!);
    if (controllers !== '' && !controllers!.split(',').includes(controller)) continue;
    for (const file of files) {
      const full = join(folder, path.join(':'), file);
      if (existsSync(full)) return readFileSync(full, 'utf8').trim();
    }
  }
  return undefined;
};
