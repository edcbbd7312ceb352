/**
 * A topology spread constraint of a pod shape, with its standing counts: matching pods per value of the topology key
 * over the nodes that count for it (SEMANTICS F.5, F.8).
 */
import type { TopologySpreadConstraint } from '#api/kinds/core.ts';
import { findUntolerated } from '#api/taints.ts';
import type { Columns } from '../columns/columns.ts';
import { DomainCount } from '../columns/domain-count.ts';
import type { LabelColumn } from '../columns/label-column.ts';
import type { LabelSet } from '../columns/label-set.ts';
import { compileRequired, type NodeTest } from '../columns/node-match.ts';
import type { PodMatcher } from '../columns/pod-matcher.ts';
import { namespaceOf, type Shape } from '../shapes/shape.ts';
import { isEmptySelector, labelTest } from '../shapes/term.ts';

/** A constraint as stated by the pod or by the profile's defaults. */
export interface StatedConstraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly minDomains: number;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
  /** Equal for constraints that count the same pods. */
  readonly selectorKey: string;
  /** Which labels match; an empty selector counts no pod but still matches. */
  readonly matches: (labels: Labels) => boolean;
  readonly countsNone: boolean;
}

type Labels = Readonly<Record<string, string>>;

export type Action = 'DoNotSchedule' | 'ScheduleAnyway';

/** A default constraint of the profile; its selector is that of the pod's Services and controller. */
export type DefaultConstraint = Omit<TopologySpreadConstraint, 'labelSelector' | 'matchLabelKeys'>;

