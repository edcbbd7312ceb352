/** `berth get`: tables as the server prints them, or the objects in the form asked for, once or as they change. */

import { isReason } from '#api/status.ts';
import { table as tableAccept } from '../api.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples, repeated } from '../command.ts';
import { objectPrefix, resourceOfKind } from '../discovery.ts';
import { CliError, Exit, throwAll } from '../failure.ts';
import { targetsOfFiles } from '../file-targets.ts';
import { parseFormat, withoutManagedFields } from '../output/format.ts';
import { sortedBy } from '../output/sort.ts';
import { type Table, tableText } from '../output/table.ts';
import { type AnyObject, getOne, listAll, namespaceFor, pages, type Selection } from '../read.ts';
import { parseTargets, type Target, type Targets } from '../targets.ts';
import { watchObjects } from '../watch-output.ts';

export interface GetFlags extends ClusterFlags {
  allNamespaces?: boolean;
  output?: string;
  selector?: string;
  fieldSelector?: string;
  labelColumns?: string;
  showLabels?: boolean;
  showKind?: boolean;
  showManagedFields?: boolean;
  sortBy?: string;
  headers: boolean;
  ignoreNotFound?: boolean;
  watch?: boolean;
  watchOnly?: boolean;
  outputWatchEvents?: boolean;
  filename?: readonly string[];
  recursive?: boolean;
  raw?: string;
}

export const define: Define = (command, io) => {
  clusterOptions(command)
    .argument('[type]', 'resource type (pods, po, deployments.apps), several with commas, or TYPE/NAME')
    .argument('[names...]', 'names of objects')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('-o, --output <form>', 'wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=HEADER:PATH,…')
    .option('-l, --selector <labels>', 'only objects with these labels (a=b,c!=d,e in (x,y),!f)')
    .option('--field-selector <fields>', 'only objects with these fields (status.phase=Running)')
    .option('-L, --label-columns <labels>', 'labels to show as columns, with commas')
    .option('--show-labels', 'show all labels as the last column')
    .option('--show-kind', 'show the kind before each name')
    .option('--show-managed-fields', 'keep managedFields in yaml and json')
    .option('--sort-by <path>', 'sort by a field (.metadata.creationTimestamp)')
    .option('--no-headers', 'do not print headers')
    .option('--ignore-not-found', 'exit 0 when an object is not there')
    .option('-w, --watch', 'print, then go on printing changes')
    .option('--watch-only', 'print changes only')
    .option('--output-watch-events', 'say of each line of a watch what happened (ADDED, MODIFIED, DELETED)')
    .option('-f, --filename <file>', 'the objects that a manifest names', repeated)
    .option('-R, --recursive', 'with -f DIR: also what is below')
    .option('--raw <path>', 'print what the server answers to GET on a path')
    .option('--chunk-size <n>', 'accepted for compatibility; lists are read in pages of 500')
    .action((type: string | undefined, names: readonly string[], flags: GetFlags) =>
      withCluster(io, flags, cluster => get(cluster, type === undefined ? [] : [type, ...names], flags)),
    );
  examples(
    command,
    `berth get pods -o wide
    berth get all -A
    berth get pod/web node/a
    berth get pods -l app=web -w
    berth get nodes -o jsonpath='{range .items[*]}{.metadata.name}{"\\t"}{.status.allocatable.cpu}{"\\n"}{end}'
    berth get pods --sort-by=.status.startTime -o custom-columns=NAME:.metadata.name,NODE:.spec.nodeName`,
  );
};

const get = async (cluster: Cluster, args: readonly string[], flags: GetFlags): Promise<void> => {
  const { io, api } = cluster;
  if (flags.raw) {
    for await (const chunk of api.stream({ path: flags.raw, accept: '*/*' }, io.signal)) {
      io.out(chunk);
      await io.drain();
    }
    return;
  }
  const targets = await targetsOf(cluster, args, flags);
  if (targets.named && flags.allNamespaces) {
    throw new CliError('a resource cannot be retrieved by name across all namespaces');
  }
  if (targets.named && (flags.selector || flags.fieldSelector) && !flags.filename) {
    throw new CliError('selectors and the all flag cannot be used when passing resource/name arguments');
  }
  if (flags.watch || flags.watchOnly) return watchObjects(cluster, targets, flags);
  const resources = await cluster.resources();
  const format = parseFormat(flags.output, object => nameOf(object as AnyObject, resources));
  if (format.is === 'table') return printTables(cluster, targets, flags, format.wide);
  const { objects, failures } = await readObjects(cluster, targets, flags);
  const shown = flags.showManagedFields ? objects : objects.map(withoutManagedFields);
  const sorted = flags.sortBy ? sortedBy(shown, flags.sortBy, object => object) : shown;
  const single = targets.named && targets.targets.length === 1;
  if (!(single && sorted.length === 0) && !(sorted.length === 0 && failures.length > 0)) {
    io.out(format.print({ objects: sorted, single }, { noHeaders: !flags.headers }));
  }
  throwAll(failures);
};

