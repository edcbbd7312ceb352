/** What a cluster has from its first start on: the system's namespaces and priority classes. */
import { groupVersion, type Kind } from '#api/kind.ts';
import { namespaceKind } from '#api/kinds/core.ts';
import { priorityClassKind } from '#api/kinds/scheduling.ts';
import type { KubeObject } from '#api/object.ts';
import { isReason } from '#api/status.ts';
import type { Registry } from '#registry/registry.ts';
import { systemUser } from '#registry/request.ts';

const namespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

const priorityClasses = [
  {
    name: 'system-cluster-critical',
    value: 2_000_000_000,
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
  {
    name: 'system-node-critical',
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
];

/** Makes what is missing. */
export const createStartObjects = async (registry: Registry): Promise<void> => {
  const ensure = async <T extends KubeObject>(kind: Kind<T>, name: string, fields: object = {}): Promise<void> => {
    const plain = kind as unknown as Kind;
    const body = { apiVersion: groupVersion(kind), kind: kind.kind, metadata: { name }, ...fields };
    try {
      registry.get(plain, { name });
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error;
      await registry.write({ kind: plain }, { verb: 'create', body }, { user: systemUser, warn: () => {} });
    }
  };
  await Promise.all([
    ...namespaces.map(name => ensure(namespaceKind, name)),
    ...priorityClasses.map(({ name, ...fields }) => ensure(priorityClassKind, name, fields)),
  ]);
};
