/**
 * How a command is declared: commander holds arguments, options and help; this adds what kubectl users expect of flags
 * (`--wait=false`, `-o=json`, `--dry-run` alone, global flags before the command) and the options that every command
 * talking to a cluster shares.
 */
import { Command, type Option } from 'commander';
import type { Io } from './io.ts';

/** Adds options and the action to a command that already has its name. */
export type Define = (command: Command, io: Io) => void;

export interface ClusterFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly namespace?: string;
}

/** `--context`, `--kubeconfig`, `-n`. */
export const clusterOptions = (command: Command, more: { namespace?: boolean } = {}): Command => {
  if (more.namespace !== false) {
    command.option('-n, --namespace <name>', 'namespace to work in (default: that of the context)');
  }
  return command
    .option('--context <name>', 'kubeconfig context of the cluster (default: $BERTH_CONTEXT or berth)')
    .option('--kubeconfig <file>', 'kubeconfig file (default: $KUBECONFIG or ~/.kube/config)');
};

/** Examples at the end of --help. */
export const examples = (command: Command, text: string): Command => {
  const lines = text.trim().split('\n');
  return command.addHelpText('after', `\nExamples:\n${lines.map(line => `  ${line.trim()}`).join('\n')}`);
};

/** Collects a repeatable option. */
export const repeated = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

const globalWithValue = new Set(['-n', '--namespace', '--context', '--kubeconfig']);

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
 * only after `=`. `--flag=false` sets the value on the command.
 */
export const normalizeArguments = (command: Command, args: readonly string[]): string[] => {
  const byFlag = new Map<string, Option>();
  for (const option of command.options) {
    if (option.long) byFlag.set(option.long, option);
    if (option.short) byFlag.set(option.short, option);
  }
  const out: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (word === '--') return [...out, ...args.slice(i)];
    const short = /^(-[A-Za-z])=(.*)$/s.exec(word);
    const [, flag, value] = short ?? /^(--[^=]+)=(.*)$/s.exec(word) ?? [undefined, word, undefined];
    const option = byFlag.get(flag!);
    if (!option) out.push(word);
    else if (option.required) {
      if (value !== undefined) out.push(flag!, value);
      else out.push(word, ...(i + 1 < args.length ? [args[++i]!] : []));
    } else if (option.optional) out.push(`${option.long}=${value ?? String(option.presetArg ?? '')}`);
    else if (value === undefined) out.push(word);
    else if (/^(true|t|1)$/i.test(value)) out.push(flag!);
    else if (/^(false|f|0)$/i.test(value)) command.setOptionValue(option.attributeName(), false);
    else out.push(word);
  }
  return out;
};

/** A command that throws instead of ending the process and writes where `io` says. */
export const newCommand = (name: string, io: Io): Command =>
  new Command(name)
    .exitOverride()
    .allowExcessArguments(false)
    .showHelpAfterError(`See 'berth ${name} --help' for usage.`)
    .configureOutput({
      writeOut: text => io.out(text),
      writeErr: text => io.err(text),
      getOutHasColors: () => io.colour,
      getErrHasColors: () => false,
    });