const targetsOf = async (cluster: Cluster, args: readonly string[], flags: GetFlags): Promise<Targets> => {
  if (flags.filename) return targetsOfFiles(cluster, flags.filename, flags.recursive === true);
  if (args.length === 0) {
    cluster.io.err(
      'You must specify the type of resource to get. Use "berth api-resources" for a complete list of supported resources.\n\n',
    );
    cluster.io.err("error: Required resource not specified.\nSee 'berth get --help' for help and examples\n");
    throw new Exit(1);
  }
  return parseTargets(args, await cluster.resources());
};

const nameOf = (object: AnyObject, resources: Parameters<typeof resourceOfKind>[0]): string => {
  const resource = resourceOfKind(resources, object.apiVersion, object.kind);
  return `${resource ? objectPrefix(resource) : object.kind.toLowerCase()}/${object.metadata.name}`;
};

export const selectionOf = (cluster: Cluster, target: Target, flags: GetFlags): Selection => ({
  namespace: target.namespace ?? namespaceFor(cluster, target.resource, flags.allNamespaces),
  labelSelector: flags.selector,
  fieldSelector: flags.fieldSelector,
});

/** Calls `read` for each target; what fails is collected, what is not there forgiven with --ignore-not-found. */
const readEach = async <T>(targets: Targets, flags: GetFlags, read: (target: Target) => Promise<T>) => {
  const found: { target: Target; value: T }[] = [];
  const failures: unknown[] = [];
  for (const target of targets.targets) {
    try {
      found.push({ target, value: await read(target) });
    } catch (error) {
      if (!(flags.ignoreNotFound && isReason(error, 'NotFound'))) failures.push(error);
    }
  }
  return { found, failures };
};

const readObjects = async (cluster: Cluster, targets: Targets, flags: GetFlags) => {
  const { found, failures } = await readEach(targets, flags, async target => {
    const selection = selectionOf(cluster, target, flags);
    if (target.name === undefined) return (await listAll(cluster, target.resource, selection)).items;
    return [await getOne(cluster, target.resource, { namespace: selection.namespace, name: target.name })];
  });
  return { objects: found.flatMap(({ value }) => value), failures };
};

const printTables = async (cluster: Cluster, targets: Targets, flags: GetFlags, wide: boolean): Promise<void> => {
  const { io } = cluster;
  const includeObject = flags.sortBy ? { includeObject: 'Object' } : {};
  const { found, failures } = await readEach(targets, flags, async (target): Promise<Table> => {
    const selection = selectionOf(cluster, target, flags);
    if (target.name !== undefined) {
      return getOne(cluster, target.resource, { namespace: selection.namespace, name: target.name }, tableAccept);
    }
    let whole: Table | undefined;
    const query = flags.sortBy ? { ...includeObject, limit: undefined } : {};
    for await (const page of pages<Table>(cluster, target.resource, selection, tableAccept, query)) {
      whole = whole ? { ...whole, rows: [...(whole.rows ?? []), ...(page.rows ?? [])] } : page;
    }
    return whole!;
  });
  let printed = false;
  for (const group of byResource(found)) {
    const rows = group.flatMap(({ value }) => value.rows ?? []);
    const { resource } = group[0]!.target;
    const text = tableText(group[0]!.value.columnDefinitions ?? [], sorted(rows, flags.sortBy), {
      wide,
      noHeaders: !flags.headers,
      withNamespace: flags.allNamespaces === true && resource.namespaced,
      showLabels: flags.showLabels === true,
      labelColumns: flags.labelColumns?.split(',') ?? [],
      namePrefix: targets.severalKinds || flags.showKind ? `${objectPrefix(resource)}/` : '',
    });
    if (text === '') continue;
    if (printed && flags.headers) io.out('\n');
    io.out(text);
    printed = true;
  }
  if (!printed && failures.length === 0 && !flags.ignoreNotFound) io.err(nothingFound(cluster, targets, flags));
  throwAll(failures);
};

/** Neighbours of one resource share a table. */
const byResource = (found: readonly { target: Target; value: Table }[]): { target: Target; value: Table }[][] => {
  const groups: { target: Target; value: Table }[][] = [];
  for (const item of found) {
    const last = groups.at(-1);
    if (last && last[0]!.target.resource === item.target.resource) last.push(item);
    else groups.push([item]);
  }
  return groups;
};

const sorted = (rows: NonNullable<Table['rows']>, path: string | undefined): NonNullable<Table['rows']> =>
  path === undefined ? rows : sortedBy(rows, path, row => row.object);

const nothingFound = (cluster: Cluster, targets: Targets, flags: GetFlags): string => {
  const inOneNamespace = !flags.allNamespaces && targets.targets.every(target => target.resource.namespaced);
  return inOneNamespace ? `No resources found in ${cluster.namespace} namespace.\n` : 'No resources found\n';
};
