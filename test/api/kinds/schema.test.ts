/** The annotations that patches depend on: which lists merge, by what, for strategic merge and for server-side apply. */
import { describe, expect, test } from 'vitest';
import { podKind } from '#api/kinds/core.ts';
import { kindOf, kindOfResource, kinds } from '#api/kinds.ts';
import { nodeOf, type SchemaNode } from '#api/schema.ts';

/** `Type.field` of every list that is not atomic: how strategic merge and how apply treat it. */
const merging = (root: SchemaNode): Map<string, string> => {
  const found = new Map<string, string>();
  const visit = (node: SchemaNode, owner: string): void => {
    for (const [name, field] of Object.entries(node.properties ?? {})) {
      if (field.type === 'array') {
        const strategy = field['x-kubernetes-patch-strategy'] ?? 'replace';
        const key = field['x-kubernetes-patch-merge-key'];
        const apply = field['x-kubernetes-list-map-keys']?.join(',') ?? field['x-kubernetes-list-type'];
        const how = `${strategy}${key === undefined ? '' : ` ${key}`} | ${apply}`;
        if (how !== 'replace | atomic') found.set(`${owner}.${name}`, how);
      }
      const inner = field.items ?? field.additionalProperties ?? field;
      if (inner.properties !== undefined) visit(inner, inner.title?.split('.').pop() ?? '');
    }
  };
  visit(root, root.title?.split('.').pop() ?? '');
  return found;
};

describe('merge keys', () => {
  test('are those of Kubernetes’ types', () => {
    const all = new Map(kinds.flatMap(kind => [...merging(nodeOf(kind.schema))]));
    expect(Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)))).toEqual({
      'Container.env': 'merge name | name',
      'Container.ports': 'merge containerPort | containerPort,protocol',
      'Container.volumeDevices': 'merge devicePath | devicePath',
      'Container.volumeMounts': 'merge mountPath | mountPath',
      'ContainerRestartRuleOnExitCodes.values': 'replace | set',
      'ContainerStatus.allocatedResourcesStatus': 'merge name | name',
      'ContainerStatus.volumeMounts': 'merge mountPath | mountPath',
      'EphemeralContainer.env': 'merge name | name',
      'EphemeralContainer.ports': 'merge containerPort | containerPort,protocol',
      'EphemeralContainer.volumeDevices': 'merge devicePath | devicePath',
      'EphemeralContainer.volumeMounts': 'merge mountPath | mountPath',
      'NamespaceStatus.conditions': 'merge type | type',
      'NodeSpec.podCIDRs': 'merge | set',
      'NodeStatus.addresses': 'merge type | type',
      'NodeStatus.conditions': 'merge type | type',
      'ObjectMeta.finalizers': 'merge | set',
      'ObjectMeta.ownerReferences': 'merge uid | uid',
      'PersistentVolumeClaimStatus.conditions': 'merge type | type',
      'PodDisruptionBudgetStatus.conditions': 'merge type | type',
      'PodSpec.containers': 'merge name | name',
      'PodSpec.ephemeralContainers': 'merge name | name',
      'PodSpec.hostAliases': 'merge ip | ip',
      'PodSpec.imagePullSecrets': 'merge name | name',
      'PodSpec.initContainers': 'merge name | name',
      'PodSpec.resourceClaims': 'merge,retainKeys name | name',
      'PodSpec.schedulingGates': 'merge name | name',
      'PodSpec.topologySpreadConstraints': 'merge topologyKey | topologyKey,whenUnsatisfiable',
      'PodSpec.volumes': 'merge,retainKeys name | name',
      'PodStatus.conditions': 'merge type | type',
      'PodStatus.hostIPs': 'merge ip | atomic',
      'PodStatus.podIPs': 'merge ip | ip',
      'PodStatus.resourceClaimStatuses': 'merge,retainKeys name | name',
      'ReplicaSetStatus.conditions': 'merge type | type',
      'ResourceRequirements.claims': 'replace | name',
      'ResourceStatus.resources': 'replace | resourceID',
      'ServiceAccount.secrets': 'merge name | name',
      'ServiceSpec.ports': 'merge port | port,protocol',
      'ServiceStatus.conditions': 'merge type | type',
      'StatefulSetStatus.conditions': 'merge type | type',
    });
  });
  test('selectors are owned as a whole, that of a budget is replaced by a patch', () => {
    const budget = nodeOf(kindOf('policy/v1', 'PodDisruptionBudget')!.schema);
    expect(budget.properties?.['spec']?.properties?.['selector']).toMatchObject({
      'x-kubernetes-patch-strategy': 'replace',
      'x-kubernetes-map-type': 'atomic',
    });
  });
});

describe('schemas', () => {
  test('every field and every named type is described', () => {
    const silent: string[] = [];
    const visit = (node: SchemaNode, path: string): void => {
      if (!node.description) silent.push(path);
      for (const [name, field] of Object.entries(node.properties ?? {})) visit(field, `${path}.${name}`);
      if (node.items !== undefined) visit(node.items, `${path}[]`);
      if (node.additionalProperties !== undefined) visit(node.additionalProperties, `${path}{}`);
    };
    for (const kind of kinds) visit(nodeOf(kind.schema), kind.kind);
    expect(silent).toEqual([]);
  });
  test('are plain JSON, with the kind that they are of', () => {
    const schema = JSON.parse(JSON.stringify(podKind.schema)) as SchemaNode;
    expect(schema['x-kubernetes-group-version-kind']).toEqual([{ group: '', version: 'v1', kind: 'Pod' }]);
    expect(schema.properties?.['spec']?.required).toEqual(['containers']);
  });
});

describe('the registry of kinds', () => {
  test('finds kinds by resource and by name, and nothing else', () => {
    expect(kindOfResource('', 'v1', 'pods')).toBe(podKind);
    expect(kindOfResource('metrics.k8s.io', 'v1beta1', 'pods')?.kind).toBe('PodMetrics');
    expect(kindOf('apps/v1', 'ReplicaSet')?.plural).toBe('replicasets');
    expect(kindOf('apps/v1', 'Pod')).toBeUndefined();
  });
  test('every stored kind prints columns that begin with its name', () => {
    for (const kind of kinds.filter(({ kind }) => kind !== 'Event'))
      expect([kind.kind, kind.columns[0]]).toEqual([
        kind.kind,
        expect.objectContaining({ name: 'Name', format: 'name' }),
      ]);
  });
});
