/**
 * Pod (anti-)affinity terms, compiled: which pods a term selects (namespaces and labels) and around which topology key.
 * match/mismatchLabelKeys need no attention: the API server merges them into the label selector when a pod is created.
 */
import type { PodAffinityTerm } from '#api/kinds/core.ts';
import { compileLabelSelector, type LabelSelector } from '#api/labels.ts';
import type { LabelSet } from '../columns/label-set.ts';

export interface Term {
  readonly key: string;
  readonly topologyKey: string;
  readonly namespaces: ReadonlySet<string>;
  /** `all`: an empty selector, which selects every namespace, also those the cluster does not list. */
  readonly namespaceSelector: 'none' | 'all' | ((labels: Labels) => boolean);
  readonly matchesLabels: (labels: Labels) => boolean;
}

type Labels = Readonly<Record<string, string>>;

/** Labels of a namespace; undefined when there is no such object. */
type NamespaceLabels = (namespace: string) => Labels | undefined;

/** Without namespaces and namespaceSelector a term is about the namespace of the pod that carries it. */
export const compileTerm = (term: PodAffinityTerm, ownNamespace: string): Term => {
  const selector = term.namespaceSelector;
  const isOwn = (term.namespaces ?? []).length === 0 && selector === undefined;
  const namespaces = isOwn ? [ownNamespace] : [...(term.namespaces ?? [])].sort();
  return {
    key: JSON.stringify([term.topologyKey, namespaces, selector ?? null, term.labelSelector ?? null]),
    topologyKey: term.topologyKey,
    namespaces: new Set(namespaces),
    namespaceSelector: selector === undefined ? 'none' : isEmptySelector(selector) ? 'all' : labelTest(selector),
    matchesLabels: labelTest(term.labelSelector),
  };
};

/**
 * Does the term select pods with these labels? Upstream resolves the namespace selector of an incoming pod's term to the
 * namespaces that exist (`listed`), but asks that of a placed pod's term about the namespace's labels, none if it does
 * not exist; the two differ for selectors such as NotIn.
 */
export const selects = (term: Term, { namespace, labels }: LabelSet, of: NamespaceLabels, listed: boolean): boolean => {
  if (!term.matchesLabels(labels)) return false;
  if (term.namespaces.has(namespace)) return true;
  if (term.namespaceSelector === 'none') return false;
  if (term.namespaceSelector === 'all') return true;
  const namespaceLabels = of(namespace);
  if (namespaceLabels === undefined && listed) return false;
  return term.namespaceSelector(namespaceLabels ?? {});
};

/** True for one that selects everything. */
export const isEmptySelector = (selector: LabelSelector): boolean =>
  Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;

/** A label selector as a test; nothing for an absent or invalid one. */
export const labelTest = (selector: LabelSelector | undefined): ((labels: Labels) => boolean) => {
  try {
    return compileLabelSelector(selector);
  } catch {
    // The API refuses such a selector; in a pod that was stored all the same it selects nothing.
    return () => false;
  }
};
