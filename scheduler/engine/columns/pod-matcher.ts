/**
 * A question about pods that plugins ask again and again (a spread selector, the selectors of affinity terms), with its
 * answer kept current: how many pods on each node match, and how many per value of the topology keys that were asked for.
 */
import { DomainCount } from './domain-count.ts';
import type { LabelColumn } from './label-column.ts';
import type { LabelSet } from './label-set.ts';

export interface MatcherOptions {
  /** Pods with a deletionTimestamp count too. */
  readonly countsTerminating: boolean;
  /** Its answers change when a namespace changes its labels. */
  readonly readsNamespaces: boolean;
}

/** Equal keys must mean equal questions. The counts belong to the pod index, which tells of every pod that matches. */
export class PodMatcher {
  readonly key: string;
  readonly matches: (labelSet: LabelSet) => boolean;
  readonly options: MatcherOptions;
  /** Matching pods by row. */
  perNode: Int32Array;
  /** Each counts the same pods per value of a key; those with `eligible` belong to whoever pushed them. */
  readonly domains: DomainCount[] = [];
  /** Times that it was asked for and not released. */
  users = 0;

  constructor(key: string, matches: (labelSet: LabelSet) => boolean, options: MatcherOptions, capacity: number) {
    this.key = key;
    this.matches = matches;
    this.options = options;
    this.perNode = new Int32Array(capacity);
  }

  /** The counts per value of a key over all nodes; shared by all who ask. */
  domain(column: LabelColumn): DomainCount {
    for (const domain of this.domains) if (domain.column === column && domain.eligible === undefined) return domain;
    const domain = new DomainCount(column);
    domain.rebuild(this.perNode);
    this.domains.push(domain);
    return domain;
  }

  /** `by` more matching pods on the node of this row, or fewer. */
  add(slot: number, by: number): void {
    this.perNode[slot]! += by;
    for (const domain of this.domains) domain.add(slot, by);
  }

  /** Before and after a node's labels change (`by` -1 and 1): what is counted per value moves with its pods. */
  moveNode(slot: number, by: 1 | -1): void {
    const here = this.perNode[slot]!;
    if (here !== 0) for (const domain of this.domains) domain.add(slot, by * here);
  }

  clear(): void {
    this.perNode.fill(0);
    for (const domain of this.domains) domain.clear();
  }

  resize(capacity: number): void {
    const perNode = new Int32Array(capacity);
    perNode.set(this.perNode);
    this.perNode = perNode;
  }
}
