/**
 * Pods with the same namespace and labels, taken together. Everything that asks about pods (selectors, affinity terms) asks
 * about those two, so each question is answered once per set; the pod index keeps the answers here.
 */
import type { HeldTerm } from './held-term.ts';
import type { PodMatcher } from './pod-matcher.ts';

/** A pod on a node, as the indexes see it. */
export interface PlacedPod {
  /** Row of the node; -1 while the node is unknown. */
  slot: number;
  readonly labelSet: LabelSet;
  /** Has a deletionTimestamp: topology spread does not count it. */
  readonly terminating: boolean;
  readonly held: readonly HeldTerm[];
  /** Where it stands in `labelSet.placed`, -1 when it is not there. */
  atLabelSet: number;
}

/** All fields but the first three belong to the pod index. */
export class LabelSet {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Placed pods that have it, in any order. */
  readonly placed: PlacedPod[] = [];
  /** Matchers that say yes, of the first `seenMatchers` of the index. */
  matchers: PodMatcher[] = [];
  seenMatchers = 0;
  matcherEpoch = 0;
  /** Held terms that select it, of the first `seenTerms` of the index. */
  selectedBy: HeldTerm[] = [];
  seenTerms = 0;
  termEpoch = -1;
  /** Shapes that have it. */
  users = 0;

  constructor(namespace: string, labels: Readonly<Record<string, string>>) {
    this.namespace = namespace;
    this.labels = labels;
  }
}
