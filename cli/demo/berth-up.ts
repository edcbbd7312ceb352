/**
 * A whole cluster of its own, for the demo and for tests: `berth up` with a data folder, a kubeconfig and a port of its
 * own, so that neither the user's contexts nor another cluster of theirs is touched. Ended with `berth down`.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { logFile, readSettings } from '../local/instance.ts';

export interface BerthUp {
  readonly kubeconfig: string;
  readonly dataFolder: string;
  readonly logFile: string;
  /** What `berth up` printed. */
  readonly said: string;
}

export interface BerthUpOptions {
  /** Everything is kept here: data, kubeconfig, log. */
  readonly folder: string;
  /** Values of --node, such as `a=cpu:1,memory:1Gi`; empty: the whole engine as one node. */
  readonly nodes: readonly string[];
}

export interface BerthResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const bin = join(import.meta.dirname, '..', 'bin.js');

export const kubeconfigIn = (folder: string): string => join(folder, 'kubeconfig');
export const dataFolderIn = (folder: string): string => join(folder, 'data');

/** Starts the cluster and waits until its nodes are ready. Throws with what it said when it does not come up. */
export const startBerthUp = async ({ folder, nodes }: BerthUpOptions): Promise<BerthUp> => {
  const dataFolder = dataFolderIn(folder);
  const args = ['up', '--data', dataFolder, '--port', '0', ...nodes.flatMap(node => ['--node', node])];
  const result = await runBerth(folder, args);
  if (result.code !== 0)
    throw new Error(`berth up: exit code ${result.code}\n${result.stdout}${result.stderr}`.trimEnd());
  return { kubeconfig: kubeconfigIn(folder), dataFolder, logFile: logFile(dataFolder), said: result.stdout };
};

/** Takes down what `startBerthUp` began in that folder, whether or not it came up. Throws when something stays. */
export const stopBerthUp = async (folder: string): Promise<void> => {
  const result = await runBerth(folder, ['down', '--data', dataFolderIn(folder), '--purge']);
  if (result.code !== 0 || result.stderr !== '')
    throw new Error(`berth down: ${result.stderr}${result.stdout}`.trimEnd());
};

/** The mark of the cluster's containers and cgroups, as soon as it has one. */
export const clusterIdIn = (folder: string): string | undefined => readSettings(dataFolderIn(folder))?.id;

/**
 * A command of our CLI against the cluster of that folder. It runs in a process group of its own: Ctrl-C in the terminal
 * is for the caller, which ends the cluster in its turn.
 */
export const runBerth = (folder: string, args: readonly string[]): Promise<BerthResult> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], {
      env: { ...process.env, KUBECONFIG: kubeconfigIn(folder), BERTH_CONTEXT: 'berth' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ code: code ?? 1, stdout, stderr: signal ? `${stderr}${signal}` : stderr }),
    );
  });
