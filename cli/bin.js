#!/usr/bin/env node
// Starts the CLI on Node >= 24: in this process when it is one, else on the Node that the package brings along.
// Plain JavaScript, so that any Node can read it; arguments, signals and the exit code pass through.
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(import.meta.url);
const own = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
if (Number.parseInt(process.versions.node, 10) >= 24) {
  module.enableCompileCache?.();
  await (await import('./main.ts')).main();
} else if (existsSync(own) && process.env.BERTH_NODE !== own) {
  const { spawn } = await import('node:child_process');
  const env = { ...process.env, BERTH_NODE: own };
  const child = spawn(own, [program, ...process.argv.slice(2)], { stdio: 'inherit', env });
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
