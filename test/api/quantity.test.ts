import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  isZero,
  maxQuantity,
  milliValue,
  QuantityError,
  quantityOf,
  roundUpToMilli,
  subtractQuantities,
  wholeValue,
} from '#api/quantity.ts';

/** A fraction num/den per suffix: the obviously right model. */
const powers: Record<string, [bigint, bigint]> = {
  n: [1n, 10n ** 9n],
  u: [1n, 10n ** 6n],
  m: [1n, 1000n],
  '': [1n, 1n],
  k: [1000n, 1n],
  M: [10n ** 6n, 1n],
  G: [10n ** 9n, 1n],
  T: [10n ** 12n, 1n],
  P: [10n ** 15n, 1n],
  E: [10n ** 18n, 1n],
  Ki: [1n << 10n, 1n],
  Mi: [1n << 20n, 1n],
  Gi: [1n << 30n, 1n],
  Ti: [1n << 40n, 1n],
  Pi: [1n << 50n, 1n],
  Ei: [1n << 60n, 1n],
  e3: [1000n, 1n],
  'E-2': [1n, 100n],
};

interface Sample {
  text: string;
  num: bigint;
  den: bigint;
}

const sample: fc.Arbitrary<Sample> = fc
  .record({
    sign: fc.constantFrom('', '-', '+'),
    whole: fc.nat({ max: 99_999_999 }),
    fraction: fc.option(fc.stringMatching(/^[0-9]{0,6}$/), { nil: undefined }),
    suffix: fc.constantFrom(...Object.keys(powers)),
  })
  .map(({ sign, whole, fraction, suffix }) => {
    const [up, down] = powers[suffix]!;
    const digits = BigInt(`${whole}${fraction ?? ''}`) * (sign === '-' ? -1n : 1n);
    return {
      text: `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}${suffix}`,
      num: digits * up,
      den: 10n ** BigInt(fraction?.length ?? 0) * down,
    };
  })
  // Binary amounts above int64 are capped, which the model does not know.
  .filter(({ text, num, den }) => !text.endsWith('i') || (num < 0n ? -num : num) / den < 1n << 63n);

const ceilAway = (num: bigint, den: bigint): bigint => {
  const magnitude = num < 0n ? -num : num;
  const up = (magnitude + den - 1n) / den;
  return num < 0n ? -up : up;
};

describe('quantity', () => {
  it.each([
    ['1.5', '1500m'],
    ['0.5Mi', '512Ki'],
    ['1.5Gi', '1536Mi'],
    ['1024Ki', '1Mi'],
    ['1000m', '1'],
    ['1e4', '10e3'],
    ['12e6', '12e6'],
    ['1100000', '1100k'],
    ['1.', '1'],
    ['1.G', '1G'],
    ['0.5', '500m'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['1500m', '1500m'],
    ['1025Mi', '1025Mi'],
    ['1000Ki', '1000Ki'],
    ['2048', '2048'],
    ['0.5Ki', '512'],
    ['0.0001Ki', '102400u'],
    ['0.0000000001', '1n'],
    ['-0.0000000001', '-1n'],
    ['000', '0'],
    ['-0', '0'],
    ['.', '0'],
    ['-', '0'],
    ['+1', '1'],
    ['1000k', '1M'],
    ['-1.5Gi', '-1536Mi'],
    ['1E', '1E'],
    ['1E3', '1e3'],
    ['1e-3', '1e-3'],
    ['16Ei', '9223372036854775807'],
    ['100Mi', '100Mi'],
    ['1000E', '1000E'],
  ])('writes %s as %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
    expect(canonicalQuantity(canonicalQuantity(text))).toBe(canonical);
  });

  it.each(['', '1 Gi', '0x1', '1Gi5x', '1gb', 'abc', '1 core', 'one', '1KI', ' 1', '1,5'])(
    'refuses %j as ill-formed',
    text => {
      expect(() => canonicalQuantity(text)).toThrow(
        new QuantityError(
          "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
      );
    },
  );

  it.each(['1K', '1ki', '1e', '1Mi3', '0K', '1mi', '1e1000', '1-5'])('refuses the suffix of %s', text => {
    expect(() => canonicalQuantity(text)).toThrow(new QuantityError("unable to parse quantity's suffix"));
    expect(() => milliValue(text)).toThrow(QuantityError);
  });

  it('rounds up to thousandths as the API stores resource lists', () => {
    expect(roundUpToMilli('0.0001')).toBe('1m');
    expect(roundUpToMilli('0.5')).toBe('500m');
    expect(wholeValue('500m')).toBe(1);
    expect(milliValue('100500u')).toBe(101);
    expect(milliValue('1.5m')).toBe(2);
    expect(wholeValue('100.5m')).toBe(1);
  });

  it('adds and subtracts in the format of the left side, a zero left side adopts the right', () => {
    expect(addQuantities('0', '1Gi')).toBe('1Gi');
    expect(addQuantities('1G', '1Gi')).toBe('2073741824');
    expect(addQuantities('1Gi', '512Mi')).toBe('1536Mi');
    expect(addQuantities('100m', '900m')).toBe('1');
    expect(subtractQuantities('4', '1500m')).toBe('2500m');
    expect(subtractQuantities('1Gi', '1Gi')).toBe('0');
  });

  it('compares by value whatever the format', () => {
    expect(compareQuantities('1Gi', '1073741824')).toBe(0);
    expect(compareQuantities('1', '1e0')).toBe(0);
    expect(compareQuantities('1', '1000m')).toBe(0);
    expect(maxQuantity('1G', '1Gi')).toBe('1Gi');
    expect(maxQuantity('1', '1000m')).toBe('1');
    expect(isZero('0Gi')).toBe(true);
    expect(isZero('1n')).toBe(false);
  });

  it('writes numbers in the format asked for', () => {
    expect(quantityOf(1536 * 1024 * 1024, 'BinarySI')).toBe('1536Mi');
    expect(quantityOf(1000n, 'BinarySI')).toBe('1k');
    expect(quantityOf(250, 'DecimalSI', true)).toBe('250m');
    expect(quantityOf(4000, 'DecimalSI', true)).toBe('4');
  });

  it('has the milli and whole value of an exact fraction, rounded away from zero', () => {
    fc.assert(
      fc.property(sample, ({ text, num, den }) => {
        expect(milliValue(text)).toBe(Number(ceilAway(num * 1000n, den)));
        expect(wholeValue(text)).toBe(Number(ceilAway(num, den)));
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps its value to the nano in canonical form, and the canonical form is a fixed point', () => {
    fc.assert(
      fc.property(sample, ({ text, num, den }) => {
        const canonical = canonicalQuantity(text);
        expect(canonicalQuantity(canonical)).toBe(canonical);
        expect(canonical).not.toContain('.');
        const nano = ceilAway(num * 10n ** 9n, den);
        expect(compareQuantities(canonical, `${nano}n`)).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  it('orders and adds as the exact fractions do', () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const left = ceilAway(a.num * 10n ** 9n, a.den);
        const right = ceilAway(b.num * 10n ** 9n, b.den);
        expect(Math.sign(compareQuantities(a.text, b.text))).toBe(left < right ? -1 : left > right ? 1 : 0);
        // A binary sum above int64 is capped when it is read again.
        fc.pre([left + right, left - right].every(n => n / 10n ** 9n < 1n << 63n && -n / 10n ** 9n < 1n << 63n));
        expect(compareQuantities(addQuantities(a.text, b.text), `${left + right}n`)).toBe(0);
        expect(compareQuantities(subtractQuantities(a.text, b.text), `${left - right}n`)).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });
});
