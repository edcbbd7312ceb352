/** Values of flags as Go's flag package reads them: durations (`30s`, `1m30s`, `1.5h`, `0`, `-1s`) and whole numbers. */
import { InvalidArgumentError, Option } from 'commander';

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds; as the parser of an option: what is wrong is said before the command does anything. */
export const duration = (text: string): number => {
  const wrong = (why: string) => new InvalidArgumentError(`time: ${why} ${JSON.stringify(text)}`);
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[-+]/, '');
  if (body === '0') return 0;
  if (/^\d+(\.\d+)?$/.test(body)) throw wrong('missing unit in duration');
  const parts = [...body.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(part => part[0]).join('') !== body) throw wrong('invalid duration');
  return sign * parts.reduce((sum, part) => sum + Number(part[1]) * unitMs[part[2]!]!, 0);
};

/** An option whose value is a time, with a default that its help shows as it is written. */
export const durationOption = (flags: string, description: string, usual: string): Option =>
  new Option(flags, description).argParser(duration).default(duration(usual), usual);

/** A whole number; as the parser of an option. */
export const wholeNumber = (text: string): number => {
  if (/^[-+]?\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
};

/** The time that a request may take: `5s`, or seconds without a unit; 0: any time. */
export const requestTimeout = (text: string): number => {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : duration(text);
  if (ms >= 0) return ms;
  throw new InvalidArgumentError('it must not be negative');
};

/** `0.84 s`, as messages about our own speed say it. */
export const durationText = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
