/**
 * NodeRestriction: a node agent writes only its own Node, its own Lease, and the pods bound to it. (What it may read, and
 * which resources it may touch at all, is decided by the server's authorization.)
 */

import { leaseKind } from '#api/kinds/coordination.ts';
import { nodeKind, podKind } from '#api/kinds/core.ts';
import type { Pod } from '#api/kinds/pod.ts';
import { forbidden } from '#api/status.ts';
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
};

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
  if (pod.spec.nodeName !== node)
    throw forbidden(kind, name, `node "${node}" can only ${verb} pods with spec.nodeName set to itself`);
};
