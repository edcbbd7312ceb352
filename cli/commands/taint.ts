/** `berth taint`: sets and removes the taints of nodes. */

import type { Taint } from '#api/kinds/core.ts';
import { labelValueFaults, qualifiedNameFaults } from '#api/label-names.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples } from '../command.ts';
import { dryRunOf, dryRunOption } from '../dry-run.ts';
import { CliError, throwAll, usageError } from '../failure.ts';
import { type OutputFlags, objectPrinter, outputOptions } from '../output/printer.ts';
import { eachObject, lineOf, sendPatch } from '../patching.ts';
import type { AnyObject } from '../read.ts';
import { type Choice, parseTargets } from '../targets.ts';

interface TaintFlags extends ClusterFlags, Choice, OutputFlags {
  overwrite?: boolean;
  dryRun?: string;
  fieldManager: string;
}

export const define: Define = (command, io) => {
  outputOptions(dryRunOption(clusterOptions(command, { namespace: false })))
    .argument('[type]', 'node')
    .argument('[words...]', 'names, then KEY=VALUE:EFFECT to set, KEY:EFFECT- or KEY- to remove')
    .usage('[options] node NAME... KEY=VALUE:EFFECT... KEY-...')
    .option('--overwrite', 'change taints that are there already')
    .option('--all', 'all nodes')
    .option('-l, --selector <labels>', 'nodes with these labels')
    .option('--field-manager <name>', 'name under which fields are owned', 'kubectl-taint')
    .action((type: string | undefined, words: readonly string[], flags: TaintFlags) =>
      withCluster(io, flags, cluster => run(cluster, type, words, flags)),
    );
  examples(
    command,
    `berth taint node a dedicated=db:NoSchedule
    berth taint node a dedicated:NoSchedule-
    berth taint node a dedicated-`,
  );
};

const run = async (
  cluster: Cluster,
  type: string | undefined,
  words: readonly string[],
  flags: TaintFlags,
): Promise<void> => {
  if (type === undefined) throw new CliError('one or more resources must be specified as <resource> <name>');
  const first = words.findIndex(word => /[=:]|.-$/.test(word));
  const names = first < 0 ? words : words.slice(0, first);
  const changes = first < 0 ? [] : words.slice(first).map(changeOf);
  if (changes.length === 0) throw new CliError('at least one taint update is required');
  checkChanges(changes);
  const { asked } = parseTargets([type], await cluster.resources(), false);
  if (asked.some(({ resource }) => resource.plural !== 'nodes' || resource.group !== ''))
    throw new CliError(`invalid resource type ${type}, only node types are supported`);
  if (names.length === 0 && !flags.all && !flags.selector)
    throw new CliError("at least one resource name must be specified since 'all' parameter is not set");
  const dryRun = dryRunOf(cluster.io, flags.dryRun);
  const print = objectPrinter(cluster.io, flags);
  // With --all the names say nothing more, as in kubectl.
  await eachObject(cluster, flags.all ? [type] : [type, ...names], flags, async (target, object) => {
    const { spec } = object as { spec?: { taints?: Taint[] } };
    const taints = changed(spec?.taints ?? [], changes, flags.overwrite === true, object.metadata.name);
    const body = { spec: { taints: taints.length === 0 ? null : taints } };
    const after =
      dryRun === 'client'
        ? ({ ...object, spec: { ...spec, taints } } as AnyObject)
        : await sendPatch(cluster, target, object, { type: 'strategic', manager: flags.fieldManager, body, dryRun });
    const removals = changes.filter(change => change.remove).length;
    const both = removals > 0 && removals < changes.length;
    const outcome = both || flags.overwrite ? 'modified' : removals > 0 ? 'untainted' : 'tainted';
    print(after, `${lineOf(target, object)} ${outcome}`, lineOf(target, object));
  });
};

interface Change {
  readonly remove: boolean;
  readonly key: string;
  readonly value: string;
  /** Empty only in a removal: every effect. */
  readonly effect: string;
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

const changeOf = (word: string): Change => {
  const remove = word.endsWith('-');
  const match = /^([^=:]*)(?:=([^=:]*))?(?::([^:]*))?$/.exec(remove ? word.slice(0, -1) : word);
  if (!match) throw usageError('taint', `invalid taint spec: ${word}`);
  const [, key = '', value = '', effect = ''] = match;
  const faults = [...qualifiedNameFaults(key), ...(remove ? [] : labelValueFaults(value))];
  if (faults.length > 0) throw usageError('taint', `invalid taint spec: ${word}, ${faults.join('; ')}`);
  if (!remove && match[3] === undefined)
    throw usageError('taint', `invalid taint spec: ${word}, an effect is needed: ${effects.join(', ')}`);
  if ((!remove || effect !== '') && !effects.includes(effect))
    throw usageError('taint', `invalid taint effect: ${effect}, unsupported taint effect`);
  return { remove, key, value, effect };
};

const sameAs =
  ({ key, effect }: Pick<Change, 'key' | 'effect'>) =>
  (taint: { key: string; effect: string }): boolean =>
    taint.key === key && (effect === '' || taint.effect === effect);

/** One word must not contradict another. */
const checkChanges = (changes: readonly Change[]): void => {
  const wanted = changes.filter(change => !change.remove);
  for (const change of wanted) {
    if (wanted.some(other => other !== change && sameAs(change)(other)))
      throw usageError(
        'taint',
        `duplicated taints with the same key and effect: {${change.key} ${change.value} ${change.effect} <nil>}`,
      );
  }
  const both = changes.find(({ remove, ...removal }) => remove && wanted.some(sameAs(removal)));
  if (both)
    throw new CliError(
      `can not both modify and remove the following taint(s) in the same command: ${both.key}=${both.effect}`,
    );
};

const changed = (taints: readonly Taint[], changes: readonly Change[], overwrite: boolean, node: string): Taint[] => {
  let result = [...taints];
  const missing: CliError[] = [];
  for (const { remove, key, value, effect } of changes) {
    const same = sameAs({ key, effect });
    const present = result.some(same);
    if (remove && !present)
      missing.push(new CliError(`taint ${JSON.stringify(effect ? `${key}:${effect}` : key)} not found`));
    if (!remove && present && !overwrite) {
      throw new CliError(`node ${node} already has ${key} taint(s) with same effect(s) and --overwrite is false`);
    }
    result = result.filter(taint => !same(taint));
    if (!remove) result.push({ key, effect, ...(value === '' ? {} : { value }) } as Taint);
  }
  throwAll(missing);
  return result;
};
