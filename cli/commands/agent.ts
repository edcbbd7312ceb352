/** `berth agent`: one or several nodes of this machine's engine, in the foreground, joined to a server elsewhere. */
import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join as joinPath, resolve } from 'node:path';
import { runLink } from '#agent/host/link.ts';
import { startAgent } from '#agent/main.ts';
import type { TimingsName } from '#agent/timings.ts';
import type { NodeHandler } from '#api/node-calls.ts';
import { isReason, unavailable } from '#api/status.ts';
import type { Log } from '#base/log.ts';
import { systemRandom } from '#base/system.ts';
import { createHttpClient } from '#client/http.ts';
import { ConnectionError } from '#client/http-errors.ts';
import type { Define } from '../command.ts';
import { examples, repeated } from '../command.ts';
import { CliError } from '../failure.ts';
import type { Io } from '../io.ts';
import { removeContainers } from '../local/cleanup.ts';
import { clusterIdOf, type Join, parseJoin } from '../local/join.ts';
import { openLog } from '../local/log.ts';
import { hostNodeName, type NodePlan, nodeText, parseNodes, shareOf } from '../local/nodes.ts';
import { parseTimings } from '../local/timings.ts';

interface AgentFlags {
  join?: string;
  server?: string;
  token?: string;
  ca?: string;
  node?: readonly string[];
  data?: string;
  docker?: string;
  network?: string;
  timings: string;
  stats: string;
  removeContainers?: boolean;
}

export const define: Define = (command, io) => {
  command
    .option('--join <word>', 'what `berth token` prints on the server (default: $BERTH_JOIN)')
    .option('--server <url>', 'instead of --join: the server …')
    .option('--token <token>', '… its join token …')
    .option('--ca <file>', '… and the certificate of its authority (PEM)')
    .option(
      '--node <name[=share]>',
      "a node with its share of the machine; may be repeated (default: the host's name)",
      repeated,
    )
    .option('--data <folder>', 'where volumes are kept (default: ~/.local/share/berth-agent)')
    .option('--docker <address>', 'the engine (default: $DOCKER_HOST or unix:///var/run/docker.sock)')
    .option('--network <name>', "the engine's network for pods, or none (default: bridge)")
    .option('--timings <profile>', 'kubernetes or fast, as the server has it', 'kubernetes')
    .option(
      '--stats <source>',
      "auto: usage from cgroup files where they can be read; engine: from the engine's stats",
      'auto',
    )
    .option('--remove-containers', 'take the containers of its pods away when it ends')
    .action((flags: AgentFlags) => run(io, flags));
  examples(
    command,
    `berth agent --node c --join 'https://10.0.0.5:6443#…'
    berth agent --node c=cpu:2,memory:4Gi --server https://10.0.0.5:6443 --token … --ca ca.pem`,
  );
};

const run = async (io: Io, flags: AgentFlags): Promise<void> => {
  const join = joinOf(io, flags);
  const timings = parseTimings(flags.timings);
  if (flags.stats !== 'auto' && flags.stats !== 'engine')
    throw new CliError(`--stats ${flags.stats}: expected auto or engine`);
  const statsSource = flags.stats;
  const plans = parseNodes(flags.node ?? [hostNodeName(hostname())]);
  const log = openLog(undefined, io.env['BERTH_LOG']);
  let refusal: string | undefined;
  let stop = () => {};
  const stopped = new Promise<void>(resolve => {
    stop = resolve;
  });
  const refused = (why: string) => {
    refusal = why;
    stop();
  };
  const ends = await Promise.all(
    plans.map(plan => startNode(io, flags, { join, plan, timings, statsSource, log, refused })),
  );
  io.out(`Nodes ${plans.map(nodeText).join(' ')} joined ${join.server}.\n`);
  io.signal.addEventListener('abort', stop, { once: true });
  if (io.signal.aborted) stop();
  await stopped;
  await Promise.all(ends.map(end => end()));
  if (refusal !== undefined) throw new CliError(refusal);
};

