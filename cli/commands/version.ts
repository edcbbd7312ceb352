/** `berth version`: what runs here and what the server says it is. */
import { readFileSync } from 'node:fs';
import { withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions } from '../command.ts';
import { CliError } from '../failure.ts';
import { toJson } from '../output/json.ts';
import { toYaml } from '../output/yaml.ts';

export const clientVersion = (): string => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return `v${(JSON.parse(text) as { version: string }).version}`;
};

interface VersionFlags extends ClusterFlags {
  client?: boolean;
  output?: string;
}

const forms = new Map<string | undefined, (versions: Versions) => string>([
  ['json', toJson],
  ['yaml', toYaml],
  [undefined, ({ clientVersion }) => `Client Version: ${clientVersion.gitVersion}\n`],
]);

interface Versions {
  readonly clientVersion: { readonly gitVersion: string };
  readonly serverVersion?: { readonly gitVersion: string };
}

export const define: Define = (command, io) => {
  clusterOptions(command, { namespace: false })
    .option('--client', 'only the version of this program')
    .option('-o, --output <form>', 'json or yaml')
    .action(async (flags: VersionFlags) => {
      const print = forms.get(flags.output);
      if (!print) throw new CliError(`--output must be 'yaml' or 'json'`);
      const client = { clientVersion: { gitVersion: clientVersion() } };
      if (flags.client) return io.out(print(client));
      // What is known is told even when the server is away.
      if (flags.output === undefined) io.out(print(client));
      await withCluster(io, flags, async ({ api }) => {
        const serverVersion = await api.send<{ gitVersion: string }>({ path: '/version' });
        if (flags.output === undefined) io.out(`Server Version: ${serverVersion.gitVersion}\n`);
        else io.out(print({ ...client, serverVersion }));
      });
    });
};
