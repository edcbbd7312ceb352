/** `berth up`: a cluster on this machine's Docker Engine, ready in about a second; safe to repeat. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { addCluster, findNoted } from '#client/kubeconfig.ts';
import type { NotedCluster } from '#client/kubeconfig-edit.ts';
import type { Define } from '../command.ts';
import { examples, repeated } from '../command.ts';
import { kubeconfigLocation } from '../connection.ts';
import { durationText } from '../durations.ts';
import { CliError, Exit, failureText } from '../failure.ts';
import type { Io } from '../io.ts';
import { warnOfHost } from '../local/host-warning.ts';
import { dataFolder, findRunning, type Running, readSettings, type Settings } from '../local/instance.ts';
import { parseJoin } from '../local/join.ts';
import { launch, type Message } from '../local/launch.ts';
import { hostNodeName, nodeText, parseNodes } from '../local/nodes.ts';
import type { Ready } from '../local/serve.ts';
import { findProcesses, lostItsFolder } from '../local/stray.ts';
import { parseTimings } from '../local/timings.ts';
import { clientVersion } from './version.ts';

interface UpFlags {
  node?: readonly string[];
  data?: string;
  port?: string;
  host?: string;
  docker?: string;
  network?: string;
  timings?: string;
  schedulerConfig?: string;
  context?: string;
  kubeconfig?: string;
  foreground?: boolean;
}

const defaultPort = 6443;
const defaultNetwork = 'bridge';

export const define: Define = (command, io) => {
  command
    .option(
      '--node <name[=share]>',
      'a node, with its share of the machine (cpu:1,memory:1Gi,pods:20); may be repeated',
      repeated,
    )
    .option('--data <folder>', 'where the cluster is kept (default: $BERTH_DATA or ~/.local/share/berth)')
    .option('--port <n>', `port of the API (default: ${defaultPort}, or a free one)`)
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--docker <address>', 'the engine (default: $DOCKER_HOST or unix:///var/run/docker.sock)')
    .option('--network <name>', "the engine's network for pods, or none (default: bridge)")
    .option('--timings <profile>', 'kubernetes (upstream defaults) or fast (lost nodes are noticed in seconds)')
    .option(
      '--scheduler-config <file>',
      'a KubeSchedulerConfiguration (docs/SCHEDULER-CONFIG.md); empty: the default again',
    )
    .option('--context <name>', 'name of the kubeconfig context (default: $BERTH_CONTEXT or berth)')
    .option('--kubeconfig <file>', 'kubeconfig file to write to (default: $KUBECONFIG or ~/.kube/config)')
    .option('--foreground', 'stay in the foreground; Ctrl-C takes the cluster down')
    .action((flags: UpFlags) => up(io, flags));
  examples(
    command,
    `berth up
    berth up --node a=cpu:1,memory:1Gi --node b=cpu:500m,memory:512Mi
    berth up --data /tmp/try --context try --foreground`,
  );
};

const up = async (io: Io, flags: UpFlags): Promise<void> => {
  const startedMs = io.clock.now();
  const data = dataFolder(io, flags.data);
  const known = readSettings(data);
  const noted = await findNoted(kubeconfigLocation(io, flags));
  const settings = settle(io, flags, known, noted.find(({ note }) => note['data'] === data)?.note['cluster']);
  const running = await settled(io, data);
  if (running?.stopping) throw new CliError(`the cluster in ${data} (process ${running.pid}) does not end`);
  if (running?.url && !known)
    throw new CliError(
      `\`berth server\` runs from ${data} (process ${running.pid}); give this cluster a --data folder of its own.`,
    );
  if (running?.url) return alreadyUp(io, flags, { data, running, known: known ?? settings, wanted: settings });
  if (!running) refuseStray(data);
  refuseTakenContext(settings.context, data, noted);
  if (flags.foreground) return foreground(io, flags, { data, settings, known, startedMs });
  const ready = await launch(io, data, argumentsOf(settings, flags, data));
  io.out(readyText(ready, settings, data, io.clock.now() - startedMs));
  warnOfConfig(io, ready);
  warnOfHost(io, settings.host);
  if (ready.nodes.some(node => !node.ready)) throw new Exit(1);
};

/** A cluster whose folder was deleted under it goes on running; a second one from the same folder would not know of it. */
const refuseStray = (data: string): void => {
  const stray = findProcesses(data).find(({ pid }) => lostItsFolder(pid, data));
  if (stray)
    throw new CliError(
      `process ${stray.pid} runs a cluster from ${data}, although its data is not there (deleted?); \`berth down --data ${data}\` ends it`,
    );
};

