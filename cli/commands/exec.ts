/** `berth exec`: runs a command in a container; its exit code is ours. */
import type { Pod } from '#api/kinds/core.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples } from '../command.ts';
import { pathOf, resourceNamed } from '../discovery.ts';
import { CliError, Exit } from '../failure.ts';
import { getOne } from '../read.ts';
import { runSession } from '../session.ts';

interface ExecFlags extends ClusterFlags {
  container?: string;
  stdin?: boolean;
  tty?: boolean;
}

export const define: Define = (command, io) => {
  clusterOptions(command)
    .argument('<pod>', 'name of the pod')
    .argument('[command...]', 'after --: the command and its arguments')
    .option('-c, --container <name>', 'which container')
    .option('-i, --stdin', 'pass our input on')
    .option('-t, --tty', 'with a terminal')
    .action((pod: string, words: readonly string[], flags: ExecFlags) =>
      withCluster(io, flags, cluster => exec(cluster, pod.replace(/^pods?\//, ''), words, flags)),
    );
  examples(
    command,
    `berth exec web -- ls /
    echo hello | berth exec -i web -- cat
    berth exec -it web -- sh`,
  );
};

const exec = async (cluster: Cluster, name: string, words: readonly string[], flags: ExecFlags): Promise<void> => {
  if (words.length === 0) throw new CliError('you must specify at least one command for the container');
  const resource = resourceNamed(await cluster.resources(), 'pods');
  const pod = await getOne<Pod>(cluster, resource, { namespace: cluster.namespace, name });
  const { phase } = pod.status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') {
    throw new CliError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  }
  const names = pod.spec.containers.map(container => container.name);
  const container =
    flags.container ?? pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'] ?? names[0]!;
  if (!flags.container && names.length > 1) {
    cluster.io.err(`Defaulted container ${JSON.stringify(container)} out of: ${names.join(', ')}\n`);
  }
  const code = await runSession(cluster, {
    path: pathOf(resource, cluster.namespace, name, 'exec'),
    query: [...words.map(word => ['command', word] as const), ['container', container]],
    stdin: flags.stdin === true,
    tty: flags.tty === true && process.stdin.isTTY === true,
  });
  if (code !== 0) {
    cluster.io.err(`command terminated with exit code ${code}\n`);
    throw new Exit(code);
  }
};
