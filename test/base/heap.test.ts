import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from '#base/heap.ts';

interface Item {
  key: string;
  rank: number;
}

const make = () =>
  new Heap<Item>(
    item => item.key,
    (a, b) => a.rank < b.rank,
  );

test('items come out in order, equals in the order they came in', () => {
  const heap = make();
  for (const [key, rank] of [
    ['a', 2],
    ['b', 1],
    ['c', 2],
    ['d', 1],
  ] as const)
    heap.set({ key, rank });
  expect([heap.pop(), heap.pop(), heap.pop(), heap.pop(), heap.pop()].map(item => item?.key)).toEqual([
    'b',
    'd',
    'a',
    'c',
    undefined,
  ]);
});

test('after any sequence of sets, removals and pops the heap agrees with a sorted array', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('set' as const),
      key: fc.integer({ min: 0, max: 12 }),
      rank: fc.integer({ min: 0, max: 5 }),
    }),
    fc.record({ do: fc.constant('remove' as const), key: fc.integer({ min: 0, max: 12 }) }),
    fc.record({ do: fc.constant('pop' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), steps => {
      const heap = make();
      let model: Item[] = [];
      for (const next of steps) {
        if (next.do === 'set') {
          const item = { key: String(next.key), rank: next.rank };
          const at = model.findIndex(other => other.key === item.key);
          if (at < 0) model.push(item);
          else model[at] = item;
          heap.set(item);
        } else if (next.do === 'remove') {
          expect(heap.remove(String(next.key))).toEqual(model.find(item => item.key === String(next.key)));
          model = model.filter(item => item.key !== String(next.key));
        } else {
          const first = [...model].sort((a, b) => a.rank - b.rank)[0];
          expect(heap.pop()).toEqual(first);
          model = model.filter(item => item !== first);
        }
        expect(heap.size).toBe(model.length);
        expect(new Set(heap.values())).toEqual(new Set(model));
        for (const item of model) expect(heap.get(item.key)).toEqual(item);
      }
    }),
    { numRuns: 200 },
  );
});