const stopPatienceMs = 60_000;
const pollMs = 20;

/** One that is just being stopped is waited for; resolves with the cluster that then runs, if any. */
const settled = async (io: Io, data: string): Promise<Running | undefined> => {
  const deadlineMs = io.clock.now() + stopPatienceMs;
  for (let running = findRunning(data); ; running = findRunning(data)) {
    if (!running?.stopping || io.clock.now() > deadlineMs || io.signal.aborted) return running;
    await io.clock.sleep(pollMs, io.signal);
  }
};

/** Two running clusters cannot share a context: the first could not be reached any more. */
const refuseTakenContext = (context: string, data: string, noted: readonly NotedCluster[]): void => {
  const other = noted.find(({ name }) => name === context)?.note['data'];
  if (other === undefined || other === data || !findRunning(other)) return;
  throw new CliError(
    `the context ${context} belongs to the cluster that runs from ${other}; give this one a --context of its own`,
  );
};

/** Flags before what the cluster had last time before the defaults. */
const settle = (io: Io, flags: UpFlags, known: Settings | undefined, formerId: string | undefined): Settings => {
  const timings = parseTimings(flags.timings ?? known?.timings ?? 'kubernetes');
  if (flags.port !== undefined && !(/^\d+$/.test(flags.port) && Number(flags.port) <= 65_535)) {
    throw new CliError(`--port ${flags.port}: expected a number from 0 to 65535`);
  }
  const nodes = flags.node ?? known?.nodes ?? [hostNodeName(hostname())];
  const schedulerConfig = schedulerConfigOf(io, flags) ?? known?.schedulerConfig ?? '';
  return {
    // With the mark of a cluster whose folder was deleted, what is left of it is found and taken away.
    id: known?.id ?? formerId ?? randomBytes(5).toString('hex'),
    host: flags.host ?? known?.host ?? '127.0.0.1',
    port: flags.port === undefined ? (known?.port ?? defaultPort) : Number(flags.port),
    nodes: parseNodes(nodes).map(nodeText),
    network: flags.network ?? known?.network ?? defaultNetwork,
    docker: flags.docker ?? known?.docker ?? (io.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock'),
    timings,
    context: flags.context ?? known?.context ?? (io.env['BERTH_CONTEXT'] || 'berth'),
    ...(schedulerConfig === '' ? {} : { schedulerConfig }),
  };
};

/** Absolute, so that it is found again from anywhere; '' for the default, undefined when nothing is said. */
const schedulerConfigOf = (io: Io, { schedulerConfig }: UpFlags): string | undefined =>
  schedulerConfig ? resolve(io.cwd, schedulerConfig) : schedulerConfig;

const argumentsOf = (settings: Settings, flags: UpFlags, data: string): string[] => [
  '--data',
  data,
  ...settings.nodes.flatMap(node => ['--node', node]),
  ...[
    '--host',
    settings.host,
    '--docker',
    settings.docker,
    '--network',
    settings.network ?? defaultNetwork,
    '--timings',
    settings.timings,
    '--context',
    settings.context,
  ],
  '--scheduler-config',
  settings.schedulerConfig ?? '',
  ...(flags.port === undefined ? [] : ['--port', flags.port]),
  ...(flags.kubeconfig === undefined ? [] : ['--kubeconfig', flags.kubeconfig]),
];

interface Found {
  readonly data: string;
  readonly running: Running;
  readonly known: Settings;
  readonly wanted: Settings;
}

/** Says so when the running cluster is what was asked for, and refuses when it is another. */
const alreadyUp = async (io: Io, flags: UpFlags, { data, running, known, wanted }: Found): Promise<void> => {
  const differs = [
    flags.node && wanted.nodes.join(' ') !== known.nodes.join(' ') ? `its nodes are ${known.nodes.join(' ')}` : '',
    flags.host && wanted.host !== known.host ? `its --host is ${known.host}` : '',
    flags.port && wanted.port !== known.port && wanted.port !== 0 ? `its --port is ${known.port}` : '',
    flags.docker && wanted.docker !== known.docker ? `its --docker is ${known.docker}` : '',
    flags.network && wanted.network !== (known.network ?? defaultNetwork)
      ? `its --network is ${known.network ?? defaultNetwork}`
      : '',
    flags.timings && wanted.timings !== known.timings ? `its --timings are ${known.timings}` : '',
    flags.schedulerConfig !== undefined && wanted.schedulerConfig !== known.schedulerConfig
      ? `its --scheduler-config is ${known.schedulerConfig ?? 'the default'}`
      : '',
    flags.context && wanted.context !== known.context ? `its --context is ${known.context}` : '',
  ].filter(text => text !== '');
  if (differs.length > 0) {
    throw new CliError(
      `a cluster runs from ${data} with other settings: ${differs.join(', ')}.\nTake it down first (berth down), or give this one a --data folder and a --context of its own.`,
    );
  }
  const kubeconfig = (await restoreContext(io, flags, { data, running, known })) ?? running.kubeconfig;
  io.out(`Berth is up already: ${running.url} (process ${running.pid}, since ${running.startedAt})\n`);
  io.out(`  nodes    ${known.nodes.join(' ')}\n  data     ${data}\n  context  ${running.context} in ${kubeconfig}\n`);
  io.out(`\nkubectl --context ${running.context} get nodes      # or: berth get nodes\n`);
};

/** Writes the context again where it is missing; the file, or undefined when all is well. */
const restoreContext = async (
  io: Io,
  flags: UpFlags,
  { data, running, known }: Omit<Found, 'wanted'>,
): Promise<string | undefined> => {
  const location = kubeconfigLocation(io, flags);
  const { url: server, context: name, token } = running;
  const present = (await findNoted(location)).some(noted => noted.name === name && noted.server === server);
  if (present || token === undefined) return undefined;
  const { caPem } = parseJoin(running.join);
  const note = { cluster: known.id, data, docker: known.docker };
  return `${await addCluster(location, { name, server, caPem, token, note })} (written again)`;
};

interface Plan {
  readonly data: string;
  readonly settings: Settings;
  readonly known: Settings | undefined;
  readonly startedMs: number;
}

const foreground = async (io: Io, flags: UpFlags, { data, settings, known, startedMs }: Plan): Promise<void> => {
  const names = new Set(parseNodes(settings.nodes).map(plan => plan.name));
  const dropped = parseNodes(known?.nodes ?? [])
    .map(plan => plan.name)
    .filter(name => !names.has(name));
  const tell = (message: Message): boolean => process.connected === true && process.send?.(message) === true;
  const ready = (report: Ready) => {
    if (tell({ ready: report })) return;
    io.out(readyText(report, settings, data, io.clock.now() - startedMs));
    warnOfConfig(io, report);
    warnOfHost(io, settings.host);
    io.out('\nCtrl-C takes it down.\n');
  };
  const options = {
    data,
    settings,
    dropped,
    startedMs,
    anyPort: flags.port === undefined,
    location: kubeconfigLocation(io, flags),
  };
  try {
    const { serve } = await import('../local/serve.ts');
    await serve(io, options, ready, stopSignals(io.signal));
  } catch (error) {
    const told = tell({
      failed: failureText(error)
        .trim()
        .replace(/^error: /, ''),
    });
    if (!told) throw error;
    throw new Exit(1);
  }
};

/** SIGINT, SIGTERM and SIGHUP stop the cluster and its containers; SIGUSR2 leaves the containers running. */
const stopSignals = (signal: AbortSignal): Promise<{ keep: boolean }> =>
  new Promise(resolve => {
    if (signal.aborted) resolve({ keep: false });
    signal.addEventListener('abort', () => resolve({ keep: false }), { once: true });
    process.once('SIGUSR2', () => resolve({ keep: true }));
  });

const warnOfConfig = (io: Io, { warnings }: Ready): void => {
  for (const warning of warnings) io.err(`Warning: ${warning}\n`);
};

const readyText = (ready: Ready, settings: Settings, data: string, tookMs: number): string => {
  const nodes = ready.nodes.map(({ name, ready, message, allocatable }) => {
    const amounts = `cpu ${allocatable['cpu'] ?? '?'}, memory ${allocatable['memory'] ?? '?'}, pods ${allocatable['pods'] ?? '?'}`;
    return `  node     ${name} (${amounts})${ready ? '' : ` is NOT READY: ${message}`}`;
  });
  const lines = [
    `Berth ${clientVersion()} is up: ${ready.url} (API after ${durationText(ready.apiMs)}, nodes after ${durationText(ready.readyMs)}, ${durationText(tookMs)} in all)`,
    ...nodes,
    `  engine   ${settings.docker}`,
    `  data     ${data}`,
    `  context  ${settings.context} in ${ready.kubeconfig}, now the current one`,
    '',
    'Go on with:',
    `  kubectl --context ${settings.context} get nodes        # or, without kubectl: berth get nodes`,
    `  kubectl --context ${settings.context} apply -f manifests/`,
  ];
  return `${lines.join('\n')}\n`;
};
