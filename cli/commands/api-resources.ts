/** `berth api-resources`: the kinds that the server knows. */

import { InvalidArgumentError } from 'commander';
import { withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples } from '../command.ts';
import { groupVersionOf, type Resource, resourceName } from '../discovery.ts';
import { CliError } from '../failure.ts';
import { alignTabs, tableTabs } from '../output/tabwriter.ts';

interface Flags extends ClusterFlags {
  namespaced?: boolean;
  apiGroup?: string;
  categories?: readonly string[];
  verbs?: readonly string[];
  sortBy?: string;
  headers: boolean;
  output?: string;
}

const words = (text: string): readonly string[] => text.split(',');

const truth = (text: string): boolean => {
  if (/^(1|t|true)?$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new InvalidArgumentError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
};

export const define: Define = (command, io) => {
  clusterOptions(command, { namespace: false })
    .option('--namespaced [bool]', 'only kinds that live in namespaces (false: only those that do not)', truth)
    .option('--api-group <group>', 'only kinds of this group')
    .option('--categories <names>', 'only kinds in these categories, with commas', words)
    .option('--verbs <names>', 'only kinds with all of these verbs, with commas', words)
    .option('--cached', 'of what is known already, which here is what the server says now')
    .option('--sort-by <column>', 'name or kind')
    .option('--no-headers', 'do not print headers')
    .option('-o, --output <form>', 'wide or name')
    .action((flags: Flags) =>
      withCluster(io, flags, async cluster => {
        const { output = '', sortBy } = flags;
        if (!['', 'wide', 'name'].includes(output)) throw new CliError(`--output ${output} is not available`);
        if (![undefined, 'name', 'kind'].includes(sortBy)) throw new CliError('--sort-by accepts only name or kind');
        const shown = (await cluster.resources()).filter(isWanted(flags)).sort(orderBy(sortBy));
        if (output === 'name') return io.out(shown.map(resource => `${resourceName(resource)}\n`).join(''));
        const lines = tableOf(shown, output === 'wide', flags.headers);
        if (lines.length > 0) io.out(`${alignTabs(lines.join('\n'), tableTabs)}\n`);
      }),
    );
  examples(command, 'berth api-resources -o wide');
};

const isWanted =
  ({ namespaced, apiGroup, categories = [], verbs = [] }: Flags) =>
  (resource: Resource): boolean =>
    (namespaced === undefined || resource.namespaced === namespaced) &&
    (apiGroup === undefined || resource.group === apiGroup) &&
    categories.every(category => resource.categories.includes(category)) &&
    verbs.every(verb => resource.verbs.includes(verb));

const orderBy =
  (column: string | undefined) =>
  (a: Resource, b: Resource): number => {
    if (column === 'kind') return compare(a.kind, b.kind);
    if (column === 'name') return compare(a.plural, b.plural);
    return compare(a.group, b.group) || compare(a.plural, b.plural);
  };

const tableOf = (shown: readonly Resource[], wide: boolean, headers: boolean): readonly string[] => {
  const head = ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND', ...(wide ? ['VERBS', 'CATEGORIES'] : [])];
  const rows = shown.map(resource => [
    resource.plural,
    resource.shortNames.join(','),
    groupVersionOf(resource),
    String(resource.namespaced),
    resource.kind,
    ...(wide ? [resource.verbs.join(','), resource.categories.join(',')] : []),
  ]);
  return (headers ? [head, ...rows] : rows).map(cells => cells.join('\t'));
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
