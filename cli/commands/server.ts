/** `berth server`: the control plane alone, in the foreground; nodes join it with `berth agent`. */
import { join, resolve } from 'node:path';
import { systemRandom } from '#base/system.ts';
import { addCluster } from '#client/kubeconfig.ts';
import { startControlPlane } from '#scheduler/main.ts';
import type { Define } from '../command.ts';
import { examples, repeated } from '../command.ts';
import { kubeconfigLocation } from '../connection.ts';
import { CliError } from '../failure.ts';
import type { Io } from '../io.ts';
import { warnOfHost } from '../local/host-warning.ts';
import { claim, dataFolder } from '../local/instance.ts';
import { joinText } from '../local/join.ts';
import { openLog } from '../local/log.ts';
import { readSchedulerConfig } from '../local/scheduler-config.ts';
import { parseTimings } from '../local/timings.ts';
import { clientVersion } from './version.ts';

interface ServerFlags {
  data?: string;
  host: string;
  port: string;
  name?: readonly string[];
  timings: string;
  durability: string;
  schedulerConfig?: string;
  context?: string;
  kubeconfig?: string;
}

export const define: Define = (command, io) => {
  command
    .option('--data <folder>', 'where everything is kept (default: $BERTH_DATA or ~/.local/share/berth)')
    .option('--host <address>', 'address to listen on; 0.0.0.0 for nodes on other machines', '127.0.0.1')
    .option('--port <n>', 'port of the API', '6443')
    .option('--name <name>', 'a further name or address that clients reach it by; may be repeated', repeated)
    .option(
      '--timings <profile>',
      'kubernetes, or fast: lost nodes are noticed in seconds (agents need it too)',
      'kubernetes',
    )
    .option(
      '--durability <what>',
      'process: writes outlive a crash of Berth; power: each batch is synced to disk and outlives a power cut too',
      'process',
    )
    .option('--scheduler-config <file>', 'a KubeSchedulerConfiguration (docs/SCHEDULER-CONFIG.md)')
    .option('--context <name>', 'also write a context of this name to the kubeconfig')
    .option('--kubeconfig <file>', 'that kubeconfig (default: $KUBECONFIG or ~/.kube/config)')
    .action((flags: ServerFlags) => run(io, flags));
  examples(
    command,
    `berth server --host 0.0.0.0
    berth server --host 0.0.0.0 --name berth.example.org --context berth`,
  );
};

const run = async (io: Io, flags: ServerFlags): Promise<void> => {
  const timings = parseTimings(flags.timings);
  if (!/^\d+$/.test(flags.port)) throw new CliError(`--port ${flags.port}: expected a number`);
  const { durability } = flags;
  if (durability !== 'process' && durability !== 'power')
    throw new CliError(`--durability ${durability}: expected process or power`);
  const scheduler = flags.schedulerConfig
    ? await readSchedulerConfig(resolve(io.cwd, flags.schedulerConfig))
    : undefined;
  for (const warning of scheduler?.warnings ?? []) io.err(`Warning: ${warning}\n`);
  const data = dataFolder(io, flags.data);
  const place = claim(data);
  const log = openLog(undefined, io.env['BERTH_LOG']);
  try {
    const plane = await startControlPlane({
      dataDir: join(data, 'server'),
      host: flags.host,
      port: Number(flags.port),
      names: flags.name ?? [],
      clock: io.clock,
      random: systemRandom,
      log,
      timings,
      durability,
      ...(scheduler === undefined ? {} : { schedulerConfig: scheduler.config, schedulerConfigFile: scheduler.source }),
    });
    try {
      const { url, caPem, adminToken, joinToken } = plane;
      const own = join(data, 'kubeconfig');
      const context = flags.context ?? 'berth';
      await addCluster({ kubeconfig: own, env: io.env }, { name: context, server: url, caPem, token: adminToken });
      const files = [own];
      if (flags.context) {
        const location = kubeconfigLocation(io, flags.kubeconfig ? { kubeconfig: flags.kubeconfig } : {});
        files.push(await addCluster(location, { name: context, server: url, caPem, token: adminToken }));
      }
      const note = { startedAt: new Date(io.clock.now()).toISOString(), version: clientVersion(), url, context };
      const reach = flags.name?.[0] === undefined ? url : url.replace(/\/\/[^:]+/, `//${flags.name[0]}`);
      io.out(`Berth server ${clientVersion()}: ${url}\n  data        ${data}\n  kubeconfig  ${files.join(', ')}\n\n`);
      const word = joinText({ server: reach, token: joinToken, caPem });
      place.note({ ...note, kubeconfig: own, nodes: [], join: word, token: adminToken });
      warnOfHost(io, flags.host);
      // Not the word itself: the output of a server often goes to a log, and the word holds a token.
      io.out(`A node joins with the command that this prints:\n  berth token --data ${data}\n`);
      await new Promise<void>(resolve => {
        if (io.signal.aborted) resolve();
        io.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      await plane.stop();
    }
  } catch (error) {
    if (error instanceof Error && /is in use/.test(error.message)) throw new CliError(error.message);
    throw error;
  } finally {
    place.release();
  }
};
