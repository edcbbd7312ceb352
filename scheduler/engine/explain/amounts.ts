/** Amounts of resources as people read them: cpu in cores, bytes in binary units, everything else as a number. */
import { quantityOf } from '#api/quantity.ts';
import { isHugePages } from '#api/resources.ts';

/** The exact quantity of an amount in the engine's unit (cpu in milli, else whole units): `2500m`, `768Mi`. */
export const exactAmount = (resource: string, amount: number): string =>
  quantityOf(Math.trunc(amount), isBytes(resource) ? 'BinarySI' : 'DecimalSI', resource === 'cpu');

/** As exactAmount, but many cores as a decimal number, and bytes to a tenth of a unit where the exact text would be long. */
export const shownAmount = (resource: string, amount: number): string => {
  const exact = exactAmount(resource, amount);
  if (resource === 'cpu' && Math.abs(amount) >= manyMilli && exact.endsWith('m')) return String(amount / 1000);
  if (!isBytes(resource) || exact.length <= 6) return exact;
  for (const [size, unit] of units)
    if (Math.abs(amount) >= size) return `${(Math.round((10 * amount) / size) / 10).toString()}${unit}`;
  return exact;
};

/** Ten cores. */
const manyMilli = 10_000;

const units: readonly (readonly [number, string])[] = [
  [2 ** 40, 'Ti'],
  [2 ** 30, 'Gi'],
  [2 ** 20, 'Mi'],
  [2 ** 10, 'Ki'],
];

const isBytes = (resource: string): boolean =>
  resource === 'memory' || resource === 'ephemeral-storage' || isHugePages(resource);
