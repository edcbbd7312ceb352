/** `berth events`: what happened, oldest first, of everything in the namespace or of one object. */
import type { Event } from '#api/kinds/core.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples } from '../command.ts';
import { groupVersionOf, resourceNamed } from '../discovery.ts';
import { wholeNumber } from '../durations.ts';
import { CliError } from '../failure.ts';
import { byLastSeen, intervalText } from '../output/event-time.ts';
import { parseFormat, shownBy } from '../output/format.ts';
import { type OutputFlags, objectPrinter, outputOptions } from '../output/printer.ts';
import { alignTabs, tableTabs } from '../output/tabwriter.ts';
import { listAll, type Selection, watchLines } from '../read.ts';

interface EventFlags extends ClusterFlags, OutputFlags {
  chunkSize?: number;
  allNamespaces?: boolean;
  for?: string;
  types?: string;
  watch?: boolean;
  headers: boolean;
}

export const define: Define = (command, io) => {
  outputOptions(clusterOptions(command))
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('--for <object>', 'only those of TYPE/NAME')
    .option('--types <types>', 'Normal, Warning, or both with a comma')
    .option('-w, --watch', 'go on with new ones')
    .option('--no-headers', 'do not print headers')
    .option('--chunk-size <n>', 'read in pages of so many events (0: at once; default: 500)', wholeNumber)
    .action((flags: EventFlags) => withCluster(io, flags, cluster => events(cluster, flags)));
  examples(
    command,
    `berth events
    berth events --for pod/web -w
    berth events -A --types=Warning`,
  );
};

const events = async (cluster: Cluster, flags: EventFlags): Promise<void> => {
  const { io } = cluster;
  const print = printer(cluster, flags);
  const types = flags.types ? flags.types.split(',') : undefined;
  for (const type of types ?? []) {
    if (!['normal', 'warning'].includes(type.toLowerCase())) throw new CliError('valid --types are Normal or Warning');
  }
  const resources = await cluster.resources();
  const resource = resourceNamed(resources, 'events');
  const selection: Selection = {
    namespace: flags.allNamespaces ? undefined : cluster.namespace,
    chunkSize: flags.chunkSize,
    typed: true,
    fieldSelector: flags.for === undefined ? undefined : involved(flags.for, word => resourceNamed(resources, word)),
  };
  const wanted = (event: Event) =>
    !types || types.some(type => type.toLowerCase() === (event.type ?? '').toLowerCase());
  const { items, resourceVersion } = await listAll<Event>(cluster, resource, selection);
  const shown = items.filter(wanted).sort(byLastSeen);
  if (shown.length > 0) print(shown);
  else if (!flags.watch)
    io.err(flags.allNamespaces ? 'No events found.\n' : `No events found in ${cluster.namespace} namespace.\n`);
  if (!flags.watch) return;
  for await (const event of watchLines<Event>(cluster, resource, selection, { resourceVersion, signal: io.signal })) {
    if ((event.type === 'ADDED' || event.type === 'MODIFIED') && wanted(event.object)) print([event.object]);
  }
};

/** Prints one batch after the other: rows under one head, or objects in the form asked for. */
const printer = ({ io }: Cluster, flags: EventFlags): ((batch: readonly Event[]) => void) => {
  const { output, template, watch } = flags;
  const nameOf = (object: object) => `event/${(object as Event).metadata.name}`;
  const format = parseFormat(output, nameOf, { columns: false, template });
  if (format.is === 'objects') {
    const print = objectPrinter(io, flags);
    return batch => {
      const events = batch.map(event => ({ eventTime: null, ...event }));
      if (watch) for (const event of events) print(event, '', nameOf(event));
      else {
        const objects = events.map(event => shownBy(flags, event));
        io.out(format.print({ objects, single: false, listKind: 'EventList' }, { noHeaders: false }));
      }
    };
  }
  const remembered: number[] = [];
  let headers = flags.headers;
  return batch => {
    const lines = batch.map(event => line(event, flags.allNamespaces === true, io.clock.now()));
    const all = headers ? [head(flags.allNamespaces === true), ...lines] : lines;
    headers = false;
    io.out(`${alignTabs(all.join('\n'), { ...tableTabs, remembered })}\n`);
  };
};

const involved = (text: string, find: (word: string) => ReturnType<typeof resourceNamed>): string => {
  const [type, name, ...more] = text.split('/');
  if (more.length > 0) throw new CliError('arguments in resource/name form may not have more than one slash');
  if (!type || !name) throw new CliError('--for must be in resource/name form');
  const resource = find(type);
  return `involvedObject.apiVersion=${groupVersionOf(resource)},involvedObject.kind=${resource.kind},involvedObject.name=${name}`;
};

const head = (namespaces: boolean): string =>
  `${namespaces ? 'NAMESPACE\t' : ''}LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE`;

const line = (event: Event, namespaces: boolean, nowMs: number): string => {
  const cells = [
    intervalText(event, nowMs),
    event.type ?? '',
    event.reason ?? '',
    `${event.involvedObject?.kind ?? ''}/${event.involvedObject?.name ?? ''}`,
    (event.message ?? '').trim(),
  ];
  return (namespaces ? [event.metadata.namespace ?? '', ...cells] : cells).join('\t');
};
