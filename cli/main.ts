/**
 * The CLI `berth`. Each command is a file in commands/, loaded only when it is the one asked for, so that starting costs
 * about what Node costs. Prints every failure once, on stderr, and turns it into an exit code.
 */
import { CommanderError } from 'commander';
import { systemClock } from '#base/system.ts';
import { type Define, newCommand, normalizeArguments, splitArguments } from './command.ts';
import { Exit, exitCodeOf, failureText } from './failure.ts';
import type { Io } from './io.ts';
import { kubectlHasCommand } from './kubectl-only.ts';
import { usageErrorText } from './usage-errors.ts';

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ define: Define }>;
}

const entry = (name: string, summary: string, load: Entry['load']): Entry => ({ name, summary, load });

const sections: readonly { title: string; entries: readonly Entry[] }[] = [
  {
    title: 'A cluster on this machine',
    entries: [
      entry('up', 'Start a cluster on the Docker Engine of this machine', () => import('./commands/up.ts')),
      entry('down', 'Stop it and remove its containers', () => import('./commands/down.ts')),
      entry('status', 'Tell whether it is up, with its nodes and pods', () => import('./commands/status.ts')),
      entry('demo', 'Show it all in about a minute', () => import('./commands/demo.ts')),
    ],
  },
  {
    title: 'A cluster on several machines',
    entries: [
      entry('server', 'Run the control plane in the foreground', () => import('./commands/server.ts')),
      entry('agent', 'Run a node in the foreground and join it to a server', () => import('./commands/agent.ts')),
      entry('token', 'Print the command that joins a node', () => import('./commands/token.ts')),
    ],
  },
  {
    title: 'What is in it (as kubectl)',
    entries: [
      entry('apply', 'Apply manifests to the cluster', () => import('./commands/apply.ts')),
      entry('plan', 'Show what applying would bring; writes nothing', () => import('./commands/plan.ts')),
      entry('get', 'Show objects', () => import('./commands/get.ts')),
      entry('describe', 'Show objects in detail, with their events', () => import('./commands/describe.ts')),
      entry('delete', 'Delete objects', () => import('./commands/delete.ts')),
      entry('logs', 'Print the logs of containers', () => import('./commands/logs.ts')),
      entry('exec', 'Run a command in a container', () => import('./commands/exec.ts')),
      entry('top', 'Show CPU and memory usage', () => import('./commands/top.ts')),
      entry('events', 'List events', () => import('./commands/events.ts')),
      entry('why', 'Tell why a pod is where it is, or what keeps it pending', () => import('./commands/why.ts')),
      entry('wait', 'Wait for a condition of objects', () => import('./commands/wait.ts')),
      entry('label', 'Change labels', () => import('./commands/label.ts')),
      entry('annotate', 'Change annotations', () => import('./commands/annotate.ts')),
      entry('taint', 'Change the taints of nodes', () => import('./commands/taint.ts')),
      entry('cordon', 'Take a node out of scheduling', () => import('./commands/cordon.ts')),
      entry('uncordon', 'Put a node back into scheduling', () => import('./commands/uncordon.ts')),
      entry('api-resources', 'List the kinds that the server knows', () => import('./commands/api-resources.ts')),
      entry('version', 'Print the versions of client and server', () => import('./commands/version.ts')),
    ],
  },
];
const entries = sections.flatMap(section => section.entries);

