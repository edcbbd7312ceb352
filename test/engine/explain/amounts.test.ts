/** Amounts in words: exact where that is short, readable where it is not. */
import { expect, test } from 'vitest';
import { exactAmount, shownAmount } from '#engine/explain/amounts.ts';

test.each([
  ['cpu', 250, '250m', '250m'],
  ['cpu', 2500, '2500m', '2500m'],
  ['cpu', 12_000, '12', '12'],
  ['cpu', 199_590, '199590m', '199.59'],
  ['cpu', -12_500, '-12500m', '-12.5'],
  ['memory', 768 * 2 ** 20, '768Mi', '768Mi'],
  ['memory', 1_610_612_737, '1610612737', '1.5Gi'],
  ['memory', 9_999_999, '9999999', '9.5Mi'],
  ['example.com/gpu', 3, '3', '3'],
  ['pods', 110, '110', '110'],
])('%s %d is %s, shown as %s', (resource, amount, exact, shown) => {
  expect([exactAmount(resource, amount), shownAmount(resource, amount)]).toEqual([exact, shown]);
});
