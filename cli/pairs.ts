/** `key=value` sets and `key-` removes, in label and annotate: the two commands differ in a word and a field. */
import type { Command } from 'commander';
import { withCluster } from './cluster.ts';
import { type ClusterFlags, clusterOptions } from './command.ts';
import { CliError } from './failure.ts';
import type { Io } from './io.ts';
import { type Chosen, eachObject, lineOf, sendPatch } from './patching.ts';

interface PairFlags extends ClusterFlags, Chosen {
  overwrite?: boolean;
}

export interface PairCommand {
  readonly field: 'labels' | 'annotations';
  readonly manager: string;
  /** `labeled`, `annotated`. */
  readonly done: string;
  readonly undone: string;
}

export const pairCommand = (command: Command, io: Io, kind: PairCommand): Command =>
  clusterOptions(command)
    .argument('<type>', 'resource type, or TYPE/NAME')
    .argument('<words...>', 'names, then KEY=VALUE to set and KEY- to remove')
    .option('--overwrite', 'change keys that are there already')
    .option('--all', 'all objects of the type')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('-l, --selector <labels>', 'objects with these labels')
    .action((type: string, words: readonly string[], flags: PairFlags) =>
      withCluster(io, flags, async cluster => {
        const isChange = (word: string) => word.includes('=') || word.endsWith('-');
        const first = words.findIndex(isChange);
        const changes = first < 0 ? [] : words.slice(first);
        if (changes.length === 0) throw new CliError(`at least one ${kind.field.slice(0, -1)} update is required`);
        const values = Object.fromEntries(changes.map(pairOf));
        await eachObject(
          cluster,
          [type, ...(first < 0 ? words : words.slice(0, first))],
          flags,
          async (target, object) => {
            const present = object.metadata[kind.field] ?? {};
            for (const [key, value] of Object.entries(values)) {
              if (value === null && present[key] === undefined)
                io.err(`${kind.field.slice(0, -1)} ${JSON.stringify(key)} not found.\n`);
              if (value !== null && present[key] !== undefined && present[key] !== value && !flags.overwrite) {
                throw new CliError(`'${key}' already has a value (${present[key]}), and --overwrite is false`);
              }
            }
            const changed = Object.entries(values).some(([key, value]) => (present[key] ?? null) !== value);
            if (!changed) return io.out(`${lineOf(target, object)} not ${kind.done}\n`);
            await sendPatch(cluster, target, object, {
              type: 'merge',
              manager: kind.manager,
              body: { metadata: { [kind.field]: values } },
            });
            const onlyRemoved = Object.values(values).every(value => value === null);
            io.out(`${lineOf(target, object)} ${onlyRemoved ? kind.undone : kind.done}\n`);
          },
        );
      }),
    );

const pairOf = (word: string): [string, string | null] => {
  const equals = word.indexOf('=');
  if (equals > 0) return [word.slice(0, equals), word.slice(equals + 1)];
  if (equals < 0 && word.endsWith('-') && word.length > 1) return [word.slice(0, -1), null];
  throw new CliError(`unknown change ${JSON.stringify(word)}: expected KEY=VALUE or KEY-`);
};
