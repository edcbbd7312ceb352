/** Every decision of the real kube-scheduler v1.35.4 in test/data/golden, field by field. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkFile, goldenFiles } from './golden-files.ts';

const data = join(import.meta.dirname, '../data/golden');

describe.each(['public', 'sequences'])('the decisions in %s', folder => {
  const files = goldenFiles([join(data, folder)]);

  test.each(files.map(file => [file.slice(data.length + 1), file]))('%s', (_name, file) => {
    const report = checkFile(file);
    expect(report.cases).toBeGreaterThan(0);
    expect(report.mismatches).toEqual([]);
  });
});
