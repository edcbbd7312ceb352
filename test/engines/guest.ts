/**
 * Runs in the virtual machine of uml.ts: starts an engine, an agent on it, and the checks of cgroup v2; prints each outcome
 * as one line. Arguments: seconds after which no further check begins (but the last, which cleans up), an archive of the test
 * image's files, and a folder of engine programs, if not the machine's own are meant.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Event, eventKind } from '#api/kinds/core.ts';
import { startHarness } from '#test/node-agent/harness.ts';
import { importTestImage } from '#test/node-agent/test-image.ts';
import { cleanUpCheck, share } from './checks.ts';
import { startDockerd } from './dockerd.ts';
import { resultMark } from './uml.ts';
import { v2Checks } from './v2-checks.ts';

export interface Outcome {
  readonly check: string;
  readonly result: 'passed' | 'failed' | 'too slow';
  /** What was measured, or how it failed. */
  readonly seen: unknown;
  readonly ms: number;
}

const tell = (outcome: Outcome): void => {
  process.stdout.write(`${resultMark}${JSON.stringify(outcome)}\n`);
};

const [seconds = '', imageFiles = '', programs] = process.argv.slice(2);

// As under systemd: an engine in the root group takes it that no limit of swap can be set, since that group has none.
const service = '/sys/fs/cgroup/service';
writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', '+cpu +memory +pids');
mkdirSync(service);
writeFileSync(`${service}/cgroup.procs`, String(process.pid));

const engine = await startDockerd({
  folder: '/run/engine',
  cgroupParent: '/engine',
  ...(programs ? { programs } : {}),
});
await importTestImage(engine.socket, readFileSync(imageFiles));
const harness = await startHarness({ network: 'none', share, nodeName: 'n1' }, engine.socket);

/** What happened to pods, for a check that failed. */
const story = (): string =>
  harness.client
    .all<Event>(eventKind)
    .map(({ involvedObject, reason, message }) => `${involvedObject?.name}: ${reason}: ${message}`)
    .join('\n');

for (const check of v2Checks) {
  const begunSeconds = process.uptime();
  if (begunSeconds > Number(seconds) && check !== cleanUpCheck) {
    tell({ check: check.name, result: 'too slow', seen: `${Math.round(begunSeconds)} s after the start`, ms: 0 });
    continue;
  }
  const outcome = await check.run({ harness }).then(
    seen => ({ result: 'passed' as const, seen: seen ?? null }),
    (error: unknown) => ({ result: 'failed' as const, seen: `${(error as Error).stack}\n${story()}` }),
  );
  tell({ check: check.name, ...outcome, ms: Math.round((process.uptime() - begunSeconds) * 1000) });
}
await engine.stop();
