/** cordon and uncordon: the same with the flag the other way round. */
import type { Command } from 'commander';
import { type Cluster, withCluster } from './cluster.ts';
import { type ClusterFlags, clusterOptions } from './command.ts';
import { resourceNamed } from './discovery.ts';
import { dryRunOf, dryRunOption, dryRunSuffix } from './dry-run.ts';
import { CliError, usageError } from './failure.ts';
import type { Io } from './io.ts';
import { eachObject, lineOf, sendPatch } from './patching.ts';
import { type AnyObject, getOne } from './read.ts';
import type { Choice, Target } from './targets.ts';

interface CordonFlags extends ClusterFlags, Choice {
  dryRun?: string;
}

export const cordonCommand = (command: Command, io: Io, unschedulable: boolean): Command =>
  dryRunOption(clusterOptions(command, { namespace: false }))
    .argument('[nodes...]', 'names of nodes')
    .option('-l, --selector <labels>', 'nodes with these labels')
    .action((names: readonly string[], flags: CordonFlags) =>
      withCluster(io, flags, async cluster => {
        const nodes = names.map(name => name.replace(/^(nodes?|no)\//, ''));
        if (nodes.length === 0 && !flags.selector)
          throw usageError(command.name(), `USAGE: ${command.name()} NODE [flags]`);
        if (nodes.length > 0 && flags.selector)
          throw usageError(command.name(), 'cannot specify both a node name and a --selector option');
        const stray = nodes.find(name => name.includes('/'));
        if (stray !== undefined) throw new CliError(`${command.name()} is for nodes only, not for ${stray}`);
        // All are looked up before any is changed.
        const resource = resourceNamed(await cluster.resources(), 'nodes');
        for (const name of nodes) await getOne(cluster, resource, { namespace: undefined, name });
        const mode = dryRunOf(io, flags.dryRun);
        await eachObject(cluster, ['nodes', ...nodes], flags, async (target, node) => {
          const changed = await setUnschedulable(cluster, target, node, unschedulable, mode);
          const word = `${changed ? '' : 'already '}${unschedulable ? 'cordoned' : 'uncordoned'}`;
          io.out(`${lineOf(target, node)} ${word}${dryRunSuffix(mode)}\n`);
        });
      }),
    );

/** False: it was so already. */
const setUnschedulable = async (
  cluster: Cluster,
  target: Target,
  node: AnyObject,
  unschedulable: boolean,
  dryRun: ReturnType<typeof dryRunOf>,
): Promise<boolean> => {
  const { spec } = node as { spec?: { unschedulable?: boolean } };
  if ((spec?.unschedulable ?? false) === unschedulable) return false;
  const body = { spec: { unschedulable: unschedulable ? true : null } };
  const manager = unschedulable ? 'kubectl-cordon' : 'kubectl-uncordon';
  if (dryRun !== 'client') await sendPatch(cluster, target, node, { type: 'strategic', manager, body, dryRun });
  return true;
};
