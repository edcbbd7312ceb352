/** `berth uncordon`: puts nodes back into scheduling. */
import type { Define } from '../command.ts';
import { examples } from '../command.ts';
import { cordonCommand } from '../cordoning.ts';

export const define: Define = (command, io) => {
  cordonCommand(command, io, false);
  examples(command, 'berth uncordon a');
};
