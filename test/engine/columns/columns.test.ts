import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Node } from '#api/kinds/core.ts';
import { Columns } from '#engine/columns/columns.ts';

const node = (name: string, labels: Record<string, string> = {}): Node =>
  ({ metadata: { name, labels }, status: { allocatable: { cpu: '1', pods: '3' } } }) as unknown as Node;

const rowsOf = ({ live, count }: Columns): number[] => [...live.subarray(0, count)];

describe('columns', () => {
  test('list the rows in use ascending, whichever nodes come and go', () => {
    const step = fc.record({ name: fc.nat(6).map(i => `n${i}`), comes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const columns = new Columns({ capacity: 2 });
        const names = new Set<string>();
        for (let i = 0; i < 6; i++) {
          columns.setNode(node(`n${i}`));
          names.add(`n${i}`);
        }
        for (const { name, comes } of steps) {
          if (comes) {
            columns.setNode(node(name));
            names.add(name);
          } else {
            columns.removeNode(name);
            names.delete(name);
          }
          const rows = rowsOf(columns);
          expect(rows).toEqual([...rows].sort((a, b) => a - b));
          expect(rows.map(row => columns.names[row]).sort()).toEqual([...names].sort());
        }
      }),
      { numRuns: 200 },
    );
  });

  test('forget label values that no node has any more, also where one node changes its label again and again', () => {
    const columns = new Columns({ renumberAfter: 8 });
    columns.setNode(node('a'));
    columns.setNode(node('b', { build: 'fixed' }));
    const column = columns.labelColumn('build');
    for (let i = 0; i < 1000; i++) columns.setNode(node('a', { build: `${i}` }));
    expect(column.values.length).toBeLessThanOrEqual(9);
    expect(column.values[column.ids[columns.slotOf('a')]!]).toBe('999');
    expect(column.values[column.ids[columns.slotOf('b')]!]).toBe('fixed');
  });
});
