/**
 * Berth's programs as the separate processes that they are, for tests that kill them: `berth server`, `berth agent` and
 * `berth up` in a folder of their own, with everything they write kept in log files there. A program is only ever ended by
 * its own process id.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#base/system.ts';
import { createHttpClient, type HttpClient } from '#client/http.ts';
import { loadConnection } from '#client/kubeconfig.ts';
import { type CommandResult, runCommand } from '#setup/command.ts';

const bin = join(import.meta.dirname, '..', '..', 'cli', 'bin.js');

export interface Program {
  readonly pid: number;
  /** Everything that it and its predecessors of the same name have written. */
  readonly log: string;
  readonly exited: Promise<number | NodeJS.Signals>;
  readonly hasExited: boolean;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

export interface Place {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Starts a berth command that goes on running; its output is appended to `<name>.log`. */
  start(name: string, args: readonly string[], env?: Readonly<Record<string, string>>): Program;
  /** Runs a berth command to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** A client of the cluster in that kubeconfig. */
  client(kubeconfig: string): Promise<HttpClient>;
  /** Kills what still runs, and deletes the folder. */
  leave(): Promise<void>;
}

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A folder with a home directory of its own, so that no kubeconfig or data of the user is touched. */
export const openPlace = (): Place => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-faults-'));
  const env = { HOME: join(folder, 'home'), KUBECONFIG: join(folder, 'home', 'kubeconfig'), BERTH_LOG: 'debug' };
  mkdirSync(env.HOME);
  const running = new Set<Program>();
  const clients: HttpClient[] = [];
  const start: Place['start'] = (name, args, more = {}) => {
    const program = startProgram(join(folder, `${name}.log`), args, { ...env, ...more });
    running.add(program);
    void program.exited.then(() => running.delete(program));
    return program;
  };
  return {
    folder,
    env,
    start,
    run: (args, options = {}) =>
      runCommand(process.execPath, [bin, ...args], { ...options, env: { ...env, ...options.env } }),
    client: async kubeconfig => {
      const client = createHttpClient(await loadConnection({ kubeconfig, env: {} }));
      clients.push(client);
      return client;
    },
    leave: async () => {
      await Promise.all([...running].map(program => program.end('SIGKILL')));
      await Promise.all(clients.map(client => client.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

const startProgram = (log: string, args: readonly string[], env: Readonly<Record<string, string>>): Program => {
  const file = openSync(log, 'a', 0o600);
  const child: ChildProcess = spawn(process.execPath, [bin, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', file, file],
    detached: true,
  });
  closeSync(file);
  let hasExited = false;
  const exited = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      hasExited = true;
      resolve(signal ?? code ?? 1);
    });
  });
  return {
    pid: child.pid!,
    log,
    exited,
    get hasExited() {
      return hasExited;
    },
    end: async signal => {
      if (!hasExited) child.kill(signal);
      await exited;
    },
  };
};

/** A port of loopback that nobody listens on at this moment. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** Looks until `look` gives something; throws with what is missing, and what `tell` adds, when it does not in time. */
export const until = async <T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 60,
  tell: () => string = () => '',
): Promise<T> => {
  const deadlineMs = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadlineMs) throw new Error(`waited ${seconds} s in vain: ${what}\n${tell()}`.trimEnd());
    await systemClock.sleep(50);
  }
};

/** Every file below a folder. */
export const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));

export const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);
export const textOf = (file: string): string => readFileSync(file, 'utf8');
