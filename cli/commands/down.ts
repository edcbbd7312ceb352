/** `berth down`: stops the cluster of this machine and takes away its containers, cgroups and kubeconfig context. */
import { existsSync } from 'node:fs';
import { findNoted, type Location, removeCluster } from '#client/kubeconfig.ts';
import type { Define } from '../command.ts';
import { examples } from '../command.ts';
import { kubeconfigLocation } from '../connection.ts';
import { CliError, Exit, interruptCode } from '../failure.ts';
import type { Io } from '../io.ts';
import { dataFolder, findRunning, type Identity, isAlive, logFile, readSettings } from '../local/instance.ts';
import { isBegun, purge } from '../local/purge.ts';
import { findProcesses } from '../local/stray.ts';

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
  const location = kubeconfigLocation(io, { ...(flags.kubeconfig ? { kubeconfig: flags.kubeconfig } : {}) });
  const keep = flags.keepContainers === true;
  const known = await knownOf(data, location);
  const running = findRunning(data);
  const processes = [...(running ? [running] : []), ...findProcesses(data).filter(({ pid }) => pid !== running?.pid)];
  if (!known && processes.length === 0 && !(flags.purge && isBegun(data))) {
    io.out(`No cluster in ${data}.\n`);
    return;
  }
  for (const process of processes) await stop(io, data, process, keep);
  let removed = 0;
  if (known && !keep) {
    if (known.cluster) removed = await sweep(io, known.docker, known.cluster);
    for (const file of await removeCluster(location, known.context, known.url))
      io.out(`Context ${known.context} removed from ${file}.\n`);
  }
  const others = flags.purge ? purge(data) : [];
  const state = processes.length > 0 ? 'Berth is down' : 'Berth was down already';
  const left = removed > 0 ? `; ${removed} containers left over were removed` : '';
  const kept = keep ? '; its containers go on' : '';
  io.out(`${state}${left}${kept}${folderText(data, flags.purge === true, others)}.\n`);
};

const folderText = (data: string, purged: boolean, others: readonly string[]): string => {
  if (others.length > 0) return `; of ${data} only what is not of Berth stays: ${others.slice(0, 3).join(', ')}`;
  if (purged) return `; ${data} is deleted`;
  return existsSync(data) ? `; data kept in ${data}` : '';
};

interface Known {
  readonly cluster: string | undefined;
  readonly docker: string;
  readonly context: string;
  readonly url: string | undefined;
}

/** What the folder says of its cluster, or when it is deleted, what the kubeconfig has noted. */
const knownOf = async (data: string, location: Location): Promise<Known | undefined> => {
  const settings = readSettings(data);
  if (settings) return { cluster: settings.id, docker: settings.docker, context: settings.context, url: settings.url };
  const noted = (await findNoted(location)).find(({ note }) => note['data'] === data);
  if (!noted) return undefined;
  const { cluster, docker = '' } = noted.note;
  return { cluster, docker, context: noted.name, url: noted.server };
};

const stop = async (io: Io, data: string, target: Identity, keep: boolean): Promise<void> => {
  try {
    process.kill(target.pid, keep ? 'SIGUSR2' : 'SIGTERM');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return;
    throw new CliError(
      `process ${target.pid} cannot be ended: ${code === 'EPERM' ? 'it belongs to another user' : String(error)}`,
    );
  }
  const deadlineMs = io.clock.now() + patienceMs;
  while (isAlive(target)) {
    if (io.clock.now() > deadlineMs)
      throw new CliError(`process ${target.pid} does not end within ${patienceMs / 1000} s; see ${logFile(data)}`);
    await io.clock.sleep(pollMs, io.signal);
    if (io.signal.aborted) {
      io.err(`error: interrupted; the cluster (process ${target.pid}) is still stopping\n`);
      throw new Exit(interruptCode(io.signal));
    }
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
