/**
 * NodeRestriction: a node agent writes only its own Node, its own Lease, and the pods bound to it. (What it may read, and
 * which resources it may touch at all, is decided by the server's authorization.)
 */

import { leaseKind } from '#api/kinds/coordination.ts';
import { nodeKind, podKind } from '#api/kinds/core.ts';
import type { Pod } from '#api/kinds/pod.ts';
import { forbidden } from '#api/status.ts';
import { deepEqual } from '#base/deep.ts';
import type { User } from '../request.ts';
import type { Admitted } from './admission.ts';

const nodeUserPrefix = 'system:node:';

/** The node that a user speaks for, or undefined. */
export const nodeOfUser = ({ name, groups }: User): string | undefined =>
  name.startsWith(nodeUserPrefix) && groups.includes('system:nodes') ? name.slice(nodeUserPrefix.length) : undefined;

export const restrictNode = (request: Admitted): void => {
  const node = nodeOfUser(request.user);
  if (node === undefined) return;
  if (request.kind === podKind) restrictPod(request, node);
  else if (request.kind === nodeKind) restrictOwnNode(request, node);
  else if (request.kind === leaseKind) restrictLease(request, node);
};

const restrictOwnNode = ({ kind, name, object, old, verb }: Admitted, node: string): void => {
  if (name !== node) throw forbidden(kind, name, `node "${node}" is not allowed to modify node "${name}"`);
  if (verb === 'delete') throw forbidden(kind, name, `node "${node}" is not allowed to delete node "${name}"`);
  const taints = (value: unknown) => JSON.stringify((value as { spec?: { taints?: unknown } })?.spec?.taints ?? []);
  if (verb === 'update' && old !== undefined && taints(old) !== taints(object))
    throw forbidden(kind, name, `node "${node}" is not allowed to modify taints`);
  const labels = forbiddenLabels(object.metadata.labels ?? {}, old?.metadata.labels ?? {});
  if (labels.length === 0) return;
  throw forbidden(
    kind,
    name,
    verb === 'create'
      ? `node "${node}" is not allowed to set the following labels: ${labels.join(', ')}`
      : `is not allowed to modify labels: ${labels.join(', ')}`,
  );
};

/** Labels that a node would add, change or take away and that are not its own: with them it could draw pods to itself. */
const forbiddenLabels = (
  now: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
): readonly string[] =>
  [...new Set([...Object.keys(now), ...Object.keys(before)])]
    .filter(label => now[label] !== before[label] && isReserved(label))
    .sort();

const isReserved = (label: string): boolean => {
  const slash = label.indexOf('/');
  const domain = slash === -1 ? '' : label.slice(0, slash);
  const within = (parent: string) => domain === parent || domain.endsWith(`.${parent}`);
  if (within('node-restriction.kubernetes.io')) return true;
  if (!within('kubernetes.io') && !within('k8s.io')) return false;
  return !agentLabels.has(label) && !within('kubelet.kubernetes.io') && !within('node.kubernetes.io');
};

/** What an agent may say of its node under Kubernetes' own domains (upstream: kubelet's well-known labels). */
const agentLabels: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);

const restrictLease = ({ kind, name, namespace }: Admitted, node: string): void => {
  if (namespace !== 'kube-node-lease')
    throw forbidden(kind, name, `can only access leases in the "kube-node-lease" system namespace`);
  if (name !== node)
    throw forbidden(kind, name, `can only access node lease with the same name as the requesting node`);
};

const restrictPod = ({ verb, name, object, old, subresource, kind }: Admitted, node: string): void => {
  const pod = (old ?? object) as Pod;
  if (verb === 'create' && subresource !== 'eviction')
    throw forbidden(kind, name, `node "${node}" is not allowed to create pods`);
  if (verb === 'update' && subresource !== 'status')
    throw forbidden(kind, name, `node "${node}" can only update pod status, not the pod itself`);
  const allowed = verb === 'update' ? 'update pod status for' : verb;
  if (pod.spec.nodeName !== node)
    throw forbidden(kind, name, `node "${node}" can only ${allowed} pods with spec.nodeName set to itself`);
  if (verb === 'update' && !deepEqual(object.metadata.labels ?? {}, old?.metadata.labels ?? {}))
    throw forbidden(kind, name, `node "${node}" cannot update labels through pod status`);
};
