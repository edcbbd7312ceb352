/**
 * Which pods match what, counted as pods come and go. Matchers and held terms are shared by all who ask for the same. What
 * a label set matches is worked out when the set is first needed after a question was added and kept with the set, so
 * adding a pod costs one step per match.
 */

import type { Term } from '../shapes/term.ts';
import type { HeldTerm } from './held-term.ts';
import type { LabelColumn } from './label-column.ts';
import { LabelSet, type PlacedPod } from './label-set.ts';
import { type MatcherOptions, PodMatcher } from './pod-matcher.ts';

/** All pods that have a node's name, also where the node is unknown; those are listed and not counted. */
export class PodIndex {
  readonly #labelSets = new Map<string, LabelSet>();
  readonly #matchers = new Map<string, PodMatcher>();
  readonly #terms = new Map<string, HeldTerm>();
  // Label sets catch up from these by position; an epoch tells them that positions changed.
  #matcherList: PodMatcher[] = [];
  #termList: HeldTerm[] = [];
  #matcherEpoch = 0;
  #termEpoch = 0;
  /** Raised when counts changed though no pod came or went. */
  recounts = 0;
  #capacity = 0;

  /** Makes room for this many rows. */
  resize(capacity: number): void {
    this.#capacity = capacity;
    for (const matcher of this.#matcherList) matcher.resize(capacity);
  }

  // ── what is asked ──────────────────────────────────────────────────────────

  /** The set with this key. Every call must be paired with one less of its `users`. */
  labelSet(key: string, namespace: string, labels: Readonly<Record<string, string>>): LabelSet {
    let known = this.#labelSets.get(key);
    if (known === undefined) {
      known = new LabelSet(namespace, labels);
      this.#labelSets.set(key, known);
    }
    known.users++;
    return known;
  }

  /** The matcher with this key, made and counted when it is new. Every call must be paired with `release`. */
  matcher(key: string, options: MatcherOptions, matches: (labelSet: LabelSet) => boolean): PodMatcher {
    let known = this.#matchers.get(key);
    if (known === undefined) {
      known = new PodMatcher(key, matches, options, this.#capacity);
      this.#matchers.set(key, known);
      this.#matcherList.push(known);
      this.#countAll(known);
    }
    known.users++;
    return known;
  }

  release(matcher: PodMatcher): void {
    matcher.users--;
  }

  /** The term with this key. Every call must be paired with one less of its `users`. */
  heldTerm(key: string, make: () => HeldTerm): HeldTerm {
    let known = this.#terms.get(key);
    if (known === undefined) {
      known = make();
      this.#terms.set(key, known);
      this.#termList.push(known);
    }
    known.users++;
    return known;
  }

  /** The terms held by pods on nodes that select pods with these labels. `selects` must be the same at every call. */
  termsSelecting(labelSet: LabelSet, selects: (term: Term, labelSet: LabelSet) => boolean): readonly HeldTerm[] {
    if (labelSet.termEpoch !== this.#termEpoch) {
      labelSet.termEpoch = this.#termEpoch;
      labelSet.selectedBy = [];
      labelSet.seenTerms = 0;
    }
    for (; labelSet.seenTerms < this.#termList.length; labelSet.seenTerms++) {
      const held = this.#termList[labelSet.seenTerms]!;
      if (selects(held.term, labelSet)) labelSet.selectedBy.push(held);
    }
    return labelSet.selectedBy;
  }

  /** Forgets matchers, terms and label sets without users. */
  sweep(): void {
    const matchers = this.#matcherList.filter(matcher => matcher.users > 0);
    if (matchers.length < this.#matcherList.length) {
      for (const matcher of this.#matcherList) if (matcher.users === 0) this.#matchers.delete(matcher.key);
      this.#matcherList = matchers;
      this.#matcherEpoch++;
    }
    const terms = this.#termList.filter(term => term.users > 0);
    if (terms.length < this.#termList.length) {
      for (const term of this.#termList) if (term.users === 0) this.#terms.delete(term.key);
      this.#termList = terms;
      this.#termEpoch++;
    }
    for (const [key, labelSet] of this.#labelSets) if (labelSet.users === 0) this.#labelSets.delete(key);
  }

  // ── what changes ───────────────────────────────────────────────────────────

  /** A pod is there, at `pod.slot` if that is a row. */
  enter(pod: PlacedPod): void {
    pod.atLabelSet = pod.labelSet.placed.length;
    pod.labelSet.placed.push(pod);
    if (pod.slot >= 0) this.#count(pod, 1);
  }

  /** Takes out a pod that entered, with the same slot. */
  leave(pod: PlacedPod): void {
    if (pod.slot >= 0) this.#count(pod, -1);
    const { placed } = pod.labelSet;
    const last = placed.pop() as PlacedPod;
    if (last !== pod) {
      placed[pod.atLabelSet] = last;
      last.atLabelSet = pod.atLabelSet;
    }
    pod.atLabelSet = -1;
  }

  /** Before and after a node's labels change (`by` -1 and 1): what is counted per value must move with them. */
  countNode(slot: number, pods: readonly PlacedPod[], by: 1 | -1): void {
    for (const matcher of this.#matcherList) matcher.moveNode(slot, by);
    for (const pod of pods) for (const held of pod.held) held.domain.add(slot, by);
  }

  /** The values of a label got other numbers: what is counted per value of it is counted again. */
  renumbered(column: LabelColumn): void {
    for (const matcher of this.#matcherList)
      for (const domain of matcher.domains) if (domain.column === column) domain.rebuild(matcher.perNode);
    for (const held of this.#termList) if (held.domain.column === column) held.domain.clear();
    for (const { placed } of this.#labelSets.values())
      for (const pod of placed) {
        if (pod.slot < 0) continue;
        for (const held of pod.held) if (held.domain.column === column) held.domain.add(pod.slot, 1);
      }
  }

  /** Namespaces came, went or changed their labels: what depends on them is counted again. */
  namespacesChanged(): void {
    this.#termEpoch++;
    const affected = this.#matcherList.filter(({ options }) => options.readsNamespaces);
    if (affected.length === 0) return;
    this.#matcherEpoch++;
    this.recounts++;
    for (const matcher of affected) {
      matcher.clear();
      this.#countAll(matcher);
    }
  }

  #countAll(matcher: PodMatcher): void {
    for (const labelSet of this.#labelSets.values()) {
      if (labelSet.placed.length === 0 || !matcher.matches(labelSet)) continue;
      for (const pod of labelSet.placed)
        if (pod.slot >= 0 && (matcher.options.countsTerminating || !pod.terminating)) matcher.add(pod.slot, 1);
    }
  }

  /** Adds the pod to, or takes it from, everything that counts it at its node. */
  #count(pod: PlacedPod, by: 1 | -1): void {
    for (const matcher of this.#matchersOf(pod.labelSet))
      if (matcher.options.countsTerminating || !pod.terminating) matcher.add(pod.slot, by);
    for (const held of pod.held) held.domain.add(pod.slot, by);
  }

  #matchersOf(labelSet: LabelSet): readonly PodMatcher[] {
    if (labelSet.matcherEpoch !== this.#matcherEpoch) {
      labelSet.matcherEpoch = this.#matcherEpoch;
      labelSet.matchers = [];
      labelSet.seenMatchers = 0;
    }
    for (; labelSet.seenMatchers < this.#matcherList.length; labelSet.seenMatchers++) {
      const matcher = this.#matcherList[labelSet.seenMatchers]!;
      if (matcher.matches(labelSet)) labelSet.matchers.push(matcher);
    }
    return labelSet.matchers;
  }
}
