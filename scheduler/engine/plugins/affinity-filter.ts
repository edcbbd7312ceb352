/**
 * InterPodAffinity as a filter (SEMANTICS F.5): the pod's required affinity, its required anti-affinity, and the
 * required anti-affinity of the pods that are there already. Everything is judged per value of a topology key.
 */
import type { Columns } from '../columns/columns.ts';
import type { HeldTerm } from '../columns/held-term.ts';
import type { FilterPlugin, FilterRun, Trait, Trial, WakeTest } from '../plugin.ts';
import type { PodView, Shape } from '../shapes/shape.ts';
import { selects, type Term } from '../shapes/term.ts';
import {
  countAllOf,
  countOf,
  heldTermSelects,
  releaseCounts,
  type TermCount,
  termsSelecting,
} from './affinity-counts.ts';

const affinityUnmet = 1;
const antiAffinityUnmet = 2;
const refusedByOthers = 3;

/** The pod matches its own affinity terms: then the first of such pods may go anywhere that has the keys. */
const startsGroup = ({ requiredAffinity, labelSet }: Shape, { surroundings }: Columns): boolean =>
  requiredAffinity.every(term => selects(term, labelSet, surroundings.namespaceLabels, true));

const mayHelp: WakeTest = (pod, change, columns) => {
  if (!('pod' in change)) return true;
  const { namespaceLabels } = columns.surroundings;
  const { requiredAffinity, requiredAntiAffinity, labelSet } = pod.shape;
  const other = change.pod;
  const isSelected = (term: Term): boolean => selects(term, other.labelSet, namespaceLabels, true);
  // Without the last pod that it would have had to join, it is the first of its group and may go anywhere.
  if (requiredAffinity.some(isSelected) && (change.type !== 'podRemoved' || startsGroup(pod.shape, columns)))
    return true;
  if (change.type === 'podAdded') return false;
  return (
    requiredAntiAffinity.some(isSelected) ||
    other.held.some(held => held.role === 'requiredAntiAffinity' && heldTermSelects(held.term, labelSet, columns))
  );
};

/** Takes no arguments. */
export const affinityFilter: FilterPlugin = {
  name: 'InterPodAffinity',
  scope: 'cluster',
  reasons: [
    { text: "node(s) didn't match pod affinity rules", unresolvable: true },
    { text: "node(s) didn't match pod anti-affinity rules", unresolvable: false },
    { text: "node(s) didn't satisfy existing pods anti-affinity rules", unresolvable: false },
  ],
  prepare: (shape, columns) => new AffinityRun(shape, columns),
  wokenBy: {
    nodeAdded: () => true,
    nodeChanged: () => true,
    nodeRemoved: ({ shape }, _change, columns) => shape.requiredAffinity.length > 0 && startsGroup(shape, columns),
    podAdded: mayHelp,
    podRemoved: mayHelp,
    podChanged: mayHelp,
    namespacesChanged: () => true,
  },
};

class AffinityRun implements FilterRun {
  readonly #shape: Shape;
  readonly #columns: Columns;
  readonly #affinity: readonly TermCount[];
  readonly #antiAffinity: readonly TermCount[];

  constructor(shape: Shape, columns: Columns) {
    this.#shape = shape;
    this.#columns = columns;
    this.#affinity = countAllOf(shape.requiredAffinity, columns);
    this.#antiAffinity = shape.requiredAntiAffinity.map(term => countOf(term, columns));
  }

