/**
 * The agent as a service: finds out what the engine and the machine can do, then runs node-agent/agent.ts on them.
 * `startAgent` is called by `berth up` and `berth agent`; it resolves when the node is registered.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Taint } from '#api/kinds/core.ts';
import { namespaceKind } from '#api/kinds/core.ts';
import type { NodeHandler, SessionRequest } from '#api/node-calls.ts';
import { badRequest, notFound } from '#api/status.ts';
import type { Clock, Signal } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createStop } from '#base/stop.ts';
import type { Client } from '#client/client.ts';
import { Agent } from './agent.ts';
import type { Share } from './container/cgroup-plan.ts';
import { containerNamed } from './container/env.ts';
import { ensurePauseImage, pauseImage } from './container/pause-image.ts';
import { missingNetworkText, networkFault } from './container/pod-network.ts';
import { DockerRuntime } from './docker/engine.ts';
import { whenEngineAnswers } from './engine-wait.ts';
import { hostMachine } from './host/machine.ts';
import { runAttach, runExec } from './host/sessions.ts';
import { logSource, streamLog } from './logs.ts';
import { type Owner, ownerLabels } from './names.ts';
import { bareNode, type NodeConfig } from './node/node-status.ts';
import { defaultPolicy, type MachinePolicy } from './pod/pod-plan.ts';
import { type ContainerRuntime, type ContainerSeen, type EngineInfo, RuntimeError } from './runtime.ts';
import { agentTimings, type TimingsName } from './timings.ts';

export interface AgentOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly nodeName: string;
  /** Tells clusters on one engine apart; absent: taken from the kube-system namespace's uid. */
  readonly cluster?: string;
  /** Absent: the whole machine. */
  readonly share?: Share;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** Where the agent keeps pod volumes; absolute. */
  readonly dataDir: string;
  /** The same directory as the engine's host sees it, for an agent in a container. Default: dataDir. */
  readonly hostDataDir?: string;
  /** `unix:///var/run/docker.sock`, `tcp://host:port`. Default: DOCKER_HOST's value given by the caller, else that. */
  readonly dockerHost?: string;
  /** Engine network of pods by name, or `none`: pods without addresses. Default `bridge`. */
  readonly network?: string;
  /** Where the cgroup file systems and /proc of the host are. Defaults `/sys/fs/cgroup`, `/proc`. */
  readonly cgroupMount?: string;
  readonly proc?: string;
  /** Kept from pods. */
  readonly reserved?: Readonly<Record<string, string>>;
  readonly maxPods?: number;
  /** Most processes per container; default none. */
  readonly pidsLimit?: number;
  /** kubelet's crashLoopBackOff.maxContainerRestartPeriod, 1 s to 300 s. Default 300 s. */
  readonly crashLoopMaxMs?: number;
  /** Source of usage: cgroup files where readable (`auto`, default), or always the engine's stats endpoint. */
  readonly statsSource?: 'auto' | 'engine';
  /** How often the agent says that it lives; as fast as its server's controllers expect. Default `kubernetes`. */
  readonly timings?: TimingsName;
  readonly version?: string;
  /** Ends the waiting for an engine that does not answer. */
  readonly signal?: Signal;
  /** Address of the API server as pods should see it. */
  readonly apiServer?: { readonly host: string; readonly port: number };
}

export interface RunningAgent {
  readonly handler: NodeHandler;
  readonly agent: Agent;
  /** Containers go on unless `removeContainers`. */
  stop(options?: { readonly removeContainers?: boolean }): Promise<void>;
}

const defaultVersion = 'v1.35.0-berth';

export const startAgent = async (options: AgentOptions): Promise<RunningAgent> => {
  const runtime = new DockerRuntime(options.dockerHost ?? 'unix:///var/run/docker.sock');
  const network = options.network ?? 'bridge';
  const fault = networkFault(network);
  if (fault !== undefined) throw new RuntimeError('invalid', `network ${JSON.stringify(network)}: ${fault}`);
  const config = configOf(options);
  const owner = { cluster: options.cluster ?? (await clusterOf(options)), node: options.nodeName };
  // Volumes of Secrets are below it, with the modes that their pods ask for.
  await fs.mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const timings = agentTimings[options.timings ?? 'kubernetes'];
  const wait = { ...options, timings, node: bareNode(config) };
  const prepare = async () => {
    const info = await runtime.info();
    if (!(await runtime.hasNetwork(network))) throw new RuntimeError('invalid', missingNetworkText(network));
    await ensurePauseImage(runtime, info.architecture);
    return { info, negativeOomScore: await allowsNegativeOomScore(runtime, info, owner, options) };
  };
  const { info, negativeOomScore } = await whenEngineAnswers(wait, prepare, options.signal ?? neverAborted);
  const machine = hostMachine(info, {
    ...(options.cgroupMount === undefined ? {} : { cgroupMount: options.cgroupMount }),
    ...(options.proc === undefined ? {} : { proc: options.proc }),
  });
  const agent = new Agent({
    client: options.client,
    runtime,
    machine,
    info,
    host: await machine.facts(),
    clock: options.clock,
    random: options.random,
    log: options.log,
    owner,
    config,
    timings,
    policy: policyOf(options),
    dataDir: options.dataDir,
    hostDataDir: options.hostDataDir ?? options.dataDir,
    network,
    statsSource: options.statsSource ?? 'auto',
    negativeOomScore,
    pidsLimit: options.pidsLimit ?? 0,
    startsAtOnce: 2 * info.cpus,
    serviceEnv: options.apiServer ? kubernetesService(options.apiServer) : {},
    remarks: negativeOomScore
      ? []
      : ['the engine may not lower oom_score_adj (no CAP_SYS_RESOURCE), so Guaranteed pods and sandboxes have 0'],
  });
  await agent.start();
  return { agent, handler: handlerOf(agent, runtime, options), stop: stopOptions => agent.stop(stopOptions) };
};

