/**
 * PodSecurity: pods are held against the levels privileged, baseline and restricted of the Pod Security Standards. The labels
 * pod-security.kubernetes.io/{enforce,warn} of the namespace choose the level. Without a label Berth enforces baseline
 * (upstream: privileged), because its containers run on the user's own machine; hostPorts are then allowed. Audit labels
 * are accepted and have no effect: there is no audit log.
 */
import { namespaceKind, podKind } from '#api/kinds/core.ts';
import type { Pod, PodSpec } from '#api/kinds/pod.ts';
import { forbidden } from '#api/status.ts';
import type { Draft } from '../request.ts';
import type { Admitted } from './admission.ts';
import { baselineChecks, type Check, hostPortsCheck, restrictedChecks } from './pod-security-checks.ts';

type Level = 'privileged' | 'baseline' | 'restricted';

const labelPrefix = 'pod-security.kubernetes.io/';

export const checkPodSecurity = (request: Admitted): void => {
  const { verb, kind, subresource, object, namespace, lookup, warn } = request;
  if (verb === 'delete' || namespace === undefined) return;
  if (kind === podKind && subresource !== undefined) return;
  const spec = podSpecOf(kind === podKind, object);
  if (spec === undefined) return;
  const labels = lookup.get(namespaceKind, { name: namespace })?.metadata.labels ?? {};
  const enforce = levelOf(labels, 'enforce');
  const warning = levelOf(labels, 'warn');
  const faults = violations(spec, enforce ?? 'baseline', enforce === undefined);
  if (faults.length > 0 && kind === podKind) {
    const { name, generateName } = object.metadata;
    throw forbidden(
      podKind,
      name || generateName || '',
      `violates PodSecurity "${enforce ?? 'baseline'}:latest": ${faults.join(', ')}. To allow it, an administrator can run: kubectl label namespace ${namespace} ${labelPrefix}enforce=privileged`,
    );
  }
  // Templates are never refused, only their pods will be; so the author hears of it now, as upstream.
  const level = warning ?? (kind === podKind ? undefined : (enforce ?? 'baseline'));
  if (level === undefined) return;
  const warnings = violations(spec, level, warning === undefined && enforce === undefined);
  if (warnings.length > 0) warn(`would violate PodSecurity "${level}:latest": ${warnings.join(', ')}`);
};

/** What stands against the pod at that level, as `reason (detail)`; empty: nothing. */
export const violations = (spec: PodSpec, level: Level, hostPortsAllowed: boolean): readonly string[] => {
  if (level === 'privileged') return [];
  const baseline = baselineChecks.filter(check => !hostPortsAllowed || check !== hostPortsCheck);
  const checks: readonly Check[] = level === 'baseline' ? baseline : [...baseline, ...restrictedChecks];
  return checks.flatMap(check => check(spec) ?? []);
};

const levelOf = (labels: Readonly<Record<string, string>>, mode: string): Level | undefined => {
  const label = labels[labelPrefix + mode];
  if (label === undefined) return undefined;
  // As upstream: what cannot be read counts as the strictest.
  return label === 'privileged' || label === 'baseline' ? label : 'restricted';
};

const podSpecOf = (isPod: boolean, object: Draft): PodSpec | undefined => {
  if (isPod) return (object as Pod).spec;
  const template = (object.spec as { template?: { spec?: PodSpec } } | undefined)?.template;
  return template?.spec?.containers === undefined ? undefined : template.spec;
};
