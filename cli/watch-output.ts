/** `get -w`: prints what is there, then a line or an object for each change, until interrupted. */
import { table as tableAccept } from './api.ts';
import type { Cluster } from './cluster.ts';
import type { GetFlags } from './commands/get.ts';
import { groupVersionOf, objectPrefix, type Resource } from './discovery.ts';
import { CliError } from './failure.ts';
import { type Format, shownBy } from './output/format.ts';
import { toCompactJson } from './output/json.ts';
import { sortedBy } from './output/sort.ts';
import { type Table, type TableColumn, tableText } from './output/table.ts';
import { type AnyObject, pages, probeNamespace, selectionOf, watchLines } from './read.ts';
import type { Target, Targets } from './targets.ts';

export const watchObjects = async (
  cluster: Cluster,
  { targets }: Targets,
  flags: GetFlags,
  format: Format,
): Promise<void> => {
  const [target] = targets;
  if (new Set(targets.map(({ resource }) => resource)).size > 1)
    throw new CliError('you may only specify a single resource type');
  if (!target || targets.length > 1)
    throw new CliError('you may only watch a single resource or type of resource at a time');
  const { io } = cluster;
  if (flags.sortBy) io.err(`warning: ${flags.watchOnly ? sortIgnored : sortOnce}\n`);
  const asTable = format.is === 'table';
  const print = asTable
    ? rowPrinter(cluster, target, flags, format.wide)
    : objectPrinter(cluster, target, flags, format);
  const accept = asTable ? { accept: tableAccept } : {};
  const resourceVersion = await printPresent(cluster, target, flags, { ...accept, print });
  const options = { resourceVersion, ...accept, signal: io.signal };
  for await (const event of watchLines<Page>(cluster, target.resource, watched(target, flags), options)) {
    if (event.type === 'BOOKMARK') continue;
    await io.drain();
    print(asTable ? event.object : { items: [event.object as unknown as AnyObject] }, event.type);
  }
};

const sortOnce = '--watch requested, --sort-by will be ignored for watch events received';
const sortIgnored = '--watch-only requested, --sort-by will be ignored';

/** A part of a list: a table, or objects. */
type Page = Table & { readonly items?: readonly AnyObject[] };
type PrintPage = (page: Pick<Page, 'columnDefinitions' | 'rows' | 'items'>, event: string) => void;

const watched = ({ name, namespace }: Target, flags: GetFlags) => ({
  ...selectionOf(flags),
  namespace,
  ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
});

/** Prints the list as it is, unless only changes are wanted; the revision from which to watch. */
const printPresent = async (
  cluster: Cluster,
  target: Target,
  flags: GetFlags,
  { accept, print }: { readonly accept?: string; readonly print: PrintPage },
): Promise<string | undefined> => {
  const { resource, name, namespace } = target;
  const query = flags.sortBy && accept !== undefined ? { includeObject: 'Object', limit: undefined } : {};
  let resourceVersion: string | undefined;
  for await (const page of pages<Page>(cluster, resource, watched(target, flags), accept, query)) {
    resourceVersion = page.metadata?.resourceVersion;
    if (name !== undefined && !page.metadata?.continue && (page.rows ?? page.items ?? []).length === 0) {
      if (resource.namespaced) await probeNamespace(cluster, namespace);
      throw new CliError(`Error from server (NotFound): ${resource.plural} ${JSON.stringify(name)} not found`, {
        verbatim: true,
      });
    }
    if (!flags.watchOnly) print(flags.sortBy ? sortedPage(page, flags.sortBy) : page, 'ADDED');
  }
  return resourceVersion;
};

const sortedPage = (page: Page, path: string): Page => ({
  ...page,
  ...(page.rows ? { rows: sortedBy(page.rows, path, row => row.object) } : {}),
  ...(page.items ? { items: sortedBy(page.items, path, item => item) } : {}),
});

/** Rows of the server's table; later ones align with the first. */
const rowPrinter = ({ io }: Cluster, { resource }: Target, flags: GetFlags, wide: boolean): PrintPage => {
  const remembered: number[] = [];
  let columns: readonly TableColumn[] = [];
  let headers = flags.headers;
  return ({ columnDefinitions, rows = [] }, event) => {
    if (columnDefinitions?.length) columns = columnDefinitions;
    const eventColumn = { name: 'Event', type: 'string' };
    const text = tableText(
      flags.outputWatchEvents ? [eventColumn, ...columns] : columns,
      flags.outputWatchEvents ? rows.map(row => ({ ...row, cells: [event, ...row.cells] })) : rows,
      {
        wide,
        noHeaders: !headers,
        withNamespace: flags.allNamespaces === true && resource.namespaced,
        showLabels: flags.showLabels === true,
        labelColumns: flags.labelColumns ?? [],
        namePrefix: flags.showKind ? `${objectPrefix(resource)}/` : '',
        remembered,
      },
    );
    if (text !== '') headers = false;
    io.out(text);
  };
};

const objectPrinter = (
  { io }: Cluster,
  { resource }: Target,
  flags: GetFlags,
  format: Format & { is: 'objects' },
): PrintPage => {
  let headers = flags.headers;
  let printed = 0;
  return ({ items = [] }, event) => {
    for (const item of items) {
      const object = typed(item, resource);
      // An event is shown whole, as kubectl does.
      const plain = flags.outputWatchEvents ? object : shownBy(flags, object);
      io.out(flags.output === 'yaml' && printed++ > 0 ? '---\n' : '');
      if (flags.outputWatchEvents && flags.output === 'json')
        io.out(`${toCompactJson({ type: event, object: plain })}\n`);
      else {
        const wrapped = flags.outputWatchEvents && isTree(flags.output) ? { type: event, object: plain } : plain;
        io.out(format.print({ objects: [wrapped], single: true }, { noHeaders: !headers }));
      }
      headers = false;
    }
  };
};

/** Forms that show the event around the object; names and columns are those of the object. */
const isTree = (output = ''): boolean => output === 'yaml' || output.startsWith('jsonpath');

/** Items of a list come without these. */
const typed = (item: AnyObject, resource: Resource): AnyObject => ({
  ...item,
  kind: resource.kind,
  apiVersion: groupVersionOf(resource),
});
