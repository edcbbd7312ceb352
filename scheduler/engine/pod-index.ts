/**
 * Which pods match what, counted as pods come and go. A `PodMatcher` is a question about pods (a spread selector, the
 * selectors of affinity terms); it keeps how many pods on each node answer yes, and per value of the topology keys that
 * were asked for. A `HeldTerm` is an affinity term that pods on nodes carry, counted per value of its key. Pods with the
 * same namespace and labels share a `LabelSet`, which remembers what it matches, so adding a pod costs one step per match.
 */
import { grown, type LabelColumn } from './label-column.ts';
import type { Trait } from './plugin.ts';
import type { Term } from './term.ts';

/** Pods with the same namespace and labels. */
export class LabelSet {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Placed pods that have it, in any order. */
  readonly placed: PlacedPod[] = [];
  /** Matchers that say yes, as far as `seenMatchers` of the index. */
  hits: PodMatcher[] = [];
  seenMatchers = 0;
  matcherEpoch = 0;
  /** Held terms that select it, as far as `seenTerms`. */
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

/** A pod on a node, as the indexes see it. */
export interface PlacedPod {
  /** Row of the node; -1 while the node is unknown. */
  slot: number;
  readonly labelSet: LabelSet;
  /** Has a deletionTimestamp: topology spread does not count it. */
  readonly terminating: boolean;
  readonly held: readonly HeldTerm[];
  atLabelSet: number;
}

/** Counts of one matcher per value of one topology key. `eligible` leaves nodes out (spread's inclusion policies). */
export class DomainCount {
  readonly column: LabelColumn;
  counts: Int32Array = new Int32Array(16);
  /** Sum over all values. */
  total = 0;
  eligible: Uint8Array | undefined;
  /** Matching pods on eligible nodes that lack the label. */
  missing = 0;

  constructor(column: LabelColumn) {
    this.column = column;
  }

  add(slot: number, by: number): void {
    if (this.eligible !== undefined && this.eligible[slot] === 0) return;
    const id = this.column.ids[slot]!;
    if (id < 0) {
      this.missing += by;
      return;
    }
    if (id >= this.counts.length) this.counts = grown(this.counts, id + 1);
    this.counts[id]! += by;
    this.total += by;
  }

  /** The counts, long enough for every value that the column knows. */
  covering(): Int32Array {
    if (this.counts.length < this.column.values.length) this.counts = grown(this.counts, this.column.values.length);
    return this.counts;
  }

  /**
   * What tells rows apart in this count: the value of the label; or, where no two nodes share one, the count itself,
   * which then is the node's own. `present`: only whether there is any.
   */
  trait(kind: 'count' | 'present'): Trait {
    const { column } = this;
    if (column.shared > 0) return { source: column, kind: 'value', at: row => column.ids[row]! };
    const at = (row: number): number => {
      const id = column.ids[row]!;
      return id < 0 ? -1 : (this.counts[id] ?? 0);
    };
    return { source: this, kind, at: kind === 'count' ? at : row => Math.min(at(row), 1) };
  }

  clear(): void {
    this.counts.fill(0);
    this.total = 0;
    this.missing = 0;
  }

  /** Counts anew from how many match on each node. */
  rebuild(perNode: Int32Array): void {
    this.clear();
    this.covering();
    for (let slot = 0; slot < perNode.length; slot++) if (perNode[slot] !== 0) this.add(slot, perNode[slot]!);
  }
}

export interface MatcherOptions {
  readonly countsTerminating: boolean;
  readonly readsNamespaces: boolean;
}

export class PodMatcher {
  readonly key: string;
  readonly matches: (labelSet: LabelSet) => boolean;
  readonly countsTerminating: boolean;
  /** Its answers change when a namespace changes its labels. */
  readonly readsNamespaces: boolean;
  perNode: Int32Array;
  readonly domains: DomainCount[] = [];
  users = 0;

  constructor(key: string, matches: (labelSet: LabelSet) => boolean, options: MatcherOptions & { capacity: number }) {
    this.key = key;
    this.matches = matches;
    this.countsTerminating = options.countsTerminating;
    this.readsNamespaces = options.readsNamespaces;
    this.perNode = new Int32Array(options.capacity);
  }

  /** The counts per value of a key over all nodes; shared by all who ask. */
  domain(column: LabelColumn): DomainCount {
    for (const domain of this.domains) if (domain.column === column && domain.eligible === undefined) return domain;
    const domain = new DomainCount(column);
    domain.rebuild(this.perNode);
    this.domains.push(domain);
    return domain;
  }

  add(slot: number, by: number): void {
    this.perNode[slot]! += by;
    for (const domain of this.domains) domain.add(slot, by);
  }
}

export type TermRole = 'requiredAffinity' | 'requiredAntiAffinity' | 'preferredAffinity' | 'preferredAntiAffinity';

/** A term as carried by pods on nodes. */
export class HeldTerm {
  readonly key: string;
  readonly term: Term;
  readonly role: TermRole;
  readonly weight: number;
  readonly domain: DomainCount;
  /** Shapes that carry it. */
  users = 0;

