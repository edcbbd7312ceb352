/**
 * A whole cluster in this process: control plane and one agent per node. It runs until it is told to stop, and then
 * takes away what it made: containers, cgroups and the kubeconfig context (not the data). `berth up` starts it as a
 * process of its own; `berth up --foreground` is it.
 */
import { join } from 'node:path';
import { DockerRuntime } from '#agent/docker/engine.ts';
import { startAgent } from '#agent/main.ts';
import { nodeKind } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import type { Log } from '#base/log.ts';
import { systemRandom } from '#base/system.ts';
import type { Client } from '#client/client.ts';
import { addCluster, type Location, removeCluster } from '#client/kubeconfig.ts';
import { type ControlPlane, startControlPlane } from '#scheduler/main.ts';
import { clientVersion } from '../commands/version.ts';
import { CliError } from '../failure.ts';
import type { Io } from '../io.ts';
import { removeContainers } from './cleanup.ts';
import { claim, logFile, type Settings, writeSettings } from './instance.ts';
import { joinText } from './join.ts';
import { openLog } from './log.ts';
import { type NodePlan, parseNodes, shareOf } from './nodes.ts';
import { readSchedulerConfig, type SchedulerConfigFile } from './scheduler-config.ts';

export interface ServeOptions {
  readonly data: string;
  readonly settings: Settings;
  /** Nodes that were there before and are no more. */
  readonly dropped: readonly string[];
  readonly location: Location;
  /** True when another port may be taken because the usual one is in use. */
  readonly anyPort: boolean;
  readonly startedMs: number;
}

export interface Ready {
  readonly url: string;
  readonly kubeconfig: string;
  readonly apiMs: number;
  readonly readyMs: number;
  readonly nodes: readonly {
    name: string;
    ready: boolean;
    message: string;
    allocatable: Readonly<Record<string, string>>;
  }[];
  /** What the scheduler's configuration asks for without effect. */
  readonly warnings: readonly string[];
}

/** `keep`: containers go on when the cluster stops, for the next one to adopt. */
export type Stopped = Promise<{ readonly keep: boolean }>;

/** Runs the cluster; `report` is called once, when it is up. Resolves after everything was stopped and taken away. */
export const serve = async (
  io: Io,
  options: ServeOptions,
  report: (ready: Ready) => void,
  stopped: Stopped,
): Promise<void> => {
  const { data, settings } = options;
  const place = claim(data);
  const log = openLog(logFile(data), io.env['BERTH_LOG']);
  const undo: (() => Promise<void>)[] = [];
  let keep = false;
  try {
    const scheduler = settings.schedulerConfig ? await readSchedulerConfig(settings.schedulerConfig) : undefined;
    await engineAnswers(settings.docker);
    const plane = await startPlane(options, scheduler, io, log);
    undo.push(() => plane.stop());
    const apiMs = io.clock.now() - options.startedMs;
    const port = Number(new URL(plane.url).port);
    writeSettings(data, { ...settings, port, url: plane.url });
    await forget(plane.client(), options.dropped);
    undo.push(...(await startNodes(plane, options, io, log)));
    const note = { cluster: settings.id, data, docker: settings.docker };
    const entry = { name: settings.context, server: plane.url, caPem: plane.caPem, token: plane.adminToken, note };
    const kubeconfig = await addCluster(options.location, entry);
    undo.push(async () => void (keep || (await removeCluster(options.location, settings.context, plane.url))));
    place.note({
      startedAt: new Date(io.clock.now()).toISOString(),
      version: clientVersion(),
      url: plane.url,
      context: settings.context,
      kubeconfig,
      nodes: settings.nodes,
      join: joinText({ server: plane.url, token: plane.joinToken, caPem: plane.caPem }),
      token: plane.adminToken,
    });
    const nodes = await nodesReady(plane.client(), settings, io, stopped);
    const readyMs = io.clock.now() - options.startedMs;
    report({ url: plane.url, kubeconfig, apiMs, readyMs, nodes, warnings: scheduler?.warnings ?? [] });
    keep = (await stopped).keep;
    place.stopping();
  } finally {
    // In the opposite order; one that fails must not keep the others from being done.
    for (const step of undo.reverse()) await step().catch(error => log.error({ error: String(error) }, 'stopping'));
    if (!keep && undo.length > 0) await clean(settings, log);
    place.release();
  }
};

