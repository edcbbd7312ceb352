/** `--sort-by=.path`: orders by what a JSONPath finds; numbers and quantities by value, other strings in natural order. */
import { compareQuantities } from '#api/quantity.ts';
import { CliError } from '../failure.ts';
import { findValues } from './jsonpath.ts';
import { parseRelaxedPath } from './jsonpath-parse.ts';

/** A sorted copy; `objectOf` gives the object that the path is for. Throws CliError when no object has the field. */
export const sortedBy = <T>(items: readonly T[], path: string, objectOf: (item: T) => unknown): T[] => {
  const template = parseRelaxedPath(path);
  const keyed = items.map(item => ({ item, key: findValues(template, objectOf(item))[0] }));
  if (items.length > 0 && keyed.every(({ key }) => key === undefined)) {
    throw new CliError(`couldn't find any field with path "${braced(path)}" in the list of objects`);
  }
  return keyed.sort((a, b) => compare(a.key, b.key)).map(({ item }) => item);
};

const braced = (path: string): string => (path.startsWith('{') ? path : `{${path.startsWith('.') ? '' : '.'}${path}}`);

const compare = (a: unknown, b: unknown): number => {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  if (typeof a === 'string' && typeof b === 'string') return byQuantity(a, b) ?? natural(a, b);
  if (typeof a === typeof b) return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
  return String(a) < String(b) ? -1 : 1;
};

const looksLikeQuantity = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+|[KMGTPE]i|[numkMGTPE])?$/;
const byQuantity = (a: string, b: string): number | undefined =>
  looksLikeQuantity.test(a) && looksLikeQuantity.test(b) ? compareQuantities(a, b) : undefined;

/** Runs of digits compare by value: `node-2` before `node-10`. */
export const natural = (a: string, b: string): number => {
  const chunks = (text: string) => text.match(/\d+|\D/gu) ?? [];
  const [left, right] = [chunks(a), chunks(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x, y] = [left[i]!, right[i]!];
    const bothNumbers = /^\d/.test(x) && /^\d/.test(y);
    if (bothNumbers && Number(x) !== Number(y)) return Number(x) - Number(y);
    if (!bothNumbers && x !== y) return x < y ? -1 : 1;
  }
  return left.length - right.length || (a < b ? -1 : a > b ? 1 : 0);
};
