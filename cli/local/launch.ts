/** Starts the cluster as a process of its own that outlives this one, and waits for its word that it is up. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CliError, Exit, interruptCode } from '../failure.ts';
import type { Io } from '../io.ts';
import { logFile, logTail, makeFolder } from './instance.ts';
import type { Ready } from './serve.ts';

/** What the process says to the one that started it. */
export type Message = { readonly ready: Ready } | { readonly failed: string };

/** Makes the folder and opens the log in it; throws CliError. */
const openFolder = (data: string): number => {
  try {
    makeFolder(data);
    return openSync(logFile(data), 'a', 0o600);
  } catch (error) {
    throw new CliError(`the data folder ${data} cannot be written: ${(error as Error).message}`);
  }
};

const patienceMs = 60_000;
const tailLines = 10;

/** Resolves when the cluster is up; throws CliError with its reason, or the end of its log, when it does not come up. */
export const launch = async (io: Io, data: string, args: readonly string[]): Promise<Ready> => {
  const log = openFolder(data);
  const program = fileURLToPath(new URL('../bin.js', import.meta.url));
  const child = spawn(process.execPath, [program, 'up', '--foreground', ...args], {
    detached: true,
    cwd: io.cwd,
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...io.env },
  });
  closeSync(log);
  try {
    return await outcome(io, data, child);
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
};

/** What becomes of the process: up, failed, ended; or stopped by us, when we are interrupted or it takes too long. */
const outcome = (io: Io, data: string, child: ChildProcess): Promise<Ready> =>
  new Promise((resolve, reject) => {
    let cancel = () => {};
    let reason: string | undefined;
    const settle = (act: () => void) => {
      cancel();
      io.signal.removeEventListener('abort', interrupted);
      child.removeAllListeners();
      act();
    };
    const fail = (why: string) => settle(() => reject(new CliError(why)));
    const patience = (late: () => void) => {
      cancel();
      cancel = io.clock.after(patienceMs, late);
    };
    const interrupted = () => {
      child.kill('SIGTERM');
      patience(() => fail(`interrupted; the cluster (process ${child.pid}) is still stopping`));
    };
    child.on('error', error => fail(`the cluster could not be started: ${error.message}`));
    child.on('message', (message: Message) => {
      // What it says while it is being stopped is about a cluster that is no more.
      if (io.signal.aborted) return;
      if ('ready' in message) settle(() => resolve(message.ready));
      // It ends now; who looks right after us must not find it still ending.
      else reason = message.failed;
    });
    child.on('exit', (code, signal) => {
      if (io.signal.aborted) {
        io.err('Interrupted; the cluster is down again.\n');
        return settle(() => reject(new Exit(interruptCode(io.signal))));
      }
      if (reason !== undefined) return fail(reason);
      const tail = logTail(data, tailLines);
      const end = tail ? `; its log ends with:\n${tail}` : '';
      fail(`the cluster ended while starting (${signal ?? `exit code ${code}`})${end}`);
    });
    patience(() => {
      child.kill('SIGTERM');
      fail(`the cluster did not come up within ${patienceMs / 1000} s; see ${logFile(data)}`);
    });
    io.signal.addEventListener('abort', interrupted, { once: true });
    if (io.signal.aborted) interrupted();
  });
