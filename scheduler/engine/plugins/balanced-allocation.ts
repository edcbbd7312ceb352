/** NodeResourcesBalancedAllocation: how evenly the resources of a node get used (SEMANTICS F.8). */
import type { Columns } from '../columns/columns.ts';
import type { ScorePlugin, ScoreRun } from '../plugin.ts';
import { defaultResources, type ScoredResource, scoredResources, type WeightedResource } from './allocation.ts';

/** How evenly the resources of a node get used: 100 · (1 − deviation of the fractions). */
export const balancedAllocation = (resources: readonly WeightedResource[] = defaultResources): ScorePlugin => ({
  name: 'NodeResourcesBalancedAllocation',
  scope: 'usage',
  normalization: 'none',
  prepare(shape, columns) {
    // Best-effort pods change no balance: upstream skips them.
    if (resources.every(({ name }) => (shape.usage.requests.amounts.get(name) ?? 0) === 0)) return undefined;
    const wanted = scoredResources(shape.usage.requests, columns, resources);
    const isDefault = resources.length === 2 && resources[0]?.name === 'cpu' && resources[1]?.name === 'memory';
    return isDefault ? balanceOfTwo(wanted, columns) : balanceOfMany(wanted);
  },
});

/** The default resources, written out: it runs for every pod over every node that changed. */
const balanceOfTwo = (wanted: readonly ScoredResource[], columns: Columns): ScoreRun => {
  const { capacity: cpuCapacity, used: cpuUsed, want: cpuWant } = wanted[0]!;
  const { capacity: memoryCapacity, used: memoryUsed, want: memoryWant } = wanted[1]!;
  const many = balanceOfMany(wanted);
  const addTo = (nodes: Uint32Array, count: number, sums: Int32Array, weight: number): void => {
    for (let i = 0; i < count; i++) {
      const node = nodes[i]!;
      let a = (cpuUsed[node]! + cpuWant) / cpuCapacity[node]!;
      let b = (memoryUsed[node]! + memoryWant) / memoryCapacity[node]!;
      if (a > 1) a = 1;
      if (b > 1) b = 1;
      // Which is greater differs from node to node: no branch on it.
      sums[node]! += weight * (((1 - Math.abs(a - b) / 2) * 100) | 0);
    }
  };
  return {
    // Nodes without cpu or memory are for the general way; asking in the loop would double its time.
    get addTo() {
      return columns.resources.oddNodes.size === 0 ? addTo : undefined;
    },
    score: (nodes, count, out) => many.score(nodes, count, out),
  };
};

const balanceOfMany = (wanted: readonly ScoredResource[]): ScoreRun => ({
  score(nodes, count, out) {
    for (let i = 0; i < count; i++) {
      const node = nodes[i]!;
      const fractions: number[] = [];
      for (const { capacity, used, want } of wanted)
        if (capacity[node] !== 0) fractions.push(Math.min(1, (used[node]! + want) / capacity[node]!));
      out[node] = Math.trunc((1 - deviationOf(fractions)) * 100);
    }
    return true;
  },
});

const deviationOf = (fractions: readonly number[]): number => {
  if (fractions.length < 2) return 0;
  if (fractions.length === 2) return Math.abs((fractions[0]! - fractions[1]!) / 2);
  const mean = fractions.reduce((sum, fraction) => sum + fraction, 0) / fractions.length;
  return Math.sqrt(fractions.reduce((sum, fraction) => sum + (fraction - mean) ** 2, 0) / fractions.length);
};
