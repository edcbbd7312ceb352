/**
 * For one obstacle on one node, what would take it away: alternatives, each some edits. Whether they are enough is found
 * out by trying them; here they need only be sensible.
 */
import type { Node, Toleration } from '#api/kinds/core.ts';
import { unschedulableTaint } from './apply-edits.ts';
import type { Edit } from './edit.ts';
import { podToShrink } from './evictions.ts';
import type { Judged } from './judged.ts';
import type { Obstacle, Unmatched, UnmetRequirement } from './obstacle.ts';

export interface Fixes {
  /** Changes of the pod, the least far-reaching first. */
  readonly pod: readonly (readonly Edit[])[];
  /** Changes of what is around it. */
  readonly cluster: readonly (readonly Edit[])[];
}

const none: Fixes = { pod: [], cluster: [] };
/** Pods of other nodes that a suggestion deletes at most. */
const fewPods = 5;

export const fixesFor = (obstacle: Obstacle, judged: Judged, row: number): Fixes => {
  const node = judged.columns.names[row]!;
  switch (obstacle.is) {
    case 'cordoned':
      return { pod: [], cluster: [[{ is: 'uncordon', node }]] };
    case 'taint': {
      const { taint } = obstacle;
      if (taint.key === unschedulableTaint) return { pod: [], cluster: [[{ is: 'uncordon', node }]] };
      const cluster: Edit[][] = [[{ is: 'removeTaint', node, taint }]];
      // Nodes get these while something is wrong with them: to tolerate them is hardly what is wanted.
      if (taint.key.startsWith('node.kubernetes.io/')) return { pod: [], cluster };
      const { key, value, effect } = taint;
      const equal = value ? { operator: 'Equal' as const, value } : { operator: 'Exists' as const };
      const toleration: Toleration = { key, ...equal, effect: effect as NonNullable<Toleration['effect']> };
      return { pod: [[{ is: 'tolerate', toleration }]], cluster };
    }
    case 'unmatched':
      return unmatchedFixes(obstacle, judged, row);
    // What the pod's terms say of other nodes is said by the plugin too.
    case 'leftOut':
      return { pod: [[]], cluster: [] };
    case 'port':
      return portFixes(obstacle, judged, row);
    case 'resource': {
      const { resource, asked, free } = obstacle;
      const to = Math.max(0, Math.min(free, free + obstacle.reserved));
      const shrink = podToShrink(judged, row, obstacle);
      return {
        pod: [[{ is: 'lowerRequest', resource, from: asked, to }]],
        cluster: shrink === undefined ? [] : [[shrink]],
      };
    }
    case 'spread':
    case 'noTopology':
      return spreadFixes(obstacle, judged, row);
    case 'affinity': {
      const drop: Edit = { is: 'dropTerm', of: 'podAffinity', term: obstacle.term, topologyKey: obstacle.topologyKey };
      const value = obstacle.domains[0];
      const label = obstacle.domain === undefined && value !== undefined && isFreeLabel(obstacle.topologyKey);
      return { pod: [[drop]], cluster: label ? [[labelEdit(judged, row, obstacle.topologyKey, value)]] : [] };
    }
    case 'antiAffinity':
    case 'othersAntiAffinity': {
      const { term, topologyKey } = obstacle;
      const drop: Edit = { is: 'dropTerm', of: 'podAntiAffinity', term, topologyKey };
      return { pod: obstacle.is === 'antiAffinity' ? [[drop]] : [], cluster: deleteAll(obstacle, judged, row) };
    }
    default:
      return none;
  }
};

const deleteAll = (
  { pods, podCount }: { pods: readonly string[]; podCount: number },
  { columns }: Judged,
  row: number,
): readonly (readonly Edit[])[] =>
  podCount > fewPods || podCount > pods.length
    ? []
    : [
        [
          {
            is: 'deletePods',
            node: columns.names[row]!,
            pods: pods.map(key => ({ key, priority: columns.placed(key)?.view.priority ?? 0 })),
          },
        ],
      ];

