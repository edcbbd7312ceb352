/**
 * InterPodAffinity as a score (SEMANTICS F.8): the pod's preferred terms, and by symmetry the terms of the pods that are
 * there: preferred ones with their weight, required affinity with the profile's hardPodAffinityWeight.
 */
import type { Columns } from '../columns/columns.ts';
import type { DomainCount } from '../columns/domain-count.ts';
import type { HeldTerm } from '../columns/held-term.ts';
import type { ScorePlugin, ScoreRun, Trait } from '../plugin.ts';
import type { Shape } from '../shapes/shape.ts';
import { countOf, releaseCounts, type TermCount, termsSelecting } from './affinity-counts.ts';

export interface AffinityArguments {
  /** What a required affinity term of a placed pod counts like; default 1. */
  readonly hardPodAffinityWeight?: number;
  /** Pods without preferred terms of their own are not scored. */
  readonly ignorePreferredTermsOfExistingPods?: boolean;
}

/** Raw scores may be negative; normalized, the worst feasible node gets 0 and the best 100. */
export const affinityScore = (args: AffinityArguments = {}): ScorePlugin => ({
  name: 'InterPodAffinity',
  scope: 'cluster',
  normalization: 'own',
  prepare: (shape, columns) => new AffinityScoreRun(shape, columns, args),
});

interface Wish {
  readonly count: TermCount;
  /** Negative for what the pod would rather stay away from. */
  readonly weight: number;
}
const noWishes: readonly Wish[] = [];

const wishesOf = (shape: Shape, columns: Columns): readonly Wish[] =>
  shape.preferredAffinity.length === 0 && shape.preferredAntiAffinity.length === 0
    ? noWishes
    : [
        ...shape.preferredAffinity.map(({ term, weight }) => ({ count: countOf(term, columns), weight })),
        ...shape.preferredAntiAffinity.map(({ term, weight }) => ({ count: countOf(term, columns), weight: -weight })),
      ];

class AffinityScoreRun implements ScoreRun {
  readonly #shape: Shape;
  readonly #columns: Columns;
  readonly #wishes: readonly Wish[];
  readonly #hardWeight: number;
  readonly #ignoresOthers: boolean;

  constructor(shape: Shape, columns: Columns, args: AffinityArguments) {
    this.#shape = shape;
    this.#columns = columns;
    this.#wishes = wishesOf(shape, columns);
    this.#hardWeight = args.hardPodAffinityWeight ?? 1;
    // Upstream then looks at the existing pods' terms only for pods that have wishes of their own.
    this.#ignoresOthers = args.ignorePreferredTermsOfExistingPods === true && this.#wishes.length === 0;
  }

  score(nodes: Uint32Array, count: number, out: Int32Array): boolean {
    if (this.#ignoresOthers) return false;
    let credited = false;
    for (const { count: wish, weight } of this.#wishes)
      credited = credit(wish.domain, weight, { nodes, count, out, isFirst: !credited }) || credited;
    for (const held of termsSelecting(this.#shape, this.#columns)) {
      const weight = this.#weightOf(held);
      if (weight === 0) continue;
      credited = credit(held.domain, weight, { nodes, count, out, isFirst: !credited }) || credited;
    }
    return credited;
  }

  traits(): readonly Trait[] {
    const own = this.#wishes.map(({ count }) => count.domain);
    const others = termsSelecting(this.#shape, this.#columns)
      .filter(held => held.domain.total > 0 && this.#weightOf(held) !== 0)
      .map(({ domain }) => domain);
    return [...own, ...others].map(domain => domain.trait('count'));
  }

  isSilent(): boolean {
    if (this.#ignoresOthers) return true;
    if (this.#wishes.some(({ count }) => count.domain.total !== 0)) return false;
    return termsSelecting(this.#shape, this.#columns).every(
      held => held.domain.total === 0 || this.#weightOf(held) === 0,
    );
  }

  #weightOf({ role, weight }: HeldTerm): number {
    switch (role) {
      case 'requiredAffinity':
        return this.#hardWeight;
      case 'preferredAffinity':
        return weight;
      case 'preferredAntiAffinity':
        return -weight;
      case 'requiredAntiAffinity':
        return 0;
    }
  }

  normalize(nodes: Uint32Array, count: number, scores: Int32Array): void {
    let least = scores[nodes[0]!]!;
    let most = least;
    for (let i = 1; i < count; i++) {
      const score = scores[nodes[i]!]!;
      if (score < least) least = score;
      else if (score > most) most = score;
    }
    const range = most - least;
    if (range === 0) {
      for (let i = 0; i < count; i++) scores[nodes[i]!] = 0;
      return;
    }
    for (let i = 0; i < count; i++) scores[nodes[i]!] = (100 * ((scores[nodes[i]!]! - least) / range)) | 0;
  }

  dispose(): void {
    releaseCounts(
      this.#wishes.map(({ count }) => count),
      this.#columns,
    );
  }
}

interface Target {
  readonly nodes: Uint32Array;
  readonly count: number;
  readonly out: Int32Array;
  /** Nothing was written to `out` yet. */
  readonly isFirst: boolean;
}

/** Adds weight · count of the node's domain; false, and nothing written, when nothing is counted anywhere. */
const credit = (domain: DomainCount, weight: number, target: Target): boolean => {
  if (domain.total === 0) return false;
  const counts = domain.covering();
  const { nodes, count, out, isFirst } = target;
  const { ids } = domain.column;
  if (isFirst) for (let i = 0; i < count; i++) out[nodes[i]!] = 0;
  for (let i = 0; i < count; i++) {
    const node = nodes[i]!;
    const id = ids[node]!;
    if (id >= 0) out[node]! += weight * counts[id]!;
  }
  return true;
};
