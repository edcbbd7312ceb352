/** `--dry-run[=none|client|server]`, the same in every command that changes something. */
import type { Command } from 'commander';
import { CliError } from './failure.ts';
import type { Io } from './io.ts';

export type DryRun = 'none' | 'client' | 'server';

/** The value of `--dry-run` without one. */
const alone = '';

export const dryRunOption = (command: Command): Command =>
  command.option('--dry-run [mode]', 'none, client (only say what would be done) or server (the server tries it)');

/** Reads the flag, with kubectl's old forms and its advice about them; throws CliError. */
export const dryRunOf = (io: Io, text: string | undefined): DryRun => {
  if (text === undefined) return 'none';
  if (text === 'none' || text === 'client' || text === 'server') return text;
  const old = { [alone]: 'client', true: 'client', false: 'none' }[text] as DryRun | undefined;
  if (!old) throw new CliError(`Invalid dry-run value (${text}). Must be "none", "server", or "client".`);
  const form = text === alone ? '--dry-run' : `--dry-run=${text}`;
  const value = text === alone ? '' : ' (boolean value)';
  io.err(`Warning: ${form} is deprecated${value} and can be replaced with --dry-run=${old}.\n`);
  return old;
};

/** What is said behind the outcome. */
export const dryRunSuffix = (mode: DryRun): string =>
  ({ none: '', client: ' (dry run)', server: ' (server dry run)' })[mode];

/** The query of a write. */
export const dryRunQuery = (mode: DryRun): { dryRun: string | undefined } => ({
  dryRun: mode === 'server' ? 'All' : undefined,
});
