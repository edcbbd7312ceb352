/** `berth logs`: what containers wrote, of one pod, of the pods behind an object, or of those with certain labels. */
import type { Pod } from '#api/kinds/core.ts';
import { ApiError, isReason } from '#api/status.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples } from '../command.ts';
import { pathOf, type Resource, resourceNamed } from '../discovery.ts';
import { duration, durationOption, wholeNumber } from '../durations.ts';
import { CliError, usageError } from '../failure.ts';
import { defaultContainer, podsBehind } from '../pods-behind.ts';
import { listAll } from '../read.ts';

interface LogFlags extends ClusterFlags {
  follow?: boolean;
  tail?: number;
  since?: number;
  sinceTime?: string;
  limitBytes?: number;
  previous?: boolean;
  timestamps?: boolean;
  container?: string;
  allContainers?: boolean;
  allPods?: boolean;
  selector?: string;
  prefix?: boolean;
  ignoreErrors?: boolean;
  maxLogRequests: number;
  podRunningTimeout: number;
}

export const define: Define = (command, io) => {
  clusterOptions(command)
    .argument('[pod]', 'name of a pod, or TYPE/NAME of what owns pods')
    .argument('[container...]', 'name of the container')
    .option('-f, --follow', 'go on as long as the container writes')
    .option('--tail <lines>', 'only the last lines (-1: all; with -l: 10)', wholeNumber)
    .option('--since <duration>', 'only lines newer than this (5s, 2m, 3h)', duration)
    .option('--since-time <time>', 'only lines after this time (RFC 3339)')
    .option('--limit-bytes <n>', 'at most so many bytes', wholeNumber)
    .option('-p, --previous', 'of the container that ran before the present one')
    .option('--timestamps', 'the time before each line')
    .option('-c, --container <name>', 'which container')
    .option('--all-containers', 'all containers of the pods')
    .option('--all-pods', 'all pods of the object, not only one; sets --prefix')
    .option('-l, --selector <labels>', 'of the pods with these labels')
    .option('--prefix', 'the pod and container before each line')
    .option('--ignore-errors', 'go on when one log cannot be had')
    .option('--max-log-requests <n>', 'how many logs to follow at once', wholeNumber, 5)
    .addOption(
      durationOption('--pod-running-timeout <duration>', 'how long to wait for the first pod of TYPE/NAME', '20s'),
    )
    .action((pod: string | undefined, containers: readonly string[], flags: LogFlags) =>
      withCluster(io, flags, cluster => logs(cluster, pod || undefined, containers, flags)),
    );
  examples(
    command,
    `berth logs web
    berth logs -f web -c app --tail=20
    berth logs -p web
    berth logs -l app=web --prefix --all-containers`,
  );
};

interface Source {
  readonly pod: Pod;
  readonly container: string;
}

const logs = async (
  cluster: Cluster,
  what: string | undefined,
  inline: readonly string[],
  given: LogFlags,
): Promise<void> => {
  checkArguments(what, inline, given);
  const flags = { ...given, ...(inline[0] === undefined ? {} : { container: inline[0] }) };
  const query = queryOf(flags);
  const pods = await podsOf(cluster, what, flags);
  const sources = pods.flatMap(pod => containersOf(cluster, pod, flags).map(container => ({ pod, container })));
  const limit = flags.maxLogRequests;
  if (flags.follow && sources.length > limit) {
    throw new CliError(
      `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${limit}, use --max-log-requests to increase the limit`,
    );
  }
  const read = (source: Source) => copy(cluster, source, query, flags);
  if (flags.follow && sources.length > 1) await Promise.all(sources.map(read));
  else for (const source of sources) await read(source);
};

const checkArguments = (what: string | undefined, inline: readonly string[], flags: LogFlags): void => {
  if ((what === undefined && !flags.selector) || inline.length > 1)
    throw usageError(
      'logs',
      "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command",
    );
  if (what !== undefined && flags.selector) throw usageError('logs', 'only a selector (-l) or a POD name is allowed');
  if (inline.length > 0 && flags.container !== undefined)
    throw new CliError('only one of -c or an inline [CONTAINER] arg is allowed');
  const container = flags.container ?? inline[0];
  if (flags.allContainers && container !== undefined)
    throw new CliError(`--all-containers=true should not be specified with container name ${container}`);
  if (flags.since !== undefined && flags.sinceTime !== undefined)
    throw new CliError('at most one of `sinceTime` or `sinceSeconds` may be specified');
  if ((flags.since ?? 0) < 0) throw new CliError('--since must be greater than 0');
  if ((flags.limitBytes ?? 0) < 0) throw new CliError('--limit-bytes must be greater than 0');
  if ((flags.tail ?? 0) < -1) throw new CliError('--tail must be greater than or equal to -1');
  if (flags.podRunningTimeout <= 0) throw new CliError('--pod-running-timeout must be higher than zero');
};

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)$/;

