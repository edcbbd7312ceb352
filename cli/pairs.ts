/** `key=value` sets and `key-` removes, in label and annotate: the two commands differ in words and a field. */
import type { Command } from 'commander';
import { labelValueFaults } from '#api/label-names.ts';
import { type Cluster, withCluster } from './cluster.ts';
import { type ClusterFlags, clusterOptions, repeated } from './command.ts';
import { dryRunOf, dryRunOption, dryRunSuffix } from './dry-run.ts';
import { CliError } from './failure.ts';
import type { Io } from './io.ts';
import { type OutputFlags, objectPrinter, outputOptions } from './output/printer.ts';
import { eachObject, lineOf, sendPatch } from './patching.ts';
import type { AnyObject } from './read.ts';
import type { Choice, Target } from './targets.ts';

interface PairFlags extends ClusterFlags, Choice, OutputFlags {
  overwrite?: boolean;
  list?: boolean;
  dryRun?: string;
  resourceVersion?: string;
  fieldManager?: string;
}

export interface PairCommand {
  readonly field: 'labels' | 'annotations';
  readonly manager: string;
  /** What is said of an object, by what became of it. */
  readonly done: string;
  readonly undone: string;
  readonly same: string;
}

export const pairCommand = (command: Command, io: Io, kind: PairCommand): Command =>
  outputOptions(dryRunOption(clusterOptions(command)))
    .argument('[type]', 'resource type, or TYPE/NAME')
    .argument('[words...]', 'names, then KEY=VALUE to set and KEY- to remove')
    .usage('[options] TYPE NAME... KEY=VALUE... KEY-...')
    .option('--overwrite', 'change keys that are there already')
    .option('--list', `print the ${kind.field} of the objects`)
    .option('--all', 'all objects of the type')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('-l, --selector <labels>', 'objects with these labels')
    .option('--field-selector <fields>', 'objects with these fields')
    .option('-f, --filename <file>', 'the objects of a manifest; may be repeated', repeated)
    .option('-R, --recursive', 'also the directories below')
    .option('--resource-version <version>', 'only if the object is still at this version')
    .option('--field-manager <name>', 'name under which fields are owned', kind.manager)
    .action((type: string | undefined, words: readonly string[], flags: PairFlags) =>
      withCluster(io, flags, cluster => run(cluster, type === undefined ? [] : [type, ...words], flags, kind)),
    );

const run = async (cluster: Cluster, words: readonly string[], flags: PairFlags, kind: PairCommand): Promise<void> => {
  const { names, changes } = splitWords(words, kind);
  checkFlags(flags, names, changes, kind);
  const { io } = cluster;
  const dryRun = dryRunOf(io, flags.dryRun);
  const print = objectPrinter(io, flags);
  const several = names.length > 2 || names.some(name => name.includes('/')) || flags.all || flags.selector;
  await eachObject(cluster, names, flags, async (target, object) => {
    checkOverwrite(object, changes, flags, kind, io);
    const present = object.metadata[kind.field] ?? {};
    const changed = [...changes].some(([key, value]) => (present[key] ?? null) !== value);
    const after =
      !changed || dryRun === 'client'
        ? locally(object, changes, kind)
        : await sendPatch(cluster, target, object, {
            type: 'merge',
            manager: flags.fieldManager ?? kind.manager,
            dryRun,
            body: bodyOf(changes, flags, kind),
          });
    const onlyRemoved = [...changes.values()].every(value => value === null);
    const outcome = !changed ? kind.same : onlyRemoved ? kind.undone : kind.done;
    if (flags.list) io.out(listText(target, after, kind, Boolean(several)));
    else print(after, `${lineOf(target, object)} ${outcome}${dryRunSuffix(dryRun)}`, lineOf(target, object));
  });
};

type Changes = ReadonlyMap<string, string | null>;

