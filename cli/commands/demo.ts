/** `berth demo`: the show of cli/demo/, as a process of its own because it starts and ends a cluster of its own. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Define } from '../command.ts';
import { Exit } from '../failure.ts';

export const define: Define = (command, io) => {
  command
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[flags...]', 'flags of the demo, such as --keep')
    .action(async (flags: readonly string[]) => {
      const program = fileURLToPath(new URL('../demo/main.ts', import.meta.url));
      const child = spawn(process.execPath, [program, ...flags], { stdio: 'inherit' });
      const stop = () => child.kill('SIGTERM');
      io.signal.addEventListener('abort', stop, { once: true });
      const code = await new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (exit, signal) => resolve(exit ?? (signal ? 130 : 1)));
      });
      if (code !== 0) throw new Exit(code);
    });
};
