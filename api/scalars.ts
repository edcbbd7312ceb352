/**
 * The scalars of Kubernetes' JSON that have a form of their own: times, quantities, int-or-string, base64. Each function
 * gives the stored form or throws a ScalarError with the text that Go's decoder gives.
 */
import { toTime } from '#base/clock.ts';
import { canonicalQuantity, QuantityError } from './quantity.ts';

export class ScalarError extends Error {
  override name = 'ScalarError';
}

/** What Go calls the JSON value in its messages. */
export const goValue = (value: unknown): string => {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
};

/** The canonical text of a quantity, which may be given as text or as a number. */
export const decodeQuantity = (value: unknown): string => {
  try {
    return canonicalQuantity(typeof value === 'string' ? value.trim() : (JSON.stringify(value) ?? ''));
  } catch (error) {
    if (error instanceof QuantityError) throw new ScalarError(error.message);
    throw error;
  }
};

/** A whole number of 32 bits or a text. */
export const decodeIntOrString = (value: unknown): number | string => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && value === (value | 0)) return value;
  const shown = typeof value === 'number' ? `number ${value}` : goValue(value);
  throw new ScalarError(`json: cannot unmarshal ${shown} into Go value of type int32`);
};

/** RFC 3339 in UTC with whole seconds; undefined for the zero time, which means: not set. */
export const decodeTime = (value: unknown): string | undefined => {
  const text = parseTime(value, '2006-01-02T15:04:05Z07:00');
  const time = toTime(Date.parse(text));
  return time.startsWith('0001-01-01T00:00:00') ? undefined : time;
};

/** RFC 3339 in UTC with microseconds. */
export const decodeMicroTime = (value: unknown): string => {
  const text = parseTime(value, '2006-01-02T15:04:05.000000Z07:00');
  return `${toTime(Date.parse(text)).slice(0, 19)}${text.slice(19, 26)}Z`;
};

/** Base64 without line breaks. */
export const decodeBytes = (value: string): string => {
  const text = value.replace(/[\r\n]/g, '');
  const illegal = text.search(/[^A-Za-z0-9+/=]/);
  const padding = text.indexOf('=');
  const end = padding === -1 ? text.length : padding;
  let fault = -1;
  if (illegal !== -1 && illegal < end) fault = illegal;
  else if (end % 4 === 1 && padding !== -1) fault = end;
  else if (text.length % 4 !== 0 && (padding === -1 || text.length < end + 2)) fault = end - (end % 4);
  else if (padding !== -1 && text.slice(padding) !== '='.repeat(4 - (end % 4 || 4)))
    fault = end % 4 === 0 ? end : text.length - 1;
  if (fault !== -1) throw new ScalarError(`illegal base64 data at input byte ${fault}`);
  return text;
};

const clockFields: readonly (readonly [layout: string, pattern: RegExp])[] = [
  ['2006', /^\d{4}/],
  ['-', /^-/],
  ['01', /^\d{2}/],
  ['-', /^-/],
  ['02', /^\d{2}/],
  ['T', /^T/],
  ['15', /^\d{2}/],
  [':', /^:/],
  ['04', /^\d{2}/],
  [':', /^:/],
  ['05', /^\d{2}(?:\.\d+)?/],
  ['Z07:00', /^(?:Z|[+-]\d{2}:\d{2})/],
];
const microFields = clockFields.flatMap<readonly [string, RegExp]>(field =>
  field[0] === '05'
    ? [
        ['05', /^\d{2}/],
        ['.000000', /^\.\d{6}(?!\d)/],
      ]
    : [field],
);

const ranges: readonly (readonly [index: number, least: number, most: number, name: string])[] = [
  [5, 1, 12, 'month'],
  [8, 1, 31, 'day'],
  [11, 0, 23, 'hour'],
  [14, 0, 59, 'minute'],
  [17, 0, 59, 'second'],
];

/** The text itself when it follows the layout and is a real time. */
const parseTime = (value: unknown, layout: string): string => {
  if (typeof value !== 'string')
    throw new ScalarError(`json: cannot unmarshal ${goValue(value)} into Go value of type string`);
  let rest = value;
  for (const [part, pattern] of layout.includes('.') ? microFields : clockFields) {
    const match = pattern.exec(rest);
    if (match === null)
      throw new ScalarError(
        `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${part}"`,
      );
    rest = rest.slice(match[0].length);
  }
  if (rest !== '') throw new ScalarError(`parsing time ${JSON.stringify(value)}: extra text: ${JSON.stringify(rest)}`);
  for (const [index, least, most, name] of ranges) {
    const number = Number(value.slice(index, index + 2));
    if (number < least || number > most)
      throw new ScalarError(`parsing time ${JSON.stringify(value)}: ${name} out of range`);
  }
  const midnight = `${value.slice(0, 10)}T00:00:00Z`;
  if (!toTime(Date.parse(midnight)).startsWith(value.slice(0, 10)))
    throw new ScalarError(`parsing time ${JSON.stringify(value)}: day out of range`);
  return value;
};