/** The defaults of a profile that states none (upstream's defaultingType System). */
export const systemDefaultConstraints: readonly DefaultConstraint[] = [
  { maxSkew: 3, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
  { maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
];

/** True for pods that the defaults of their profile are not for. */
export const statesOwn = ({ sample }: Shape): boolean => (sample.spec.topologySpreadConstraints?.length ?? 0) > 0;

/** The constraints with this action that hold for such pods: their own, or the defaults (upstream: getConstraints). */
export const constraintsOf = (
  shape: Shape,
  action: Action,
  defaults: readonly DefaultConstraint[],
  { surroundings }: Columns,
): readonly StatedConstraint[] => {
  const own = shape.sample.spec.topologySpreadConstraints;
  if (own !== undefined && statesOwn(shape))
    return own.filter(isFor(action)).map(constraint => ({ ...ruleOf(constraint), ...selectionOf(constraint, shape) }));
  const wanted = defaults.filter(isFor(action));
  const selector = wanted.length === 0 ? undefined : surroundings.defaultSelector(shape.sample);
  if (selector === undefined) return [];
  const { key: selectorKey, matches } = selector;
  return wanted.map(constraint => ({ ...ruleOf(constraint), selectorKey, matches, countsNone: false }));
};

const isFor =
  (action: Action) =>
  ({ whenUnsatisfiable }: DefaultConstraint): boolean =>
    whenUnsatisfiable === action;

type Selection = Pick<StatedConstraint, 'selectorKey' | 'matches' | 'countsNone'>;

/** What a constraint says, but for whom it counts. */
const ruleOf = (constraint: DefaultConstraint): Omit<StatedConstraint, keyof Selection> => ({
  maxSkew: constraint.maxSkew,
  topologyKey: constraint.topologyKey,
  minDomains: constraint.minDomains ?? 1,
  honorsAffinity: (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor',
  honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
});

/** Whom a pod's own constraint counts. */
const selectionOf = (constraint: TopologySpreadConstraint, { labelSet }: Shape): Selection => {
  const { labelSelector, matchLabelKeys = [] } = constraint;
  const byKeys = matchLabelKeys
    .filter(key => Object.hasOwn(labelSet.labels, key))
    .map(key => [key, labelSet.labels[key]!]);
  const keyLabels: Record<string, string> = Object.fromEntries(byKeys);
  const bySelector = labelTest(labelSelector);
  const byLabels = labelTest({ matchLabels: keyLabels });
  const hasKeys = byKeys.length > 0;
  // Upstream adds the selector's requirements to those of the keys; an absent selector has none to add.
  const matches = !hasKeys
    ? bySelector
    : labelSelector === undefined
      ? byLabels
      : (labels: Labels) => byLabels(labels) && bySelector(labels);
  return {
    selectorKey: JSON.stringify([labelSelector ?? null, keyLabels]),
    matches,
    countsNone: !hasKeys && labelSelector !== undefined && isEmptySelector(labelSelector),
  };
};

const refusing = ['NoSchedule', 'NoExecute'];

/** Standing counts of one constraint. */
export class ConstraintCount {
  readonly stated: StatedConstraint;
  readonly column: LabelColumn;
  readonly matcher: PodMatcher;
  readonly domain: DomainCount;
  /** Eligible nodes per value: a value is a domain while it has one. */
  nodesPerValue: Int32Array = new Int32Array(16);
  readonly selfMatches: boolean;
  /** Same namespace as the pod's: only such pods count. */
  readonly namespace: string;
  readonly #columns: Columns;
  readonly #affinity: NodeTest | undefined;
  readonly #shape: Shape;
  readonly #requiredKeys: readonly LabelColumn[];

  /** `requiredKeys`: nodes without one of these labels do not count. */
  constructor(stated: StatedConstraint, shape: Shape, columns: Columns, requiredKeys: readonly string[]) {
    const namespace = namespaceOf(shape.sample);
    this.stated = stated;
    this.namespace = namespace;
    this.column = columns.labelColumn(stated.topologyKey);
    const { nodeSelector, affinity } = shape.sample.spec;
    this.#affinity = stated.honorsAffinity
      ? compileRequired(nodeSelector, affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution, columns)
      : undefined;
    this.#columns = columns;
    this.#shape = shape;
    this.#requiredKeys = requiredKeys.map(key => columns.labelColumn(key));
    this.selfMatches = stated.matches(shape.labelSet.labels);
    const matches = (set: LabelSet): boolean =>
      !stated.countsNone && set.namespace === namespace && stated.matches(set.labels);
    this.matcher = columns.index.matcher(
      `spread ${stated.countsNone} ${namespace} ${stated.selectorKey}`,
      { countsTerminating: false, readsNamespaces: false },
      matches,
    );
    this.domain = new DomainCount(this.column);
    this.matcher.domains.push(this.domain);
    this.recount();
  }

  /** Does a pod count here when it comes or goes in thought? Upstream then asks neither for termination nor emptiness. */
  matchesInThought(set: LabelSet): boolean {
    return set.namespace === this.namespace && this.stated.matches(set.labels);
  }

  isEligible(slot: number): boolean {
    for (const key of this.#requiredKeys) if (key.ids[slot]! < 0) return false;
    if (this.#affinity !== undefined && !this.#affinity.matches(slot)) return false;
    if (!this.stated.honorsTaints) return true;
    const taints = this.#columns.taintLists[this.#columns.taints[slot]!];
    return findUntolerated(taints, this.#shape.sample.spec.tolerations, refusing) === undefined;
  }

  /** Counts anew; called when node objects changed. */
  recount(): void {
    const { live, count, capacity } = this.#columns;
    const eligible = new Uint8Array(capacity);
    this.nodesPerValue = new Int32Array(Math.max(16, this.column.values.length));
    for (let i = 0; i < count; i++) {
      const slot = live[i]!;
      if (!this.isEligible(slot)) continue;
      eligible[slot] = 1;
      const id = this.column.ids[slot]!;
      if (id >= 0) this.nodesPerValue[id]!++;
    }
    this.domain.eligible = eligible;
    this.domain.rebuild(this.matcher.perNode);
  }

  dispose(): void {
    const at = this.matcher.domains.indexOf(this.domain);
    if (at >= 0) this.matcher.domains.splice(at, 1);
    this.#columns.index.release(this.matcher);
  }
}
