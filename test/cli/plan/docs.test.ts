/** docs/PLAN.md shows what `berth plan` prints. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('every output in docs/PLAN.md is that of its golden file', () => {
  const text = readFileSync('docs/PLAN.md', 'utf8');
  const shown = [...text.matchAll(/<!-- (\S+) -->\n```text\n(.*?)```/gs)];
  expect(shown.length).toBeGreaterThan(2);
  for (const [, file, output] of shown) expect(output).toBe(readFileSync(file!, 'utf8'));
});
