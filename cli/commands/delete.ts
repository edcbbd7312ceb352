/** `berth delete`: deletes what is named, selected or in manifests, and waits until it is gone. */
import { isReason } from '#api/status.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples, repeated } from '../command.ts';
import { objectPrefix, pathOf, type Resource } from '../discovery.ts';
import { durationMs, wholeNumber } from '../durations.ts';
import { CliError, throwAll } from '../failure.ts';
import { targetsOfFiles } from '../file-targets.ts';
import { type AnyObject, listAll, namespaceFor, probeNamespace } from '../read.ts';
import { parseTargets } from '../targets.ts';
import { deadlineOf, waitGone } from '../waiting.ts';

interface DeleteFlags extends ClusterFlags {
  filename?: readonly string[];
  recursive?: boolean;
  selector?: string;
  fieldSelector?: string;
  all?: boolean;
  allNamespaces?: boolean;
  gracePeriod: string;
  force?: boolean;
  now?: boolean;
  wait: boolean;
  timeout: string;
  ignoreNotFound?: boolean;
  cascade: string;
  dryRun?: string;
  output?: string;
}

export const define: Define = (command, io) => {
  clusterOptions(command)
    .argument('[type]', 'resource type, or TYPE/NAME')
    .argument('[names...]', 'names of objects')
    .option('-f, --filename <file>', 'delete what the manifests describe; may be repeated', repeated)
    .option('-R, --recursive', 'also the directories below')
    .option('-l, --selector <labels>', 'only objects with these labels')
    .option('--field-selector <fields>', 'only objects with these fields')
    .option('--all', 'all objects of the type in the namespace')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('--grace-period <seconds>', "seconds to end in order; -1 takes the pod's own", '-1')
    .option('--force', 'with --grace-period=0: remove at once, without waiting for the node')
    .option('--now', 'the same as --grace-period=1')
    .option('--wait', 'wait until the objects are gone', true)
    .option('--timeout <duration>', 'give up waiting after this time (0s: never)', '0s')
    .option('--ignore-not-found', 'exit 0 when an object is not there')
    .option('--cascade [mode]', 'background, foreground or orphan')
    .option('--dry-run [mode]', 'none, client or server')
    .option('-o, --output <form>', 'name: print TYPE/NAME')
    .action((type: string | undefined, names: readonly string[], flags: DeleteFlags) =>
      withCluster(io, flags, cluster => remove(cluster, type === undefined ? [] : [type, ...names], flags)),
    );
  for (const option of command.options) {
    if (option.long === '--cascade') option.preset('background');
    if (option.long === '--dry-run') option.preset('client');
  }
  examples(
    command,
    `berth delete pod web
    berth delete -f manifests/
    berth delete pods -l app=web --now
    berth delete pods --all --grace-period=0 --force`,
  );
};

interface Doomed {
  readonly resource: Resource;
  readonly name: string;
  readonly namespace: string | undefined;
}

