/** `berth cordon`: takes nodes out of scheduling; what runs there goes on. */
import type { Define } from '../command.ts';
import { examples } from '../command.ts';
import { cordonCommand } from '../cordoning.ts';

export const define: Define = (command, io) => {
  cordonCommand(command, io, true);
  examples(command, 'berth cordon a');
};
