/**
 * What the two scores by allocation share: the resources that their arguments name, and what those are on a node and for a
 * pod (SEMANTICS F.8).
 */
import type { Columns } from '../columns/columns.ts';
import type { Requests } from '../requests.ts';

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

/** Upstream's, for both plugins. */
export const defaultResources: readonly WeightedResource[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];

/** One resource of the arguments over all nodes, and what the pod asks for of it. */
export interface ScoredResource {
  readonly name: string;
  readonly capacity: Float64Array;
  readonly used: Float64Array;
  readonly want: number;
  readonly weight: number;
}

/** The resources that count for a pod with these requests: upstream leaves scalars out that the pod does not ask for. */
export const scoredResources = (
  { amounts }: Requests,
  columns: Columns,
  resources: readonly WeightedResource[],
): readonly ScoredResource[] =>
  resources.flatMap(({ name, weight }) => {
    const want = amounts.get(name) ?? 0;
    if (want === 0 && !alwaysCounts.has(name)) return [];
    const column = columns.resource(name);
    return [{ name, capacity: columns.allocatable[column]!, used: columns.used[column]!, want, weight }];
  });

const alwaysCounts: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);
