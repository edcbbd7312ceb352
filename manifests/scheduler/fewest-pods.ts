/** The emptier of pods a node is, the better; over columns, as the built-in plugins. */
import type { CustomPlugin } from '../../scheduler/engine/custom/plugin.ts';

export default {
  columns: {
    score: {
      scope: 'usage', // asked again about a node only when its pods or the node itself changed
      normalization: 'none',
      prepare: (_shape, { podCount, podLimit }) => ({
        score(nodes, count, out) {
          for (let i = 0; i < count; i++) {
            const node = nodes[i]!;
            out[node] = Math.trunc((100 * (podLimit[node]! - podCount[node]!)) / podLimit[node]!);
          }
          return true;
        },
      }),
    },
  },
} satisfies CustomPlugin;
