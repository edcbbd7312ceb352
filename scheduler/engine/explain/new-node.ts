/** Nodes that could be added for a pod: the smallest of the usual sizes, with the labels that the pod wants. */
import type { Node } from '#api/kinds/core.ts';
import type { Columns } from '../columns/columns.ts';
import type { PodView } from '../shapes/shape.ts';
import { exactAmount } from './amounts.ts';
import { fittingLabel } from './fixes.ts';
import { requiredTerms } from './labels-wanted.ts';

/** Cores and gibibytes, the smallest first: the sizes that clouds rent out. */
const sizes: readonly (readonly [cores: number, gibibytes: number])[] = [
  [1, 1],
  [1, 2],
  [2, 4],
  [2, 8],
  [4, 8],
  [4, 16],
  [8, 16],
  [8, 32],
  [16, 32],
  [16, 64],
  [32, 64],
  [32, 128],
  [64, 256],
  [96, 384],
  [128, 512],
];
const gibi = 2 ** 30;
const podsPerNode = '110';
const mostPlaces = 8;
const hostname = 'kubernetes.io/hostname';
/** What names begin with that are nobody's wish. */
export const freeName = 'new-node-';

/** Candidates, the plainest first. They differ in where they would be: some place that is there already, or a new one. */
export const newNodes = (pod: PodView, columns: Columns): readonly Node[] => {
  const base = nodeName(pod, columns);
  if (base === undefined) return [];
  const labels = { ...labelsFor(pod), [hostname]: base };
  const keys = topologyKeys(pod).filter(key => !(key in labels));
  const allocatable = sizeFor(pod);
  return placesFor(keys, columns).map(
    (place): Node => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: base, labels: { ...labels, ...place } },
      spec: {},
      status: { capacity: allocatable, allocatable },
    }),
  );
};

/** A name that the pod's terms ask for, or else a free one; undefined when the one asked for is taken. */
const nodeName = ({ pod }: PodView, columns: Columns): string | undefined => {
  const term = requiredTerms(pod)?.[0];
  const field = term?.matchFields?.find(({ operator }) => operator === 'In');
  const label = term?.matchExpressions?.find(({ key, operator }) => key === hostname && operator === 'In');
  const asked = field?.values?.[0] ?? pod.spec.nodeSelector?.[hostname] ?? label?.values?.[0];
  if (asked !== undefined) return columns.slotOf(asked) < 0 ? asked : undefined;
  for (let i = 1; ; i++) if (columns.slotOf(freeName + i) < 0) return freeName + i;
};

const labelsFor = ({ pod }: PodView): Record<string, string> => {
  const labels: Record<string, string> = {};
  for (const { key, operator, values = [] } of requiredTerms(pod)?.[0]?.matchExpressions ?? []) {
    const value = fittingLabel({ operator, values });
    if (value !== undefined) labels[key] = value;
  }
  return { ...labels, ...pod.spec.nodeSelector };
};

/** Keys around which the pod wants to be spread, together or apart. */
const topologyKeys = ({ pod, shape }: PodView): readonly string[] => {
  const spread = (pod.spec.topologySpreadConstraints ?? []).map(({ topologyKey }) => topologyKey);
  const terms = [...shape.requiredAffinity, ...shape.requiredAntiAffinity].map(({ topologyKey }) => topologyKey);
  return [...new Set([...spread, ...terms])].filter(key => key !== hostname);
};

/** Labels for the keys: each different combination that some nodes have, and values of its own. */
const placesFor = (keys: readonly string[], columns: Columns): readonly Record<string, string>[] => {
  if (keys.length === 0) return [{}];
  const known = new Map<string, Record<string, string>>();
  for (let i = 0; i < columns.count && known.size < mostPlaces; i++) {
    const has = columns.nodes[columns.live[i]!]?.metadata.labels ?? {};
    if (!keys.every(key => has[key] !== undefined)) continue;
    const place = Object.fromEntries(keys.map(key => [key, has[key] as string]));
    known.set(JSON.stringify(place), place);
  }
  const own = Object.fromEntries(keys.map(key => [key, `new-${key.slice(key.lastIndexOf('/') + 1)}`]));
  return [...known.values(), own];
};

/** The smallest usual size that holds the pod, or what it asks for where all are too small. */
const sizeFor = ({ shape }: PodView): Record<string, string> => {
  const { amounts } = shape.usage.requests;
  const cpu = amounts.get('cpu') ?? 0;
  const memory = amounts.get('memory') ?? 0;
  const size = sizes.find(([cores, gibibytes]) => cores * 1000 >= cpu && gibibytes * gibi >= memory);
  const allocatable: Record<string, string> = {
    cpu: size === undefined ? exactAmount('cpu', Math.ceil(cpu / 1000) * 1000) : String(size[0]),
    memory: size === undefined ? `${Math.ceil(memory / gibi)}Gi` : `${size[1]}Gi`,
    pods: podsPerNode,
  };
  for (const [resource, amount] of amounts)
    if (!(resource in allocatable) && amount > 0) allocatable[resource] = exactAmount(resource, amount);
  return allocatable;
};
