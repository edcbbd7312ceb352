/** Starts the cluster as a process of its own that outlives this one, and waits for its word that it is up. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CliError } from '../failure.ts';
import type { Io } from '../io.ts';
import { logFile, logTail } from './instance.ts';
import type { Ready } from './serve.ts';

/** What the process says to the one that started it. */
export type Message = { readonly ready: Ready } | { readonly failed: string };

const patienceMs = 60_000;
const tailLines = 10;

/** Resolves when the cluster is up; throws CliError with its reason, or the end of its log, when it does not come up. */
export const launch = async (io: Io, data: string, args: readonly string[]): Promise<Ready> => {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const log = openSync(logFile(data), 'a', 0o600);
  const program = fileURLToPath(new URL('../bin.js', import.meta.url));
  const child = spawn(process.execPath, [program, 'up', '--foreground', ...args], {
    detached: true,
    cwd: io.cwd,
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...io.env },
  });
  closeSync(log);
  try {
    return await new Promise<Ready>((resolve, reject) => {
      const fail = (why: string) => reject(new CliError(why));
      child.once('error', error => fail(`the cluster could not be started: ${error.message}`));
      child.on('message', (message: Message) => {
        if ('ready' in message) resolve(message.ready);
        else fail(message.failed);
      });
      child.once('exit', (code, signal) => {
        const tail = logTail(data, tailLines);
        fail(
          `the cluster ended while starting (${signal ?? `exit code ${code}`})${tail ? `; its log ends with:\n${tail}` : ''}`,
        );
      });
      const late = io.clock.after(patienceMs, () => {
        child.kill('SIGTERM');
        fail(`the cluster did not come up within ${patienceMs / 1000} s; see ${logFile(data)}`);
      });
      child.once('message', late);
      child.once('exit', late);
      io.signal.addEventListener('abort', () => {
        child.kill('SIGTERM');
        fail('interrupted; the cluster was stopped');
      });
    });
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
};
