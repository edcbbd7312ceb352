/** Topology spread constraints that a pod would break on a node, with the counts of the domains. */

import type { ConstraintCount } from '../plugins/spread-constraints.ts';
import { leastOf, type SpreadRun } from '../plugins/spread-filter.ts';
import type { Judged } from './judged.ts';
import type { Obstacle } from './obstacle.ts';

export const unevenOn = (judged: Judged, run: SpreadRun, row: number): readonly Obstacle[] =>
  run.counts.flatMap((count, constraint): readonly Obstacle[] => {
    const plugin = 'PodTopologySpread';
    const { topologyKey, maxSkew, minDomains } = count.stated;
    const id = count.column.ids[row]!;
    if (id < 0) return [{ plugin, is: 'noTopology', constraint, topologyKey }];
    const { least, domains } = leastOf(count);
    const matching = count.domain.covering()[id]! + nominatedThere(judged, count, row, id);
    const skew = matching + (count.selfMatches ? 1 : 0) - least;
    if (skew <= maxSkew) return [];
    const domain = count.column.values[id]!;
    const leastDomain = emptiest(count);
    const numbers = { count: matching, least, leastDomain, skew, maxSkew, domains, minDomains };
    return [{ plugin, is: 'spread', constraint, topologyKey, domain, ...numbers }];
  });

const nominatedThere = ({ reserved }: Judged, count: ConstraintCount, row: number, id: number): number =>
  (count.nodesPerValue[id] ?? 0) === 0 || !count.isEligible(row)
    ? 0
    : (reserved.get(row) ?? []).filter(({ shape }) => count.matchesInThought(shape.labelSet)).length;

/** The domain with the fewest matching pods; of several the one that was known first. */
const emptiest = (count: ConstraintCount): string | undefined => {
  const counts = count.domain.covering();
  let best = -1;
  count.nodesPerValue.forEach((nodes, id) => {
    if (nodes > 0 && (best < 0 || counts[id]! < counts[best]!)) best = id;
  });
  return count.column.values[best];
};
