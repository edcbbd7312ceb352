/** `berth get`: tables as the server prints them, or the objects in the form asked for, once or as they change. */

import { isReason } from '#api/status.ts';
import { table as tableAccept } from '../api.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples, listed, repeated } from '../command.ts';
import { objectPrefix, type Resource, resourceOfKind } from '../discovery.ts';
import { wholeNumber } from '../durations.ts';
import { CliError, Exit, throwAll } from '../failure.ts';
import { type Format, parseFormat, shownBy } from '../output/format.ts';
import { type OutputFlags, outputOptions } from '../output/printer.ts';
import { sortedBy } from '../output/sort.ts';
import { type Table, tableText } from '../output/table.ts';
import { type AnyObject, getOne, objectsOf, pages, selectionOf } from '../read.ts';
import { type Choice, chooseTargets, type Target, type Targets } from '../targets.ts';
import { watchObjects } from '../watch-output.ts';

export interface GetFlags extends ClusterFlags, Choice, OutputFlags {
  labelColumns?: readonly string[];
  showLabels?: boolean;
  showKind?: boolean;
  sortBy?: string;
  headers: boolean;
  ignoreNotFound?: boolean;
  watch?: boolean;
  watchOnly?: boolean;
  outputWatchEvents?: boolean;
  raw?: string;
  chunkSize?: number;
}

export const define: Define = (command, io) => {
  outputOptions(
    clusterOptions(command)
      .argument('[type]', 'resource type (pods, po, deployments.apps), several with commas, or TYPE/NAME')
      .argument('[names...]', 'names of objects')
      .option('-A, --all-namespaces', 'in all namespaces'),
    'wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=HEADER:PATH,…',
  )
    .option('-l, --selector <labels>', 'only objects with these labels (a=b,c!=d,e in (x,y),!f)')
    .option('--field-selector <fields>', 'only objects with these fields (status.phase=Running)')
    .option('-L, --label-columns <labels>', 'labels to show as columns, with commas', listed)
    .option('--show-labels', 'show all labels as the last column')
    .option('--show-kind', 'show the kind before each name')
    .option('--sort-by <path>', 'sort by a field (.metadata.creationTimestamp)')
    .option('--no-headers', 'do not print headers')
    .option('--ignore-not-found', 'exit 0 when an object is not there')
    .option('-w, --watch', 'print, then go on printing changes')
    .option('--watch-only', 'print changes only')
    .option('--output-watch-events', 'say of each line of a watch what happened (ADDED, MODIFIED, DELETED)')
    .option('-f, --filename <file>', 'the objects that a manifest names', repeated)
    .option('-R, --recursive', 'with -f DIR: also what is below')
    .option('--raw <path>', 'print what the server answers to GET on a path')
    .option('--chunk-size <n>', 'read lists in pages of so many objects (0: at once; default: 500)', wholeNumber)
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
  if (flags.raw !== undefined) return raw(cluster, args, { ...flags, raw: flags.raw });
  const format = checked(flags, await cluster.resources());
  if (args.length === 0 && !flags.filename) noType(cluster);
  const targets = await chooseTargets(cluster, args, flags, { explicit: false });
  if (flags.watch || flags.watchOnly) {
    throwAll(targets.failures);
    return watchObjects(cluster, targets, flags, format);
  }
  if (format.is === 'table') return printTables(cluster, targets, flags, format.wide);
  const { found, failures } = await readEach(targets, flags, target => objectsOf(cluster, target, selectionOf(flags)));
  const objects = found.flatMap(({ value }) => value);
  const shown = objects.map(object => shownBy(flags, object));
  const sorted = flags.sortBy ? sortedBy(shown, flags.sortBy, object => object) : shown;
  const single = targets.named && targets.targets.length === 1 && targets.failures.length === 0;
  const nothing = sorted.length === 0 && (single || flags.ignoreNotFound === true);
  if (!nothing) cluster.io.out(format.print({ objects: sorted, single }, { noHeaders: !flags.headers }));
  throwAll(failures);
};

