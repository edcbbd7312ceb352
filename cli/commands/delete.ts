/** `berth delete`: deletes what is named, selected or in manifests, and waits until it is gone. */
import { isReason } from '#api/status.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples, repeated } from '../command.ts';
import { objectPrefix, pathOf } from '../discovery.ts';
import { type DryRun, dryRunOf, dryRunOption, dryRunSuffix } from '../dry-run.ts';
import { durationOption, wholeNumber } from '../durations.ts';
import { CliError, throwAll, withContext } from '../failure.ts';
import type { Io } from '../io.ts';
import { type AnyObject, listAll, selectionOf } from '../read.ts';
import { type Choice, chooseTargets, missingResource, type NamedTarget } from '../targets.ts';
import { deadlineOf, waitGone } from '../waiting.ts';

interface DeleteFlags extends ClusterFlags, Choice {
  gracePeriod: number;
  force?: boolean;
  now?: boolean;
  wait: boolean;
  timeout: number;
  ignoreNotFound?: boolean;
  cascade?: string;
  dryRun?: string;
  output?: string;
}

export const define: Define = (command, io) => {
  dryRunOption(clusterOptions(command))
    .argument('[type]', 'resource type, or TYPE/NAME')
    .argument('[names...]', 'names of objects')
    .option('-f, --filename <file>', 'delete what the manifests describe; may be repeated', repeated)
    .option('-R, --recursive', 'also the directories below')
    .option('-l, --selector <labels>', 'only objects with these labels')
    .option('--field-selector <fields>', 'only objects with these fields')
    .option('--all', 'all objects of the type in the namespace')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('--grace-period <seconds>', "seconds to end in order; -1 takes the pod's own", wholeNumber, -1)
    .option('--force', 'with --grace-period=0: remove at once, without waiting for the node')
    .option('--now', 'the same as --grace-period=1')
    .option('--wait', 'wait until the objects are gone', true)
    .addOption(durationOption('--timeout <duration>', 'give up waiting after this time, 0s: never', '0s'))
    .option('--ignore-not-found', 'exit 0 when an object is not there')
    .option('--cascade [mode]', 'background, foreground or orphan')
    .option('-o, --output <form>', 'name: print TYPE/NAME')
    .action((type: string | undefined, names: readonly string[], flags: DeleteFlags) =>
      withCluster(io, flags, cluster => remove(cluster, type === undefined ? [] : [type, ...names], flags)),
    );
  examples(
    command,
    `berth delete pod web
    berth delete -f manifests/
    berth delete pods -l app=web --now
    berth delete pods --all --grace-period=0 --force`,
  );
};

const remove = async (cluster: Cluster, args: readonly string[], flags: DeleteFlags): Promise<void> => {
  const { io } = cluster;
  const dryRun = dryRunOf(io, flags.dryRun);
  const options = deleteOptions(flags, dryRun, io);
  if (flags.output !== undefined && flags.output !== 'name')
    throw new CliError(`unexpected -o output mode: ${flags.output}. We only support '-o name'`);
  const { doomed, selected, failures } = await find(cluster, args, flags);
  const deleted: (NamedTarget & { uid: string | undefined })[] = [];
  for (const item of doomed) {
    try {
      const uid = dryRun === 'client' ? undefined : await removeOne(cluster, item, options);
      deleted.push({ ...item, uid });
      io.out(said(item, flags, options.gracePeriodSeconds, dryRun));
    } catch (error) {
      if (!isReason(error, 'NotFound') || !(flags.ignoreNotFound || selected)) failures.push(error);
    }
  }
  if (doomed.length === 0 && failures.length === 0) io.out('No resources found\n');
  if (flags.wait && dryRun === 'none') {
    const deadlineMs = deadlineOf(cluster, flags.timeout === 0 ? -1 : flags.timeout);
    for (const item of deleted) {
      try {
        await waitGone(cluster, item.resource, item, deadlineMs);
      } catch (error) {
        failures.push(error);
      }
    }
  }
  throwAll(failures);
};

interface Options {
  readonly propagationPolicy: string;
  readonly gracePeriodSeconds?: number;
  readonly dryRun?: readonly string[];
}

const deleteOptions = (flags: DeleteFlags, dryRun: DryRun, io: Io): Options => {
  if (flags.now && flags.gracePeriod !== -1)
    throw new CliError('--now and --grace-period cannot be specified together');
  let grace = flags.now ? 1 : flags.gracePeriod;
  // Zero without --force would leave a container running that nobody knows: kubectl makes it one second.
  if (grace === 0 && !flags.force) grace = 1;
  if (flags.force && grace < 0) grace = 0;
  if (flags.force && grace > 0)
    throw new CliError('--force and --grace-period greater than 0 cannot be specified together');
  if (flags.force && grace === 0) {
    io.err(
      'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
    );
  }
  return {
    propagationPolicy: propagationOf(flags.cascade, io),
    ...(grace < 0 ? {} : { gracePeriodSeconds: grace }),
    ...(dryRun === 'server' ? { dryRun: ['All'] } : {}),
  };
};

/** The policy of `--cascade`, which once was true or false. */
export const propagationOf = (cascade: string | undefined, io: Io): string => {
  const old = ({ true: 'background', false: 'orphan' } as Record<string, string>)[cascade ?? ''];
  if (old)
    io.err(`warning: --cascade=${cascade} is deprecated (boolean value) and can be replaced with --cascade=${old}.\n`);
  const policies: Record<string, string> = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' };
  const policy = policies[old ?? (cascade || 'background')];
  if (policy) return policy;
  throw new CliError(`invalid cascade value (${cascade}). Must be "background", "foreground", or "orphan"`);
};

const find = async (
  cluster: Cluster,
  args: readonly string[],
  flags: DeleteFlags,
): Promise<{ doomed: readonly NamedTarget[]; selected: boolean; failures: unknown[] }> => {
  if (args.length === 0 && !flags.filename) throw new CliError(missingResource);
  const { targets, named, failures } = await chooseTargets(cluster, args, flags, { explicit: true });
  const doomed: NamedTarget[] = [];
  for (const target of targets) {
    const { resource, name, namespace } = target;
    if (name !== undefined) {
      doomed.push({ ...target, name });
      continue;
    }
    const { items } = await listAll(cluster, resource, { ...selectionOf(flags), namespace });
    for (const { metadata } of items) doomed.push({ resource, name: metadata.name, namespace: metadata.namespace });
  }
  return { doomed, selected: !named, failures: [...failures] };
};

/** The uid of what is being deleted. */
const removeOne = async (cluster: Cluster, item: NamedTarget, options: Options): Promise<string | undefined> => {
  try {
    const answer = await cluster.api.send<AnyObject & { details?: { uid?: string } }>({
      method: 'DELETE',
      path: pathOf(item.resource, item.namespace, item.name),
      body: { kind: 'DeleteOptions', apiVersion: 'v1', ...options },
    });
    return answer.kind === 'Status' ? answer.details?.uid : answer.metadata?.uid;
  } catch (error) {
    if (!item.manifest) throw error;
    throw withContext(error, `error when deleting ${JSON.stringify(item.manifest.source)}: `);
  }
};

const said = (
  { resource, name }: NamedTarget,
  flags: DeleteFlags,
  grace: number | undefined,
  dryRun: DryRun,
): string => {
  if (flags.output === 'name') return `${objectPrefix(resource)}/${name}\n`;
  return `${objectPrefix(resource)} "${name}" ${grace === 0 ? 'force deleted' : 'deleted'}${dryRunSuffix(dryRun)}\n`;
};
