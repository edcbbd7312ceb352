/** Files that only their owner may read, written as a whole or not at all. */
import { renameSync, writeFileSync } from 'node:fs';

export const writePrivate = (path: string, text: string): void => {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
};
