/** A Berth cluster for tests with stock kubectl: `berth up` in a temporary folder, its nodes ready, taken down with `berth down`. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#base/system.ts';
import { startBerthUp, stopBerthUp } from '#cli/demo/berth-up.ts';
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

/** Starts a cluster of those nodes (none named: the whole engine as one); they are Ready when it is up. */
export const startTestCluster = async (nodes: readonly string[]): Promise<TestCluster> => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-conformance-'));
  const up = await startBerthUp({ folder, nodes });
  const kubectl = (args: readonly string[], options: KubectlOptions = {}) =>
    runCommand('kubectl', args, {
      env: { KUBECONFIG: options.kubeconfig ?? up.kubeconfig, KUBECACHEDIR: join(folder, 'kube-cache') },
      ...(options.input === undefined ? {} : { input: options.input }),
      timeoutMs: options.timeoutMs ?? 60_000,
    });
  return {
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
      await stopBerthUp(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
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
