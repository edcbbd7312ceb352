/**
 * Scores by how full a node gets: NodeResourcesFit with its three strategies, and NodeResourcesBalancedAllocation
 * (SEMANTICS F.8). Upstream computes in int64 with truncation; doubles give the same as long as 100 × capacity is below
 * 2^53, which holds up to 90 TB of memory; beyond, whole-number division is done with BigInt.
 */
import type { Columns } from '../columns.ts';
import type { ScorePlugin, ScoreRun } from '../plugin.ts';
import { plainLimit } from '../resource-columns.ts';
import type { Shape } from '../shape.ts';

export interface WeightedResource {
  readonly name: string;
  readonly weight: number;
}

/** Utilization 0..100 to score 0..10. */
export interface ShapePoint {
  readonly utilization: number;
  readonly score: number;
}

export type ScoringStrategy =
  | { readonly type: 'LeastAllocated' | 'MostAllocated'; readonly resources: readonly WeightedResource[] }
  | {
      readonly type: 'RequestedToCapacityRatio';
      readonly resources: readonly WeightedResource[];
      readonly shape: readonly ShapePoint[];
    };

const defaultResources: readonly WeightedResource[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];
export const defaultStrategy: ScoringStrategy = { type: 'LeastAllocated', resources: defaultResources };

export const fitScore = (strategy: ScoringStrategy = defaultStrategy): ScorePlugin => ({
  name: 'NodeResourcesFit',
  scope: 'usage',
  normalization: 'none',
  prepare(shape, columns) {
    if (strategy === defaultStrategy) return leastOfCpuAndMemory(shape, columns);
    const perResource = strategyScore(strategy);
    const wanted = wantedOf(shape, columns, strategy.resources, true);
    const rounds = strategy.type === 'RequestedToCapacityRatio';
    return {
      score(nodes, count, out) {
        for (let i = 0; i < count; i++) {
          const node = nodes[i]!;
          let sum = 0;
          let weights = 0;
          for (const { capacity, used, want, weight } of wanted) {
            if (capacity[node] === 0) continue;
            const score = perResource(used[node]! + want, capacity[node]!);
            if (rounds && score <= 0) continue;
            sum += score * weight;
            weights += weight;
          }
          out[node] = weights === 0 ? 0 : rounds ? Math.round(sum / weights) : Math.floor(sum / weights);
        }
        return true;
      },
    };
  },
});

interface Wanted {
  readonly name: string;
  readonly capacity: Float64Array;
  readonly used: Float64Array;
  readonly want: number;
  readonly weight: number;
}

/** The configured resources that count for this pod; `forFit`: cpu and memory with defaults put in. */
const wantedOf = (
  shape: Shape,
  columns: Columns,
  resources: readonly WeightedResource[],
  forFit: boolean,
): readonly Wanted[] =>
  resources.flatMap(({ name, weight }) => {
    const column = columns.resource(name);
    const capacity = columns.allocatable[column]!;
    const requests = forFit ? shape.usage.scored : shape.usage.requests;
    const stated = requests.amounts.get(name) ?? 0;
    if (name === 'cpu' && forFit)
      return [{ name, capacity, used: columns.resources.nonZeroCpu, want: requests.nonZeroCpuMilli, weight }];
    if (name === 'memory' && forFit)
      return [{ name, capacity, used: columns.resources.nonZeroMemory, want: requests.nonZeroMemoryBytes, weight }];
    // Upstream leaves a scalar resource out when the pod does not ask for it.
    if (stated === 0 && name !== 'cpu' && name !== 'memory' && name !== 'ephemeral-storage') return [];
    return [{ name, capacity, used: columns.used[column]!, want: stated, weight }];
  });