const joinOf = (io: Io, flags: AgentFlags): Join => {
  const word = flags.join ?? (flags.server === undefined ? io.env['BERTH_JOIN'] : undefined);
  if (word !== undefined) return parseJoin(word);
  const { server, token, ca } = flags;
  if (!server || !token || !ca) throw new CliError('--join, or --server with --token and --ca, must be given');
  return { server: server.replace(/\/$/, ''), token, caPem: readFileSync(resolve(io.cwd, ca), 'utf8') };
};

interface NodeStart {
  readonly join: Join;
  readonly plan: NodePlan;
  readonly timings: TimingsName;
  readonly statsSource: 'auto' | 'engine';
  readonly log: Log;
  /** The server has another agent of this node. */
  refused(why: string): void;
}

/** Joins and runs one node; resolves with what ends it. */
const startNode = async (io: Io, flags: AgentFlags, start: NodeStart): Promise<() => Promise<void>> => {
  const { join, plan, timings, statsSource, log, refused } = start;
  const { server, caPem } = join;
  const { token } = await admit(io, join, plan.name, log);
  const client = createHttpClient({ server, token, caPem });
  const share = shareOf(plan);
  const data = resolve(io.cwd, flags.data ?? joinPath(io.env['HOME'] || homedir(), '.local', 'share', 'berth-agent'));
  const dockerHost = flags.docker ?? io.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
  const cluster = clusterIdOf(caPem);
  const starting = lateHandler();
  const stop = new AbortController();
  let link = Promise.resolve();
  // The link is what makes this the node's only agent: nothing is run before it stands.
  await new Promise<void>((resolve, reject) => {
    const isRefused = (why: string) => {
      reject(new CliError(why));
      refused(why);
    };
    const names = { server, token, caPem, node: plan.name, agent: systemRandom.uuid().replaceAll('-', '') };
    const parts = { handler: starting.handler, clock: io.clock, random: systemRandom, log };
    link = runLink({ ...names, ...parts, refused: isRefused, opened: resolve }, stop.signal);
    io.signal.addEventListener('abort', () => reject(interrupted()), { once: true });
    if (io.signal.aborted) reject(interrupted());
  });
  const agent = await startAgent({
    client,
    clock: io.clock,
    random: systemRandom,
    log,
    nodeName: plan.name,
    cluster,
    dockerHost,
    dataDir: joinPath(data, plan.name),
    timings,
    statsSource,
    signal: io.signal,
    ...(flags.network === undefined ? {} : { network: flags.network }),
    ...(share ? { share } : {}),
  }).catch((error: unknown) => {
    throw io.signal.aborted ? interrupted() : error;
  });
  starting.begin(agent.handler);
  return async () => {
    stop.abort();
    await link;
    await agent.stop();
    await client.close();
    if (flags.removeContainers) await removeContainers(dockerHost, { cluster, node: plan.name });
  };
};

const interrupted = (): CliError => new CliError('interrupted before the node had joined', { exitCode: 130 });

/** A handler that says that the agent is starting until it is given the agent's own. */
const lateHandler = (): { readonly handler: NodeHandler; begin(handler: NodeHandler): void } => {
  let own: NodeHandler | undefined;
  const started = (): NodeHandler => {
    if (!own) throw unavailable('the agent of this node is starting');
    return own;
  };
  return {
    handler: {
      usage: async () => own?.usage(),
      logs: async (...args) => started().logs(...args),
      exec: async (...args) => started().exec(...args),
      attach: async (...args) => started().attach(...args),
    },
    begin: handler => {
      own = handler;
    },
  };
};

const retryMs = 1_000;

/** The node's own token; goes on asking while the server is away. */
const admit = async (io: Io, join: Join, nodeName: string, log: Log): Promise<{ token: string }> => {
  const client = createHttpClient(join);
  try {
    for (;;) {
      try {
        return await client.request<{ token: string }>({
          method: 'POST',
          path: '/apis/berth.dev/v1/join',
          body: { nodeName },
        });
      } catch (error) {
        // Unavailable: the server has not noticed yet that an agent before this one is gone.
        if (!(error instanceof ConnectionError) && !isReason(error, 'ServiceUnavailable')) throw error;
        log.warn({ server: join.server, fault: error.message }, 'cannot join yet; trying again');
        await io.clock.sleep(retryMs, io.signal);
        if (io.signal.aborted) throw interrupted();
      }
    }
  } finally {
    await client.close();
  }
};
