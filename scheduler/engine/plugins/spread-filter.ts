/**
 * PodTopologySpread as a filter: constraints with DoNotSchedule. A node is refused when the pod would make its domain
 * exceed the emptiest one by more than maxSkew, or when it lacks the topology key (SEMANTICS F.5).
 */
import type { Columns } from '../columns/columns.ts';
import { grown } from '../columns/label-column.ts';
import type { LabelSet } from '../columns/label-set.ts';
import type { FilterPlugin, FilterRun, Trait, Trial } from '../plugin.ts';
import type { PodView, Shape } from '../shapes/shape.ts';
import { ConstraintCount, constraintsOf, type DefaultConstraint, type StatedConstraint } from './spread-constraints.ts';
import { spreadHints } from './spread-hints.ts';

const missingLabel = 1;
const tooUneven = 2;
/** No domain at all: nothing is ever uneven (upstream starts its minimum at MaxInt32). */
const noDomain = 2 ** 31 - 1;

export interface SpreadArguments {
  readonly defaults: readonly DefaultConstraint[];
  /** The built-in defaults (defaultingType System) do not ask for all their keys on a node. */
  readonly isSystemDefault: boolean;
}

/** `defaults` are for pods that state no constraints. */
export const spreadFilter = ({ defaults }: SpreadArguments): FilterPlugin => ({
  name: 'PodTopologySpread',
  scope: 'cluster',
  reasons: [
    { text: "node(s) didn't match pod topology spread constraints (missing required label)", unresolvable: true },
    { text: "node(s) didn't match pod topology spread constraints", unresolvable: false },
  ],
  prepare: (shape, columns) => runOf(constraintsOf(shape, 'DoNotSchedule', defaults, columns), shape, columns),
  wokenBy: spreadHints(defaults),
});

const runOf = (constraints: readonly StatedConstraint[], shape: Shape, columns: Columns): FilterRun | undefined => {
  if (constraints.length === 0) return undefined;
  const keys = constraints.map(({ topologyKey }) => topologyKey);
  return new SpreadRun(constraints.map(constraint => new ConstraintCount(constraint, shape, columns, keys)));
};

/** Disposes of its counts when it is disposed of. */
export class SpreadRun implements FilterRun {
  /** In the order in which they are judged; for explanations. */
  readonly counts: readonly ConstraintCount[];
  /** 1: a pod may be added there. */
  #allowed: Int32Array = new Int32Array(16);

  constructor(counts: readonly ConstraintCount[]) {
    this.counts = counts;
  }

  follow(_changed: Uint32Array, _count: number, nodesChanged: boolean): void {
    if (nodesChanged) for (const count of this.counts) count.recount();
  }

  traits(): readonly Trait[] {
    return this.counts.map(({ domain }) => domain.trait('count'));
  }

  isSilent(): boolean {
    return this.counts.every(count => count.column.missing === 0 && this.#judgeValues(count));
  }

  check(nodes: Uint32Array, count: number, verdict: Uint8Array): boolean {
    let refused = false;
    for (const constraint of this.counts) if (this.#checkOne(constraint, nodes, count, verdict)) refused = true;
    return refused;
  }

  #checkOne(constraint: ConstraintCount, nodes: Uint32Array, count: number, verdict: Uint8Array): boolean {
    const { column } = constraint;
    const allAllowed = this.#judgeValues(constraint);
    if (allAllowed && column.missing === 0) return false;
    const allowed = this.#allowed;
    const { ids } = column;
    let refused = false;
    for (let i = 0; i < count; i++) {
      const node = nodes[i]!;
      const id = ids[node]!;
      if (id >= 0 && allowed[id] === 1) continue;
      refused = true;
      if (verdict[node] === 0) verdict[node] = id < 0 ? missingLabel : tooUneven;
    }
    return refused;
  }

  /** Fills `#allowed` per value; true when every value is allowed. */
  #judgeValues(constraint: ConstraintCount): boolean {
    const counts = constraint.domain.covering();
    const values = constraint.column.values.length;
    if (this.#allowed.length < values) this.#allowed = grown(this.#allowed, values);
    const limit = constraint.stated.maxSkew + leastOf(constraint).least - (constraint.selfMatches ? 1 : 0);
    let all = true;
    for (let id = 0; id < values; id++) {
      const allowed = counts[id]! <= limit;
      this.#allowed[id] = allowed ? 1 : 0;
      if (!allowed) all = false;
    }
    return all;
  }

  trial(): Trial {
    return new SpreadTrial(this.counts);
  }

  dispose(): void {
    for (const count of this.counts) count.dispose();
  }
}

/** The least count over all domains but `without`, and over all; 0 while there are fewer domains than minDomains. */
export const leastOf = (
  constraint: ConstraintCount,
  without = -1,
): { least: number; others: number; domains: number } => {
  const counts = constraint.domain.covering();
  const nodes = constraint.nodesPerValue;
  let others = noDomain;
  let domains = 0;
  let own = noDomain;
  for (let id = 0; id < nodes.length; id++) {
    if (nodes[id] === 0) continue;
    domains++;
    const here = counts[id]!;
    if (id === without) own = here;
    else if (here < others) others = here;
  }
  const least = domains < constraint.stated.minDomains ? 0 : Math.min(own, others);
  return { least, others, domains };
};

interface TrialPart {
  readonly constraint: ConstraintCount;
  readonly id: number;
  readonly isDomain: boolean;
  readonly others: number;
  readonly domains: number;
  count: number;
}

class SpreadTrial implements Trial {
  readonly #counts: readonly ConstraintCount[];
  #parts: readonly TrialPart[] = [];

  constructor(counts: readonly ConstraintCount[]) {
    this.#counts = counts;
  }

  reset(node: number): void {
    this.#parts = this.#counts.map(constraint => {
      const id = constraint.column.ids[node]!;
      const { others, domains } = leastOf(constraint, id);
      return {
        constraint,
        id,
        // Pods that come and go in thought count only on a node that counts.
        isDomain: id >= 0 && constraint.isEligible(node),
        others,
        domains,
        count: id < 0 ? 0 : constraint.domain.covering()[id]!,
      };
    });
  }

  add(pod: PodView): void {
    this.#move(pod.shape.labelSet, 1);
  }

  remove(pod: PodView): void {
    this.#move(pod.shape.labelSet, -1);
  }

  #move(labelSet: LabelSet, by: 1 | -1): void {
    for (const part of this.#parts) if (part.isDomain && part.constraint.matchesInThought(labelSet)) part.count += by;
  }

  verdict(): number {
    for (const { constraint, id, others, domains, count } of this.#parts) {
      if (id < 0) return missingLabel;
      const { stated, selfMatches, nodesPerValue } = constraint;
      const own = (nodesPerValue[id] ?? 0) > 0 ? count : noDomain;
      const least = domains < stated.minDomains ? 0 : Math.min(own, others);
      if (count + (selfMatches ? 1 : 0) - least > stated.maxSkew) return tooUneven;
    }
    return 0;
  }
}