/** The default strategy, written out: it runs for every pod over every node that changed. */
const leastOfCpuAndMemory = (shape: Shape, columns: Columns): ScoreRun => {
  const { nonZeroCpuMilli: cpu, nonZeroMemoryBytes: memory } = shape.usage.scored;
  return {
    score(nodes, count, out) {
      const cpuCapacity = columns.allocatable[0]!;
      const memoryCapacity = columns.allocatable[1]!;
      const { nonZeroCpu, nonZeroMemory, oddNodes } = columns.resources;
      for (let i = 0; i < count; i++) {
        const node = nodes[i]!;
        const cpuLeft = cpuCapacity[node]! - nonZeroCpu[node]! - cpu;
        const memoryLeft = memoryCapacity[node]! - nonZeroMemory[node]! - memory;
        const cpuScore = cpuLeft < 0 ? 0 : ((cpuLeft * 100) / cpuCapacity[node]!) | 0;
        const memoryScore = memoryLeft < 0 ? 0 : ((memoryLeft * 100) / memoryCapacity[node]!) | 0;
        out[node] = (cpuScore + memoryScore) >> 1;
      }
      if (oddNodes.size === 0) return true;
      // What was written for these is wrong; asking in the loop above would double its time.
      for (let i = 0; i < count; i++) {
        const node = nodes[i]!;
        if (!oddNodes.has(node)) continue;
        const usedCpu = nonZeroCpu[node]! + cpu;
        const usedMemory = nonZeroMemory[node]! + memory;
        out[node] = leastOfTwo(usedCpu, cpuCapacity[node]!, usedMemory, memoryCapacity[node]!);
      }
      return true;
    },
  };
};

const leastOfTwo = (cpu: number, cpuCapacity: number, memory: number, memoryCapacity: number): number => {
  const scores = [
    ...(cpuCapacity === 0 ? [] : [least(cpu, cpuCapacity)]),
    ...(memoryCapacity === 0 ? [] : [least(memory, memoryCapacity)]),
  ];
  return scores.length === 0 ? 0 : Math.floor(scores.reduce((sum, score) => sum + score, 0) / scores.length);
};

/** 100·part/whole, truncated, for whole numbers of any size. */
const percent = (part: number, whole: number): number =>
  whole <= plainLimit ? Math.floor((part * 100) / whole) : Number((BigInt(part) * 100n) / BigInt(whole));

const least = (requested: number, capacity: number): number =>
  requested > capacity ? 0 : percent(capacity - requested, capacity);

const most = (requested: number, capacity: number): number => percent(Math.min(requested, capacity), capacity);

const strategyScore = (strategy: ScoringStrategy): ((requested: number, capacity: number) => number) => {
  switch (strategy.type) {
    case 'LeastAllocated':
      return least;
    case 'MostAllocated':
      return most;
    case 'RequestedToCapacityRatio': {
      const line = brokenLinear(strategy.shape.map(point => ({ ...point, score: point.score * 10 })));
      return (requested, capacity) => line(requested > capacity ? 100 : percent(requested, capacity));
    }
  }
};

/** Piecewise linear through the points, flat beyond the ends, truncated toward zero. */
export const brokenLinear = (points: readonly ShapePoint[]): ((utilization: number) => number) => {
  return utilization => {
    for (let i = 0; i < points.length; i++) {
      const point = points[i]!;
      if (utilization > point.utilization) continue;
      const before = points[i - 1];
      if (before === undefined) return point.score;
      const rise = (point.score - before.score) * (utilization - before.utilization);
      return before.score + Math.trunc(rise / (point.utilization - before.utilization));
    }
    return points.at(-1)?.score ?? 0;
  };
};

/** How evenly the resources of a node get used: 100 · (1 − deviation of the fractions). */
export const balancedAllocation = (resources: readonly WeightedResource[] = defaultResources): ScorePlugin => ({
  name: 'NodeResourcesBalancedAllocation',
  scope: 'usage',
  normalization: 'none',
  prepare(shape, columns) {
    // Best-effort pods change no balance: upstream skips them.
    if (resources.every(({ name }) => (shape.usage.requests.amounts.get(name) ?? 0) === 0)) return undefined;
    const wanted = wantedOf(shape, columns, resources, false);
    const isDefault = resources.length === 2 && resources[0]?.name === 'cpu' && resources[1]?.name === 'memory';
    return isDefault ? balanceOfTwo(wanted, columns) : balanceOfMany(wanted);
  },
});

const balanceOfTwo = (wanted: readonly Wanted[], columns: Columns): ScoreRun => {
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

const balanceOfMany = (wanted: readonly Wanted[]): ScoreRun => ({
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
