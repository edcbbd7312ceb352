/**
 * Resource quantities (`100m`, `1.5Gi`, `12e6`) as exact decimals, with the grammar, canonical form and error texts of
 * apimachinery's resource.Quantity (SEMANTICS A). A quantity stays a string everywhere; these functions read and write it.
 * Values have at most nine fractional digits and are held as BigInt counts of 10^-9. The few forms that nearly all pods
 * use (`250m`, `2`, `64Mi`) are read without BigInt, because the scheduler asks for hundreds of thousands of them.
 */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** Text that is no quantity; the message is upstream's. */
export class QuantityError extends Error {
  override name = 'QuantityError';
}

interface Quantity {
  /** The value times 10^9. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

/** The value times 1000, rounded up (away from zero) to a whole number: millicores of a cpu quantity. */
export const milliValue = (text: string): number => {
  const milli = exactMilli(text);
  return milli >= 0 ? milli : Number(divideUp(parse(text).nano, nanoPerMilli));
};

/** The value rounded up (away from zero) to a whole number: bytes of a memory quantity. */
export const wholeValue = (text: string): number => {
  const milli = exactMilli(text);
  return milli >= 0 ? Math.ceil(milli / 1000) : Number(divideUp(parse(text).nano, nanoPerOne));
};

/** The one spelling of the value: no fraction, largest suffix, binary suffixes kept binary. Throws QuantityError. */
export const canonicalQuantity = (text: string): string => {
  const known = canonicalTexts.get(text);
  if (known !== undefined) return known;
  const canonical = print(parse(text));
  if (text.length <= maxCachedLength) {
    if (canonicalTexts.size >= maxCachedTexts) canonicalTexts.clear();
    canonicalTexts.set(text, canonical);
  }
  return canonical;
};

/** Canonical, after rounding up to thousandths, as the API server stores every entry of a resource list. */
export const roundUpToMilli = (text: string): string => {
  const { nano, format } = parse(text);
  return print({ nano: divideUp(nano, nanoPerMilli) * nanoPerMilli, format });
};

/** a + b in the format of a, or of b when a is zero. */
export const addQuantities = (a: string, b: string): string => {
  const left = parse(a);
  const right = parse(b);
  return print({ nano: left.nano + right.nano, format: left.nano === 0n ? right.format : left.format });
};

/** a - b in the format of a, or of b when a is zero. */
export const subtractQuantities = (a: string, b: string): string => {
  const left = parse(a);
  const right = parse(b);
  return print({ nano: left.nano - right.nano, format: left.nano === 0n ? right.format : left.format });
};

/** Negative, zero or positive as a is less than, equal to or greater than b, whatever their formats. */
export const compareQuantities = (a: string, b: string): number => {
  if (a === b) return 0;
  const left = exactMilli(a);
  const right = exactMilli(b);
  if (left >= 0 && right >= 0) return left - right;
  const difference = parse(a).nano - parse(b).nano;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

/** The greater of two; a when they are equal. */
export const maxQuantity = (a: string, b: string): string => (compareQuantities(a, b) >= 0 ? a : b);

export const isZero = (text: string): boolean => compareQuantities(text, '0') === 0;

/** True for text that parses. */
export const isQuantity = (text: string): boolean => {
  try {
    canonicalQuantity(text);
    return true;
  } catch (error) {
    if (error instanceof QuantityError) return false;
    throw error;
  }
};

/** The canonical text of a whole number, or with `milli` of a whole number of thousandths. */
export const quantityOf = (value: number | bigint, format: 'DecimalSI' | 'BinarySI', milli = false): string =>
  print({ nano: BigInt(value) * (milli ? nanoPerMilli : nanoPerOne), format });

const nanoPerOne = 1_000_000_000n;
const nanoPerMilli = 1_000_000n;
const maxCachedTexts = 4096;
const maxCachedLength = 32;
const canonicalTexts = new Map<string, string>();

/** The value times 1000 when the text is one of the usual forms and exact in a double; -1 means: read it in full. */
export const exactMilli = (text: string): number => {
  const length = text.length;
  let value = 0;
  let i = 0;
  for (; i < length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (i === 0 || i > 15) return -1;
  const milli = value * milliPerSuffix(text, i);
  return milli <= Number.MAX_SAFE_INTEGER ? milli : -1;
};

const milliPerSuffix = (text: string, at: number): number => {
  const letters = text.length - at;
  if (letters === 0) return 1000;
  const first = text.charCodeAt(at);
  if (letters === 1)
    return first === 109 /* m */ ? 1 : first === 107 ? 1e6 : first === 77 ? 1e9 : first === 71 ? 1e12 : Number.NaN;
  if (letters !== 2 || text.charCodeAt(at + 1) !== 105 /* i */) return Number.NaN;
  return first === 77 ? 1048576e3 : first === 71 ? 1073741824e3 : first === 75 ? 1024e3 : Number.NaN;
};

/** Away from zero, as upstream rounds: whoever asked for anything gets at least one unit. */
const divideUp = (nano: bigint, unit: bigint): bigint => {
  const quotient = nano / unit;
  if (nano % unit === 0n) return quotient;
  return nano > 0n ? quotient + 1n : quotient - 1n;
};

// Sign, digits, fraction, suffix letters, exponent. Every part may be empty ("." and "Ki" are zero upstream too).
const grammar = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*)([-+]?[0-9]*)$/;
const formatError = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const suffixError = "unable to parse quantity's suffix";
const numericError = 'unable to parse numeric part of quantity';

// Longer texts and greater exponents name no resource; refusing them bounds the work that a request can ask for.
const maxLength = 512;
const maxExponent = 400;
const maxInt64 = (1n << 63n) - 1n;

const parse = (text: string): Quantity => {
  if (text === '') throw new QuantityError(formatError);
  if (text.length > maxLength) throw new QuantityError(numericError);
  const match = grammar.exec(text);
  if (match === null) throw new QuantityError(formatError);
  const [, sign, whole = '', fraction = '', letters = '', exponent = ''] = match;
  const suffix = suffixOf(letters, exponent);
  if (suffix === undefined) throw new QuantityError(suffixError);
  const digits = BigInt(whole + fraction);
  if (digits === 0n) return { nano: 0n, format: suffix.format };
  const magnitude = scaled(digits, fraction.length, suffix);
  const format = suffix.base === 2 && magnitude < nanoPerOne ? 'DecimalSI' : suffix.format;
  return { nano: sign === '-' ? -magnitude : magnitude, format };
};

interface Suffix {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: QuantityFormat;
}

const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;
const suffixes: ReadonlyMap<string, Suffix> = new Map<string, Suffix>([
  ...decimalSuffixes.map((name, i) => [name, { base: 10, exponent: 3 * i - 9, format: 'DecimalSI' }] as const),
  ...binarySuffixes
    .map((name, i) => [name, { base: 2, exponent: 10 * i, format: 'BinarySI' }] as const)
    .filter(([name]) => name !== ''),
]);

const suffixOf = (letters: string, exponent: string): Suffix | undefined => {
  if (exponent === '') return suffixes.get(letters);
  if ((letters !== 'e' && letters !== 'E') || !/[0-9]/.test(exponent)) return undefined;
  const power = Number(exponent);
  return power > maxExponent
    ? undefined
    : { base: 10, exponent: Math.max(power, -maxLength * 2), format: 'DecimalExponent' };
};

/** digits × 10^-places × suffix in nano, rounded up; binary amounts are capped at the greatest int64. */
const scaled = (digits: bigint, places: number, suffix: Suffix): bigint => {
  const power = 9 - places + (suffix.base === 10 ? suffix.exponent : 0);
  const units = suffix.base === 2 ? digits << BigInt(suffix.exponent) : digits;
  const nano = power >= 0 ? units * 10n ** BigInt(power) : divideUp(units, 10n ** BigInt(-power));
  return suffix.base === 2 && nano > maxInt64 * nanoPerOne ? maxInt64 * nanoPerOne : nano;
};

const print = ({ nano, format }: Quantity): string => {
  if (nano === 0n) return '0';
  const magnitude = nano < 0n ? -nano : nano;
  const sign = nano < 0n ? '-' : '';
  const binary = format === 'BinarySI' && magnitude >= 1024n * nanoPerOne && magnitude % nanoPerOne === 0n;
  return sign + (binary ? printBinary(magnitude / nanoPerOne) : printDecimal(magnitude, format));
};

const printBinary = (value: bigint): string => {
  let mantissa = value;
  let power = 0;
  while (power < binarySuffixes.length - 1 && mantissa % 1024n === 0n) {
    mantissa /= 1024n;
    power++;
  }
  return `${mantissa}${binarySuffixes[power]}`;
};

const printDecimal = (nano: bigint, format: QuantityFormat): string => {
  let mantissa = nano;
  let power = 0;
  const greatest = format === 'DecimalExponent' ? Number.POSITIVE_INFINITY : decimalSuffixes.length - 1;
  while (power < greatest && mantissa % 1000n === 0n) {
    mantissa /= 1000n;
    power++;
  }
  const exponent = 3 * power - 9;
  if (format === 'DecimalExponent') return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
  return `${mantissa}${decimalSuffixes[power]}`;
};