const remove = async (cluster: Cluster, args: readonly string[], flags: DeleteFlags): Promise<void> => {
  const { io } = cluster;
  const options = deleteOptions(flags, io.err);
  const { doomed, selected } = await find(cluster, args, flags);
  const deleted: (Doomed & { uid: string | undefined })[] = [];
  const failures: unknown[] = [];
  for (const item of doomed) {
    try {
      const uid = flags.dryRun === 'client' ? undefined : await removeOne(cluster, item, options);
      deleted.push({ ...item, uid });
      io.out(said(item, flags, options.gracePeriodSeconds));
    } catch (error) {
      if (!isReason(error, 'NotFound') || !(flags.ignoreNotFound || selected)) failures.push(error);
    }
  }
  if (doomed.length === 0) io.out('No resources found\n');
  if (flags.wait && !flags.dryRun) {
    const timeoutMs = durationMs(flags.timeout, '--timeout');
    const deadlineMs = deadlineOf(cluster, timeoutMs === 0 ? -1 : timeoutMs);
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

const deleteOptions = (flags: DeleteFlags, warn: (text: string) => void): Options => {
  const asked = wholeNumber(flags.gracePeriod, '--grace-period');
  if (flags.now && asked !== -1) throw new CliError('--now and --grace-period cannot be specified together');
  let grace = flags.now ? 1 : asked;
  // Zero without --force would leave a container running that nobody knows: kubectl makes it one second.
  if (grace === 0 && !flags.force) grace = 1;
  if (flags.force && grace < 0) grace = 0;
  if (flags.force && grace > 0)
    throw new CliError('--force and --grace-period greater than 0 cannot be specified together');
  if (flags.force && grace === 0) {
    warn(
      'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
    );
  }
  const policies: Record<string, string> = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' };
  const propagationPolicy = policies[flags.cascade ?? 'background'];
  if (!propagationPolicy) {
    throw new CliError(`invalid cascade value (${flags.cascade}). Must be "background", "foreground", or "orphan".`);
  }
  return {
    propagationPolicy,
    ...(grace < 0 ? {} : { gracePeriodSeconds: grace }),
    ...(flags.dryRun === 'server' ? { dryRun: ['All'] } : {}),
  };
};

const find = async (
  cluster: Cluster,
  args: readonly string[],
  flags: DeleteFlags,
): Promise<{ doomed: readonly Doomed[]; selected: boolean }> => {
  if (flags.filename) {
    const { targets } = await targetsOfFiles(cluster, flags.filename, flags.recursive === true);
    return {
      doomed: targets.map(target => ({ ...target, name: target.name!, namespace: target.namespace })),
      selected: false,
    };
  }
  if (args.length === 0)
    throw new CliError(
      "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'",
    );
  const { targets, named } = parseTargets(args, await cluster.resources());
  const bySelector = flags.all || flags.selector !== undefined || flags.fieldSelector !== undefined;
  if (named && bySelector) throw new CliError('name cannot be provided when a selector is specified');
  if (!named && !bySelector) throw new CliError('resource(s) were provided, but no name was specified');
  const doomed: Doomed[] = [];
  for (const { resource, name } of targets) {
    const namespace = namespaceFor(cluster, resource, flags.allNamespaces);
    if (name !== undefined) {
      doomed.push({ resource, name, namespace });
      continue;
    }
    const selection = { namespace, labelSelector: flags.selector, fieldSelector: flags.fieldSelector };
    const { items } = await listAll(cluster, resource, selection);
    for (const { metadata } of items) doomed.push({ resource, name: metadata.name, namespace: metadata.namespace });
  }
  return { doomed, selected: !named };
};

/** The uid of what is being deleted. */
const removeOne = async (cluster: Cluster, item: Doomed, options: Options): Promise<string | undefined> => {
  const path = pathOf(item.resource, item.namespace, item.name);
  try {
    const answer = await cluster.api.send<AnyObject & { details?: { uid?: string } }>({
      method: 'DELETE',
      path,
      body: { kind: 'DeleteOptions', apiVersion: 'v1', ...options },
    });
    return answer.kind === 'Status' ? answer.details?.uid : answer.metadata?.uid;
  } catch (error) {
    if (isReason(error, 'NotFound') && item.resource.namespaced) await probeNamespace(cluster, item.namespace);
    throw error;
  }
};

const said = ({ resource, name }: Doomed, flags: DeleteFlags, grace: number | undefined): string => {
  if (flags.output === 'name') return `${objectPrefix(resource)}/${name}\n`;
  const operation = grace === 0 ? 'force deleted' : 'deleted';
  const dry = flags.dryRun === 'client' ? ' (dry run)' : flags.dryRun === 'server' ? ' (server dry run)' : '';
  return `${objectPrefix(resource)} "${name}" ${operation}${dry}\n`;
};
