/** What pod (anti-)affinity counts for one shape of pod: the pods its terms select, and the placed pods' terms that select it. */
import type { Columns } from '../columns/columns.ts';
import type { DomainCount } from '../columns/domain-count.ts';
import type { HeldTerm } from '../columns/held-term.ts';
import type { LabelSet } from '../columns/label-set.ts';
import type { PodMatcher } from '../columns/pod-matcher.ts';
import type { Shape } from '../shapes/shape.ts';
import { selects, type Term } from '../shapes/term.ts';

/** Pods that one of the shape's terms selects (or all of several terms), per value of its topology key. */
export interface TermCount {
  readonly term: Term;
  readonly domain: DomainCount;
  readonly matcher: PodMatcher;
}

const none: readonly never[] = [];

const readsNamespaces = (term: Term): boolean => typeof term.namespaceSelector === 'function';

/** Counts of the pods that all `terms` select, around each term's key. */
export const countAllOf = (terms: readonly Term[], columns: Columns): readonly TermCount[] => {
  if (terms.length === 0) return none;
  const { namespaceLabels } = columns.surroundings;
  const key = `all ${terms
    .map(term => selectionKey(term))
    .sort()
    .join(' ')}`;
  const options = { countsTerminating: true, readsNamespaces: terms.some(readsNamespaces) };
  const matches = (set: LabelSet): boolean => terms.every(term => selects(term, set, namespaceLabels, true));
  return terms.map(term => {
    const matcher = columns.index.matcher(key, options, matches);
    return { term, matcher, domain: matcher.domain(columns.labelColumn(term.topologyKey)) };
  });
};

/** Counts of the pods that a term selects, around its key. */
export const countOf = (term: Term, columns: Columns): TermCount => countAllOf([term], columns)[0]!;

// What a term selects does not depend on its topology key.
const selectionKey = (term: Term): string => term.key.slice(term.key.indexOf(',') + 1);

/** Each count that was asked for must be released once. */
export const releaseCounts = (counts: readonly TermCount[], columns: Columns): void => {
  for (const { matcher } of counts) columns.index.release(matcher);
};

/** Terms that placed pods carry and that select pods of this shape. */
export const termsSelecting = (shape: Shape, columns: Columns): readonly HeldTerm[] => {
  const { namespaceLabels } = columns.surroundings;
  return columns.index.termsSelecting(shape.labelSet, (term, set) => selects(term, set, namespaceLabels, false));
};

/** Does this term select the pod, as asked about a placed pod's term? */
export const heldTermSelects = (term: Term, set: LabelSet, columns: Columns): boolean =>
  selects(term, set, columns.surroundings.namespaceLabels, false);
