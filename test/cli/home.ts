/** A home of its own for `berth` as a process, on a real engine: no data folder and no kubeconfig of the user is touched. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DockerRuntime } from '#agent/docker/engine.ts';
import { label } from '#agent/names.ts';
import { systemClock } from '#base/system.ts';
import { startTicks } from '#cli/local/instance.ts';
import { openPlace, type Place } from '#test/faults/berth.ts';
import type { Ran } from './run.ts';

export const docker = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';

export interface Home extends Pick<Place, 'folder' | 'start'> {
  /** The data folder that commands use when no other is named. */
  readonly data: string;
  readonly kubeconfig: string;
  /** Runs a command to its end. */
  berth(args: readonly string[], stdin?: string, env?: Readonly<Record<string, string>>): Promise<Ran>;
  /** The note of the process that runs the cluster. */
  running(): { readonly pid: number; readonly url: string };
  /** Kills that process and waits until it is gone. */
  kill(): Promise<void>;
  clusterId(): string;
  /** Takes the cluster down and everything away. */
  leave(): Promise<void>;
}

export const openHome = (): Home => {
  const { folder, env: own, start, run, leave } = openPlace();
  const data = join(folder, 'data');
  const berth: Home['berth'] = async (args, stdin = '', env = {}) => {
    const options = { input: stdin, cwd: folder, env: { BERTH_DATA: data, DOCKER_HOST: docker, ...env } };
    const { code, stdout: out, stderr: err } = await run(args, options);
    return { code, out, err };
  };
  const running: Home['running'] = () => JSON.parse(readFileSync(join(data, 'running.json'), 'utf8'));
  return {
    folder,
    start,
    data,
    kubeconfig: own['KUBECONFIG']!,
    berth,
    running,
    kill: async () => {
      const { pid } = running();
      process.kill(pid, 'SIGKILL');
      while (startTicks(pid) !== undefined) await systemClock.sleep(10);
    },
    clusterId: () => (JSON.parse(readFileSync(join(data, 'cluster.json'), 'utf8')) as { id: string }).id,
    leave: async () => {
      await berth(['down', '--purge']);
      await leave();
    },
  };
};

/** The containers of a cluster, in a fixed order. */
export const containersOf = async (cluster: string): Promise<readonly string[]> =>
  (await new DockerRuntime(docker).list({ [label.cluster]: cluster })).map(({ id }) => id).sort();

/** A pod that writes `hello` and stays. */
export const idlePod = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec:\n  terminationGracePeriodSeconds: 1\n${more}  containers:\n` +
  '  - {name: c, image: busybox, imagePullPolicy: Never, command: [sh, -c, "echo hello; sleep 3600"], resources: {requests: {cpu: 50m}}}\n---\n';
