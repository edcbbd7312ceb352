/**
 * NodeResourcesFit as a score: how full a node gets, by one of three strategies (SEMANTICS F.8). Upstream computes in int64
 * with truncation; doubles give the same as long as 100 × capacity is below 2^53, which holds up to 90 TB of memory; beyond,
 * whole-number division is done with BigInt.
 */
import type { Columns } from '../columns/columns.ts';
import { plainLimit } from '../columns/resource-columns.ts';
import type { ScorePlugin, ScoreRun } from '../plugin.ts';
import type { Shape } from '../shapes/shape.ts';
import {
  defaultResources,
  type ScoredResource,
  type ScoringStrategy,
  type ShapePoint,
  scoredResources,
} from './allocation.ts';

const defaultStrategy: ScoringStrategy = { type: 'LeastAllocated', resources: defaultResources };

/** Scores 0..100 by how much of a node would be in use with the pod on it. */
export const fitScore = (strategy: ScoringStrategy = defaultStrategy): ScorePlugin => ({
  name: 'NodeResourcesFit',
  scope: 'usage',
  normalization: 'none',
  prepare: (shape, columns) =>
    strategy === defaultStrategy ? leastOfCpuAndMemory(shape, columns) : byStrategy(strategy, shape, columns),
});

/** The weighted mean of the resources' scores; resources that a node has none of do not count there. */
const byStrategy = (strategy: ScoringStrategy, shape: Shape, columns: Columns): ScoreRun => {
  const perResource = strategyScore(strategy);
  const wanted = withDefaults(shape, columns, scoredResources(shape.usage.scored, columns, strategy.resources));
  const isRatio = strategy.type === 'RequestedToCapacityRatio';
  return {
    score(nodes, count, out) {
      for (let i = 0; i < count; i++) {
        const node = nodes[i]!;
        let sum = 0;
        let weights = 0;
        for (const { capacity, used, want, weight } of wanted) {
          if (capacity[node] === 0) continue;
          const score = perResource(used[node]! + want, capacity[node]!);
          // As upstream: the ratio leaves out what scores nothing, and rounds where the others truncate.
          if (isRatio && score <= 0) continue;
          sum += score * weight;
          weights += weight;
        }
        out[node] = weights === 0 ? 0 : isRatio ? Math.round(sum / weights) : Math.floor(sum / weights);
      }
      return true;
    },
  };
};

/** Of cpu and memory, a container that asks for none counts with 100m and 200Mi, here and on the nodes. */
const withDefaults = (
  { usage }: Shape,
  { resources }: Columns,
  wanted: readonly ScoredResource[],
): readonly ScoredResource[] =>
  wanted.map(one => {
    if (one.name === 'cpu') return { ...one, used: resources.nonZeroCpu, want: usage.scored.nonZeroCpuMilli };
    if (one.name === 'memory') return { ...one, used: resources.nonZeroMemory, want: usage.scored.nonZeroMemoryBytes };
    return one;
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
      const odd = nodes.subarray(0, count).filter(node => oddNodes.has(node));
      return byStrategy(defaultStrategy, shape, columns).score(odd, odd.length, out);
    },
  };
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
