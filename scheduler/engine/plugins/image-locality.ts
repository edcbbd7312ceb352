/** ImageLocality: nodes that have the pod's images already, the larger and the more widespread the better (SEMANTICS F.8). */
import type { ScorePlugin } from '../plugin.ts';

const mebi = 1024 * 1024;
const lowest = 23 * mebi;
const highestPerContainer = 1000 * mebi;

/** Sizes are bytes; an image counts by the share of nodes that have it, so that not all pods rush to one node. */
export const imageLocality: ScorePlugin = {
  name: 'ImageLocality',
  scope: 'usage',
  normalization: 'none',
  prepare(shape, columns) {
    const { containers, initContainers = [] } = shape.sample.spec;
    const images = [...initContainers, ...containers].map(container => normalizedImageName(container.image ?? ''));
    const highest = highestPerContainer * images.length;
    return {
      // The number of nodes, and of those that have an image, is in every node's score.
      version: () => columns.images.revision,
      isSilent: () => images.every(image => columns.images.sizes(image) === undefined),
      score(nodes, count, out) {
        const present = images.map(image => columns.images.sizes(image)).filter(sizes => sizes !== undefined);
        for (let i = 0; i < count; i++) {
          const node = nodes[i]!;
          let sum = 0;
          for (const sizes of present) {
            const size = sizes.get(node);
            if (size !== undefined) sum += Math.trunc(size * (sizes.size / columns.count));
          }
          const clamped = Math.min(Math.max(sum, lowest), highest);
          out[node] = Math.floor((100 * (clamped - lowest)) / (highest - lowest));
        }
        return true;
      },
    };
  },
};

/** An image without tag means `:latest`. */
export const normalizedImageName = (name: string): string =>
  name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name;
