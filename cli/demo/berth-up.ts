/**
 * A whole cluster of its own, for the demo and for tests: `berth up` as a child process with a data folder and a
 * kubeconfig of its own, so that neither the user's contexts nor another cluster of theirs is touched.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';

export interface BerthUp {
  readonly kubeconfig: string;
  readonly dataFolder: string;
  readonly logFile: string;
  readonly pid: number;
  /** True while the process runs. */
  running(): boolean;
  /** Ends the cluster as Ctrl-C would and waits for it; by force when it takes longer than 60 s. */
  stop(): Promise<void>;
}

export interface BerthUpOptions {
  /** Everything is kept here: data, kubeconfig, log. */
  readonly folder: string;
  /** Values of --node, such as `a=cpu:1,memory:1Gi`; empty: the whole engine as one node. */
  readonly nodes: readonly string[];
  readonly clock: Clock;
  readonly extraArgs?: readonly string[];
}

const root = join(import.meta.dirname, '..', '..');
const startPatienceMs = 60_000;
const stopPatienceMs = 60_000;

/** Starts the cluster and waits until its kubeconfig is there. Throws with the end of its log when it does not come up. */
export const startBerthUp = async (options: BerthUpOptions): Promise<BerthUp> => {
  const { folder, clock } = options;
  const kubeconfig = join(folder, 'kubeconfig');
  const dataFolder = join(folder, 'data');
  const logFile = join(folder, 'berth-up.log');
  const args = [
    'up',
    '--data',
    dataFolder,
    ...options.nodes.flatMap(node => ['--node', node]),
    ...(options.extraArgs ?? []),
  ];
  // A file, not a pipe: the cluster may outlive this process (--keep).
  const log = openSync(logFile, 'w');
  // A process group of its own: Ctrl-C in the terminal is for the caller, which ends the cluster in its turn.
  const child = spawn(process.execPath, [join(root, 'cli', 'bin.js'), ...args], {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const up: BerthUp = {
    kubeconfig,
    dataFolder,
    logFile,
    pid: child.pid ?? 0,
    running: () => isRunning(child),
    stop: () => stop(child, clock),
  };
  const deadlineMs = clock.now() + startPatienceMs;
  while (!existsSync(kubeconfig)) {
    if (!isRunning(child) || clock.now() > deadlineMs) {
      await stop(child, clock);
      const said = readFileSync(logFile, 'utf8').trim().split('\n').slice(-15).join('\n');
      throw new Error(`berth up did not come up (${endOf(child)}):\n${said}`);
    }
    await clock.sleep(20);
  }
  return up;
};

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;
const endOf = (child: ChildProcess): string =>
  child.signalCode ?? (child.exitCode === null ? 'still running' : `exit code ${child.exitCode}`);

const stop = async (child: ChildProcess, clock: Clock): Promise<void> => {
  if (!isRunning(child) || child.pid === undefined) return;
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const cancel = clock.after(stopPatienceMs, () => child.kill('SIGKILL'));
  await ended;
  cancel();
};