const raw = async ({ io, api }: Cluster, args: readonly string[], flags: GetFlags & { raw: string }): Promise<void> => {
  if (args.length > 0) throw new CliError('arguments may not be passed when --raw is specified');
  if (flags.watch || flags.watchOnly || flags.selector)
    throw new CliError(
      '--raw may not be specified with other flags that filter the server request or alter the output',
    );
  if (flags.output) throw new CliError('--raw and --output are mutually exclusive');
  if (!flags.raw.startsWith('/'))
    throw new CliError(`--raw ${flags.raw}: expected a path of the API, such as /version`);
  for await (const chunk of api.stream({ path: flags.raw, accept: '*/*' }, io.signal)) {
    io.out(chunk);
    await io.drain();
  }
};

/** The form of the output; throws CliError for flags that contradict each other. */
const checked = (flags: GetFlags, resources: readonly Resource[]): Format => {
  const { output, template } = flags;
  if (flags.showLabels && output && output !== 'wide')
    throw new CliError(`--show-labels option cannot be used with ${output} printer`);
  if (flags.outputWatchEvents && !flags.watch && !flags.watchOnly)
    throw new CliError('--output-watch-events option can only be used with --watch or --watch-only');
  return parseFormat(output, object => nameOf(object as AnyObject, resources), { template });
};

const noType = ({ io }: Cluster): never => {
  io.err(
    'You must specify the type of resource to get. Use "berth api-resources" for a complete list of supported resources.\n\n',
  );
  io.err("error: Required resource not specified.\nSee 'berth get -h' for help and examples\n");
  throw new Exit(1);
};

/** `pod/web`. */
const nameOf = (object: AnyObject, resources: readonly Resource[]): string => {
  const resource = resourceOfKind(resources, object.apiVersion, object.kind);
  return `${resource ? objectPrefix(resource) : object.kind.toLowerCase()}/${object.metadata.name}`;
};

/** Calls `read` for each target; what fails is collected, what is not there forgiven with --ignore-not-found. */
const readEach = async <T>(targets: Targets, flags: GetFlags, read: (target: Target) => Promise<T>) => {
  const found: { target: Target; value: T }[] = [];
  const failures: unknown[] = [...targets.failures];
  for (const target of targets.targets) {
    try {
      found.push({ target, value: await read(target) });
    } catch (error) {
      if (!(flags.ignoreNotFound && isReason(error, 'NotFound'))) failures.push(error);
    }
  }
  return { found, failures };
};

const readTable = async (cluster: Cluster, target: Target, flags: GetFlags): Promise<Table> => {
  const { resource, name, namespace } = target;
  if (name !== undefined) return getOne(cluster, resource, { namespace, name }, tableAccept);
  // To sort, all objects are needed at once, as a whole.
  const query = flags.sortBy ? { includeObject: 'Object', limit: undefined } : {};
  let whole: Table | undefined;
  for await (const page of pages<Table>(cluster, resource, { ...selectionOf(flags), namespace }, tableAccept, query)) {
    whole = whole ? { ...whole, rows: [...(whole.rows ?? []), ...(page.rows ?? [])] } : page;
  }
  return whole!;
};

const printTables = async (cluster: Cluster, targets: Targets, flags: GetFlags, wide: boolean): Promise<void> => {
  const { io } = cluster;
  const { found, failures } = await readEach(targets, flags, target => readTable(cluster, target, flags));
  const severalKinds = new Set(found.map(({ target }) => target.resource)).size > 1;
  let printed = false;
  for (const group of byResource(found)) {
    const rows = group.flatMap(({ value }) => value.rows ?? []);
    const { resource } = group[0]!.target;
    const text = tableText(group[0]!.value.columnDefinitions ?? [], sorted(rows, flags.sortBy), {
      wide,
      noHeaders: !flags.headers,
      withNamespace: flags.allNamespaces === true && resource.namespaced,
      showLabels: flags.showLabels === true,
      labelColumns: flags.labelColumns ?? [],
      namePrefix: severalKinds || flags.showKind ? `${objectPrefix(resource)}/` : '',
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
