import { describe, expect, it } from 'vitest';
import { kinds } from '#api/kinds.ts';
import { contentHash, OpenApi } from '#api/openapi.ts';

const openapi = new OpenApi(kinds, 'v1.35.0');

interface V3 {
  paths: Record<
    string,
    Record<string, { parameters?: { name: string }[]; requestBody?: { content: object } } & object>
  >;
  components: { schemas: Record<string, { properties?: Record<string, object> }> };
}
const documentAt = (name: string) => JSON.parse(openapi.at(`/openapi/v3/${name}`)?.body ?? '') as V3;

describe('OpenAPI v3', () => {
  it('has an index whose hashes change with the documents', () => {
    const { paths } = JSON.parse(openapi.at('/openapi/v3')?.body ?? '') as { paths: Record<string, object> };
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['api/v1', 'apis/apps/v1', 'apis/policy/v1']));
    expect(paths['api/v1']).toEqual({
      serverRelativeURL: expect.stringMatching(/^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{16}$/),
    });
    const other = JSON.parse(new OpenApi(kinds, 'v1.36.0').at('/openapi/v3')?.body ?? '') as typeof paths;
    expect((other as { paths?: object }).paths).not.toEqual(paths);
    expect(contentHash('a')).not.toBe(contentHash('b'));
  });

  it('tells kubectl that the server validates fields, and how it may patch', () => {
    const patch = documentAt('api/v1').paths['/api/v1/namespaces/{namespace}/configmaps/{name}']?.['patch'];
    expect(patch).toMatchObject({
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group: '', version: 'v1', kind: 'ConfigMap' },
    });
    expect(patch?.parameters?.map(({ name }) => name)).toContain('fieldValidation');
    expect(Object.keys(patch?.requestBody?.content ?? {})).toEqual([
      'application/apply-patch+yaml',
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/strategic-merge-patch+json',
    ]);
  });

  it('defines every named type once and refers to it, with the merge keys that kubectl diffs by', () => {
    const { schemas } = documentAt('api/v1').components;
    expect(schemas['io.k8s.api.core.v1.Pod']).toMatchObject({
      'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'Pod' }],
      properties: { spec: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.PodSpec' }] } },
    });
    expect(schemas['io.k8s.api.core.v1.PodSpec']?.properties?.['containers']).toMatchObject({
      type: 'array',
      items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Container' }] },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
    });
    expect(schemas['io.k8s.api.core.v1.PodList']).toMatchObject({ required: ['items'] });
  });

  it.each(['api/v1', 'apis/apps/v1', 'apis/metrics.k8s.io/v1beta1'])('%s refers to nothing that is missing', name => {
    const text = openapi.at(`/openapi/v3/${name}`)?.body ?? '';
    const { schemas } = documentAt(name).components;
    for (const [, title = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(schemas).toHaveProperty([title]);
    for (const schema of Object.values(schemas))
      expect(schema).toHaveProperty('description', expect.stringMatching(/\w/));
  });

  it('has a path for what every kind can do', () => {
    for (const kind of kinds) {
      const { paths } = documentAt(kind.group === '' ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`);
      const item = Object.entries(paths).find(([path]) => path.endsWith(`/${kind.plural}/{name}`))?.[1];
      expect(Object.keys(item ?? {}).includes('patch')).toBe(kind.verbs.includes('patch'));
      expect(Object.keys(item ?? {})).toContain('get');
    }
  });

  it('has nothing at other paths', () => {
    for (const path of ['/openapi/v3/api/v2', '/openapi', '/openapi/v3/constructor'])
      expect(openapi.at(path)).toBeUndefined();
  });
});

describe('OpenAPI v2', () => {
  it('is the empty protobuf document that lets kubectl leave validation to the server', () => {
    expect(openapi.at('/openapi/v2')).toMatchObject({
      contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
      body: '',
    });
  });
});
