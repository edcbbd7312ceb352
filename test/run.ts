/**
 * `npm test`: sets up what the tests need (a Docker Engine, kubectl, images), runs every vitest project, takes away what
 * set-up put there, and ends with one line of counts. Arguments go to vitest: `npm test -- test/api`, `-- --project unit`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ensureEngine } from '#setup/engine.ts';
import { imageSets } from '#setup/image-recipes.ts';
import { ensureImages } from '#setup/images.ts';
import { ensureKubectl } from '#setup/kubectl.ts';
import { lineProgress, SetupError } from '#setup/progress.ts';
import { type Counts, countsLine, countTests, type TestReport } from './counts.ts';

const root = join(import.meta.dirname, '..');

/**
 * Runs vitest to its end; its report and its exit code. The report is undefined when vitest did not come so far. Tests have a
 * folder for temporary files that goes with them, whatever a killed one left there.
 */
const runVitest = (args: readonly string[]): Promise<{ code: number; report: TestReport | undefined }> => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-test-'));
  const file = join(folder, 'report.json');
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const options = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const child = spawn(process.execPath, [vitest, ...options, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, TMPDIR: folder },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise(resolve => {
    child.on('close', (code, signal) => {
      let report: TestReport | undefined;
      try {
        report = JSON.parse(readFileSync(file, 'utf8')) as TestReport;
      } catch {
        report = undefined;
      }
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
      resolve({ code: code ?? (signal ? 1 : 0), report });
    });
  });
};

/** True when the arguments leave only tests that need nothing but Node. */
const unitOnly = (args: readonly string[]): boolean =>
  args.some((arg, i) => arg === '--project=unit' || (arg === '--project' && args[i + 1] === 'unit'));

const setUpAndRun = async (args: readonly string[]): Promise<{ code: number; report: TestReport | undefined }> => {
  if (unitOnly(args)) return runVitest(args);
  const progress = lineProgress(line => console.log(line));
  console.log('Set-up:');
  const engine = await ensureEngine(progress);
  try {
    const kubectl = await ensureKubectl(progress);
    process.env['PATH'] = `${dirname(kubectl)}:${process.env['PATH'] ?? ''}`;
    const images = await ensureImages(engine.api, imageSets.docs, progress);
    try {
      return await runVitest(args);
    } finally {
      await images.release();
    }
  } finally {
    await engine.stop();
  }
};

const main = async (): Promise<number> => {
  let counts: Counts = { passed: 0, failed: 1, skipped: 0 };
  let code = 1;
  try {
    const result = await setUpAndRun(process.argv.slice(2));
    if (result.report === undefined) console.error('error: vitest ended without a report');
    else counts = countTests(result.report);
    // A failure outside any test (an unhandled rejection, say) has only vitest's exit code to show for it.
    if (result.code !== 0 && counts.failed === 0) counts = { ...counts, failed: 1 };
    code = counts.failed === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`error: ${error.message}`);
  }
  console.log(countsLine(counts));
  return code;
};

process.exitCode = await main();
