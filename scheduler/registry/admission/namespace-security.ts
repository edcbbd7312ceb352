/**
 * PodSecurity's part about namespaces: labels that choose a level must be readable, and whoever makes a namespace stricter hears
 * which of its pods would no longer be let in. They go on running: only new pods are refused.
 */
import { namespaceKind, podKind } from '#api/kinds/core.ts';
import { invalid } from '#api/status.ts';
import { deepEqual } from '#base/deep.ts';
import type { Admitted } from './admission.ts';
import {
  compareLevels,
  enforcedPolicy,
  labelFaults,
  olderVersions,
  type Policy,
  violations,
} from './pod-security-levels.ts';

export const checkNamespaceSecurity = (request: Admitted): void => {
  const { verb, kind, subresource, name, object, old, warn } = request;
  if (kind !== namespaceKind || verb === 'delete' || subresource !== undefined) return;
  const labels = object.metadata.labels ?? {};
  const oldLabels = old?.metadata.labels ?? {};
  const faults = labelFaults(labels);
  if (faults.length > 0 && (old === undefined || !deepEqual(faults, labelFaults(oldLabels))))
    throw invalid(namespaceKind, name, faults);
  for (const label of olderVersions(labels))
    if (labels[label] !== oldLabels[label])
      warn(`metadata.labels[${label}]: not supported by Berth: pods are held against the latest version`);
  if (old === undefined) return;
  const [now, before] = [enforcedPolicy(labels), enforcedPolicy(oldLabels)];
  if (deepEqual(now, before) || compareLevels(now.level, before.level) < 0) return;
  for (const text of warningsAbout(request, now)) warn(text);
};

/** As upstream, so that a namespace of many pods does not hold everything up. */
const maxPods = 3000;

const warningsAbout = ({ lookup, name }: Admitted, policy: Policy): readonly string[] => {
  const pods = lookup.list(podKind, name);
  const named = new Map<string, string[]>();
  for (const { metadata, spec } of pods.slice(0, maxPods)) {
    const reasons = violations(spec, policy).map(text => text.slice(0, text.indexOf(' (')));
    if (reasons.length === 0) continue;
    const key = reasons.join(', ');
    named.set(key, [...(named.get(key) ?? []), metadata.name].sort());
  }
  const lines = [...named].map(([reasons, [first = '', ...others]]) => {
    const more = others.length === 0 ? '' : ` (and ${others.length} other ${others.length === 1 ? 'pod' : 'pods'})`;
    return `${first}${more}: ${reasons}`;
  });
  return [
    ...(pods.length > maxPods
      ? [`new PodSecurity enforce level only checked against the first ${maxPods} of ${pods.length} existing pods`]
      : []),
    ...(lines.length === 0
      ? []
      : [
          `existing pods in namespace ${JSON.stringify(name)} violate the new PodSecurity enforce level "${policy.level}:latest"`,
        ]),
    ...lines.sort(),
  ];
};
