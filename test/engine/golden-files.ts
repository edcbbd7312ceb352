/** Reads folders and files of golden data (test/data/golden/FORMAT.md), gzipped or not, and checks all that is in them. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { checkCase, checkSequence, type GoldenCase, type GoldenSequence, type Mismatch } from './golden.ts';

export interface GoldenReport {
  readonly cases: number;
  readonly mismatched: number;
  readonly mismatches: readonly Mismatch[];
}

/** Every .jsonl and .jsonl.gz below the paths, in order of their names. */
export const goldenFiles = (paths: readonly string[]): readonly string[] =>
  paths.flatMap(path =>
    statSync(path).isDirectory()
      ? goldenFiles(
          readdirSync(path)
            .sort()
            .map(name => join(path, name)),
        )
      : /\.jsonl?(\.gz)?$/.test(path)
        ? [path]
        : [],
  );

export const checkFile = (path: string): GoldenReport => {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const mismatches: Mismatch[] = [];
  let cases = 0;
  let mismatched = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    cases++;
    const found = checkLine(JSON.parse(line), basename(path));
    if (found.length > 0) mismatched++;
    mismatches.push(...found);
  }
  return { cases, mismatched, mismatches };
};

const checkLine = (golden: GoldenCase | GoldenSequence, source: string): readonly Mismatch[] => {
  const name = 'workload' in golden ? golden.workload.name : golden.case.name;
  try {
    return 'workload' in golden ? checkSequence(golden, source) : checkCase(golden, source);
  } catch (error) {
    return [{ name, field: 'error', expected: undefined, got: error instanceof Error ? error.stack : error }];
  }
};