const clean = async (settings: Settings, log: Log): Promise<void> => {
  try {
    await removeContainers(settings.docker, { cluster: settings.id });
  } catch (error) {
    log.error({ error: String(error) }, 'the containers could not be removed');
  }
};

const engineAnswers = async (docker: string): Promise<void> => {
  try {
    await new DockerRuntime(docker).info();
  } catch (error) {
    throw new CliError(
      `no Docker Engine answers at ${docker}: ${(error as Error).message}\nStart it, or name another one with --docker (such as unix:///run/user/1000/docker.sock).`,
    );
  }
};

const startPlane = async (
  options: ServeOptions,
  scheduler: SchedulerConfigFile | undefined,
  io: Io,
  log: Log,
): Promise<ControlPlane> => {
  const { data, settings, anyPort } = options;
  const start = (port: number) =>
    startControlPlane({
      dataDir: join(data, 'server'),
      host: settings.host,
      port,
      clock: io.clock,
      random: systemRandom,
      log,
      timings: settings.timings,
      ...(scheduler === undefined ? {} : { schedulerConfig: scheduler.config, schedulerConfigFile: scheduler.source }),
    });
  try {
    return await start(settings.port);
  } catch (error) {
    if (!(anyPort && /is in use/.test((error as Error).message))) throw new CliError((error as Error).message);
    return start(0);
  }
};

/** Nodes that this cluster does not have any more; their pods follow by pod garbage collection. */
const forget = async (client: Client, names: readonly string[]): Promise<void> => {
  for (const name of names) {
    try {
      await client.remove(nodeKind, { name });
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error;
    }
  }
};

/** All agents at once; what ends each. When one cannot be started the others are ended and its fault is thrown. */
const startNodes = async (plane: ControlPlane, options: ServeOptions, io: Io, log: Log) => {
  const { data, settings } = options;
  const start = async (plan: NodePlan) => {
    const share = shareOf(plan);
    const agent = await startAgent({
      client: plane.client({ name: `system:node:${plan.name}`, groups: ['system:nodes', 'system:authenticated'] }),
      clock: io.clock,
      random: systemRandom,
      log,
      nodeName: plan.name,
      cluster: settings.id,
      dockerHost: settings.docker,
      ...(settings.network === undefined ? {} : { network: settings.network }),
      dataDir: join(data, 'nodes', plan.name),
      timings: settings.timings,
      signal: io.signal,
      ...(share ? { share } : {}),
    });
    const leave = plane.nodeLinks.register(plan.name, agent.handler);
    return async () => {
      leave();
      await agent.stop();
    };
  };
  const started = await Promise.allSettled(parseNodes(settings.nodes).map(start));
  const stops = started.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = started.find(result => result.status === 'rejected');
  if (!failed) return stops;
  await Promise.all(stops.map(stop => stop()));
  throw new CliError(`a node could not be started: ${(failed.reason as Error).message}`);
};

const readyPatienceMs = 20_000;
const pollMs = 20;

/** What the nodes say of themselves once all are Ready, or at the end of our patience. */
const nodesReady = async (client: Client, settings: Settings, io: Io, stopped: Stopped): Promise<Ready['nodes']> => {
  const names = new Set(parseNodes(settings.nodes).map(plan => plan.name));
  const deadlineMs = io.clock.now() + readyPatienceMs;
  let ended = false;
  void stopped.then(() => {
    ended = true;
  });
  for (;;) {
    const { items } = await client.list(nodeKind);
    const nodes = items
      .filter(node => names.has(node.metadata.name))
      .map(node => {
        const ready = node.status?.conditions?.find(condition => condition.type === 'Ready');
        return {
          name: node.metadata.name,
          ready: ready?.status === 'True',
          message: ready?.message ?? 'has not said anything yet',
          allocatable: node.status?.allocatable ?? {},
        };
      });
    const all = nodes.length === names.size && nodes.every(node => node.ready);
    if (all || ended || io.clock.now() > deadlineMs) return nodes;
    await io.clock.sleep(pollMs);
  }
};
