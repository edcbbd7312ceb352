/** Prints objects one by one, as commands that change or await them go through them. */
import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { parseFormat, shownBy } from './format.ts';

export interface OutputFlags {
  output?: string;
  template?: string;
  showManagedFields?: boolean;
}

/** `-o`, `--template`, `--show-managed-fields`. */
export const outputOptions = (command: Command, forms = 'yaml, json, name, jsonpath=TEMPLATE'): Command =>
  command
    .option('-o, --output <form>', forms)
    .option('--template <template>', 'the template, when -o does not have it (-o jsonpath --template …)')
    .option('--show-managed-fields', 'keep managedFields in yaml and json');

/** `line` is what is printed when no `-o` is given, `name` the `pod/web` of `-o name`. */
export type Print = (object: object, line: string, name: string) => void;

/** Reads the flags at once, so that a wrong `-o` is said before anything is changed; throws CliError. */
export const objectPrinter = (io: Io, flags: OutputFlags): Print => {
  let name = '';
  const format = parseFormat(flags.output, () => name, { columns: false, template: flags.template });
  if (format.is === 'table') return (_, line) => io.out(`${line}\n`);
  let printed = 0;
  return (object, _, nameNow) => {
    name = nameNow;
    const text = format.print({ objects: [shownBy(flags, object)], single: true }, { noHeaders: false });
    io.out(flags.output === 'yaml' && printed++ > 0 ? `---\n${text}` : text);
  };
};