  traits(): readonly Trait[] {
    const own = [...this.#affinity, ...this.#antiAffinity].map(({ domain }) => domain);
    const others = termsSelecting(this.#shape, this.#columns)
      .filter(({ role, domain }) => role === 'requiredAntiAffinity' && domain.total > 0)
      .map(({ domain }) => domain);
    return [...own, ...others].map(domain => domain.trait('present'));
  }

  isIndifferent(): boolean {
    return this.#affinity.length === 0 && this.#antiAffinity.length === 0 && this.isSilent();
  }

  isSilent(): boolean {
    if (this.#affinity.length > 0 || this.#antiAffinity.some(({ domain }) => domain.total > 0)) return false;
    return termsSelecting(this.#shape, this.#columns).every(
      ({ role, domain }) => role !== 'requiredAntiAffinity' || domain.total === 0,
    );
  }

  check(nodes: Uint32Array, count: number, verdict: Uint8Array): boolean {
    let refused = false;
    if (this.#affinity.length > 0 && this.#checkAffinity(nodes, count, verdict)) refused = true;
    for (const { domain } of this.#antiAffinity)
      if (domain.total > 0 && refuseOccupied(domain, nodes, count, { verdict, code: antiAffinityUnmet }))
        refused = true;
    for (const { role, domain } of termsSelecting(this.#shape, this.#columns)) {
      if (role !== 'requiredAntiAffinity' || domain.total === 0) continue;
      if (refuseOccupied(domain, nodes, count, { verdict, code: refusedByOthers })) refused = true;
    }
    return refused;
  }

  #checkAffinity(nodes: Uint32Array, count: number, verdict: Uint8Array): boolean {
    const anywhere =
      this.#affinity.every(({ domain }) => domain.total === 0) && startsGroup(this.#shape, this.#columns);
    let refused = false;
    for (const { domain } of this.#affinity) {
      const { ids } = domain.column;
      const counts = domain.covering();
      for (let i = 0; i < count; i++) {
        const node = nodes[i]!;
        const id = ids[node]!;
        if (id >= 0 && (anywhere || counts[id]! > 0)) continue;
        verdict[node] = affinityUnmet;
        refused = true;
      }
    }
    return refused;
  }

  trial(): Trial {
    return new AffinityTrial({
      shape: this.#shape,
      columns: this.#columns,
      affinity: this.#affinity,
      antiAffinity: this.#antiAffinity,
      startsGroup: startsGroup(this.#shape, this.#columns),
      against: termsSelecting(this.#shape, this.#columns).filter(({ role }) => role === 'requiredAntiAffinity'),
    });
  }

  dispose(): void {
    releaseCounts(this.#affinity, this.#columns);
    releaseCounts(this.#antiAffinity, this.#columns);
  }
}

/** Refuses the nodes in whose domain something is counted; those refused before keep their verdict. */
const refuseOccupied = (
  domain: HeldTerm['domain'],
  nodes: Uint32Array,
  count: number,
  { verdict, code }: { verdict: Uint8Array; code: number },
): boolean => {
  const counts = domain.covering();
  const { ids } = domain.column;
  let refused = false;
  for (let i = 0; i < count; i++) {
    const node = nodes[i]!;
    const id = ids[node]!;
    if (id < 0 || counts[id]! <= 0) continue;
    refused = true;
    if (verdict[node] === 0) verdict[node] = code;
  }
  return refused;
};

interface Basis {
  readonly shape: Shape;
  readonly columns: Columns;
  readonly affinity: readonly TermCount[];
  readonly antiAffinity: readonly TermCount[];
  readonly startsGroup: boolean;
  /** Placed pods' required anti-affinity terms that select the pod. */
  readonly against: readonly HeldTerm[];
}

class AffinityTrial implements Trial {
  readonly #basis: Basis;
  #node = 0;
  #together = 0;
  readonly #apart: number[];
  readonly #against = new Map<HeldTerm, number>();
  /** Upstream skips the plugin, also for pods added in thought, when at first nothing concerned the pod. */
  readonly #skips: boolean;

  constructor(basis: Basis) {
    this.#basis = basis;
    this.#apart = basis.antiAffinity.map(() => 0);
    this.#skips =
      basis.affinity.length === 0 &&
      basis.antiAffinity.length === 0 &&
      basis.against.every(({ domain }) => domain.total === 0);
  }

  reset(node: number): void {
    this.#node = node;
    this.#together = 0;
    this.#apart.fill(0);
    this.#against.clear();
  }

  add(pod: PodView): void {
    this.#move(pod.shape, 1);
  }

  remove(pod: PodView): void {
    this.#move(pod.shape, -1);
  }

  #move(other: Shape, by: 1 | -1): void {
    if (this.#skips) return;
    const { shape, columns, affinity, antiAffinity } = this.#basis;
    const { namespaceLabels } = columns.surroundings;
    const isSelected = (term: Term): boolean => selects(term, other.labelSet, namespaceLabels, true);
    if (affinity.length > 0 && affinity.every(({ term }) => isSelected(term))) this.#together += by;
    for (const [i, { term }] of antiAffinity.entries()) if (isSelected(term)) this.#apart[i]! += by;
    for (const held of other.held)
      if (held.role === 'requiredAntiAffinity' && heldTermSelects(held.term, shape.labelSet, columns))
        this.#against.set(held, (this.#against.get(held) ?? 0) + by);
  }

  #idOf(domain: HeldTerm['domain']): number {
    return domain.column.ids[this.#node]!;
  }

  verdict(): number {
    if (this.#skips) return 0;
    const { affinity, antiAffinity, startsGroup } = this.#basis;
    let unmet = false;
    for (const { domain } of affinity) {
      const id = this.#idOf(domain);
      if (id < 0) return affinityUnmet;
      if ((domain.counts[id] ?? 0) + this.#together <= 0) unmet = true;
    }
    if (unmet) {
      const none = affinity.every(({ domain }) => domain.total + this.#together === 0);
      if (!none || !startsGroup) return affinityUnmet;
    }
    for (const [i, { domain }] of antiAffinity.entries()) {
      const id = this.#idOf(domain);
      if (id >= 0 && (domain.counts[id] ?? 0) + this.#apart[i]! > 0) return antiAffinityUnmet;
    }
    for (const held of new Set([...this.#basis.against, ...this.#against.keys()])) {
      const id = this.#idOf(held.domain);
      if (id >= 0 && (held.domain.counts[id] ?? 0) + (this.#against.get(held) ?? 0) > 0) return refusedByOthers;
    }
    return 0;
  }
}