const queryOf = (flags: LogFlags): Record<string, string | number | boolean | undefined> => {
  const tail = flags.tail ?? (flags.selector === undefined ? -1 : 10);
  const { sinceTime } = flags;
  if (sinceTime !== undefined && !(rfc3339.test(sinceTime) && !Number.isNaN(Date.parse(sinceTime))))
    throw new CliError(
      `parsing time ${JSON.stringify(sinceTime)} as "2006-01-02T15:04:05Z07:00": --since-time takes a time of RFC 3339`,
    );
  return {
    follow: flags.follow || undefined,
    previous: flags.previous || undefined,
    timestamps: flags.timestamps || undefined,
    tailLines: tail < 0 ? undefined : tail,
    sinceSeconds: Math.ceil((flags.since ?? 0) / 1000) || undefined,
    sinceTime,
    limitBytes: flags.limitBytes || undefined,
  };
};

const podResource = async (cluster: Cluster): Promise<Resource> => resourceNamed(await cluster.resources(), 'pods');

const podsOf = async (cluster: Cluster, what: string | undefined, flags: LogFlags): Promise<readonly Pod[]> => {
  const { namespace, io } = cluster;
  if (what === undefined) {
    const selection = { namespace, labelSelector: flags.selector };
    const { items } = await listAll<Pod>(cluster, await podResource(cluster), selection);
    if (items.length === 0) io.err(`No resources found in ${namespace} namespace.\n`);
    return items;
  }
  const choice = { verb: 'get the logs from', timeoutMs: flags.podRunningTimeout };
  const { pods, named } = await podsBehind(cluster, what, choice).catch((error: unknown) => {
    if (!isReason(error, 'NotFound')) throw error;
    throw new CliError(`error from server (NotFound): ${error.message} in namespace ${JSON.stringify(namespace)}`);
  });
  if (named || flags.allPods) return pods;
  if (pods.length > 1) io.err(`Found ${pods.length} pods, using pod/${pods[0]!.metadata.name}\n`);
  return pods.slice(0, 1);
};

const containersOf = (cluster: Cluster, pod: Pod, flags: LogFlags): readonly string[] => {
  const main = pod.spec.containers.map(container => container.name);
  const init = (pod.spec.initContainers ?? []).map(container => container.name);
  if (flags.allContainers) return [...init, ...main];
  if (flags.container === undefined) return [defaultContainer(pod, flags.allPods ? () => {} : cluster.io.err)];
  if ([...main, ...init].includes(flags.container)) return [flags.container];
  throw new CliError(`container ${flags.container} is not valid for pod ${pod.metadata.name}`);
};

const copy = async (
  cluster: Cluster,
  { pod, container }: Source,
  query: ReturnType<typeof queryOf>,
  flags: LogFlags,
) => {
  const { io } = cluster;
  const path = pathOf(await podResource(cluster), pod.metadata.namespace, pod.metadata.name, 'log');
  const prefix = flags.prefix || flags.allPods ? `[pod/${pod.metadata.name}/${container}] ` : '';
  const write = prefix === '' ? (chunk: Uint8Array) => io.out(chunk) : linesWith(prefix, io.out);
  try {
    const call = { path, query: { ...query, container }, accept: '*/*' };
    for await (const chunk of cluster.api.stream(call, io.signal)) {
      write(chunk);
      await io.drain();
    }
  } catch (error) {
    if (!flags.ignoreErrors || !(error instanceof ApiError || error instanceof CliError)) throw error;
    io.out(`error: ${error.message}\n`);
  }
};

/** Puts the prefix before each line; a line is written when it is whole, so that those of several pods do not mix. */
const linesWith = (prefix: string, out: (text: string) => void): ((chunk: Uint8Array) => void) => {
  const decoder = new TextDecoder();
  let rest = '';
  return chunk => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    out(lines.map(line => `${prefix}${line}\n`).join(''));
  };
};
