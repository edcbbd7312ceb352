/** Durations as Go writes them in flags: `30s`, `1m30s`, `1.5h`, `0`, `-1s`. */
import { CliError } from './failure.ts';

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds; throws CliError naming the flag. */
export const durationMs = (text: string, flag: string): number => {
  const wrong = (why: string) =>
    new CliError(`invalid argument ${JSON.stringify(text)} for "${flag}" flag: time: ${why}`);
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[-+]/, '');
  if (body === '0') return 0;
  if (/^\d+(\.\d+)?$/.test(body)) throw wrong(`missing unit in duration ${JSON.stringify(text)}`);
  const parts = [...body.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(part => part[0]).join('') !== body)
    throw wrong(`invalid duration ${JSON.stringify(text)}`);
  return sign * parts.reduce((sum, part) => sum + Number(part[1]) * unitMs[part[2]!]!, 0);
};

/** A whole number from a flag; throws CliError naming the flag. */
export const wholeNumber = (text: string, flag: string): number => {
  if (/^-?\d+$/.test(text)) return Number(text);
  throw new CliError(
    `invalid argument ${JSON.stringify(text)} for "${flag}" flag: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
};

/** `0.84 s`, as messages about our own speed say it. */
export const durationText = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
