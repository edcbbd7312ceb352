/** A Berth cluster for tests with stock kubectl: `berth up` in a temporary folder, its nodes ready, taken down with `berth down`. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#base/system.ts';
import { startBerthUp } from '#cli/demo/berth-up.ts';
import { runCommand } from '#setup/command.ts';
import { type EngineApi, engineAt } from '#setup/engine-api.ts';
import type { Output } from './expectation.ts';

export interface TestCluster {
  readonly kubeconfig: string;
  readonly folder: string;
  readonly engine: EngineApi;
  readonly logFile: string;
  /** Stock kubectl as the cluster's administrator. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<Output>;
  /** A kubeconfig of the same cluster whose default namespace is another one. */
  kubeconfigFor(namespace: string): string;
  stop(): Promise<void>;
}

export interface KubectlOptions {
  readonly input?: string;
  readonly kubeconfig?: string;
  readonly timeoutMs?: number;
}

const root = join(import.meta.dirname, '..', '..');

/** Starts a cluster and waits until `nodes` (or one, when none are named) are Ready. */
export const startTestCluster = async (nodes: readonly string[]): Promise<TestCluster> => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-conformance-'));
  const up = await startBerthUp({ folder, nodes, clock: systemClock });
  const kubectl = (args: readonly string[], options: KubectlOptions = {}) =>
    runCommand('kubectl', args, {
      env: { KUBECONFIG: options.kubeconfig ?? up.kubeconfig, KUBECACHEDIR: join(folder, 'kube-cache') },
      ...(options.input === undefined ? {} : { input: options.input }),
      timeoutMs: options.timeoutMs ?? 60_000,
    });
  const cluster: TestCluster = {
    kubeconfig: up.kubeconfig,
    folder,
    engine: engineAt(process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'),
    logFile: up.logFile,
    kubectl,
    kubeconfigFor: namespace => {
      const file = join(folder, `kubeconfig-${namespace}`);
      writeFileSync(file, withNamespace(readFileSync(up.kubeconfig, 'utf8'), namespace));
      return file;
    },
    stop: async () => {
      const down = await runCommand(process.execPath, [join(root, 'cli', 'bin.js'), 'down', '--data', up.dataFolder], {
        env: { KUBECONFIG: up.kubeconfig },
        timeoutMs: 120_000,
      });
      await up.stop();
      const log = readFileSync(up.logFile, 'utf8');
      rmSync(folder, { recursive: true, force: true });
      if (down.code !== 0) throw new Error(`berth down: ${down.stderr}\n${log.slice(-3000)}`);
    },
  };
  const wanted = Math.max(1, nodes.length);
  const ready = await waitFor(60, async () => {
    const result = await kubectl(['get', 'nodes', '--no-headers']);
    const lines = result.stdout.split('\n').filter(line => / Ready /.test(line));
    return lines.length === wanted ? undefined : `nodes: ${result.stdout}${result.stderr}`;
  });
  if (ready !== undefined) {
    await up.stop();
    throw new Error(
      `the cluster's nodes did not become ready: ${ready}\n${readFileSync(up.logFile, 'utf8').slice(-3000)}`,
    );
  }
  return cluster;
};

/** The kubeconfig's only context with that namespace. */
const withNamespace = (text: string, namespace: string): string => {
  const changed = text.replace(/^(\s*)(- )?context:\s*$/m, (line, indent: string, dash: string | undefined) => {
    return `${line}\n${indent}${dash ? '    ' : '  '}namespace: ${namespace}`;
  });
  if (changed === text) throw new Error('the kubeconfig has no context in the form that is expected here');
  return changed;
};

/** Looks until there is nothing to complain about, at most `seconds`; gives back the last complaint. */
export const waitFor = async (
  seconds: number,
  look: () => Promise<string | undefined>,
): Promise<string | undefined> => {
  const deadlineMs = Date.now() + seconds * 1000;
  for (;;) {
    const complaint = await look();
    if (complaint === undefined) return undefined;
    if (Date.now() >= deadlineMs) return complaint;
    await systemClock.sleep(250);
  }
};
