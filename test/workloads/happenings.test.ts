/** The workloads in which things happen, at their small sizes, by the running scheduler in virtual time. */
import { describe, expect, test } from 'vitest';
import { withClusters } from './cluster.ts';
import { fileWorkloads, isSmall, textOf } from './file.ts';
import { happenings } from './happenings.ts';

describe.each(fileWorkloads.filter(({ name }) => name in happenings))('$name', ({ name, sizes, invariants }) => {
  test.each(sizes.filter(isSmall).map(size => [textOf(size), size] as const))('%s', (_, size) =>
    withClusters(async start => {
      const checks = await happenings[name]!(size, start);
      expect(Object.keys(checks)).toEqual(invariants);
      for (const check of Object.values(checks)) check();
    }),
  );
});
