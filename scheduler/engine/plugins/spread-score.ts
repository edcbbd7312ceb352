/**
 * PodTopologySpread as a score: constraints with ScheduleAnyway, or the default constraints for pods that state none
 * (SEMANTICS F.8). Fewer matching pods in a node's domains are better; domains of keys with many values weigh more.
 */
import type { Columns } from '../columns/columns.ts';
import type { ScorePlugin, ScoreRun, Trait } from '../plugin.ts';
import type { Shape } from '../shapes/shape.ts';
import { ConstraintCount, constraintsOf, type StatedConstraint, statesOwn } from './spread-constraints.ts';
import type { SpreadArguments } from './spread-filter.ts';

const hostname = 'kubernetes.io/hostname';

/** Normalized, the node with the fewest gets 100; nodes that lack a key that counts get 0. */
export const spreadScore = ({ defaults, isSystemDefault }: SpreadArguments): ScorePlugin => ({
  name: 'PodTopologySpread',
  scope: 'cluster',
  normalization: 'own',
  prepare(shape, columns) {
    const constraints = constraintsOf(shape, 'ScheduleAnyway', defaults, columns);
    return runOf(constraints, { shape, columns, needsAllKeys: statesOwn(shape) || !isSystemDefault });
  },
});

interface Context {
  readonly shape: Shape;
  readonly columns: Columns;
  /** Nodes that lack one of the keys are left out and score 0. */
  readonly needsAllKeys: boolean;
}

const runOf = (constraints: readonly StatedConstraint[], context: Context): ScoreRun | undefined => {
  if (constraints.length === 0) return undefined;
  const keys = context.needsAllKeys ? constraints.map(({ topologyKey }) => topologyKey) : [];
  const counts = constraints.map(constraint => new ConstraintCount(constraint, context.shape, context.columns, keys));
  return new SpreadScoreRun(counts, context.needsAllKeys);
};

const ignored = -1;

class SpreadScoreRun implements ScoreRun {
  readonly #counts: readonly ConstraintCount[];
  readonly #needsAllKeys: boolean;
  #seen: Uint8Array = new Uint8Array(16);
  #sums: Float64Array = new Float64Array(16);

  constructor(counts: readonly ConstraintCount[], needsAllKeys: boolean) {
    this.#counts = counts;
    this.#needsAllKeys = needsAllKeys;
  }

  follow(_changed: Uint32Array, _count: number, nodesChanged: boolean): void {
    if (nodesChanged) for (const count of this.#counts) count.recount();
  }

  traits(): readonly Trait[] {
    // Of other keys than the host name the number of values counts too, so nodes must be told apart by value, not by count.
    return this.#counts.map(({ stated, column, matcher }) =>
      stated.topologyKey === hostname
        ? { source: matcher, kind: 'host', at: row => (column.ids[row]! < 0 ? -1 : matcher.perNode[row]!) }
        : { source: column, kind: 'value', at: row => column.ids[row]! },
    );
  }

  score(nodes: Uint32Array, count: number, out: Int32Array, population?: Int32Array): boolean {
    const left = this.#markIgnored(nodes, count, out, population);
    if (this.#sums.length < out.length) this.#sums = new Float64Array(out.length);
    const sums = this.#sums;
    for (let i = 0; i < count; i++) sums[nodes[i]!] = 0;
    for (const constraint of this.#counts) {
      const isHost = constraint.stated.topologyKey === hostname;
      const size = isHost ? left : this.#domainsAmong(constraint, nodes, count, out);
      addConstraint(constraint, Math.log(size + 2), isHost, { nodes, count, sums });
    }
    for (let i = 0; i < count; i++) {
      const node = nodes[i]!;
      if (out[node] !== ignored) out[node] = Math.round(sums[node]!);
    }
    return true;
  }

  /** Marks the nodes that lack a key, clears the others; how many are left. */
  #markIgnored(nodes: Uint32Array, count: number, out: Int32Array, population?: Int32Array): number {
    for (let i = 0; i < count; i++) out[nodes[i]!] = 0;
    let left = count;
    if (population !== undefined) {
      left = 0;
      for (let i = 0; i < count; i++) left += population[nodes[i]!]!;
    }
    if (!this.#needsAllKeys) return left;
    for (const { column } of this.#counts) {
      if (column.missing === 0) continue;
      for (let i = 0; i < count; i++) {
        const node = nodes[i]!;
        if (column.ids[node]! >= 0 || out[node] === ignored) continue;
        out[node] = ignored;
        left -= population === undefined ? 1 : population[node]!;
      }
    }
    return left;
  }

  /** How many values the nodes that are not ignored have; a missing label counts as the empty value. */
  #domainsAmong(constraint: ConstraintCount, nodes: Uint32Array, count: number, out: Int32Array): number {
    const { ids, values } = constraint.column;
    if (this.#seen.length < values.length) this.#seen = new Uint8Array(2 * values.length);
    const seen = this.#seen;
    seen.fill(0);
    let domains = 0;
    let hasMissing = false;
    for (let i = 0; i < count; i++) {
      const node = nodes[i]!;
      const id = ids[node]!;
      if (id < 0) {
        hasMissing ||= out[node] !== ignored;
        continue;
      }
      if (seen[id] === 1 || out[node] === ignored) continue;
      seen[id] = 1;
      domains++;
    }
    const empty = constraint.column.idOf('');
    return domains + (hasMissing && (empty < 0 || seen[empty] === 0) ? 1 : 0);
  }

  normalize(nodes: Uint32Array, count: number, scores: Int32Array): void {
    let least = Number.MAX_SAFE_INTEGER;
    let most = 0;
    for (let i = 0; i < count; i++) {
      const score = scores[nodes[i]!]!;
      if (score === ignored) continue;
      if (score < least) least = score;
      if (score > most) most = score;
    }
    for (let i = 0; i < count; i++) {
      const node = nodes[i]!;
      const score = scores[node]!;
      if (score === ignored) scores[node] = 0;
      else scores[node] = most === 0 ? 100 : ((100 * (most + least - score)) / most) | 0;
    }
  }

  dispose(): void {
    for (const count of this.#counts) count.dispose();
  }
}

/** Adds count · weight + (maxSkew − 1) to each node that has the key; in upstream's order of additions. */
const addConstraint = (
  { column, domain, matcher, stated }: ConstraintCount,
  weight: number,
  isHost: boolean,
  { nodes, count, sums }: { nodes: Uint32Array; count: number; sums: Float64Array },
): void => {
  const { ids } = column;
  const { perNode } = matcher;
  const counts = domain.covering();
  const skew = stated.maxSkew - 1;
  // Pods on nodes without the label are counted for the empty value, which a node may also have explicitly.
  const empty = domain.missing === 0 ? -1 : column.idOf('');
  for (let i = 0; i < count; i++) {
    const node = nodes[i]!;
    const id = ids[node]!;
    if (id < 0) continue;
    let matching = isHost ? perNode[node]! : counts[id]!;
    if (id === empty && !isHost) matching += domain.missing;
    sums[node]! += matching * weight + skew;
  }
};
