/**
 * `berth apply`: creates or changes what manifests describe; client-side three-way merge as kubectl does by default, or
 * --server-side. Each object stands for itself: good ones are applied, bad ones reported with file and line.
 */

import { parseLabelSelector } from '#api/labels.ts';
import { applyClientSide } from '../apply/client-side.ts';
import { withPlaces } from '../apply/places.ts';
import { createSchemas } from '../apply/schemas.ts';
import { applyServerSide } from '../apply/server-side.ts';
import { type ApplyFlags, type Item, type Validation, type Work, whereText } from '../apply/work.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { Define } from '../command.ts';
import { clusterOptions, examples, repeated } from '../command.ts';
import { objectPrefix, type Resource, resourceOfKind } from '../discovery.ts';
import { dryRunOf, dryRunOption, dryRunSuffix } from '../dry-run.ts';
import { durationOption, wholeNumber } from '../durations.ts';
import { CliError, throwAll, usageError } from '../failure.ts';
import { labelsOf, namespaceOf, unknownKind } from '../file-targets.ts';
import { kubectlHasSubcommand } from '../kubectl-only.ts';
import { type Manifest, readManifests } from '../manifests.ts';
import { parseFormat, shownBy } from '../output/format.ts';
import { outputOptions } from '../output/printer.ts';
import type { AnyObject } from '../read.ts';
import { propagationOf } from './delete.ts';

export const define: Define = (command, io) => {
  outputOptions(dryRunOption(clusterOptions(command)))
    .argument('[words...]')
    .usage('[options]')
    .option('-f, --filename <file>', 'file, directory, or - for stdin; may be repeated', repeated)
    .option('-R, --recursive', 'also the directories below')
    .option('-l, --selector <labels>', 'only manifests with these labels')
    .option('--server-side', 'let the server merge, with ownership of fields')
    .option('--force-conflicts', 'with --server-side: take over fields that others own')
    .option('--field-manager <name>', 'name under which fields are owned')
    .option('--validate [mode]', 'strict (refuse unknown and double fields), warn or ignore')
    .option('--overwrite', 'let the manifest win over what others changed', true)
    .option('--force', 'delete and create anew what cannot be changed')
    .option('--grace-period <seconds>', "with --force: seconds to end in order; -1: the pod's own", wholeNumber, -1)
    .addOption(durationOption('--timeout <duration>', 'with --force: how long to wait for the end, 0s: no limit', '0s'))
    .option('--cascade [mode]', 'with --force: background, foreground or orphan')
    .action((words: readonly string[], flags: ApplyFlags) => {
      const elsewhere = kubectlHasSubcommand('apply', words[0] ?? '');
      if (elsewhere !== undefined) throw new CliError(`berth has no command "apply ${words[0]}".\n${elsewhere}`);
      if (words.length > 0) throw usageError('apply', `Unexpected args: [${words.join(' ')}]`);
      return withCluster(io, flags, cluster => apply(cluster, flags));
    });
  examples(
    command,
    `berth apply -f pod.yaml
    berth apply -f manifests/ -R
    cat pod.yaml | berth apply -f -
    berth apply --server-side --force-conflicts -f pod.yaml
    berth apply --dry-run=server -f pod.yaml -o yaml`,
  );
};

const apply = async (cluster: Cluster, flags: ApplyFlags): Promise<void> => {
  if (!flags.filename) throw new CliError('must specify -f');
  const validation = validationOf(flags.validate);
  const dryRun = dryRunOf(cluster.io, flags.dryRun);
  checkFlags(cluster, flags, dryRun);
  const selected = parseLabelSelector(flags.selector ?? '');
  const duplicates = ({ Strict: 'error', Warn: 'warn', Ignore: 'ignore' } as const)[validation];
  const { print, printed } = printerOf(cluster, flags);
  const all = await readManifests(cluster.io, flags.filename, { recursive: flags.recursive === true, duplicates });
  const read = all.filter(item => 'failure' in item || selected(labelsOf(item.manifest)));
  if (read.length === 0) throw new CliError('no objects passed to apply');
  const resources = await cluster.resources();
  const work: Work = {
    cluster,
    flags,
    dryRun,
    validation,
    schemaOf: createSchemas(cluster.api),
    done: (resource, object, verb) => {
      const line = `${objectPrefix(resource)}/${object.metadata.name}`;
      print(object, `${line} ${verb}${dryRunSuffix(dryRun)}`, line);
    },
  };
  const failures: unknown[] = [];
  for (const item of read) {
    if ('failure' in item) {
      failures.push(item.failure);
      continue;
    }
    try {
      const one = itemOf(cluster, resources, item.manifest);
      await (flags.serverSide ? applyServerSide(work, one) : applyClientSide(work, one));
    } catch (error) {
      failures.push(withPlaces(error, item.manifest));
    }
  }
  printed();
  throwAll(failures);
};