/** Runs one command line; resolves with the exit code. */
export const runCli = async (args: readonly string[], io: Io): Promise<number> => {
  try {
    const { name, rest } = splitArguments(args);
    if (name === undefined || name === 'help') return await help(rest, io);
    if (name === 'completion') return await (await import('./completion.ts')).printCompletion(rest, entries, io);
    const found = entries.find(candidate => candidate.name === name);
    if (!found) return unknown(name, io);
    const command = newCommand(name, io).description(found.summary);
    // Its parent is there for the usage line alone.
    newCommand('berth', io).addCommand(command);
    (await found.load()).define(command, io);
    await command.parseAsync(normalizeArguments(command, rest), { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has already written its own message.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    if (!(error instanceof Exit)) io.err(failureText(error));
    return exitCodeOf(error);
  }
};

const help = async (rest: readonly string[], io: Io): Promise<number> => {
  const topic = rest.find(word => !word.startsWith('-'));
  if (topic) return runCli([topic, '--help'], io);
  const flag = rest[0];
  if (flag !== undefined && flag !== '-h' && flag !== '--help') {
    if (flag === '--version' || flag === '-V') return runCli(['version', '--client'], io);
    io.err(usageErrorText(`error: unknown option '${flag}'`, ''));
    return 1;
  }
  const width = Math.max(...entries.map(({ name }) => name.length)) + 3;
  const lines = sections.flatMap(({ title, entries }) => [
    `${title}:`,
    ...entries.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    '',
  ]);
  io.out(
    [
      'berth runs the Kubernetes resource model on nothing but Docker Engine.',
      '',
      ...lines,
      'Usage:',
      '  berth COMMAND [flags]',
      '',
      'Use "berth COMMAND --help" for more about a command, and "source <(berth completion bash)" to complete words in bash.',
      'kubectl works too: kubectl --context berth get pods',
      '',
    ].join('\n'),
  );
  return 0;
};

const unknown = (name: string, io: Io): number => {
  const elsewhere = kubectlHasCommand(name);
  if (elsewhere !== undefined) {
    io.err(`error: berth has no command ${JSON.stringify(name)}.\n${elsewhere}\n`);
    return 1;
  }
  const near = [...entries, { name: 'completion' }].filter(
    entry => distance(entry.name, name) <= 2 || entry.name.startsWith(name),
  );
  const hint = near.length === 0 ? '' : `\n\nDid you mean this?\n${near.map(({ name }) => `\t${name}`).join('\n')}`;
  io.err(`error: unknown command ${JSON.stringify(name)} for "berth"${hint}\n`);
  if (near.length === 0) io.err(`See 'berth --help' for the commands.\n`);
  return 1;
};

/** Levenshtein's edit distance. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
};

/** Two signals this close together are one: the launcher passes on what the terminal has sent to both processes. */
const sameSignalMs = 500;

const processIo = (): Io => {
  const stop = new AbortController();
  let firstMs = 0;
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    // The first asks the command to end in order; a later one does not wait for it.
    process.on(signal, () => {
      if (!stop.signal.aborted) {
        firstMs = systemClock.now();
        stop.abort(code);
      } else if (systemClock.now() - firstMs > sameSignalMs) process.exit(code);
    });
  }
  // The reader of a pipe went away: end quietly, with the code that a shell gives for SIGPIPE.
  process.stdout.on('error', error => process.exit((error as NodeJS.ErrnoException).code === 'EPIPE' ? 141 : 1));
  return {
    env: process.env,
    cwd: process.cwd(),
    clock: systemClock,
    signal: stop.signal,
    colour: process.stdout.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb',
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
    drain: () => (process.stdout.writableNeedDrain ? written(process.stdout) : Promise.resolve()),
    readStdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    },
  };
};

/** Resolves when everything written so far has gone out. */
const written = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise(resolve => stream.write('', () => resolve()));

const lingerMs = 100;

/** Runs this process's command line; the exit code is set when it ends. */
export const main = async (): Promise<void> => {
  const io = processIo();
  const code = await runCli(process.argv.slice(2), io);
  process.exitCode = io.signal.aborted && code === 0 ? (io.signal.reason as number) : code;
  // Into a pipe with a slow reader the output is still on its way.
  await Promise.all([written(process.stdout), written(process.stderr)]);
  // The command is done and its output written: what still hangs in the event loop (an idle connection) is not waited for.
  setTimeout(() => process.exit(), lingerMs).unref();
};
