/**
 * Where a benchmark runs: a temporary folder, processes of its own, and what has to be undone. Everything is undone in the
 * opposite order when the benchmark ends, fails, or is interrupted.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How long a process may take to end after SIGTERM before it is killed. */
const endPatienceMs = 15_000;

export class Bed {
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-bench-'));
  readonly #undo: (() => Promise<unknown> | unknown)[] = [() => rmSync(this.folder, { recursive: true, force: true })];
  #undoing: Promise<void> | undefined;

  /** Has `undo` called at the end; what was deferred last is undone first. */
  defer(undo: () => Promise<unknown> | unknown): void {
    this.#undo.push(undo);
  }

  /**
   * Starts a TypeScript file, or with `cli/bin.js` a command, under this Node in a process group of its own, so that Ctrl-C in the
   * terminal reaches it only through us. Its HOME is the bed's folder. It is ended with the bed.
   */
  start(
    file: string,
    args: readonly string[],
    options: { ipc?: boolean; execArgv?: readonly string[] } = {},
  ): ChildProcess {
    const path = join(import.meta.dirname, '..', '..', file);
    const child = spawn(process.execPath, [...(options.execArgv ?? []), path, ...args], {
      detached: true,
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'inherit', ...(options.ipc ? (['ipc'] as const) : [])],
      env: this.env,
    });
    this.defer(() => end(child));
    return child;
  }

  get env(): NodeJS.ProcessEnv {
    const { KUBECONFIG: _, BERTH_DATA: __, BERTH_CONTEXT: ___, ...env } = process.env;
    return { ...env, HOME: this.folder, BERTH_LOG: 'error', NODE_NO_WARNINGS: '1' };
  }

  /** Undoes everything; a step that fails is told and does not keep the others from being done. */
  clear(): Promise<void> {
    this.#undoing ??= this.#clear();
    return this.#undoing;
  }

  async #clear(): Promise<void> {
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) {
      try {
        await undo();
      } catch (error) {
        console.error(`cleaning up: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}

/** Runs `work` on a bed and clears it whatever happens. SIGINT and SIGTERM clear it too and end this process. */
export const onBed = async <T>(work: (bed: Bed) => Promise<T>): Promise<T> => {
  const bed = new Bed();
  const interrupted = (signal: NodeJS.Signals) => {
    console.error(`${signal}: cleaning up`);
    void bed.clear().then(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  try {
    return await work(bed);
  } finally {
    await bed.clear();
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
};

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Resolves when the process has ended. */
export const ended = async (child: ChildProcess): Promise<void> => {
  if (!hasEnded(child)) await new Promise<void>(resolve => child.once('exit', () => resolve()));
};

/** SIGTERM, then SIGKILL; resolves when the process is gone. */
export const end = async (child: ChildProcess): Promise<void> => {
  if (hasEnded(child)) return;
  const gone = ended(child);
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), endPatienceMs);
  await gone;
  clearTimeout(late);
};

/** What `read` finds in the output of a process, as soon as it finds something; rejects when the process ends before. */
export const outputOf = <T>(child: ChildProcess, read: (text: string) => T | undefined): Promise<T> =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const found = read(text);
      if (found !== undefined) resolve(found);
    });
    child.once('exit', code => reject(new Error(`a process of the benchmark ended with code ${code}: ${text}`)));
  });

/** What the process sends next by IPC; rejects when it ends before. */
export const messageOf = <T>(child: ChildProcess): Promise<T> =>
  new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a process of the benchmark ended with code ${code}`));
    child.once('exit', ended);
    child.once('message', message => {
      child.off('exit', ended);
      resolve(message as T);
    });
  });

/** Milliseconds of CPU that a process has used since its start; /proc counts in ticks of 10 ms. */
export const cpuMsOf = (pid: number): number => {
  const [utime = 0, stime = 0] = statOf(pid).slice(11, 13).map(Number);
  return (utime + stime) * 10;
};

export const rssBytesOf = (pid: number): number => Number(statOf(pid)[21]) * 4096;

/** Fields of /proc/PID/stat after the name, which may hold spaces. */
const statOf = (pid: number): string[] => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};