/** Resources first, then changes. */
const splitWords = (words: readonly string[], kind: PairCommand): { names: readonly string[]; changes: Changes } => {
  const isChange = (word: string) => (word.includes('=') && !word.startsWith('=')) || /.-$/.test(word);
  const first = words.findIndex(isChange);
  const changed = first < 0 ? [] : words.slice(first);
  const stray = changed.find(word => !isChange(word));
  const one = kind.field.slice(0, -1);
  if (stray !== undefined) throw new CliError(`all resources must be specified before ${one} changes: ${stray}`);
  const changes = new Map<string, string | null>();
  const removed: string[] = [];
  for (const word of changed) {
    const [key, value] = pairOf(word, kind);
    if (value === null) removed.push(key);
    else changes.set(key, value);
  }
  for (const key of removed) {
    if (!changes.has(key)) changes.set(key, null);
    else if (kind.field === 'labels') throw new CliError('can not both modify and remove a label in the same command');
    else throw new CliError(`can not both modify and remove the following annotation(s) in the same command: ${key}`);
  }
  return { names: first < 0 ? words : words.slice(0, first), changes };
};

const pairOf = (word: string, { field }: PairCommand): readonly [string, string | null] => {
  const equals = word.indexOf('=');
  if (equals < 0) return [word.slice(0, -1), null];
  const [key, value] = [word.slice(0, equals), word.slice(equals + 1)];
  if (field === 'labels' && value.includes('=')) throw new CliError(`invalid label spec: ${word}`);
  const faults = field === 'labels' ? labelValueFaults(value) : [];
  if (faults.length > 0) throw new CliError(`invalid label value: ${JSON.stringify(word)}: ${faults.join(';')}`);
  return [key, value];
};

const checkFlags = (flags: PairFlags, names: readonly string[], changes: Changes, kind: PairCommand): void => {
  if (names.length === 0 && !flags.filename)
    throw new CliError('one or more resources must be specified as <resource> <name> or <resource>/<name>');
  if (flags.all && (flags.selector || flags.fieldSelector))
    throw new CliError('cannot set --all and --selector at the same time');
  if (flags.list && flags.output) throw new CliError('--list and --output may not be specified together');
  if (changes.size === 0 && !flags.list)
    throw new CliError(`at least one ${kind.field.slice(0, -1)} update is required`);
  if (flags.resourceVersion && (flags.all || flags.selector || names.length > 2))
    throw new CliError('--resource-version may only be used with a single resource');
};

/** Throws when a value would be overwritten unasked. */
const checkOverwrite = (object: AnyObject, changes: Changes, flags: PairFlags, kind: PairCommand, io: Io): void => {
  const present = object.metadata[kind.field] ?? {};
  const declared: string[] = [];
  for (const [key, value] of changes) {
    const was = present[key];
    if (value === null && was === undefined && kind.field === 'labels')
      io.out(`label ${JSON.stringify(key)} not found.\n`);
    if (value !== null && was !== undefined && was !== value && !flags.overwrite)
      declared.push(`'${key}' already has a value (${was})`);
  }
  if (declared.length === 0) return;
  if (kind.field === 'labels') throw new CliError(`${declared[0]}, and --overwrite is false`);
  throw new CliError(`--overwrite is false but found the following declared annotation(s): ${declared.join('; ')}`);
};

const bodyOf = (changes: Changes, { resourceVersion }: PairFlags, kind: PairCommand): object => ({
  metadata: { [kind.field]: Object.fromEntries(changes), ...(resourceVersion ? { resourceVersion } : {}) },
});

/** The object as it would be. */
const locally = (object: AnyObject, changes: Changes, { field }: PairCommand): AnyObject => {
  const pairs = { ...object.metadata[field], ...Object.fromEntries(changes) };
  const kept = Object.fromEntries(Object.entries(pairs).filter(([, value]) => value !== null)) as Record<
    string,
    string
  >;
  return { ...object, metadata: { ...object.metadata, [field]: kept } };
};

const listText = ({ resource }: Target, object: AnyObject, { field }: PairCommand, several: boolean): string => {
  const pairs = Object.entries(object.metadata[field] ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const head = several ? `Listing ${field} for ${resource.kind}.${resource.group}/${object.metadata.name}:\n` : '';
  return head + pairs.map(([key, value]) => `${several ? ' ' : ''}${key}=${value}\n`).join('');
};
