/** `berth taint`: sets and removes the taints of nodes. */
import type { Taint } from '#api/kinds/core.ts';
import { withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples } from '../command.ts';
import { CliError } from '../failure.ts';
import { type Chosen, eachObject, lineOf, sendPatch } from '../patching.ts';

interface TaintFlags extends ClusterFlags, Chosen {
  overwrite?: boolean;
}

export const define: Define = (command, io) => {
  clusterOptions(command, { namespace: false })
    .argument('<type>', 'node, or node/NAME')
    .argument('<words...>', 'names, then KEY=VALUE:EFFECT to set, KEY:EFFECT- or KEY- to remove')
    .option('--overwrite', 'change taints that are there already')
    .option('--all', 'all nodes')
    .option('-l, --selector <labels>', 'nodes with these labels')
    .action((type: string, words: readonly string[], flags: TaintFlags) =>
      withCluster(io, flags, async cluster => {
        const first = words.findIndex(word => /[=:]|-$/.test(word));
        if (first < 0) throw new CliError('at least one taint update is required');
        const changes = words.slice(first).map(changeOf);
        await eachObject(cluster, [type, ...words.slice(0, first)], flags, async (target, object) => {
          if (target.resource.plural !== 'nodes')
            throw new CliError(`invalid resource type ${target.resource.plural}, only node(s) is supported`);
          const { spec } = object as { spec?: { taints?: Taint[] } };
          const taints = changed(spec?.taints ?? [], changes, flags.overwrite === true, object.metadata.name);
          const body = { spec: { taints: taints.length === 0 ? null : taints } };
          await sendPatch(cluster, target, object, { type: 'strategic', manager: 'kubectl-taint', body });
          const removals = changes.filter(change => change.remove).length;
          const done = removals === 0 ? 'tainted' : removals === changes.length ? 'untainted' : 'modified';
          io.out(`${lineOf(target, object)} ${done}\n`);
        });
      }),
    );
  examples(
    command,
    `berth taint node a dedicated=db:NoSchedule
    berth taint node a dedicated:NoSchedule-
    berth taint node a dedicated-`,
  );
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
  const match = /^([^=:]+)(?:=([^:]*))?(?::(.*))?$/.exec(remove ? word.slice(0, -1) : word);
  if (!match) throw new CliError(`invalid taint spec: ${word}`);
  const [, key = '', value = '', effect = ''] = match;
  if (!remove && effect === '')
    throw new CliError(`invalid taint spec: ${word}, an effect is needed: ${effects.join(', ')}`);
  if (effect !== '' && !effects.includes(effect))
    throw new CliError(`invalid taint effect: ${effect}, unsupported taint effect`);
  return { remove, key, value, effect };
};

const changed = (taints: readonly Taint[], changes: readonly Change[], overwrite: boolean, node: string): Taint[] => {
  let result = [...taints];
  for (const { remove, key, value, effect } of changes) {
    const same = (taint: Taint) => taint.key === key && (effect === '' || taint.effect === effect);
    const present = result.find(same);
    if (remove && !present) throw new CliError(`taint ${JSON.stringify(effect ? `${key}:${effect}` : key)} not found`);
    if (!remove && present && !overwrite) {
      throw new CliError(`node ${node} already has ${key} taint(s) with same effect(s) and --overwrite is false`);
    }
    result = result.filter(taint => !same(taint));
    if (!remove) result.push({ key, effect, ...(value === '' ? {} : { value }) } as Taint);
  }
  return result;
};
