/** `berth status`: is the cluster of this machine up, with what in it. Exit code 0 when it is up, 1 when not. */
import type { Node, Pod } from '#api/kinds/core.ts';
import { createApi } from '../api.ts';
import type { Define } from '../command.ts';
import { examples } from '../command.ts';
import { findConnection } from '../connection.ts';
import { CliError, Exit } from '../failure.ts';
import type { Io } from '../io.ts';
import { dataFolder, findRunning, logFile, type Running, readSettings } from '../local/instance.ts';
import { parseJoin } from '../local/join.ts';
import { findProcesses, lostItsFolder } from '../local/stray.ts';
import { toJson } from '../output/json.ts';
import { clientVersion } from './version.ts';

interface StatusFlags {
  data?: string;
  output?: string;
}

export const define: Define = (command, io) => {
  command
    .option('--data <folder>', 'which cluster (default: $BERTH_DATA or ~/.local/share/berth)')
    .option('-o, --output <form>', 'json')
    .action((flags: StatusFlags) => status(io, flags));
  examples(command, 'berth status && berth get pods');
};

interface State {
  readonly up: boolean;
  readonly data: string;
  readonly url?: string;
  readonly pid?: number;
  readonly since?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly clientVersion: string;
  readonly serverVersion?: string;
  readonly nodes?: readonly { name: string; status: string }[];
  readonly pods?: Readonly<Record<string, number>>;
  readonly problem?: string;
}

const status = async (io: Io, flags: StatusFlags): Promise<void> => {
  const data = dataFolder(io, flags.data);
  const running = findRunning(data);
  if (flags.output !== undefined && flags.output !== 'json') throw new CliError('--output must be json');
  const state = running ? await ask(io, data, running) : withoutNote(data);
  io.out(flags.output === 'json' ? toJson(state) : text(state, readSettings(data) !== undefined));
  if (!state.up) throw new Exit(1);
};

const starting = 'and is just being started';

const withoutNote = (data: string): State => {
  const [stray] = findProcesses(data);
  const state = { up: false, data, clientVersion: clientVersion() };
  if (!stray) return state;
  if (!lostItsFolder(stray.pid, data)) return { ...state, pid: stray.pid, problem: starting };
  const problem = `although its data is not there (deleted?); \`berth down --data ${data}\` ends it`;
  return { ...state, pid: stray.pid, problem };
};

/** A server that runs but hangs is said to hang. */
const patienceMs = 10_000;

const ask = async (io: Io, data: string, running: Running): Promise<State> => {
  const { pid, url, context, kubeconfig, startedAt: since } = running;
  if (url === '') return { up: false, data, pid, clientVersion: clientVersion(), problem: starting };
  if (running.stopping)
    return { up: false, data, pid, clientVersion: clientVersion(), problem: 'and is just being stopped' };
  const base = { data, pid, url, context, kubeconfig, since, clientVersion: clientVersion() };
  try {
    // Not by the kubeconfig: the cluster is up whether or not its context is still there.
    const connection = running.token
      ? { token: running.token, caPem: parseJoin(running.join).caPem }
      : await findConnection(io, { context, ...(kubeconfig ? { kubeconfig } : {}) });
    const api = createApi(
      { ...connection, server: url },
      { clock: io.clock, signal: io.signal, timeoutMs: patienceMs },
    );
    try {
      const [version, nodes, pods] = await Promise.all([
        api.send<{ gitVersion: string }>({ path: '/version' }),
        api.send<{ items: Node[] }>({ path: '/api/v1/nodes' }),
        api.send<{ items: Pod[] }>({ path: '/api/v1/pods' }),
      ]);
      const phases: Record<string, number> = {};
      for (const pod of pods.items) {
        const phase = pod.status?.phase ?? 'Unknown';
        phases[phase] = (phases[phase] ?? 0) + 1;
      }
      const named = nodes.items.map(node => ({ name: node.metadata.name, status: nodeStatus(node) }));
      return { up: true, ...base, serverVersion: version.gitVersion, nodes: named, pods: phases };
    } finally {
      api.close();
    }
  } catch (error) {
    return { up: false, ...base, problem: `but does not answer: ${(error as Error).message}` };
  }
};

const nodeStatus = (node: Node): string => {
  const ready = node.status?.conditions?.find(condition => condition.type === 'Ready');
  const word = ready?.status === 'True' ? 'Ready' : ready ? 'NotReady' : 'Unknown';
  return node.spec?.unschedulable ? `${word},SchedulingDisabled` : word;
};

const text = (state: State, known: boolean): string => {
  if (!state.up && !state.pid) {
    return `Berth is not up. ${known ? `Its data is in ${state.data}` : `There is none in ${state.data}`}; \`berth up\` starts it.\n`;
  }
  const { up, pid, url, since, context, kubeconfig } = state;
  const pods = Object.entries(state.pods ?? {}).map(([phase, count]) => `${count} ${phase}`);
  const rows = [
    ...(url ? [['api', `${url} (process ${pid}, since ${since})`]] : []),
    ...(state.nodes ?? []).map(node => ['node', `${node.name} ${node.status}`]),
    ...(state.pods ? [['pods', pods.length === 0 ? 'none' : pods.join(', ')]] : []),
    ...(context ? [['context', `${context} in ${kubeconfig}`]] : []),
    ['data', state.data],
    ...(url ? [['log', logFile(state.data)]] : []),
    ['version', `${state.clientVersion}${state.serverVersion ? `, API ${state.serverVersion}` : ''}`],
  ];
  const head = up ? 'Berth is up.' : `Berth runs (process ${pid}) ${state.problem}.`;
  return `${[head, ...rows.map(([name, value]) => `  ${name!.padEnd(9)}${value}`)].join('\n')}\n`;
};
