/** `berth token`: the command that joins a node to the cluster of this machine. */
import type { Define } from '../command.ts';
import { CliError } from '../failure.ts';
import { dataFolder, findRunning } from '../local/instance.ts';
import { joinCommand } from '../local/join.ts';

export const define: Define = (command, io) => {
  command
    .option('--data <folder>', 'which cluster (default: $BERTH_DATA or ~/.local/share/berth)')
    .option('--word', 'only the word after --join')
    .action((flags: { data?: string; word?: boolean }) => {
      const data = dataFolder(io, flags.data);
      const running = findRunning(data);
      if (!running?.join)
        throw new CliError(`no cluster runs from ${data}; \`berth up\` or \`berth server\` starts one`);
      io.out(`${flags.word ? running.join : joinCommand(running.join)}\n`);
      if (/\/\/(127\.|\[::1\]|localhost)/.test(running.url)) {
        io.err('Warning: the API listens on this machine only. For nodes elsewhere start it with --host 0.0.0.0.\n');
      }
    });
};
