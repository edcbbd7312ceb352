import { expect, test } from 'vitest';
import { countsLine, countTests } from './counts.ts';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map(one => ({ status: one })),
});

test('tests are counted by their outcome, over all files', () => {
  const report = { testResults: [file('passed', 'passed', 'skipped'), file('failed', 'passed', 'failed', 'failed')] };
  expect(countTests(report)).toEqual({ passed: 2, failed: 2, skipped: 1 });
});

test('a file that could not be loaded counts as one failure', () => {
  expect(countTests({ testResults: [file('failed'), file('failed', 'passed')] })).toEqual({
    passed: 1,
    failed: 2,
    skipped: 0,
  });
});

test('the line has the skipped only when there are some', () => {
  expect(countsLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
  expect(countsLine({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
});
