/**
 * The control plane in one process: store, registry, API server, controllers and scheduler, put together and started in the
 * order in which they need each other. `berth up` and `berth server` call it; tests call it with a virtual world.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { kinds } from '#api/kinds.ts';
import type { KubeObject } from '#api/object.ts';
import { OpenApi } from '#api/openapi.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Client } from '#client/client.ts';
import { type ControllersOptions, startControllers } from '#loops/controllers.ts';
import { Ledger } from '#loops/ledger.ts';
import { startScheduler } from '#loops/scheduling.ts';
import type { SchedulerCounters } from '#loops/scheduling-counters.ts';
import { collectGarbage } from '#registry/gc.ts';
import { createLocalClient } from '#registry/local-client.ts';
import { isMetrics } from '#registry/metrics.ts';
import { createRegistry, type Registry } from '#registry/registry.ts';
import type { User } from '#registry/request.ts';
import { stamp } from '#registry/stamp.ts';
import { openTokens } from '#server/authn.ts';
import { createApiServer } from '#server/http.ts';
import { InFlight } from '#server/in-flight.ts';
import { createServerMetrics } from '#server/metrics.ts';
import { createNodeLinks, type NodeLinks } from '#server/node-links.ts';
import type { ConfigurationFacts, SchedulerFacts } from '#server/scheduler-facts.ts';
import { addSchedulerMetrics } from '#server/scheduler-metrics.ts';
import { ensureTls, ownAddresses, type ServerTls } from '#server/tls.ts';
import { versionInfo } from '#server/version.ts';
import { memoryJournal } from '#store/journal.ts';
import { openSqliteJournal } from '#store/sqlite.ts';
import { openStore } from '#store/store.ts';
import { createStartObjects } from './start-objects.ts';

export interface ControlPlaneOptions {
  /** Where everything is kept; absent: in memory only, and gone with the process. */
  readonly dataDir?: string;
  /** Loopback unless told otherwise. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port?: number;
  /** Further names that clients reach the server by, for its certificate. */
  readonly names?: readonly string[];
  readonly durability?: 'process' | 'power';
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly timings?: ControllersOptions['timings'];
  /** False: no scheduler runs (tests, or one in another process). */
  readonly scheduler?: boolean;
  /** The file that `schedulerConfig` was read from, for those who ask how decisions are made. */
  readonly schedulerConfigFile?: ConfigurationFacts;
  /** Passed to the scheduler as it is. */
  readonly schedulerConfig?: Parameters<typeof startScheduler>[0] extends { config?: infer Config } ? Config : never;
}

export interface ControlPlane {
  readonly url: string;
  readonly caPem: string;
  readonly adminToken: string;
  readonly joinToken: string;
  nodeToken(node: string): string;
  /** A client in this process; by default that of an all-powerful internal user. */
  client(user?: User): Client;
  readonly nodeLinks: NodeLinks;
  readonly registry: Registry;
  /** Ends controllers and scheduler, lets requests finish, closes the store. */
  stop(): Promise<void>;
}

const internalUser = (component: string): User => ({
  name: `system:${component}`,
  groups: ['system:masters', 'system:authenticated'],
});

