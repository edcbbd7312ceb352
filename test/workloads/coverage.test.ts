/** Nothing of the file is left out, nor forgotten of what the file leaves out. */
import { expect, test } from 'vitest';
import { beyond } from './beyond.ts';
import { fileWorkloads, isSmall, notTranscribed } from './file.ts';
import { happenings } from './happenings.ts';
import { notRun } from './not-run.ts';
import { placements } from './placements.ts';

test('every workload of the file runs, at one small size at least', () => {
  const run = [...Object.keys(placements), ...Object.keys(happenings)];
  expect(run.sort()).toEqual(fileWorkloads.map(({ name }) => name).sort());
  for (const { name, sizes } of fileWorkloads) expect(sizes.filter(isSmall).length, name).toBeGreaterThan(0);
});

test('what the file only names runs too, or there is a reason why not', () => {
  expect([...Object.keys(beyond), ...Object.keys(notRun)].sort()).toEqual([...notTranscribed].sort());
});
