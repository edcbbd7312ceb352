/** Deletes what Berth keeps in a data folder, and the folder when nothing else is in it: it may be somebody's own. */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ours = /^(?:berth\.log|kubeconfig|server|nodes|(?:cluster|running)\.json(?:\..*)?)$/;

/** True when a cluster was begun in the folder, even if it never came up. */
export const isBegun = (data: string): boolean => existsSync(join(data, 'server', 'secrets.json'));

/** Files and folders that stay because they are not ours. */
export const purge = (data: string): readonly string[] => {
  if (!existsSync(data)) return [];
  for (const name of readdirSync(data)) if (ours.test(name)) rmSync(join(data, name), { recursive: true, force: true });
  const left = readdirSync(data);
  if (left.length === 0) rmdirSync(data);
  return left;
};
