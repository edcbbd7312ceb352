/**
 * An agent on the real Docker Engine with a fake cluster API, for tests of what agents do. Everything it makes carries
 * a cluster name of its own, and `dispose` removes all of it.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DockerRuntime } from '#agent/docker/engine.ts';
import { type AgentOptions, type RunningAgent, startAgent } from '#agent/main.ts';
import { type Event, eventKind, type Node, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { type Log, silentLog } from '#base/log.ts';
import { systemClock, systemRandom } from '#base/system.ts';
import { FakeClient } from '#test/client/fake-client.ts';
import { dockerSocket, needTestImage, testImage } from './test-image.ts';

/** Why docker tests cannot run here, or undefined. In CI that is a failure: its set-up brings an engine. */
export const dockerFault = existsSync(dockerSocket) ? undefined : `no Docker Engine at ${dockerSocket}`;
if (dockerFault !== undefined && process.env['CI']) throw new Error(`skipped in CI: ${dockerFault}`);

/** Why tests of enforced cgroups, and of processes ended in containers, cannot run here, or undefined. */
export const rootFault =
  process.getuid?.() === 0 ? undefined : 'only root may write the cgroup tree and end processes of containers';

export interface Harness {
  readonly client: FakeClient;
  readonly cluster: string;
  readonly node: string;
  readonly dataDir: string;
  readonly runtime: DockerRuntime;
  agent: RunningAgent;
  restart(options?: Partial<AgentOptions>): Promise<void>;
  pod(name: string): Pod | undefined;
  theNode(): Node | undefined;
  events(name: string): readonly string[];
  dispose(): Promise<void>;
}

export const logTo = (write: (line: string) => void): Log => {
  const put = (level: string) => (fields: object, message: string) =>
    write(
      `${level} ${message} ${JSON.stringify(fields, (_key, value) => (value instanceof Error ? value.stack : value))}`,
    );
  return { debug() {}, info: put('info'), warn: put('warn'), error: put('error') };
};

/** `socket`: where the engine is, also for an agent that `options` sends there by a detour. The test image must be there. */
export const startHarness = async (options: Partial<AgentOptions> = {}, socket = dockerSocket): Promise<Harness> => {
  if (socket === dockerSocket) await needTestImage();
  const cluster = `t${systemRandom.uuid().slice(0, 8)}`;
  const node = options.nodeName ?? 'n1';
  const client = new FakeClient(systemClock);
  const dataDir = mkdtempSync(path.join(tmpdir(), 'berth-agent-'));
  const log = process.env['BERTH_TEST_LOG'] ? logTo(line => console.log(line)) : silentLog;
  const base: AgentOptions = {
    client,
    clock: systemClock,
    random: systemRandom,
    log,
    nodeName: node,
    cluster,
    dataDir,
    dockerHost: socket,
    crashLoopMaxMs: 2000,
    // Where the engine's default network is not to be used.
    ...(process.env['BERTH_TEST_NETWORK'] ? { network: process.env['BERTH_TEST_NETWORK'] } : {}),
    ...options,
  };
  const runtime = new DockerRuntime(socket);
  const harness: Harness = {
    client,
    cluster,
    node,
    dataDir,
    runtime,
    agent: await startAgent(base),
    restart: async (changes = {}) => {
      await harness.agent.stop();
      harness.agent = await startAgent({ ...base, ...changes });
    },
    pod: name => client.peek(podKind, name, 'default'),
    theNode: () => client.peek(nodeKind, node),
    events: name =>
      client
        .all<Event>(eventKind)
        .filter(event => event.involvedObject?.name === name)
        .map(event => `${event.type} ${event.reason}: ${event.message}`),
    dispose: async () => {
      await harness.agent.stop({ removeContainers: true });
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return harness;
};

/** Waits until the value is there; fails with what was last seen. */
export const until = async <T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 60_000,
): Promise<T> => {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
};

/** A pod of one busybox container bound to the node, as a server would store it. */
export const podOf = (
  name: string,
  container: Partial<Pod['spec']['containers'][number]>,
  spec: Partial<Pod['spec']> = {},
) => ({
  metadata: { name, namespace: 'default', generation: 1 },
  spec: {
    containers: [{ name: 'app', image: testImage, imagePullPolicy: 'IfNotPresent' as const, ...container }],
    restartPolicy: 'Always' as const,
    terminationGracePeriodSeconds: 30,
    nodeName: 'n1',
    ...spec,
  },
  status: { phase: 'Pending' as const, qosClass: 'BestEffort' as const },
});
