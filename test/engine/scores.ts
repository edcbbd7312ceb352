/** What each score plugin gives each node, for tests that compare single scores. */
import { normalize, type Runs } from '#engine/runs.ts';

export interface PluginScores {
  readonly plugin: string;
  readonly weight: number;
  /** By row: 0..100, before the weight. */
  readonly scores: Int32Array;
}

/** Of the rows `nodes[0..count)`; plugins that were skipped are not in it. */
export const scoreRows = (
  { scores }: Runs,
  nodes: Uint32Array,
  count: number,
  capacity: number,
): readonly PluginScores[] =>
  scores.flatMap(active => {
    const out = new Int32Array(capacity);
    if (!active.run.score(nodes, count, out)) return [];
    normalize(active, nodes, count, out);
    return [{ plugin: active.plugin.name, weight: active.weight, scores: out }];
  });
