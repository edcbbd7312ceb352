/**
 * PodSecurity: pods are held against the levels privileged, baseline and restricted of the Pod Security Standards. The labels
 * pod-security.kubernetes.io/{enforce,warn} of the namespace choose the level. Without a label Berth enforces baseline
 * (upstream: privileged), because its containers run on the user's own machine; hostPorts are then allowed. Audit labels
 * are accepted and have no effect: there is no audit log. The namespace's own labels are namespace-security.ts's business.
 */

import type { Container, EphemeralContainer } from '#api/kinds/container.ts';
import { namespaceKind, podKind } from '#api/kinds/core.ts';
import type { Pod, PodSpec } from '#api/kinds/pod.ts';
import { forbidden } from '#api/status.ts';
import { deepEqual } from '#base/deep.ts';
import type { Draft } from '../request.ts';
import type { Admitted } from './admission.ts';
import { enforcedPolicy, labelPrefix, violations, warnedPolicy } from './pod-security-levels.ts';

export const checkPodSecurity = (request: Admitted): void => {
  const { verb, kind, subresource, object, old, namespace, lookup, warn } = request;
  if (verb === 'delete' || namespace === undefined) return;
  if (kind === podKind && subresource !== undefined) return;
  const spec = podSpecOf(kind === podKind, object);
  if (spec === undefined) return;
  // What the pod may do stays as it was: then its labels and finalizers may change, however strict the level has become.
  if (kind === podKind && old !== undefined && !concernsSecurity(spec, (old as Pod).spec)) return;
  const labels = lookup.get(namespaceKind, { name: namespace })?.metadata.labels ?? {};
  const enforced = enforcedPolicy(labels);
  const faults = violations(spec, enforced);
  if (faults.length > 0 && kind === podKind) {
    const { name, generateName } = object.metadata;
    throw forbidden(
      podKind,
      name || generateName || '',
      `violates PodSecurity "${enforced.level}:latest": ${faults.join(', ')}. To allow it, an administrator can run: kubectl label namespace ${namespace} ${labelPrefix}enforce=privileged`,
    );
  }
  // Templates are never refused, only their pods will be; so the author hears of it now, as upstream.
  const warned = warnedPolicy(labels) ?? (kind === podKind ? undefined : enforced);
  if (warned === undefined) return;
  const warnings = violations(spec, warned);
  if (warnings.length > 0) warn(`would violate PodSecurity "${warned.level}:latest": ${warnings.join(', ')}`);
};

const podSpecOf = (isPod: boolean, object: Draft): PodSpec | undefined => {
  if (isPod) return (object as Pod).spec;
  const template = (object.spec as { template?: { spec?: PodSpec } } | undefined)?.template;
  return template?.spec?.containers === undefined ? undefined : template.spec;
};

/** As upstream: an update is judged when it adds containers or changes the image or security context of one. */
const concernsSecurity = (spec: PodSpec, old: PodSpec): boolean =>
  (['containers', 'initContainers', 'ephemeralContainers'] as const).some(list => {
    const now: readonly (Container | EphemeralContainer)[] = spec[list] ?? [];
    const before: readonly (Container | EphemeralContainer)[] = old[list] ?? [];
    return (
      now.length !== before.length ||
      now.some((container, i) => {
        const was = before[i]!;
        return container.image !== was.image || !deepEqual(container.securityContext, was.securityContext);
      })
    );
  });
