/** `berth exec`: runs a command in a container; its exit code is ours. */
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples, repeated } from '../command.ts';
import { pathOf, resourceName, resourceNamed } from '../discovery.ts';
import { durationOption } from '../durations.ts';
import { CliError, Exit, throwAll, usageError } from '../failure.ts';
import { targetsOfFiles } from '../file-targets.ts';
import { defaultContainer, podsBehind } from '../pods-behind.ts';
import { runSession } from '../session.ts';

interface ExecFlags extends ClusterFlags {
  container?: string;
  filename?: readonly string[];
  stdin?: boolean;
  tty?: boolean;
  quiet?: boolean;
  podRunningTimeout: number;
  /** Set by normalizeArguments. */
  afterDashes?: readonly string[];
}

export const define: Define = (command, io) => {
  clusterOptions(command)
    .argument('[words...]', 'POD or TYPE/NAME, then after --: the command and its arguments')
    .option('-c, --container <name>', 'which container')
    .option('-f, --filename <file>', 'the pod of a manifest', repeated)
    .option('-i, --stdin', 'pass our input on')
    .option('-t, --tty', 'with a terminal')
    .option('-q, --quiet', 'print only what the command prints')
    .addOption(
      durationOption('--pod-running-timeout <duration>', 'how long to wait for the first pod of TYPE/NAME', '1m'),
    )
    .usage('[options] (POD | TYPE/NAME) -- COMMAND [args...]')
    .action((words: readonly string[], flags: ExecFlags) =>
      withCluster(io, flags, cluster => exec(cluster, words, flags)),
    );
  examples(
    command,
    `berth exec web -- ls /
    echo hello | berth exec -i web -- cat
    berth exec -it web -- sh`,
  );
};

const exec = async (cluster: Cluster, words: readonly string[], flags: ExecFlags): Promise<void> => {
  const { afterDashes: command = [] } = flags;
  const before = words.slice(0, words.length - command.length);
  if (before.length > (flags.filename ? 0 : 1))
    throw usageError('exec', 'exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead');
  const what = before[0] ?? (flags.filename ? await fromFile(cluster, flags.filename) : undefined);
  if (what === undefined) throw new CliError('pod, type/name or --filename must be specified');
  if (command.length === 0) throw new CliError('you must specify at least one command for the container');
  const { pods } = await podsBehind(cluster, what, { verb: 'attach to', timeoutMs: flags.podRunningTimeout });
  const pod = pods[0]!;
  const { phase } = pod.status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') {
    throw new CliError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  }
  const say = flags.quiet ? () => {} : cluster.io.err;
  const container = flags.container ?? defaultContainer(pod, say);
  const tty = flags.tty === true && process.stdin.isTTY === true;
  if (flags.tty && flags.stdin && !tty)
    say('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  const resource = resourceNamed(await cluster.resources(), 'pods');
  const code = await runSession(cluster, {
    path: pathOf(resource, cluster.namespace, pod.metadata.name, 'exec'),
    query: [...command.map(word => ['command', word] as const), ['container', container]],
    stdin: flags.stdin === true,
    tty,
  });
  if (code !== 0) {
    cluster.io.err(`command terminated with exit code ${code}\n`);
    throw new Exit(code);
  }
};

/** `TYPE/NAME` of the one object of the manifests. */
const fromFile = async (cluster: Cluster, files: readonly string[]): Promise<string> => {
  const { targets, failures } = await targetsOfFiles(cluster, files, {});
  throwAll(failures);
  const [target] = targets;
  if (!target || targets.length > 1)
    throw new CliError(`-f must name one object to run the command in, and names ${targets.length}`);
  return `${resourceName(target.resource)}/${target.name}`;
};
