/** cordon and uncordon: the same with the flag the other way round. */
import type { Command } from 'commander';
import { withCluster } from './cluster.ts';
import { type ClusterFlags, clusterOptions } from './command.ts';
import type { Io } from './io.ts';
import { type Chosen, eachObject, lineOf, sendPatch } from './patching.ts';

export const cordonCommand = (command: Command, io: Io, unschedulable: boolean): Command =>
  clusterOptions(command, { namespace: false })
    .argument('[nodes...]', 'names of nodes')
    .option('-l, --selector <labels>', 'nodes with these labels')
    .action((names: readonly string[], flags: ClusterFlags & Chosen) =>
      withCluster(io, flags, cluster =>
        eachObject(
          cluster,
          ['nodes', ...names.map(name => name.replace(/^nodes?\//, ''))],
          flags,
          async (target, object) => {
            const { spec } = object as { spec?: { unschedulable?: boolean } };
            const word = unschedulable ? 'cordoned' : 'uncordoned';
            if ((spec?.unschedulable ?? false) === unschedulable)
              return io.out(`${lineOf(target, object)} already ${word}\n`);
            const body = { spec: { unschedulable: unschedulable ? true : null } };
            await sendPatch(cluster, target, object, { type: 'strategic', manager: `kubectl-${command.name()}`, body });
            io.out(`${lineOf(target, object)} ${word}\n`);
          },
        ),
      ),
    );
