/** NamespaceLifecycle: nothing is created in a namespace that does not exist or is being deleted, and four may not be deleted. */
import { namespaceKind } from '#api/kinds/core.ts';
import { type Cause, forbidden, notFound } from '#api/status.ts';
import type { Admitted } from './admission.ts';

export const protectedNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const;
const immortal: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

export const guardNamespace = ({ verb, kind, namespace, name, lookup, subresource, object }: Admitted): void => {
  if (verb === 'delete') {
    if (kind.plural === 'namespaces' && kind.group === '' && immortal.has(name))
      throw forbidden(kind, name, 'this namespace may not be deleted');
    return;
  }
  if (verb !== 'create' || !kind.namespaced || namespace === undefined) return;
  const found = lookup.get(namespaceKind, { name: namespace });
  if (found === undefined) throw notFound(namespaceKind, namespace);
  if (found.status?.phase !== 'Terminating' && found.metadata.deletionTimestamp === undefined) return;
  if (subresource !== undefined) return;
  const shown = object.metadata.name || object.metadata.generateName || name;
  const message = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const error = forbidden(kind, shown, message);
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  };
  error.status.details = { ...error.status.details, causes: [cause as unknown as Cause] };
  throw error;
};
