/** `get -w`: prints what is there, then a line or an object for each change, until interrupted. */
import { table as tableAccept } from './api.ts';
import type { Cluster } from './cluster.ts';
import type { GetFlags } from './commands/get.ts';
import { objectPrefix } from './discovery.ts';
import { CliError } from './failure.ts';
import { parseFormat, withoutManagedFields } from './output/format.ts';
import { type Table, type TableColumn, tableText } from './output/table.ts';
import { type AnyObject, namespaceFor, pages, type Selection, watchLines } from './read.ts';
import type { Targets } from './targets.ts';

export const watchObjects = async (cluster: Cluster, targets: Targets, flags: GetFlags): Promise<void> => {
  const [target] = targets.targets;
  if (!target || targets.targets.length > 1) throw new CliError('you may only specify a single resource type');
  const { io } = cluster;
  const { resource } = target;
  const selection: Selection = {
    namespace: target.namespace ?? namespaceFor(cluster, resource, flags.allNamespaces),
    labelSelector: flags.selector,
    fieldSelector: target.name === undefined ? flags.fieldSelector : `metadata.name=${target.name}`,
  };
  const format = parseFormat(
    flags.output,
    object => `${objectPrefix(resource)}/${(object as AnyObject).metadata.name}`,
  );
  const asTable = format.is === 'table';

  const remembered: number[] = [];
  let columns: readonly TableColumn[] = [];
  let headers = flags.headers;
  const printRows = (table: Table, event: string) => {
    if (table.columnDefinitions?.length) columns = table.columnDefinitions;
    const eventColumn = { name: 'Event', type: 'string' };
    const rows = table.rows ?? [];
    const text = tableText(
      flags.outputWatchEvents ? [eventColumn, ...columns] : columns,
      flags.outputWatchEvents ? rows.map(row => ({ ...row, cells: [event, ...row.cells] })) : rows,
      {
        wide: format.is === 'table' && format.wide,
        noHeaders: !headers,
        withNamespace: flags.allNamespaces === true && resource.namespaced,
        showLabels: flags.showLabels === true,
        labelColumns: flags.labelColumns?.split(',') ?? [],
        namePrefix: flags.showKind ? `${objectPrefix(resource)}/` : '',
        remembered,
      },
    );
    if (text !== '') headers = false;
    io.out(text);
  };
  const printObject = (object: object, event: string) => {
    if (format.is !== 'objects') return;
    const plain = flags.showManagedFields ? object : withoutManagedFields(object);
    const shown = flags.outputWatchEvents ? { type: event, object: plain } : plain;
    const text = format.print({ objects: [shown], single: true }, { noHeaders: !headers });
    headers = false;
    io.out(flags.output === 'yaml' ? `---\n${text}` : text);
  };

  const accept = asTable ? { accept: tableAccept } : {};
  let resourceVersion: string | undefined;
  for await (const page of pages<Table & { items?: AnyObject[] }>(cluster, resource, selection, accept.accept)) {
    resourceVersion = page.metadata?.resourceVersion;
    if (target.name !== undefined && !page.metadata?.continue && (page.rows ?? page.items ?? []).length === 0) {
      throw new CliError(`Error from server (NotFound): ${resource.plural} ${JSON.stringify(target.name)} not found`, {
        verbatim: true,
      });
    }
    if (flags.watchOnly) continue;
    if (asTable) printRows(page, 'ADDED');
    else
      for (const item of page.items ?? [])
        printObject({ ...item, kind: resource.kind, apiVersion: item.apiVersion }, 'ADDED');
  }
  const options = { resourceVersion, ...accept, signal: io.signal };
  for await (const event of watchLines<Table | AnyObject>(cluster, resource, selection, options)) {
    if (event.type === 'BOOKMARK') continue;
    await io.drain();
    if (asTable) printRows(event.object as Table, event.type);
    else printObject(event.object, event.type);
  }
};
