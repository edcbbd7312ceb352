/**
 * What is kept in the data folder beside the store: the settings of the cluster (they outlive its process) and a note
 * of the process that runs it. The note names the process by id and start time, so that an id that was given to
 * another program since then is never taken for ours.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { TimingsName } from '#agent/timings.ts';
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
  /** The engine's network for pods; absent in what older versions wrote: bridge. */
  readonly network?: string;
  readonly timings: TimingsName;
  readonly context: string;
  /** File of the scheduler's configuration, absolute; absent: upstream's default profile. */
  readonly schedulerConfig?: string;
  /** Where the API was last, for taking the right context out of a kubeconfig. */
  readonly url?: string;
}

/** A process, told from a later one that got the same id. */
export interface Identity {
  readonly pid: number;
  /** Clock ticks from boot to its start. */
  readonly startedTicks: number;
}

export interface Running extends Identity {
  readonly startedAt: string;
  readonly version: string;
  readonly url: string;
  readonly context: string;
  readonly kubeconfig: string;
  readonly nodes: readonly string[];
  /** What `berth agent --join` takes; secret, as this file is. */
  readonly join: string;
  /** Token of the administrator; secret, as the keys in the folder are. */
  readonly token?: string;
  /** It has begun to end. */
  readonly stopping?: boolean;
}

export const dataFolder = (io: Pick<Io, 'env' | 'cwd'>, flag: string | undefined): string =>
  resolve(io.cwd, flag || io.env['BERTH_DATA'] || join(io.env['HOME'] || homedir(), '.local', 'share', 'berth'));

export const logFile = (data: string): string => join(data, 'berth.log');
const settingsFile = (data: string): string => join(data, 'cluster.json');
const runningFile = (data: string): string => join(data, 'running.json');

export const readSettings = (data: string): Settings | undefined => readJson<Settings>(settingsFile(data));
export const writeSettings = (data: string, settings: Settings): void => writeJson(settingsFile(data), settings);

/** The cluster that runs from this folder, or undefined; the note of a process that is no more counts as none. */
export const findRunning = (data: string): Running | undefined => {
  const note = readJson<Running>(runningFile(data));
  return note && isAlive(note) ? note : undefined;
};

export const isAlive = ({ pid, startedTicks }: Identity): boolean => startTicks(pid) === startedTicks;

/** With its parents. Node's own recursive mkdir never ends in file systems like /proc and hides why it failed. */
export const makeFolder = (folder: string): void => {
  const make = (missing: 'ENOENT' | undefined): boolean => {
    try {
      mkdirSync(folder, { mode: 0o700 });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST' && statSync(folder).isDirectory()) return true;
      if (code === undefined || code !== missing || dirname(folder) === folder) throw error;
      return false;
    }
    return true;
  };
  if (make('ENOENT')) return;
  makeFolder(dirname(folder));
  make(undefined);
};

/** Takes the folder for this process; throws CliError when another one has it. `release` gives it back. */
export const claim = (
  data: string,
): { note(running: Omit<Running, 'pid' | 'startedTicks'>): void; stopping(): void; release(): void } => {
  const file = runningFile(data);
  const self = { pid: process.pid, startedTicks: startTicks(process.pid) ?? 0 };
  try {
    makeFolder(data);
    for (let tries = 0; !takeNote(file, { ...unnoted, ...self }); tries++) {
      const other = readJson<Running>(file);
      if (other && isAlive(other)) throw new CliError(takenText(data, other));
      if (tries === mostTries) throw new CliError(`${file} stays although its process is gone: delete it`);
      forgetNote(file);
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`the data folder ${data} cannot be written: ${(error as Error).message}`);
  }
  return {
    note: running => writeJson(file, { ...self, ...running }),
    stopping: () => {
      const noted = readJson<Running>(file);
      if (noted?.pid === process.pid) writeJson(file, { ...noted, stopping: true });
    },
    release: () => {
      if (readJson<Running>(file)?.pid === process.pid) rmSync(file, { force: true });
    },
  };
};

const mostTries = 100;
const unnoted = { startedAt: '', version: '', url: '', context: '', kubeconfig: '', nodes: [], join: '' };

const takenText = (data: string, { pid, url }: Running): string =>
  url === ''
    ? `a cluster is just being started from ${data} (process ${pid})`
    : `a cluster runs from ${data} already (process ${pid})`;

/** Puts the note there, whole, unless there is one: of several processes that try at once, one succeeds. */
const takeNote = (file: string, note: Running): boolean => {
  const own = `${file}.${process.pid}`;
  try {
    writeFileSync(own, `${JSON.stringify(note, null, 2)}\n`, { mode: 0o600 });
    linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
};

/** Takes the note of a dead process away, and puts it back when it was replaced by that of a living one meanwhile. */
const forgetNote = (file: string): void => {
  const aside = `${file}.${process.pid}.dead`;
  try {
    renameSync(file, aside);
    const taken = readJson<Running>(aside);
    if (taken && isAlive(taken)) linkSync(aside, file);
  } catch (error) {
    // Another process was faster; whose note is there now is seen at the next look.
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
};

/** Field 22 of /proc/PID/stat, counted after the name in parentheses; undefined when there is no such process (or a zombie). */
export const startTicks = (pid: number): number | undefined => {
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
    // A file that a crash left empty counts as none, and below a file there are none.
    const { code = '' } = error as NodeJS.ErrnoException;
    if (error instanceof SyntaxError || code === 'ENOENT' || code === 'ENOTDIR') return undefined;
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
