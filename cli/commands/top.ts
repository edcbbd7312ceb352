/** `berth top`: CPU and memory that nodes and pods use, from metrics.k8s.io. */

import type { Command } from 'commander';
import { humanDuration } from '#api/duration.ts';
import type { Node } from '#api/kinds/core.ts';
import { addQuantities, milliValue, wholeValue } from '#api/quantity.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples, newCommand } from '../command.ts';
import { type Resource, resourceNamed } from '../discovery.ts';
import { CliError, usageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { natural } from '../output/sort.ts';
import { alignTabs, tableTabs } from '../output/tabwriter.ts';
import { type AnyObject, getOne, listAll } from '../read.ts';

interface TopFlags extends ClusterFlags {
  allNamespaces?: boolean;
  selector?: string;
  fieldSelector?: string;
  sortBy?: string;
  containers?: boolean;
  headers: boolean;
  sum?: boolean;
  showCapacity?: boolean;
}

type Usage = Readonly<Record<string, string>>;
interface Measured extends AnyObject {
  usage?: Usage;
  containers?: { name: string; usage: Usage }[];
}

export const define: Define = (command, io) => {
  command.addCommand(podCommand(io)).addCommand(nodeCommand(io));
  command
    .argument('[what]')
    .usage('[options] pod|node [name]')
    .action((what: string | undefined) => {
      if (what !== undefined) throw usageError('top', `unknown command ${JSON.stringify(what)}`);
      command.help({ error: true });
    });
  examples(
    command,
    `berth top node
    berth top pod -A --sort-by=memory
    berth top pod web --containers`,
  );
};

const shared = (command: Command): Command =>
  command
    .option('-l, --selector <labels>', 'only those with these labels')
    .option('--sort-by <column>', 'cpu or memory')
    .option('--no-headers', 'do not print headers');

const podCommand = (io: Io): Command =>
  shared(clusterOptions(newCommand('pod', io, 'top pod')))
    .aliases(['pods', 'po'])
    .description('usage of pods')
    .argument('[name...]', 'name of a pod')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('--field-selector <fields>', 'only pods with these fields')
    .option('--containers', 'a line for each container')
    .option('--sum', 'add a line with the sum')
    .action((names: readonly string[], flags: TopFlags) =>
      withCluster(io, flags, cluster => topPods(cluster, onlyName('pod', 'selector', names, flags), flags)),
    );

const nodeCommand = (io: Io): Command =>
  shared(clusterOptions(newCommand('node', io, 'top node'), { namespace: false }))
    .aliases(['nodes', 'no'])
    .description('usage of nodes')
    .argument('[name...]', 'name of a node')
    .option('--show-capacity', 'percentages of the capacity instead of what is allocatable')
    .action((names: readonly string[], flags: TopFlags) =>
      withCluster(io, flags, cluster => topNodes(cluster, onlyName('node', '--selector', names, flags), flags)),
    );

const onlyName = (what: string, word: string, names: readonly string[], flags: TopFlags): string | undefined => {
  if (names.length > 1) throw usageError(`top ${what}`, `${what} [NAME | -l label]`);
  if (names.length === 1 && flags.selector) throw new CliError(`only one of NAME or ${word} can be provided`);
  return names[0];
};

const metricsResource = async (cluster: Cluster, plural: string): Promise<Resource> => {
  const found = (await cluster.resources()).find(r => r.group === 'metrics.k8s.io' && r.plural === plural);
  if (!found) throw new CliError('Metrics API not available');
  return found;
};

const sortKey = (flags: TopFlags): 'cpu' | 'memory' | undefined => {
  if (flags.sortBy === undefined || flags.sortBy === 'cpu' || flags.sortBy === 'memory') return flags.sortBy;
  throw new CliError('--sort-by accepts only cpu or memory');
};

const topPods = async (cluster: Cluster, name: string | undefined, flags: TopFlags): Promise<void> => {
  const key = sortKey(flags);
  const resource = await metricsResource(cluster, 'pods');
  const namespace = flags.allNamespaces ? undefined : cluster.namespace;
  const selection = { namespace, labelSelector: flags.selector, fieldSelector: flags.fieldSelector, typed: true };
  const measured =
    name === undefined
      ? (await listAll<Measured>(cluster, resource, selection)).items
      : [await getOne<Measured>(cluster, resource, { namespace, name })];
  if (measured.length === 0) return noPodMetrics(cluster, selection, flags);
  const rows = measured
    .map(pod => ({ pod, usage: totalOf(pod.containers ?? []) }))
    .sort((a, b) => byUsage(key, a.usage, b.usage) || byName(a.pod, b.pod, flags.allNamespaces === true));
  const place = (pod: Measured) => (flags.allNamespaces ? [pod.metadata.namespace ?? ''] : []);
  const lines = rows.flatMap(({ pod, usage }) => {
    if (!flags.containers) return [[...place(pod), pod.metadata.name, ...cells(usage)]];
    const containers = [...(pod.containers ?? [])].sort(
      (a, b) => byUsage(key, a.usage, b.usage) || natural(a.name, b.name),
    );
    return containers.map(container => [...place(pod), pod.metadata.name, container.name, ...cells(container.usage)]);
  });
  const names = flags.containers ? ['POD', 'NAME'] : ['NAME'];
  const head = [...(flags.allNamespaces ? ['NAMESPACE'] : []), ...names, 'CPU(cores)', 'MEMORY(bytes)'];
  const blanks = Array.from({ length: head.length - 2 }, () => '');
  const sum = flags.sum
    ? [
        [...blanks, '________', '________'],
        [...blanks, ...cells(totalOf(rows.map(row => row)))],
      ]
    : [];
  print(cluster, head, [...lines, ...sum], flags);
};

/** A pod this old should have been measured. */
const metricsDelayMs = 2 * 60_000;

const noPodMetrics = async (
  cluster: Cluster,
  selection: Parameters<typeof listAll>[2],
  flags: TopFlags,
): Promise<void> => {
  const { items } = await listAll(cluster, resourceNamed(await cluster.resources(), 'pods'), selection);
  const nowMs = cluster.io.clock.now();
  for (const { metadata } of items) {
    const ageMs = nowMs - Date.parse(metadata.creationTimestamp ?? '');
    if (ageMs > metricsDelayMs)
      throw new CliError(
        `Metrics not available for pod ${metadata.namespace}/${metadata.name}, age: ${humanDuration(ageMs)}`,
      );
  }
  if (items.length > 0) throw new CliError('metrics not available yet');
  cluster.io.err(
    flags.allNamespaces ? 'No resources found\n' : `No resources found in ${cluster.namespace} namespace.\n`,
  );
};

const topNodes = async (cluster: Cluster, name: string | undefined, flags: TopFlags): Promise<void> => {
  const key = sortKey(flags);
  const metrics = await metricsResource(cluster, 'nodes');
  const nodeResource = resourceNamed(await cluster.resources(), 'nodes');
  const selection = { namespace: undefined, labelSelector: flags.selector, typed: true };
  const read = async <T extends object>(resource: Resource): Promise<readonly T[]> =>
    name === undefined
      ? (await listAll<T>(cluster, resource, selection)).items
      : [await getOne<T>(cluster, resource, { namespace: undefined, name })];
  const measured = await read<Measured>(metrics);
  const nodes = [...(await read<Node>(nodeResource))];
  if (measured.length === 0) throw new CliError('metrics not available yet');
  const usageOf = new Map(measured.map(node => [node.metadata.name, node.usage ?? {}]));
  const known = nodes.filter(node => usageOf.has(node.metadata.name));
  known.sort(
    (a, b) =>
      byUsage(key, usageOf.get(a.metadata.name)!, usageOf.get(b.metadata.name)!) ||
      natural(a.metadata.name, b.metadata.name),
  );
  const lines = known.map(node => {
    const usage = usageOf.get(node.metadata.name)!;
    const whole = (flags.showCapacity ? node.status?.capacity : node.status?.allocatable) ?? {};
    const [cpu, memory] = cells(usage) as [string, string];
    return [
      node.metadata.name,
      cpu,
      percent(usage['cpu'], whole['cpu']),
      memory,
      percent(usage['memory'], whole['memory']),
    ];
  });
  const silent = nodes.filter(node => !usageOf.has(node.metadata.name)).sort(byName);
  const unknown = '<unknown>';
  for (const node of silent) lines.push([node.metadata.name, unknown, unknown, unknown, unknown]);
  print(cluster, ['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'], lines, flags);
};

const byName = (a: AnyObject | Node, b: AnyObject | Node, namespaces: boolean | number = false): number =>
  (namespaces === true && compareText(a.metadata.namespace ?? '', b.metadata.namespace ?? '')) ||
  compareText(a.metadata.name, b.metadata.name);
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const byUsage = (key: 'cpu' | 'memory' | undefined, a: Usage, b: Usage): number =>
  key === undefined ? 0 : milliValue(b[key] ?? '0') - milliValue(a[key] ?? '0');

const totalOf = (parts: readonly { usage: Usage }[]): Usage => {
  const total: Record<string, string> = { cpu: '0', memory: '0' };
  for (const { usage } of parts) {
    for (const name of ['cpu', 'memory']) total[name] = addQuantities(total[name]!, usage[name] ?? '0');
  }
  return total;
};

const mebibyte = 1024 * 1024;
const cells = (usage: Usage): string[] => [
  `${milliValue(usage['cpu'] ?? '0')}m`,
  `${Math.floor(wholeValue(usage['memory'] ?? '0') / mebibyte)}Mi`,
];
const percent = (used: string | undefined, whole: string | undefined): string =>
  used === undefined || whole === undefined
    ? '<unknown>'
    : `${Math.trunc((milliValue(used) / milliValue(whole)) * 100)}%`;

/** Every cell is ended by a tab, the last one too: kubectl's columns are padded to the right edge here. */
const print = (
  cluster: Cluster,
  head: readonly string[],
  lines: readonly (readonly string[])[],
  flags: TopFlags,
): void => {
  const all = flags.headers ? [head, ...lines] : lines;
  cluster.io.out(`${alignTabs(all.map(line => `${line.join('\t')}\t`).join('\n'), tableTabs)}\n`);
};
