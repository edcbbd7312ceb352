/**
 * How a command is declared: commander holds arguments, options and help; this adds what kubectl users expect of flags
 * (`--wait=false`, `-o=json`, `--dry-run` alone, global flags before the command) and the options that every command
 * talking to a cluster shares.
 */
import { Command, type Option } from 'commander';
import { requestTimeout } from './durations.ts';
import type { Io } from './io.ts';
import { usageErrorText } from './usage-errors.ts';

/** Adds options and the action to a command that already has its name. */
export type Define = (command: Command, io: Io) => void;

export interface ClusterFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  /** Milliseconds; 0: as long as it takes. */
  readonly requestTimeout?: number;
}

/** `--context`, `--kubeconfig`, `-n`, `--request-timeout`. */
export const clusterOptions = (command: Command, more: { namespace?: boolean } = {}): Command => {
  if (more.namespace !== false) {
    command.option('-n, --namespace <name>', 'namespace to work in (default: that of the context)');
  }
  return command
    .option('--context <name>', 'kubeconfig context of the cluster (default: $BERTH_CONTEXT or berth)')
    .option('--kubeconfig <file>', 'kubeconfig file (default: $KUBECONFIG or ~/.kube/config)')
    .option('--request-timeout <duration>', 'give up on a request after this time (0: never)', requestTimeout);
};

/** Examples at the end of --help. */
export const examples = (command: Command, text: string): Command => {
  const lines = text.trim().split('\n');
  return command.addHelpText('after', `\nExamples:\n${lines.map(line => `  ${line.trim()}`).join('\n')}`);
};

/** Collects the values of an option, with commas or repeated. */
export const listed = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...value.split(','),
];

/** Collects a repeatable option. */
export const repeated = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

const globalWithValue = new Set(['-n', '--namespace', '--context', '--kubeconfig', '--request-timeout']);

/** The command's name and its arguments; global flags that stand before the name move behind it. */
export const splitArguments = (args: readonly string[]): { name: string | undefined; rest: readonly string[] } => {
  const before: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (!word.startsWith('-')) return { name: word, rest: [...before, ...args.slice(i + 1)] };
    before.push(word);
    if (globalWithValue.has(word) && i + 1 < args.length) before.push(args[++i]!);
  }
  return { name: undefined, rest: before };
};

/**
 * The arguments in the form that commander reads: `-o=json` → `-ojson`, `--flag=true` → `--flag`, an optional value
 * only after `=`. `--flag=false` sets the value on the command. Of a flag given twice the last one counts. What follows
 * `--` is also the option value `afterDashes`, because commander does not tell where it began.
 */
export const normalizeArguments = (root: Command, args: readonly string[]): string[] => {
  const command = addressed(root, args);
  const byFlag = new Map<string, Option>();
  for (const option of command.options) {
    if (option.long) byFlag.set(option.long, option);
    if (option.short) byFlag.set(option.short, option);
  }
  const off = new Set<Option>();
  let out: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (word === '--') {
      command.setOptionValue('afterDashes', args.slice(i + 1));
      out.push(...args.slice(i));
      break;
    }
    const short = /^(-[A-Za-z])=(.*)$/s.exec(word);
    const [, flag, value] = short ?? /^(--[^=]+)=(.*)$/s.exec(word) ?? [undefined, word, undefined];
    const option = byFlag.get(flag!);
    if (!option) out.push(word);
    else if (option.required) {
      if (value !== undefined) out.push(flag!, value);
      else out.push(word, ...(i + 1 < args.length ? [args[++i]!] : []));
    } else if (option.optional) out.push(`${option.long}=${value ?? String(option.presetArg ?? '')}`);
    else if (value === undefined || isTrue(value)) {
      off.delete(option);
      out.push(flag!);
    } else if (isFalse(value)) {
      off.add(option);
      out = out.filter(before => before !== option.long && before !== option.short);
    } else notBoolean(command, option, value);
  }
  for (const option of off) command.setOptionValue(option.attributeName(), option.negate);
  return out;
};

/** The command that the arguments are for: `top pod` has flags of its own. */
const addressed = (command: Command, args: readonly string[]): Command => {
  const first = args.find(word => !word.startsWith('-'));
  return command.commands.find(sub => first !== undefined && [sub.name(), ...sub.aliases()].includes(first)) ?? command;
};

const isTrue = (value: string): boolean => /^(1|t|T|TRUE|true|True)$/.test(value);
const isFalse = (value: string): boolean => /^(0|f|F|FALSE|false|False)$/.test(value);

const notBoolean = (command: Command, option: Option, value: string): never =>
  command.error(
    `error: option '${option.flags}' argument '${value}' is invalid. strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
  );

/** A command that throws instead of ending the process and writes where `io` says; `path` is how it is called: `top pod`. */
export const newCommand = (name: string, io: Io, path = name): Command =>
  new Command(name)
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: text => io.out(text),
      writeErr: text => io.err(text),
      outputError: (text, write) => write(usageErrorText(text, path)),
      getOutHasColors: () => io.colour,
      getErrHasColors: () => false,
    });
