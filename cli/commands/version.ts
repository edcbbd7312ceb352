/** `berth version`: what runs here and what the server says it is. */
import { readFileSync } from 'node:fs';
import { withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions } from '../command.ts';

export const clientVersion = (): string => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return `v${(JSON.parse(text) as { version: string }).version}`;
};

export const define: Define = (command, io) => {
  clusterOptions(command, { namespace: false })
    .option('--client', 'only the version of this program')
    .action(async (flags: ClusterFlags & { client?: boolean }) => {
      io.out(`Client Version: ${clientVersion()}\n`);
      if (flags.client) return;
      await withCluster(io, flags, async ({ api }) => {
        const { gitVersion } = await api.send<{ gitVersion: string }>({ path: '/version' });
        io.out(`Server Version: ${gitVersion}\n`);
      });
    });
};