  constructor(key: string, term: Term, role: TermRole, weight: number, column: LabelColumn) {
    this.key = key;
    this.term = term;
    this.role = role;
    this.weight = weight;
    this.domain = new DomainCount(column);
  }
}

export class PodIndex {
  readonly labelSets = new Map<string, LabelSet>();
  readonly #matchers = new Map<string, PodMatcher>();
  readonly #terms = new Map<string, HeldTerm>();
  // Label sets catch up from these by position; an epoch tells them that positions changed.
  #matcherList: PodMatcher[] = [];
  #termList: HeldTerm[] = [];
  #matcherEpoch = 0;
  /** Raised when terms went away or namespaces changed their labels. */
  termEpoch = 0;
  /** Raised when counts changed though no pod came or went. */
  recounts = 0;
  #capacity = 0;

  resize(capacity: number): void {
    this.#capacity = capacity;
    for (const matcher of this.#matcherList) {
      const perNode = new Int32Array(capacity);
      perNode.set(matcher.perNode);
      matcher.perNode = perNode;
    }
  }

  labelSet(key: string, namespace: string, labels: Readonly<Record<string, string>>): LabelSet {
    let known = this.labelSets.get(key);
    if (known === undefined) {
      known = new LabelSet(namespace, labels);
      this.labelSets.set(key, known);
    }
    known.users++;
    return known;
  }

  /** The matcher with this key, made and counted when it is new. Every call must be paired with `release`. */
  matcher(key: string, options: MatcherOptions, matches: (labelSet: LabelSet) => boolean): PodMatcher {
    let known = this.#matchers.get(key);
    if (known === undefined) {
      known = new PodMatcher(key, matches, { ...options, capacity: this.#capacity });
      this.#matchers.set(key, known);
      this.#matcherList.push(known);
      this.#countAll(known);
    }
    known.users++;
    return known;
  }

  #countAll(matcher: PodMatcher): void {
    for (const labelSet of this.labelSets.values()) {
      if (labelSet.placed.length === 0 || !matcher.matches(labelSet)) continue;
      for (const pod of labelSet.placed)
        if (pod.slot >= 0 && (matcher.countsTerminating || !pod.terminating)) matcher.add(pod.slot, 1);
    }
  }

  /** Namespaces came, went or changed their labels: what depends on them is counted again. */
  namespacesChanged(): void {
    this.termEpoch++;
    const affected = this.#matcherList.filter(matcher => matcher.readsNamespaces);
    if (affected.length === 0) return;
    this.#matcherEpoch++;
    this.recounts++;
    for (const matcher of affected) {
      matcher.perNode.fill(0);
      for (const domain of matcher.domains) domain.clear();
      this.#countAll(matcher);
    }
  }

  release(matcher: PodMatcher): void {
    matcher.users--;
  }

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

  /** Forgets matchers, terms and label sets that no shape uses. */
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
      this.termEpoch++;
    }
    for (const [key, labelSet] of this.labelSets) if (labelSet.users === 0) this.labelSets.delete(key);
  }

  enter(pod: PlacedPod): void {
    pod.atLabelSet = pod.labelSet.placed.length;
    pod.labelSet.placed.push(pod);
    if (pod.slot >= 0) this.count(pod, 1);
  }

  leave(pod: PlacedPod): void {
    if (pod.slot >= 0) this.count(pod, -1);
    const { placed } = pod.labelSet;
    const last = placed.pop() as PlacedPod;
    if (last !== pod) {
      placed[pod.atLabelSet] = last;
      last.atLabelSet = pod.atLabelSet;
    }
  }

  /** Adds the pod to, or takes it from, everything that counts it at its node. */
  count(pod: PlacedPod, by: 1 | -1): void {
    for (const matcher of this.hitsOf(pod.labelSet))
      if (matcher.countsTerminating || !pod.terminating) matcher.add(pod.slot, by);
    for (const held of pod.held) held.domain.add(pod.slot, by);
  }

  hitsOf(labelSet: LabelSet): readonly PodMatcher[] {
    if (labelSet.matcherEpoch !== this.#matcherEpoch) {
      labelSet.matcherEpoch = this.#matcherEpoch;
      labelSet.hits = [];
      labelSet.seenMatchers = 0;
    }
    for (; labelSet.seenMatchers < this.#matcherList.length; labelSet.seenMatchers++) {
      const matcher = this.#matcherList[labelSet.seenMatchers]!;
      if (matcher.matches(labelSet)) labelSet.hits.push(matcher);
    }
    return labelSet.hits;
  }

  /** The terms held by pods on nodes that select pods with these labels. */
  termsSelecting(labelSet: LabelSet, selects: (term: Term, labelSet: LabelSet) => boolean): readonly HeldTerm[] {
    if (labelSet.termEpoch !== this.termEpoch) {
      labelSet.termEpoch = this.termEpoch;
      labelSet.selectedBy = [];
      labelSet.seenTerms = 0;
    }
    for (; labelSet.seenTerms < this.#termList.length; labelSet.seenTerms++) {
      const held = this.#termList[labelSet.seenTerms]!;
      if (selects(held.term, labelSet)) labelSet.selectedBy.push(held);
    }
    return labelSet.selectedBy;
  }

  /** Before and after a node's labels change: what is counted per value must move with them. */
  countNode(slot: number, pods: readonly PlacedPod[], by: 1 | -1): void {
    for (const matcher of this.#matcherList) {
      const here = matcher.perNode[slot]!;
      if (here !== 0) for (const domain of matcher.domains) domain.add(slot, by * here);
    }
    for (const pod of pods) for (const held of pod.held) held.domain.add(slot, by);
  }

  heldTerms(): readonly HeldTerm[] {
    return this.#termList;
  }

  rebuildDomains(): void {
    for (const matcher of this.#matcherList) for (const domain of matcher.domains) domain.rebuild(matcher.perNode);
  }
}
