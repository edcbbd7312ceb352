/** A cluster of `berth server` and `berth agent`s as processes of their own, each of which can be killed and started again. */
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Node } from '#api/kinds/core.ts';
import { nodeKind } from '#api/kinds/core.ts';
import { clusterIdOf, parseJoin } from '#cli/local/join.ts';
import type { HttpClient } from '#client/http.ts';
import { freePort, openPlace, type Place, type Program, textOf, until } from './berth.ts';
import { removeAllOf } from './engine-ledger.ts';

export interface SplitCluster {
  readonly place: Place;
  /** The mark of its containers, volumes and cgroups. */
  readonly id: string;
  readonly url: string;
  readonly kubeconfig: string;
  readonly client: HttpClient;
  /** What an agent joins with. */
  readonly join: string;
  readonly serverData: string;
  readonly agentData: string;
  server(): Program;
  agent(name: string): Program;
  startServer(): Promise<void>;
  /** `node` as --node takes it; resolves at once. */
  startAgent(node: string, more?: AgentStart): Program;
  node(name: string): Promise<Node | undefined>;
  /** Waits until the node's Ready condition is as wanted, and gives the condition. */
  ready(
    name: string,
    status: 'True' | 'False' | 'Unknown',
    seconds?: number,
  ): Promise<{ reason: string; message: string }>;
  /** Ends all processes, removes what they left in the engine and the cgroup tree, deletes the folder. */
  stop(): Promise<void>;
}

export interface AgentStart {
  readonly docker?: string;
  /** Name of the log, when it is another than that of the node. */
  readonly log?: string;
  readonly data?: string;
}

export const startSplitCluster = async (serverArgs: readonly string[] = []): Promise<SplitCluster> => {
  const place = openPlace();
  const port = await freePort();
  const serverData = join(place.folder, 'server-data');
  const agentData = join(place.folder, 'agent-data');
  mkdirSync(serverData);
  const kubeconfig = join(serverData, 'kubeconfig');
  let server: Program | undefined;
  const agents = new Map<string, Program>();
  const startServer = async (): Promise<void> => {
    const started = place.start('server', ['server', '--data', serverData, '--port', String(port), ...serverArgs]);
    server = started;
    await until('the server answers', async () => {
      if (started.hasExited) throw new Error(`the server ended while starting:\n${textOf(started.log).slice(-3000)}`);
      if (!existsSync(kubeconfig) || !existsSync(join(serverData, 'running.json'))) return false;
      return textOf(started.log).split('A node joins with').length > starts;
    });
    starts++;
  };
  let starts = 1;
  await startServer();
  const client = await place.client(kubeconfig);
  const said = await place.run(['token', '--word', '--data', serverData]);
  const word = said.stdout.trim();
  const id = clusterIdOf(parseJoin(word).caPem);
  const node = async (name: string): Promise<Node | undefined> => {
    const { items } = await client.list(nodeKind);
    return items.find(({ metadata }) => metadata.name === name);
  };
  return {
    place,
    id,
    url: `https://127.0.0.1:${port}`,
    kubeconfig,
    client,
    join: word,
    serverData,
    agentData,
    server: () => server!,
    agent: name => agents.get(name)!,
    startServer,
    startAgent: (text, { docker, log, data = agentData } = {}) => {
      const name = text.split('=')[0]!;
      const args = ['agent', '--node', text, '--data', data, ...(docker === undefined ? [] : ['--docker', docker])];
      const program = place.start(log ?? `agent-${name}`, args, { BERTH_JOIN: word });
      agents.set(log ?? name, program);
      return program;
    },
    node,
    ready: (name, status, seconds = 60) =>
      until(
        `node ${name} is Ready=${status}`,
        async () => {
          const found = await node(name).catch(() => undefined);
          const condition = found?.status?.conditions?.find(({ type }) => type === 'Ready');
          if (condition?.status !== status) return undefined;
          return { reason: condition.reason ?? '', message: condition.message ?? '' };
        },
        seconds,
      ),
    stop: async () => {
      await place.leave();
      await removeAllOf(id);
      removeCgroups(id);
    },
  };
};

/** The cgroups that a cluster has on this machine, below its own. */
export const cgroupsOf = (cluster: string): readonly string[] =>
  hierarchies().flatMap(hierarchy => {
    const own = join(hierarchy, 'berth', cluster);
    if (!existsSync(own)) return [];
    return readdirSync(own, { withFileTypes: true, recursive: true })
      .filter(entry => entry.isDirectory())
      .map(entry => join(entry.parentPath, entry.name));
  });

const hierarchies = (): readonly string[] => {
  const root = '/sys/fs/cgroup';
  if (!existsSync(root)) return [];
  if (existsSync(join(root, 'cgroup.controllers'))) return [root];
  return readdirSync(root).map(name => join(root, name));
};

const removeCgroups = (cluster: string): void => {
  const deepestFirst = [...cgroupsOf(cluster), ...hierarchies().map(root => join(root, 'berth', cluster))].sort(
    (a, b) => b.length - a.length,
  );
  for (const path of deepestFirst) if (existsSync(path)) rmdirSync(path);
};
