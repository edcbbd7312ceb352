#!/usr/bin/env node
// Starts the CLI on Node >= 24: in this process when it is one, else on the Node that the package brings along.
// Plain JavaScript, so that any Node can read it; arguments, signals and the exit code pass through.
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { fileURLToPath } from 'node:url';

// An agent runs for long and does little: with a small young generation it needs 20 MB less (measured with 50 pods).
const flags = process.argv[2] === 'agent' ? ['--max-semi-space-size=2'] : [];
const program = fileURLToPath(import.meta.url);
const own = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
if (Number.parseInt(process.versions.node, 10) >= 24) {
  // Flags of the heap count from the start of a process only: the same process, same id, starts over with them.
  if (flags.some(flag => !process.execArgv.includes(flag)) && process.execve && !process.channel)
    process.execve(process.execPath, [
      process.execPath,
      ...process.execArgv,
      ...flags,
      program,
      ...process.argv.slice(2),
    ]);
  module.enableCompileCache?.();
  await (await import('./main.ts')).main();
} else if (existsSync(own) && process.env.BERTH_NODE !== own) {
  const { spawn } = await import('node:child_process');
  const env = { ...process.env, BERTH_NODE: own };
  const child = spawn(own, [...flags, program, ...process.argv.slice(2)], { stdio: 'inherit', env });
  // A terminal signals the whole foreground group; the child decides, this process only waits for it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    for (const name of process.eventNames()) process.removeAllListeners(name);
    if (signal) process.kill(process.pid, signal);
    else process.exit(code ?? 1);
  });
} else {
  console.error(`error: berth needs Node 24 or newer and this is ${process.version}.`);
  console.error('Install Node 24, or run `npm install` in the berth folder, which brings one along.');
  process.exitCode = 1;
}
