/** `berth annotate`: sets and removes annotations. */
import { type Define, examples } from '../command.ts';
import { pairCommand } from '../pairs.ts';

export const define: Define = (command, io) => {
  pairCommand(command, io, {
    field: 'annotations',
    manager: 'kubectl-annotate',
    done: 'annotated',
    undone: 'annotated',
    same: 'annotated',
  });
  examples(
    command,
    `berth annotate pod web note='first try'
    berth annotate pod web note-`,
  );
};