const neverAborted = createStop().signal;

const configOf = (options: AgentOptions): NodeConfig => ({
  name: options.nodeName,
  share: options.share ?? {},
  labels: options.labels ?? {},
  taints: options.taints ?? [],
  annotations: options.annotations ?? {},
  reserved: options.reserved ?? {},
  maxPods: options.maxPods ?? 110,
  version: options.version ?? defaultVersion,
});

const policyOf = ({ crashLoopMaxMs = defaultPolicy.crashMaxMs }: AgentOptions): MachinePolicy => ({
  crashMaxMs: crashLoopMaxMs,
  crashInitialMs: Math.min(defaultPolicy.crashInitialMs, crashLoopMaxMs),
});

const clusterOf = async ({ client }: AgentOptions): Promise<string> => {
  const { metadata } = await client.get(namespaceKind, { name: 'kube-system' });
  return (metadata.uid ?? 'berth').slice(0, 8);
};

/**
 * Whether the engine may make a process less likely to be OOM-killed than itself; found out by starting a container
 * once per engine, then remembered in the data directory.
 */
const allowsNegativeOomScore = async (
  runtime: ContainerRuntime,
  info: EngineInfo,
  owner: Owner,
  { dataDir, nodeName, random, log }: AgentOptions,
): Promise<boolean> => {
  const file = path.join(dataDir, 'engine.json');
  const known = await fs.readFile(file, 'utf8').then(
    text => JSON.parse(text) as Record<string, unknown>,
    () => ({}) as Record<string, unknown>,
  );
  const engine = `${info.id} ${info.serverVersion}`;
  if (known['engine'] === engine && typeof known['negativeOomScore'] === 'boolean') return known['negativeOomScore'];
  const labels = { ...ownerLabels(owner), 'berth.dev/probe': '1' };
  // Of an agent that was killed while it tried.
  for (const { id } of await runtime.list(labels)) await runtime.remove(id);
  const name = `berth-oom-probe-${nodeName}-${random.uuid().slice(0, 8)}`;
  const host = { NetworkMode: 'none', OomScoreAdj: -998, LogConfig: { Type: 'none', Config: {} } };
  const id = await runtime.create({
    name,
    image: pauseImage,
    labels,
    env: [],
    tty: false,
    stdin: false,
    stdinOnce: false,
    host,
  });
  const allowed = await runtime.start(id).then(
    () => true,
    (error: unknown) => {
      log.info({ err: error }, 'negative oom_score_adj is not possible here');
      return false;
    },
  );
  await runtime.remove(id);
  await fs.writeFile(file, JSON.stringify({ engine, negativeOomScore: allowed }));
  return allowed;
};

/** Variables of the `kubernetes` Service, in both styles that the kubelet gives. */
const kubernetesService = ({ host, port }: { host: string; port: number }): Readonly<Record<string, string>> => ({
  KUBERNETES_SERVICE_HOST: host,
  KUBERNETES_SERVICE_PORT: String(port),
  KUBERNETES_SERVICE_PORT_HTTPS: String(port),
  KUBERNETES_PORT: `tcp://${host}:${port}`,
  [`KUBERNETES_PORT_${port}_TCP`]: `tcp://${host}:${port}`,
  [`KUBERNETES_PORT_${port}_TCP_PROTO`]: 'tcp',
  [`KUBERNETES_PORT_${port}_TCP_PORT`]: String(port),
  [`KUBERNETES_PORT_${port}_TCP_ADDR`]: host,
});

const handlerOf = (agent: Agent, runtime: ContainerRuntime, { clock, log }: AgentOptions): NodeHandler => ({
  usage: async () => agent.sampler.usage(),
  logs: async (request, send, signal) => {
    const { pod, seen, container } = found(agent, request);
    await streamLog({ runtime, clock }, logSource(pod, container, seen, request.previous), request, send, signal);
  },
  exec: async (request, session) => {
    const target = running(agent, request);
    const { tty, stdin, stdout, stderr, command } = request;
    const streams = await runtime.exec(target.id, { tty, stdin, stdout, stderr, command });
    await runExec(streams, session, target.id, log);
  },
  attach: async (request, session) => {
    const target = running(agent, request);
    const { container } = found(agent, request);
    const isTty = container.tty === true;
    const { stdin, stdout, stderr } = request;
    const streams = await runtime.attach(target.id, {
      tty: isTty,
      stdin: stdin && container.stdin === true,
      stdout,
      stderr,
    });
    // Without stdinOnce a client's end must not end the process (KUBECTL-WIRE §4.3).
    const isRunning = async () => (await agent.observer.look(target.id))?.phase === 'running';
    await runAttach(streams, session, { passesEnd: container.stdinOnce === true }, isRunning);
  },
});

type Target = Pick<SessionRequest, 'uid' | 'pod' | 'container'>;

const found = (agent: Agent, { uid, pod: name, container: containerName }: Target) => {
  const known = agent.find(uid);
  if (!known) throw notFound({ group: '', plural: 'pods' }, name);
  const container = containerNamed(known.pod, containerName);
  if (!container) throw badRequest(`container ${containerName} is not valid for pod ${name}`);
  return { ...known, container };
};

const running = (agent: Agent, target: Target): ContainerSeen => {
  const { seen } = found(agent, target);
  const [newest] = seen.containers.get(target.container) ?? [];
  if (newest?.phase !== 'running') throw badRequest(`container not found ("${target.container}")`);
  return newest;
};
