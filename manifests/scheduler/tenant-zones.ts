/** Every tenant (label `tenant`) has a home zone that its pods prefer, and may have so many pods on one node. */
import type { CustomPlugin } from '../../scheduler/engine/custom/plugin.ts';

interface Arguments {
  readonly zones: readonly string[];
  readonly maxPerNode: number;
}

const hash = (text: string): number => [...text].reduce((sum, letter) => (31 * sum + letter.charCodeAt(0)) % 9973, 0);

export default ({ zones, maxPerNode }: Arguments): CustomPlugin => ({
  filter(pod, node) {
    const tenant = pod.metadata.labels?.['tenant'];
    const others = node.pods.filter(other => tenant !== undefined && other.metadata.labels?.['tenant'] === tenant);
    return others.length >= maxPerNode ? 'node(s) had enough pods of the tenant' : undefined;
  },
  score(pod, node) {
    const home = zones[hash(pod.metadata.labels?.['tenant'] ?? '') % zones.length];
    return node.labels['topology.kubernetes.io/zone'] === home ? 100 : 0;
  },
});
