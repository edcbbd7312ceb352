/**
 * Faults of a command line in kubectl's words. Commander finds them and says them in its own; this turns one into the
 * other, so that scripts and eyes that know kubectl read the same.
 */
import { kubectlHasFlag } from './kubectl-only.ts';

/** The lines for stderr; `text` is commander's message, `path` the command as its user calls it (`top pod`), empty for berth itself. */
export const usageErrorText = (text: string, path: string): string => {
  const [message = '', ...rest] = text.trimEnd().split('\n');
  const lines = [translated(message), ...rest];
  const flag = /^error: unknown option '(--[^=']+|-.)/.exec(message)?.[1];
  const known = flag === undefined ? undefined : kubectlHasFlag(flag, path);
  if (known !== undefined) lines.push(known);
  return `${lines.join('\n')}\nSee '${path === '' ? 'berth' : `berth ${path}`} --help' for usage.\n`;
};

/** Each of commander's messages with kubectl's way to say it; `$1` is the flag as declared: `-w, --watch <x>`. */
const translated = (message: string): string => {
  const unknown = /^error: unknown option '(.*)'$/s.exec(message)?.[1];
  if (unknown?.startsWith('--')) return `error: unknown flag: ${unknown.split('=')[0]}`;
  if (unknown !== undefined) return `error: unknown shorthand flag: '${unknown[1]}' in ${unknown}`;
  const missing = /^error: option '(.*)' argument missing$/.exec(message)?.[1];
  if (missing !== undefined) return `error: flag needs an argument: ${bare(missing).split(', ').at(-1)}`;
  const invalid = /^error: option '(.*?)' argument '(.*)' is invalid\. (.*)$/s.exec(message);
  if (invalid)
    return `error: invalid argument ${JSON.stringify(invalid[2])} for "${bare(invalid[1]!)}" flag: ${invalid[3]}`;
  const required = /^error: required option '(.*)' not specified$/.exec(message)?.[1];
  if (required !== undefined) return `error: required flag(s) "${bare(required).split('--').at(-1)}" not set`;
  return message;
};

/** A declaration without its value: `-w, --watch`. */
const bare = (declared: string): string => declared.replace(/ [<[].*$/, '');
