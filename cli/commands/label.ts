/** `berth label`: sets and removes labels. */
import { type Define, examples } from '../command.ts';
import { pairCommand } from '../pairs.ts';

export const define: Define = (command, io) => {
  pairCommand(command, io, {
    field: 'labels',
    manager: 'kubectl-label',
    done: 'labeled',
    undone: 'unlabeled',
    same: 'not labeled',
  });
  examples(
    command,
    `berth label node a disktype=ssd
    berth label node a disktype-
    berth label pods --all app=web --overwrite
    berth label pod web --list`,
  );
};
