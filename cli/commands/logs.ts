/** `berth logs`: what containers wrote, of one pod, of the pods behind an object, or of those with certain labels. */
import type { Pod } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples } from '../command.ts';
import { pathOf, type Resource, resourceNamed } from '../discovery.ts';
import { durationMs, wholeNumber } from '../durations.ts';
import { CliError } from '../failure.ts';
import { type AnyObject, getOne, listAll, watchLines } from '../read.ts';

interface LogFlags extends ClusterFlags {
  follow?: boolean;
  tail?: string;
  since?: string;
  sinceTime?: string;
  limitBytes?: string;
  previous?: boolean;
  timestamps?: boolean;
  container?: string;
  allContainers?: boolean;
  allPods?: boolean;
  selector?: string;
  prefix?: boolean;
  ignoreErrors?: boolean;
  maxLogRequests: string;
}

export const define: Define = (command, io) => {
  clusterOptions(command)
    .argument('[pod]', 'name of a pod, or TYPE/NAME of what owns pods')
    .argument('[container]', 'name of the container')
    .option('-f, --follow', 'go on as long as the container writes')
    .option('--tail <lines>', 'only the last lines (-1: all; with -l: 10)')
    .option('--since <duration>', 'only lines newer than this (5s, 2m, 3h)')
    .option('--since-time <time>', 'only lines after this time (RFC 3339)')
    .option('--limit-bytes <n>', 'at most so many bytes')
    .option('-p, --previous', 'of the container that ran before the present one')
    .option('--timestamps', 'the time before each line')
    .option('-c, --container <name>', 'which container')
    .option('--all-containers', 'all containers of the pods')
    .option('--all-pods', 'all pods of the object, not only one; sets --prefix')
    .option('-l, --selector <labels>', 'of the pods with these labels')
    .option('--prefix', 'the pod and container before each line')
    .option('--ignore-errors', 'go on when one log cannot be had')
    .option('--max-log-requests <n>', 'how many logs to follow at once', '5')
    .action((pod: string | undefined, container: string | undefined, flags: LogFlags) =>
      withCluster(io, flags, cluster => logs(cluster, pod, { ...flags, ...(container ? { container } : {}) })),
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

const logs = async (cluster: Cluster, what: string | undefined, flags: LogFlags): Promise<void> => {
  if (what === undefined && flags.selector === undefined) {
    throw new CliError(
      "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command",
    );
  }
  if (what !== undefined && flags.selector !== undefined)
    throw new CliError('only a selector (-l) or a POD name is allowed');
  if (flags.since !== undefined && flags.sinceTime !== undefined)
    throw new CliError('at most one of `sinceTime` or `sinceSeconds` may be specified');
  if (flags.allContainers && flags.container)
    throw new CliError('--all-containers=true should not be specified with container name');
  const query = queryOf(flags);
  const pods = await podsOf(cluster, what, flags);
  const sources = pods.flatMap(pod => containersOf(cluster, pod, flags).map(container => ({ pod, container })));
  const limit = wholeNumber(flags.maxLogRequests, '--max-log-requests');
  if (flags.follow && sources.length > limit) {
    throw new CliError(
      `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${limit}, use --max-log-requests to increase the limit`,
    );
  }
  const read = (source: Source) => copy(cluster, source, query, flags);
  if (flags.follow && sources.length > 1) await Promise.all(sources.map(read));
  else for (const source of sources) await read(source);
};

const queryOf = (flags: LogFlags): Record<string, string | number | boolean | undefined> => {
  const tail = flags.tail === undefined ? (flags.selector === undefined ? -1 : 10) : wholeNumber(flags.tail, '--tail');
  if (tail < -1) throw new CliError('--tail must be greater than or equal to -1');
  if (flags.sinceTime !== undefined && Number.isNaN(Date.parse(flags.sinceTime))) {
    throw new CliError(
      `invalid argument ${JSON.stringify(flags.sinceTime)} for "--since-time" flag: must be a RFC 3339 time`,
    );
  }
  return {
    follow: flags.follow || undefined,
    previous: flags.previous || undefined,
    timestamps: flags.timestamps || undefined,
    tailLines: tail < 0 ? undefined : tail,
    sinceSeconds:
      flags.since === undefined ? undefined : Math.round(durationMs(flags.since, '--since') / 1000) || undefined,
    sinceTime: flags.sinceTime,
    limitBytes: flags.limitBytes === undefined ? undefined : wholeNumber(flags.limitBytes, '--limit-bytes'),
  };
};

const podResource = async (cluster: Cluster): Promise<Resource> => resourceNamed(await cluster.resources(), 'pods');

const podsOf = async (cluster: Cluster, what: string | undefined, flags: LogFlags): Promise<readonly Pod[]> => {
  const pods = await podResource(cluster);
  const { namespace } = cluster;
  if (what === undefined) {
    const { items } = await listAll<Pod>(cluster, pods, { namespace, labelSelector: flags.selector });
    if (items.length === 0) cluster.io.err(`No resources found in ${namespace} namespace.\n`);
    return items;
  }
  const [type, name] = what.includes('/') ? (what.split('/', 2) as [string, string]) : ['pods', what];
  const resource = resourceNamed(await cluster.resources(), type);
  const object = await getOne(cluster, resource, {
    namespace: resource.namespaced ? namespace : undefined,
    name,
  }).catch((error: unknown) => {
    if (!isReason(error, 'NotFound')) throw error;
    throw new CliError(`error from server (NotFound): ${error.message} in namespace ${JSON.stringify(namespace)}`);
  });
  if (resource.plural === 'pods') return [object as unknown as Pod];
  return podsBehind(cluster, pods, resource, object, flags);
};

/** The pods that an object's selector picks; waits for the first when there is none yet. */
const podsBehind = async (
  cluster: Cluster,
  pods: Resource,
  resource: Resource,
  object: AnyObject,
  flags: LogFlags,
): Promise<readonly Pod[]> => {
  const { spec } = object as {
    spec?: { selector?: { matchLabels?: Record<string, string> } & Record<string, unknown> };
  };
  const labels =
    spec?.selector?.matchLabels ??
    (resource.plural === 'services' ? (spec?.selector as Record<string, string>) : undefined);
  if (!labels)
    throw new CliError(
      `cannot get the logs from ${resource.group ? `${resource.group}/` : ''}${resource.version}, Kind=${resource.kind}: it selects no pods`,
    );
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const selection = { namespace: cluster.namespace, labelSelector };
  const { items, resourceVersion } = await listAll<Pod>(cluster, pods, selection);
  const [first] = items;
  if (first) {
    if (flags.allPods) return items;
    if (items.length > 1) cluster.io.err(`Found ${items.length} pods, using pod/${first.metadata.name}\n`);
    return [first];
  }
  for await (const event of watchLines<Pod>(cluster, pods, selection, { resourceVersion, signal: cluster.io.signal })) {
    if (event.type === 'ADDED') return [event.object];
  }
  return [];
};

const defaultContainer = 'kubectl.kubernetes.io/default-container';

const containersOf = (cluster: Cluster, pod: Pod, flags: LogFlags): readonly string[] => {
  const main = pod.spec.containers.map(container => container.name);
  const init = (pod.spec.initContainers ?? []).map(container => container.name);
  if (flags.allContainers) return [...init, ...main];
  if (flags.container !== undefined) {
    if ([...main, ...init].includes(flags.container)) return [flags.container];
    throw new CliError(`container ${flags.container} is not valid for pod ${pod.metadata.name}`);
  }
  const annotated = pod.metadata.annotations?.[defaultContainer];
  if (annotated && main.includes(annotated)) return [annotated];
  const [first = ''] = main;
  if (main.length + init.length > 1) {
    const all = [...main, ...init.map(name => `${name} (init)`)].join(', ');
    cluster.io.err(`Defaulted container ${JSON.stringify(first)} out of: ${all}\n`);
  }
  return [first];
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
    if (!flags.ignoreErrors) throw error;
    io.err(`error: ${(error as Error).message}\n`);
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
