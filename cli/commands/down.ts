/** `berth down`: stops the cluster of this machine and takes away its containers, cgroups and kubeconfig context. */
import { existsSync, rmSync } from 'node:fs';
import { removeCluster } from '#client/kubeconfig.ts';
import type { Define } from '../command.ts';
import { examples } from '../command.ts';
import { kubeconfigLocation } from '../connection.ts';
import { CliError } from '../failure.ts';
import type { Io } from '../io.ts';
import { dataFolder, findRunning, isAlive, logFile, type Running, readSettings } from '../local/instance.ts';

interface DownFlags {
  data?: string;
  kubeconfig?: string;
  keepContainers?: boolean;
  purge?: boolean;
}

export const define: Define = (command, io) => {
  command
    .option('--data <folder>', 'which cluster (default: $BERTH_DATA or ~/.local/share/berth)')
    .option('--kubeconfig <file>', 'kubeconfig file to clean (default: $KUBECONFIG or ~/.kube/config)')
    .option('--keep-containers', 'leave the containers running; the next `berth up` adopts them')
    .option('--purge', 'delete the data too: objects, tokens, certificates, settings')
    .action((flags: DownFlags) => down(io, flags));
  examples(
    command,
    `berth down
    berth down --keep-containers
    berth down --purge`,
  );
};

const patienceMs = 60_000;
const pollMs = 20;

const down = async (io: Io, flags: DownFlags): Promise<void> => {
  if (flags.purge && flags.keepContainers) throw new CliError('--purge and --keep-containers contradict each other');
  const data = dataFolder(io, flags.data);
  const settings = readSettings(data);
  const running = findRunning(data);
  if (!settings && !running) {
    io.out(`No cluster in ${data}.\n`);
    return;
  }
  if (running) await stop(io, data, running, flags.keepContainers === true);
  let removed = 0;
  if (settings && !flags.keepContainers) removed = await sweep(io, settings.docker, settings.id);
  if (settings && !flags.keepContainers) {
    const location = kubeconfigLocation(io, { ...(flags.kubeconfig ? { kubeconfig: flags.kubeconfig } : {}) });
    for (const file of await removeCluster(location, settings.context, settings.url)) {
      io.out(`Context ${settings.context} removed from ${file}.\n`);
    }
  }
  if (flags.purge) rmSync(data, { recursive: true, force: true });
  const state = running ? 'Berth is down' : 'Berth was down already';
  const left = removed > 0 ? `; ${removed} containers left over were removed` : '';
  const kept = flags.keepContainers ? '; its containers go on' : '';
  const folder = flags.purge ? `; ${data} is deleted` : existsSync(data) ? `; data kept in ${data}` : '';
  io.out(`${state}${left}${kept}${folder}.\n`);
};

const stop = async (io: Io, data: string, running: Running, keep: boolean): Promise<void> => {
  process.kill(running.pid, keep ? 'SIGUSR2' : 'SIGTERM');
  const deadlineMs = io.clock.now() + patienceMs;
  while (isAlive(running)) {
    if (io.clock.now() > deadlineMs) {
      throw new CliError(`process ${running.pid} does not end within ${patienceMs / 1000} s; see ${logFile(data)}`);
    }
    await io.clock.sleep(pollMs, io.signal);
    if (io.signal.aborted) throw new CliError('interrupted while the cluster was stopping', { exitCode: 130 });
  }
};

/** What a process that died left behind. */
const sweep = async (io: Io, docker: string, id: string): Promise<number> => {
  const { removeContainers } = await import('../local/cleanup.ts');
  try {
    return await removeContainers(docker, { cluster: id });
  } catch (error) {
    io.err(`Warning: containers could not be looked for: ${(error as Error).message}\n`);
    return 0;
  }
};
