/**
 * matchLabelKeys and mismatchLabelKeys become part of the selector when a pod is created, with the values that the pod's own
 * labels have then (SEMANTICS F.5): so whoever evaluates the terms needs to know only selectors.
 */

import { podKind } from '#api/kinds/core.ts';
import type { LabelSelector, LabelSelectorRequirement } from '#api/kinds/meta.ts';
import type { Pod } from '#api/kinds/pod.ts';
import type { Admitted } from './admission.ts';

interface Keyed {
  labelSelector?: LabelSelector;
  matchLabelKeys?: string[];
  mismatchLabelKeys?: string[];
}

export const mergeMatchLabelKeys = ({ verb, kind, subresource, object }: Admitted): void => {
  if (verb !== 'create' || kind !== podKind || subresource !== undefined) return;
  const { metadata, spec } = object as Pod;
  const labels = metadata.labels ?? {};
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  for (const affinity of [podAffinity, podAntiAffinity]) {
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) merge(term, labels);
    for (const term of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
      if (term.podAffinityTerm) merge(term.podAffinityTerm, labels);
  }
  for (const constraint of spec.topologySpreadConstraints ?? []) merge(constraint, labels);
};

const merge = (term: Keyed, labels: Readonly<Record<string, string>>): void => {
  if (term.labelSelector === undefined) return;
  const added = [
    ...requirements(term.matchLabelKeys, 'In', labels),
    ...requirements(term.mismatchLabelKeys, 'NotIn', labels),
  ];
  if (added.length === 0) return;
  const { matchExpressions = [] } = term.labelSelector;
  term.labelSelector = { ...term.labelSelector, matchExpressions: [...matchExpressions, ...added] };
};

const requirements = (
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  labels: Readonly<Record<string, string>>,
): LabelSelectorRequirement[] =>
  (keys ?? []).flatMap(key => (labels[key] === undefined ? [] : [{ key, operator, values: [labels[key]] }]));