/** Resolves when the API answers. Throws with a sentence for people when the data directory or port cannot be had. */
export const startControlPlane = async (options: ControlPlaneOptions): Promise<ControlPlane> => {
  const { dataDir, host = '127.0.0.1', clock, random, log } = options;
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // First of all, because opening the store is also what keeps a second server off the directory.
  const store = openJournaledStore(options);
  const stopping = new AbortController();
  try {
    const nodeLinks = createNodeLinks({ clock, log });
    const registry = createRegistry({ store, clock, random, usage: () => nodeLinks.usage() });
    const tokens = openTokens(dataDir);
    const tls = await tlsFor(options, host);
    await createStartObjects(registry);
    let loops: Loops | undefined;
    const checks = { store: () => true, controllers: () => loops !== undefined };
    const { caPem } = tls;
    const metrics = createServerMetrics();
    addSchedulerMetrics(metrics.registry, () => loops?.counters);
    const openapi = new OpenApi(kinds, versionInfo.gitVersion);
    const inFlight = new InFlight();
    const ledger = new Ledger();
    const scheduler: SchedulerFacts | undefined =
      options.scheduler === false
        ? undefined
        : {
            decisions: query => ledger.list(query),
            ...(options.schedulerConfigFile === undefined ? {} : { configuration: options.schedulerConfigFile }),
          };
    const facts = scheduler === undefined ? {} : { scheduler };
    const own = { registry, kinds, tokens, nodeLinks, metrics, inFlight, openapi, clock, log, caPem, checks };
    const server = createApiServer({ ...own, ...facts, stopping: stopping.signal }, tls);
    const url = await listen(server.app, host, options.port ?? 0);
    const client = (user: User = internalUser('internal')) => createLocalClient(registry, user);
    loops = startLoops(options, registry, { client, caPem, ledger, signal: stopping.signal });
    const stop = async (): Promise<void> => {
      await loops?.stop();
      stopping.abort();
      await server.close();
      await loops?.collector;
      store.close();
    };
    const { adminToken, joinToken, nodeToken } = tokens;
    return { url, caPem, adminToken, joinToken, nodeToken, client, nodeLinks, registry, stop };
  } catch (error) {
    stopping.abort();
    store.close();
    throw error;
  }
};

interface Loops {
  /** Ends controllers and scheduler. */
  stop(): Promise<void>;
  /** Of the scheduler; absent where none runs. */
  readonly counters: SchedulerCounters | undefined;
  /** Resolves when the garbage collector has seen the signal. */
  readonly collector: Promise<void>;
}

interface LoopParts {
  client(user: User): Client;
  readonly caPem: string;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
}

/** Everything that works on the cluster by itself, each through a client of its own. */
const startLoops = (
  options: ControlPlaneOptions,
  registry: Registry,
  { client, caPem, ledger, signal }: LoopParts,
): Loops => {
  const { clock, random, log, timings, schedulerConfig } = options;
  const common = { clock, random, log };
  const controllers = startControllers({
    ...common,
    client: client(internalUser('controller-manager')),
    caPem,
    ...(timings === undefined ? {} : { timings }),
  });
  const scheduler =
    options.scheduler === false
      ? undefined
      : startScheduler({
          ...common,
          client: client(internalUser('kube-scheduler')),
          ledger,
          yieldTurn: () => new Promise(resolve => setImmediate(resolve)),
          ...(schedulerConfig === undefined ? {} : { config: schedulerConfig }),
        });
  const stored = kinds.filter(kind => !isMetrics(kind));
  const collector = collectGarbage({ registry, kinds: stored, clock, log }, signal);
  const stop = async (): Promise<void> => {
    await scheduler?.stop();
    await controllers.stop();
  };
  return { stop, counters: scheduler?.counters, collector };
};

const tlsFor = ({ dataDir, names = [], clock, log }: ControlPlaneOptions, host: string): Promise<ServerTls> => {
  const isLoopback = ['127.0.0.1', '::1', 'localhost'].includes(host);
  if (!isLoopback)
    log.warn(
      { host },
      `the API listens on ${host}, not only on loopback: whoever has a token and reaches this machine can use it`,
    );
  return ensureTls({ dataDir, hosts: [...names, ...(isLoopback ? [] : ownAddresses())], nowMs: clock.now() });
};

const openJournaledStore = ({ dataDir, durability, clock }: ControlPlaneOptions) =>
  openStore<KubeObject>({
    journal:
      dataDir === undefined
        ? memoryJournal()
        : openSqliteJournal({ path: join(dataDir, 'berth.db'), ...(durability === undefined ? {} : { durability }) }),
    stamp,
    soon: task => void setImmediate(task),
    now: () => clock.now(),
  });

const listen = async (
  app: { listen(options: { host: string; port: number }): Promise<string>; server: { address(): unknown } },
  host: string,
  port: number,
): Promise<string> => {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === 'EADDRINUSE')
      throw new Error(`port ${port} of ${host} is in use: stop what listens there, or choose another port`);
    throw error;
  }
  const address = app.server.address() as { port: number };
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `https://${shown}:${address.port}`;
};
