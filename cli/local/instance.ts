/**
 * What is kept in the data folder beside the store: the settings of the cluster (they outlive its process) and a note
 * of the process that runs it. The note names the process by id and start time, so that an id that was given to
 * another program since then is never taken for ours.
 */
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { CliError } from '../failure.ts';
import type { Io } from '../io.ts';

export interface Settings {
  /** Marks the containers and cgroups of this cluster. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** Values of --node. */
  readonly nodes: readonly string[];
  readonly docker: string;
  readonly timings: 'kubernetes' | 'fast';
  readonly context: string;
  /** Where the API was last, for taking the right context out of a kubeconfig. */
  readonly url?: string;
}

export interface Running {
  readonly pid: number;
  /** Clock ticks from boot to the process's start; 0 where the system does not tell. */
  readonly startedTicks: number;
  readonly startedAt: string;
  readonly version: string;
  readonly url: string;
  readonly context: string;
  readonly kubeconfig: string;
  readonly nodes: readonly string[];
  /** What `berth agent --join` takes; secret, as this file is. */
  readonly join: string;
}

export const dataFolder = (io: Io, flag: string | undefined): string =>
  resolve(io.cwd, flag ?? io.env['BERTH_DATA'] ?? join(io.env['HOME'] || homedir(), '.local', 'share', 'berth'));

export const logFile = (data: string): string => join(data, 'berth.log');
const settingsFile = (data: string): string => join(data, 'cluster.json');
const runningFile = (data: string): string => join(data, 'running.json');

export const readSettings = (data: string): Settings | undefined => readJson<Settings>(settingsFile(data));
export const writeSettings = (data: string, settings: Settings): void => writeJson(settingsFile(data), settings);

/** The cluster that runs from this folder, or undefined; a note of a process that is no more is taken away. */
export const findRunning = (data: string): Running | undefined => {
  const note = readJson<Running>(runningFile(data));
  if (!note) return undefined;
  if (isAlive(note)) return note;
  rmSync(runningFile(data), { force: true });
  return undefined;
};

export const isAlive = ({ pid, startedTicks }: Pick<Running, 'pid' | 'startedTicks'>): boolean => {
  const ticks = startTicks(pid);
  return ticks !== undefined && (startedTicks === 0 || ticks === startedTicks);
};

/** Takes the folder for this process; throws CliError when another one has it. `release` gives it back. */
export const claim = (
  data: string,
): { note(running: Omit<Running, 'pid' | 'startedTicks'>): void; release(): void } => {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const self = { pid: process.pid, startedTicks: startTicks(process.pid) ?? 0 };
  const file = runningFile(data);
  const other = findRunning(data);
  if (other && other.pid !== process.pid)
    throw new CliError(`a cluster runs from ${data} already (process ${other.pid})`);
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new CliError(`a cluster is just being started from ${data}`);
    throw new CliError(`the data folder ${data} cannot be written: ${(error as Error).message}`);
  }
  writeJson(file, { ...self, startedAt: '', version: '', url: '', context: '', kubeconfig: '', nodes: [], join: '' });
  return {
    note: running => writeJson(file, { ...self, ...running }),
    release: () => {
      if (readJson<Running>(file)?.pid === process.pid) rmSync(file, { force: true });
    },
  };
};

/** Field 22 of /proc/PID/stat, counted after the name in parentheses; undefined when there is no such process (or a zombie). */
const startTicks = (pid: number): number | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    // No such process.
    return undefined;
  }
};

const readJson = <T>(path: string): T | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    // A file that a crash left empty counts as none.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CliError(`${path}: ${(error as Error).message}`);
  }
};

const writeJson = (path: string, value: unknown): void => {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
};

/** The end of the log, for a failure's message. */
export const logTail = (data: string, lines: number): string => {
  try {
    return readFileSync(logFile(data), 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    // No log: nothing was written.
    return '';
  }
};
