import { describe, expect, it } from 'vitest';
import { discoveryAt, reviewResources } from '#api/discovery.ts';
import { kinds } from '#api/kinds.ts';

const resources = [...kinds, ...reviewResources];
const aggregated =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
const at = (path: string, accept = 'application/json') => discoveryAt(resources, path, accept, '127.0.0.1:6443');
const bodyAt = <T>(path: string, accept?: string) => at(path, accept)?.body as T;

interface Aggregated {
  items: {
    metadata: { name: string };
    versions: { version: string; resources: { resource: string; subresources?: object[] }[] }[];
  }[];
}

describe('aggregated discovery', () => {
  it('comes under its own media type, or kubectl finds no resources', () => {
    expect(at('/apis', aggregated)?.contentType).toBe(
      'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
    );
    expect(at('/api', aggregated.split(',').slice(1).join(','))?.contentType).toContain('v=v2beta1');
    expect(at('/api', `application/json,${aggregated}`)?.contentType).toBe('application/json');
    expect(at('/api', undefined)?.body).toMatchObject({ kind: 'APIVersions' });
  });

  it('puts the core group alone at /api, and metrics last at /apis', () => {
    const groups = (path: string) => bodyAt<Aggregated>(path, aggregated).items.map(item => item.metadata.name);
    expect(groups('/api')).toEqual(['']);
    const others = groups('/apis');
    expect(others[0]).toBe('apps');
    expect(others.at(-1)).toBe('metrics.k8s.io');
    expect(others).not.toContain('');
  });

  it('describes a resource as kubectl needs it', () => {
    const core = bodyAt<Aggregated>('/api', aggregated).items[0]?.versions[0]?.resources;
    expect(core?.map(({ resource }) => resource)).toEqual([...(core ?? [])].map(({ resource }) => resource).sort());
    expect(core?.find(({ resource }) => resource === 'pods')).toMatchObject({
      responseKind: { group: '', version: 'v1', kind: 'Pod' },
      scope: 'Namespaced',
      singularResource: 'pod',
      shortNames: ['po'],
      categories: ['all'],
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      subresources: expect.arrayContaining([
        {
          subresource: 'eviction',
          responseKind: { group: 'policy', version: 'v1', kind: 'Eviction' },
          verbs: ['create'],
        },
        {
          subresource: 'status',
          responseKind: { group: '', version: 'v1', kind: 'Pod' },
          verbs: ['get', 'patch', 'update'],
        },
      ]),
    });
  });
});

describe('legacy discovery', () => {
  it('lists versions, groups and resources', () => {
    expect(at('/api')?.body).toEqual({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:6443' }],
    });
    expect(at('/apis')?.body).toMatchObject({
      kind: 'APIGroupList',
      groups: expect.arrayContaining([
        {
          name: 'policy',
          versions: [{ groupVersion: 'policy/v1', version: 'v1' }],
          preferredVersion: { groupVersion: 'policy/v1', version: 'v1' },
        },
      ]),
    });
    expect(at('/apis/apps')?.body).toMatchObject({ kind: 'APIGroup', name: 'apps' });
    expect(at('/apis/apps/v1')?.body).toMatchObject({ kind: 'APIResourceList', groupVersion: 'apps/v1' });
  });

  it('tells drain that pods can be evicted', () => {
    const { resources: listed } = bodyAt<{ resources: { name: string }[] }>('/api/v1');
    expect(listed.find(({ name }) => name === 'pods/eviction')).toEqual({
      name: 'pods/eviction',
      singularName: '',
      namespaced: true,
      group: 'policy',
      version: 'v1',
      kind: 'Eviction',
      verbs: ['create'],
    });
  });

  it('has nothing elsewhere', () => {
    for (const path of ['/', '/apis/nope', '/apis/apps/v2', '/api/v2', '/api/v1/pods', '/version', '/apis/apps/v1/x'])
      expect(at(path)).toBeUndefined();
  });
});
