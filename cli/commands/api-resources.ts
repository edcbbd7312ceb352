/** `berth api-resources`: the kinds that the server knows. */

import { withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples } from '../command.ts';
import { groupVersionOf, resourceName } from '../discovery.ts';
import { alignTabs, tableTabs } from '../output/tabwriter.ts';

interface Flags extends ClusterFlags {
  namespaced?: string;
  apiGroup?: string;
  headers: boolean;
  output?: string;
}

export const define: Define = (command, io) => {
  clusterOptions(command, { namespace: false })
    .option('--namespaced [bool]', 'only kinds that live in namespaces (false: only those that do not)')
    .option('--api-group <group>', 'only kinds of this group')
    .option('--no-headers', 'do not print headers')
    .option('-o, --output <form>', 'wide or name')
    .action((flags: Flags) =>
      withCluster(io, flags, async cluster => {
        const wide = flags.output === 'wide';
        const shown = (await cluster.resources())
          .filter(resource => flags.namespaced === undefined || resource.namespaced === (flags.namespaced !== 'false'))
          .filter(resource => flags.apiGroup === undefined || resource.group === flags.apiGroup)
          .sort((a, b) => compare(a.group, b.group) || compare(a.plural, b.plural));
        if (flags.output === 'name') return io.out(shown.map(resource => `${resourceName(resource)}\n`).join(''));
        const head = [
          'NAME',
          'SHORTNAMES',
          'APIVERSION',
          'NAMESPACED',
          'KIND',
          ...(wide ? ['VERBS', 'CATEGORIES'] : []),
        ];
        const rows = shown.map(resource => [
          resource.plural,
          resource.shortNames.join(','),
          groupVersionOf(resource),
          String(resource.namespaced),
          resource.kind,
          ...(wide ? [resource.verbs.join(','), resource.categories.join(',')] : []),
        ]);
        const lines = (flags.headers ? [head, ...rows] : rows).map(cells => cells.join('\t'));
        io.out(`${alignTabs(lines.join('\n'), tableTabs)}\n`);
      }),
    );
  for (const option of command.options) if (option.long === '--namespaced') option.preset('true');
  examples(command, 'berth api-resources -o wide');
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