const labelEdit = ({ columns }: Judged, row: number, key: string, value: string | undefined): Edit => {
  const node = columns.nodes[row] as Node;
  return { is: 'labelNode', node: node.metadata.name, key, value, was: node.metadata.labels?.[key] };
};

const unmatchedFixes = ({ of, requirements, term = 0 }: Unmatched, judged: Judged, row: number): Fixes => {
  if (of === 'addedAffinity' || requirements.length === 0) return none;
  const labels = requirements.map(requirement => fittingLabel(requirement));
  const canLabel = requirements.every(
    ({ isField, key }, i) => !isField && isFreeLabel(key) && labels[i] !== 'impossible',
  );
  const drop = requirements.map(
    ({ key, operator, values, isField }): Edit =>
      of === 'nodeSelector'
        ? { is: 'dropNodeSelector', key, value: values[0] ?? '' }
        : { is: 'dropRequirement', term, requirement: { key, operator, values, isField } },
  );
  const set = requirements.map(({ key }, i) => labelEdit(judged, row, key, labels[i]));
  return { pod: [drop], cluster: canLabel ? [set] : [] };
};

/** These tell what a node is, not what somebody wants of it. */
const givenLabels: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'node.kubernetes.io/instance-type',
]);

const isFreeLabel = (key: string): boolean => !givenLabels.has(key);

/** A value that meets the requirement; undefined: the label must not be there. */
export const fittingLabel = ({
  operator,
  values,
}: Pick<UnmetRequirement, 'operator' | 'values'>): string | undefined => {
  switch (operator) {
    case 'In':
      return values[0] ?? 'impossible';
    case 'Exists':
      return 'true';
    case 'Gt':
      return String(Number(values[0]) + 1);
    case 'Lt':
      return String(Number(values[0]) - 1);
    default:
      return undefined;
  }
};

const portFixes = (
  { port, protocol, heldBy }: Extract<Obstacle, { is: 'port' }>,
  judged: Judged,
  row: number,
): Fixes => {
  const { columns, pod } = judged;
  const own = new Set(pod.shape.ports.map(other => other.port));
  const isFree = (to: number): boolean =>
    !own.has(to) && columns.ports.users({ protocol, port: to, ip: '0.0.0.0' })?.has(row) !== true;
  let to = port + 1;
  while (to <= 65_535 && !isFree(to)) to++;
  const other: Edit[][] = to > 65_535 ? [] : [[{ is: 'hostPort', protocol, from: port, to }]];
  return { pod: other, cluster: deleteAll({ pods: heldBy, podCount: heldBy.length }, judged, row) };
};

const spreadFixes = (
  obstacle: Extract<Obstacle, { is: 'spread' | 'noTopology' }>,
  judged: Judged,
  row: number,
): Fixes => {
  const { topologyKey } = obstacle;
  const stated = judged.pod.pod.spec.topologySpreadConstraints ?? [];
  const hard = stated.flatMap(({ whenUnsatisfiable }, i) => (whenUnsatisfiable === 'DoNotSchedule' ? [i] : []));
  const constraint = hard[obstacle.constraint];
  // A default of the profile: the pod cannot change it.
  if (constraint === undefined) return none;
  const relax: Edit = { is: 'scheduleAnyway', constraint, topologyKey };
  if (obstacle.is === 'noTopology') {
    const value = judged.columns.labelColumn(topologyKey).values[0];
    const label =
      value === undefined || !isFreeLabel(topologyKey) ? [] : [[labelEdit(judged, row, topologyKey, value)]];
    return { pod: [[relax]], cluster: label };
  }
  const { skew, maxSkew, domains, minDomains } = obstacle;
  const raise: Edit = { is: 'maxSkew', constraint, topologyKey, from: maxSkew, to: skew };
  const fewer: Edit[][] =
    domains < minDomains && domains > 0
      ? [[{ is: 'minDomains', constraint, topologyKey, from: minDomains, to: domains }]]
      : [];
  return { pod: [...fewer, [raise], [relax]], cluster: [] };
};
