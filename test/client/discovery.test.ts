import { expect, test } from 'vitest';
import {
  discover,
  findResource,
  type GroupDiscoveryList,
  resourceOfKind,
  resourcesOfCategory,
} from '#client/discovery.ts';

const entry = (plural: string, kind: string, more: object = {}) => ({
  resource: plural,
  responseKind: { kind },
  scope: 'Namespaced',
  singularResource: kind.toLowerCase(),
  verbs: ['get', 'list'],
  ...more,
});
const documents: Record<string, GroupDiscoveryList> = {
  '/api': {
    items: [
      {
        metadata: { name: '' },
        versions: [
          {
            version: 'v1',
            resources: [
              entry('pods', 'Pod', { shortNames: ['po'], categories: ['all'], subresources: [{ subresource: 'log' }] }),
              entry('nodes', 'Node', { scope: 'Cluster', shortNames: ['no'] }),
            ],
          },
        ],
      },
    ],
  },
  '/apis': {
    items: [
      {
        metadata: { name: 'apps' },
        versions: [
          {
            version: 'v1',
            resources: [entry('replicasets', 'ReplicaSet', { shortNames: ['rs'], categories: ['all'] })],
          },
        ],
      },
      {
        metadata: { name: 'metrics.k8s.io' },
        versions: [{ version: 'v1beta1', resources: [entry('pods', 'PodMetrics')] }],
      },
    ],
  },
};
const resources = await discover({ getJson: async <T>(path: string) => documents[path] as T });
const named = (word: string) => {
  const found = findResource(resources, word);
  return found && `${found.plural}.${found.version}.${found.group}`;
};

test('words mean resources as they do in kubectl', () => {
  for (const word of ['pods', 'pod', 'po', 'Pod', 'pods.v1', 'pods.v1.']) expect(named(word)).toBe('pods.v1.');
  for (const word of ['rs', 'replicasets.apps', 'ReplicaSet.v1.apps']) expect(named(word)).toBe('replicasets.v1.apps');
  expect(named('pods.metrics.k8s.io')).toBe('pods.v1beta1.metrics.k8s.io');
  expect(named('podmetrics')).toBe('pods.v1beta1.metrics.k8s.io');
  expect([named('widgets'), named('pods.apps'), named('')]).toEqual([undefined, undefined, undefined]);
});

test('scope, subresources, categories and kinds are read', () => {
  expect(resources.map(({ plural, namespaced }) => [plural, namespaced])).toEqual([
    ['pods', true],
    ['nodes', false],
    ['replicasets', true],
    ['pods', true],
  ]);
  expect(findResource(resources, 'pods')?.subresources).toEqual(['log']);
  expect(resourcesOfCategory(resources, 'all').map(({ plural }) => plural)).toEqual(['pods', 'replicasets']);
  expect(resourceOfKind(resources, 'apps/v1', 'ReplicaSet')?.plural).toBe('replicasets');
  expect(resourceOfKind(resources, 'v1', 'ReplicaSet')).toBeUndefined();
});
