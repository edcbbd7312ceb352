import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonLines } from '#client/lines.ts';

const make = () => new JsonLines(chunks => Buffer.concat(chunks).toString());

test('however a stream is cut into chunks, the same values come out in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue(), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }),
      (values, sizes) => {
        const bytes = Buffer.from(values.map(value => `${JSON.stringify(value)}\n`).join(''));
        const lines = make();
        const seen: unknown[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          seen.push(...lines.push(bytes.subarray(at, at + size)));
          at += size;
        }
        seen.push(...lines.end());
        expect(seen).toEqual(JSON.parse(JSON.stringify(values)));
      },
    ),
    { numRuns: 300 },
  );
});

test('a value is given as soon as its line is complete, and a last line without newline at the end', () => {
  const lines = make();
  expect(lines.push(Buffer.from('{"a":1}\n{"b'))).toEqual([{ a: 1 }]);
  expect(lines.push(Buffer.from('":"é'))).toEqual([]);
  expect(lines.push(Buffer.from('"}\n\n3'))).toEqual([{ b: 'é' }]);
  expect(lines.end()).toEqual([3]);
});

test('a line of many megabytes in small chunks is put together in linear time', () => {
  const lines = make();
  const text = JSON.stringify({ data: 'x'.repeat(16_000_000) });
  const bytes = Buffer.from(`${text}\n`);
  let seen: unknown[] = [];
  for (let at = 0; at < bytes.length; at += 1000) seen = lines.push(bytes.subarray(at, at + 1000));
  expect(seen).toEqual([JSON.parse(text)]);
});

test('what is not JSON is an error that shows it', () => {
  expect(() => make().push(Buffer.from('<html>\n'))).toThrow(/unable to decode the watch stream: "<html>"/);
});
