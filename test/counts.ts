/** The counts at the end of a test run, from vitest's JSON report. */

/** The part of the report that is read. */
export interface TestReport {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A file that could not even be loaded, or whose hooks failed, has no failed test of its own: it counts as one. */
export const countTests = (report: TestReport): Counts => {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const file of report.testResults) {
    const failedHere = file.assertionResults.filter(test => test.status === 'failed').length;
    passed += file.assertionResults.filter(test => test.status === 'passed').length;
    failed += file.status === 'failed' && failedHere === 0 ? 1 : failedHere;
    skipped += file.assertionResults.filter(test =>
      ['pending', 'skipped', 'todo', 'disabled'].includes(test.status),
    ).length;
  }
  return { passed, failed, skipped };
};

/** `12 passed, 0 failed`, and how many were skipped if any were. */
export const countsLine = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
