/** The workloads about where pods go: by the engine at all small sizes, at the smallest by the running scheduler too. */
import { describe, expect, test } from 'vitest';
import { throughLoop } from './cluster.ts';
import { fileWorkloads, isSmall, textOf } from './file.ts';
import { placements } from './placements.ts';
import { throughEngine } from './through-engine.ts';

describe.each(fileWorkloads.filter(({ name }) => name in placements))('$name', ({ name, sizes, invariants }) => {
  const { build, invariants: checks } = placements[name]!;
  const small = sizes.filter(isSmall);

  test('is checked for all that the file says', () => expect(Object.keys(checks)).toEqual(invariants));

  test.each(small.map(size => [textOf(size), size] as const))('%s by the engine', (_, size) => {
    const outcome = throughEngine(build(size));
    for (const check of Object.values(checks)) check(outcome);
  });

  test(`${textOf(small[0]!)} by the running scheduler`, async () => {
    const outcome = await throughLoop(build(small[0]!));
    for (const check of Object.values(checks)) check(outcome);
  });
});
