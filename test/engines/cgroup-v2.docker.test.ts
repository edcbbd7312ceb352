/**
 * The agent on cgroup v2, on the machine's own Docker Engine and on the newest packaged one, in a virtual machine each
 * (uml.ts). Skipped, with the reason, where such a machine cannot be had or is too slow.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { whichCommand } from '#setup/command.ts';
import { testImageFiles } from '#test/node-agent/test-image.ts';
import type { Outcome } from './guest.ts';
import { newestEngine, userModeLinux } from './packages.ts';
import { runInUml, type UmlRun } from './uml.ts';
import { v2Checks } from './v2-checks.ts';

/** No check begins after the first; the second ends the virtual machine. */
const budget = { checksSeconds: 150, allMs: 280_000 };

/** Why no virtual machine can run here, or undefined. */
const fault = await (async (): Promise<string | undefined> => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'User-Mode Linux runs on Linux on x64 only';
  for (const program of ['dockerd', 'containerd', 'runc'])
    if ((await whichCommand(program)) === undefined) return `this machine has no ${program}`;
  return userModeLinux().then(
    () => undefined,
    (error: Error) => `no kernel: ${error.message}`,
  );
})();
if (fault !== undefined) console.log(`cgroup v2 is not tested: ${fault}`);

const engines = [
  { engine: "the machine's own Docker Engine", programs: async () => [] },
  { engine: 'the newest packaged Docker Engine', programs: async () => [await newestEngine()] },
];

describe.skipIf(fault !== undefined)('on cgroup v2', () => {
  // Both at once: each has one CPU.
  const runs = new Map<string, UmlRun | string>();
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-v2-'));
    const files = join(folder, 'image.tar');
    writeFileSync(files, await testImageFiles());
    const run = async ({ engine, programs }: (typeof engines)[number]) => {
      const folders = await programs().catch((error: Error) => error.message);
      runs.set(
        engine,
        typeof folders === 'string'
          ? folders
          : await runInUml('test/engines/guest.ts', [String(budget.checksSeconds), files, ...folders], budget.allMs),
      );
    };
    await Promise.all(engines.map(run)).finally(() => rmSync(folder, { recursive: true }));
  }, budget.allMs + 120_000);

  describe.each(engines)('with $engine', ({ engine }) => {
    for (const { name } of v2Checks)
      test(name, ({ skip }) => {
        const run = runs.get(engine)!;
        if (typeof run === 'string') return skip(`the engine cannot be had: ${run}`);
        if (!run.booted) return skip(`the virtual machine did not start: ${run.console.slice(-500)}`);
        const outcome = (run.results as readonly Outcome[]).find(each => each.check === name);
        if (outcome?.result === 'too slow') return skip(`the virtual machine is too slow here: ${outcome.seen}`);
        expect(outcome ?? `no outcome; timed out: ${run.timedOut}; ${run.console.slice(-3000)}`).toMatchObject({
          result: 'passed',
        });
      });
  });
});
