/** `npm run demo [-- --keep]`: runs the demo as a process. Exit code 0: all stories came out; 1: not; 130: interrupted. */
import { systemClock } from '#base/system.ts';
import { SetupError } from '#setup/progress.ts';
import { runDemo } from './demo.ts';
import { createScreen } from './screen.ts';
import { Interrupted, NotInTime } from './world.ts';

const usage = `Shows in about a minute what Berth does, on real containers, and checks every figure it shows.

Usage:
  npm run demo               (or: npx berth demo)
  npm run demo -- --keep     leave the cluster running and say how to go on with it

It uses a cluster, a kubeconfig and a data folder of its own and leaves nothing behind, also after Ctrl-C.
`;

const main = async (args: readonly string[]): Promise<number> => {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  const unknown = args.find(arg => arg !== '--keep');
  if (unknown !== undefined) {
    process.stderr.write(`error: unknown argument ${unknown}\n\n${usage}`);
    return 1;
  }
  const terminal = process.stdout.isTTY === true && process.env['TERM'] !== 'dumb';
  const screen = createScreen({
    write: text => void process.stdout.write(text),
    terminal,
    colour: terminal && !process.env['NO_COLOR'],
    columns: process.stdout.columns ?? 100,
  });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!stop.signal.aborted) screen.line('interrupted: cleaning up');
      stop.abort();
    });
  }
  try {
    return (await runDemo({ keep: args.includes('--keep'), clock: systemClock, signal: stop.signal, screen })) ? 0 : 1;
  } catch (error) {
    if (error instanceof Interrupted) return 130;
    if (error instanceof SetupError || error instanceof NotInTime) screen.bad(error.message);
    else screen.bad(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return stop.signal.aborted ? 130 : 1;
  }
};

// With --keep the cluster's process lives on; nothing of ours may hold this one open.
process.exit(await main(process.argv.slice(2)));
