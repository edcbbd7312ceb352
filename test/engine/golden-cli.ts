/** `npm run golden -- DIR…`: checks all golden data in the folders; the last line counts cases and mismatches, exit 1 on any. */
import { checkFile, goldenFiles } from './golden-files.ts';

const shown = 20;

const main = (paths: readonly string[]): number => {
  if (paths.length === 0) {
    console.error('usage: npm run golden -- DIR…   (folders or files of golden data, see test/data/golden/FORMAT.md)');
    return 2;
  }
  let cases = 0;
  let mismatched = 0;
  for (const file of goldenFiles(paths)) {
    const report = checkFile(file);
    cases += report.cases;
    mismatched += report.mismatched;
    console.log(`${file}: ${report.cases} cases, ${report.mismatched} mismatches`);
    for (const { name, field, expected, got } of report.mismatches.slice(0, shown)) {
      console.log(`  ${name} ${field}`);
      console.log(`    expected ${JSON.stringify(expected)}`);
      console.log(`    got      ${JSON.stringify(got)}`);
    }
    if (report.mismatches.length > shown) console.log(`  … and ${report.mismatches.length - shown} more`);
  }
  console.log(`cases ${cases}, mismatches ${mismatched}`);
  return mismatched > 0 || cases === 0 ? 1 : 0;
};

process.exitCode = main(process.argv.slice(2));