/** Lines as objects are applied; objects, which make one list, at the end. */
const printerOf = ({ io }: Cluster, flags: ApplyFlags) => {
  const options = { columns: false, template: flags.template };
  const format = parseFormat(flags.output, object => (object as AnyObject).metadata.name, options);
  const applied: AnyObject[] = [];
  return {
    print: (object: AnyObject, line: string, name: string): void => {
      applied.push(object);
      if (format.is === 'table') io.out(`${line}\n`);
      else if (flags.output === 'name') io.out(`${name}\n`);
    },
    printed: (): void => {
      if (format.is === 'table' || flags.output === 'name' || applied.length === 0) return;
      const objects = applied.map(object => shownBy(flags, object));
      io.out(format.print({ objects, single: objects.length === 1, listKind: 'List' }, { noHeaders: false }));
    },
  };
};

const checkFlags = ({ io }: Cluster, flags: ApplyFlags, dryRun: Work['dryRun']): void => {
  if (flags.force && flags.serverSide) throw new CliError('--force cannot be used with --server-side');
  if (flags.force && dryRun === 'server') throw new CliError('--dry-run=server cannot be used with --force');
  if (flags.forceConflicts && !flags.serverSide) throw new CliError('--force-conflicts only works with --server-side');
  if (dryRun === 'client' && flags.serverSide)
    throw new CliError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
  if (!flags.overwrite)
    throw new CliError('berth apply has no --overwrite=false: what the manifest says always wins. kubectl has it.');
  if (flags.cascade !== undefined) propagationOf(flags.cascade, io);
  parseLabels(flags.selector);
};

/** kubectl's words for a selector that is none. */
const parseLabels = (selector = ''): void => {
  try {
    parseLabelSelector(selector);
  } catch (error) {
    throw new CliError(`the provided selector ${JSON.stringify(selector)} is not valid: ${(error as Error).message}`);
  }
};

const validationOf = (text: string | undefined): Validation => {
  switch (text) {
    case undefined:
    case '':
    case 'strict':
    case 'true':
      return 'Strict';
    case 'warn':
      return 'Warn';
    case 'ignore':
    case 'false':
      return 'Ignore';
    default:
      throw new CliError(
        `invalid --validate option ${JSON.stringify(text)}; must be one of: strict (or true), warn, ignore (or false)`,
      );
  }
};

/** The manifest's object with its name and namespace; throws CliError when one is missing or contradicts the command. */
const itemOf = (cluster: Cluster, resources: readonly Resource[], manifest: Manifest): Item => {
  const { apiVersion, kind, metadata } = manifest.object;
  const resource = resourceOfKind(resources, apiVersion, kind);
  if (!resource) throw unknownKind(manifest);
  const namespace = namespaceOf(cluster, resource, manifest);
  const { name, generateName } = metadata;
  if (!name && generateName) throw new CliError(`from ${generateName}: cannot use generate name with apply`);
  if (!name)
    throw new CliError(
      `error when retrieving current configuration of:\n${whereText(resource, '', namespace)}\nfrom server for: ${JSON.stringify(manifest.source)}: resource name may not be empty`,
    );
  const object =
    namespace === undefined ? manifest.object : { ...manifest.object, metadata: { ...metadata, namespace } };
  return { resource, manifest, object, ref: { namespace, name } };
};
