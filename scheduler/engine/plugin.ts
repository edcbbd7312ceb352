/**
 * What a plugin is. A plugin is asked once per shape of pod for a run (`prepare`), and the run loops over rows of the
 * columns itself. The declared scope tells how long its answers stand, so that nothing is computed twice:
 *   node     they depend on the node objects only: asked again for a row when its node object changed;
 *   usage    also on the pods of that node: asked again for a row when its pods changed;
 *   cluster  on anything: asked for every pod about every row that is left.
 * A run is kept for all pods of its shape, so it may depend on what `Shape` is made of and on the columns, not on a
 * pod's name. `follow` tells runs of scope `cluster` which rows changed, so that they can keep sums.
 */
import type { Node } from '#api/kinds/core.ts';
import type { Columns, PlacedView } from './columns/columns.ts';
import type { PodView, Shape } from './shapes/shape.ts';

/** What a plugin's answers about a node depend on: see above. */
export type Scope = 'node' | 'usage' | 'cluster';

/** A reason as it stands in events. Unresolvable: taking pods off the node cannot help. */
export interface Reason {
  readonly text: string;
  readonly unresolvable: boolean;
}

/** What can change in a cluster so that a pod that was refused may fit. */
export type ClusterChange =
  | { readonly type: 'nodeAdded' | 'nodeChanged'; readonly slot: number }
  | { readonly type: 'nodeRemoved'; readonly node: Node }
  | { readonly type: 'podAdded' | 'podRemoved' | 'podChanged'; readonly pod: PlacedView }
  | { readonly type: 'selectorsChanged' | 'namespacesChanged' };

export type ChangeType = ClusterChange['type'];

export interface FilterPlugin {
  readonly name: string;
  readonly scope: Scope;
  /** All it can say; a verdict is the index of one plus 1. */
  readonly reasons: readonly Reason[];
  /** Undefined: it has nothing against any node for such pods, ever. */
  prepare(shape: Shape, columns: Columns): FilterRun | undefined;
  /** Could the change make a node fit for a pod that this plugin refused? Absent types cannot. */
  readonly wokenBy: Partial<Record<ChangeType, WakeTest>>;
}

/** Asked about one pod for all parked pods of its shape, with every change: it must be quick. */
export type WakeTest = (pod: PodView, change: ClusterChange, columns: Columns) => boolean;

/** Row of the node that came or changed, -1 when the change is about something else. */
export const changedNode = (change: ClusterChange): number => ('slot' in change ? change.slot : -1);

/**
 * A whole number per row (-1 or more, below 2^24). Rows that agree in all traits of a run get the same answers from it.
 * A trait of a row may change only when the row's pods or any node object changed. Traits with the same source and kind
 * are the same trait.
 */
export interface Trait {
  readonly source: object;
  readonly kind: string;
  at(row: number): number;
}

export interface FilterRun {
  /**
   * Judges `nodes[0..count)`: verdict is 0 for each; writes 1 + the index of a reason for those it refuses.
   * Returns false when it refused none.
   */
  check(nodes: Uint32Array, count: number, verdict: Uint8Array): boolean;
  /** The rows whose pods or node changed since the last call; `nodesChanged`: among them node objects. */
  follow?(changed: Uint32Array, count: number, nodesChanged: boolean): void;
  /** True when it would refuse no node now; lets pods be placed without looking at each node. */
  isSilent?(): boolean;
  /** For scope `cluster`: what its answers for a row depend on; then it is asked about few rows only. */
  traits?(): readonly Trait[];
  /** True when pods that come to or leave a node make no difference to its answers now. */
  isIndifferent?(): boolean;
  /** All reasons for refusing a node, when there can be more than one. */
  explain?(node: number): readonly string[];
  /** Counts the reasons for refusing these nodes, all of which it refuses, when there can be more than one per node. */
  tally?(nodes: Uint32Array, count: number, add: (reason: string, nodes: number) => void): void;
  /** Judges single nodes as if pods came and went there. Absent: pods make no difference to this plugin. */
  trial?(): Trial;
  dispose?(): void;
}

/** One node in thought: starts as the node is, pods are put on and taken off, nothing in the columns changes. */
export interface Trial {
  /** Begins with a node, as it is. */
  reset(node: number): void;
  add(pod: PodView): void;
  remove(pod: PodView): void;
  /** 0, or 1 + the index of a reason. */
  verdict(): number;
  explain?(): readonly string[];
}

/** How raw scores become 0..100: as they are; 100·raw/highest; the same reversed; or by the run itself. */
export type Normalization = 'none' | 'highest' | 'reversed' | 'own';

export interface ScorePlugin {
  readonly name: string;
  readonly scope: Scope;
  readonly normalization: Normalization;
  /** Undefined: it adds nothing for such pods and counts as skipped. */
  prepare(shape: Shape, columns: Columns): ScoreRun | undefined;
}

export interface ScoreRun {
  /**
   * Writes whole raw scores at `out[node]` for `nodes[0..count)`. Returns false when skipped: adds 0 to all. With
   * `population` (by row) each node stands for that many that are like it in all traits.
   */
  score(nodes: Uint32Array, count: number, out: Int32Array, population?: Int32Array): boolean;
  /** Adds weighted scores that need no normalization to `sums`, instead of `score`: saves the quickest plugins a pass. */
  readonly addTo?: ((nodes: Uint32Array, count: number, sums: Int32Array, weight: number) => void) | undefined;
  /** As for filters. */
  traits?(): readonly Trait[];
  /** True when a score now would be skipped, whatever the nodes; lets pods be placed without looking at each node. */
  isSilent?(): boolean;
  /** True when every node's raw score is 0 now. */
  isConstant?(): boolean;
  /** For normalization `own`: turns the raw scores in place into 0..100. */
  normalize?(nodes: Uint32Array, count: number, scores: Int32Array): void;
  follow?(changed: Uint32Array, count: number, nodesChanged: boolean): void;
  /** For scopes `node` and `usage`: when it differs from last time, all rows are scored again. */
  version?(): number;
  dispose?(): void;
}
