import { describe, expect, it } from 'vitest';
import { kinds } from '#api/kinds.ts';
import { contentHash, OpenApi } from '#api/openapi.ts';
import { v2ToProtobuf } from '#api/openapi-v2-protobuf.ts';

const openapi = new OpenApi(kinds, 'v1.35.0');

interface V3 {
  paths: Record<
    string,
    Record<string, { parameters?: { name: string }[]; requestBody?: { content: object } } & object>
  >;
  components: { schemas: Record<string, { properties?: Record<string, object> }> };
}
const textAt = (path: string, of = openapi) => String(of.at(path)?.body ?? '');
const documentAt = (name: string) => JSON.parse(textAt(`/openapi/v3/${name}`)) as V3;

describe('OpenAPI v3', () => {
  it('has an index whose hashes change with the documents', () => {
    const { paths } = JSON.parse(textAt('/openapi/v3')) as { paths: Record<string, object> };
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['api/v1', 'apis/apps/v1', 'apis/policy/v1']));
    expect(paths['api/v1']).toEqual({
      serverRelativeURL: expect.stringMatching(/^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{16}$/),
    });
    const other = JSON.parse(textAt('/openapi/v3', new OpenApi(kinds, 'v1.36.0'))) as typeof paths;
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
      properties: {
        spec: {
          description: 'What the pod is to be.',
          allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.PodSpec' }],
        },
      },
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
    const text = textAt(`/openapi/v3/${name}`);
    const { schemas } = documentAt(name).components;
    for (const [, title = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(schemas).toHaveProperty([title]);
    const said = expect.stringMatching(/\w/);
    for (const [title, schema] of Object.entries(schemas)) {
      expect(schema).toHaveProperty('description', said);
      // explain shows it beside every field.
      for (const [field, property] of Object.entries(schema.properties ?? {}))
        expect([title, field, property]).toEqual([title, field, expect.objectContaining({ description: said })]);
    }
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
  interface V2 {
    swagger: string;
    paths: Record<string, Record<string, { parameters?: object[] }>>;
    definitions: Record<string, { type?: string; properties?: Record<string, object> }>;
  }
  const v2 = JSON.parse(textAt('/openapi/v2')) as V2;

  it('is one document of all kinds, with one type where v3 has alternatives', () => {
    expect(v2.swagger).toBe('2.0');
    for (const kind of kinds) {
      const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
      expect(Object.values(v2.definitions)).toContainEqual(
        expect.objectContaining({ 'x-kubernetes-group-version-kind': expect.arrayContaining([gvk]) }),
      );
    }
    expect(v2.definitions['io.k8s.api.core.v1.Pod']?.properties?.['spec']).toEqual({
      $ref: '#/definitions/io.k8s.api.core.v1.PodSpec',
      description: expect.stringMatching(/\w/),
    });
    expect(v2.definitions['io.k8s.apimachinery.pkg.api.resource.Quantity']).toMatchObject({ type: 'string' });
    const text = textAt('/openapi/v2');
    expect(text).not.toMatch(/"(oneOf|allOf|default|requestBody|components)":/);
    for (const [, title = ''] of text.matchAll(/"#\/definitions\/([^"]+)"/g))
      expect(v2.definitions).toHaveProperty([title]);
  });

  it('has the parameters that old clients look for before they ask for a dry run', () => {
    const patch = v2.paths['/api/v1/namespaces/{namespace}/pods/{name}']?.['patch'];
    expect(patch?.parameters).toEqual(
      expect.arrayContaining([
        { name: 'body', in: 'body', required: true, schema: { $ref: expect.stringMatching(/Patch$/) } },
        expect.objectContaining({ name: 'dryRun', in: 'query', type: 'string', uniqueItems: true }),
      ]),
    );
  });

  it('is protobuf for those who ask for that, each form with its own ETag', () => {
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf, application/json;q=0.5';
    const document = openapi.at('/openapi/v2', accept);
    expect(document?.contentType).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
    expect(openapi.at('/openapi/v2', accept)).toBe(document);
    expect(document?.etag).not.toBe(openapi.at('/openapi/v2')?.etag);
  });

  it('is written byte by byte as gnostic reads it', () => {
    const bytes = v2ToProtobuf({
      swagger: '2.0',
      info: { title: 'é' },
      paths: { '/p': { parameters: [{ name: 'n', in: 'path', required: true }] } },
      definitions: { D: { type: 'string', 'x-a': [1], unknown: true, $ref: undefined } },
      securityDefinitions: {},
      security: [],
    });
    const hex = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
    expect(hex).toBe(
      [
        '0a03322e30', // 1: swagger
        '12040a02c3a9', // 2: info { 1: title, as UTF-8 }
        // 8: paths { 2: { 1: name, 2: { 9: parameter { 1: { 2: non-body { 4: path { 4: name, 2: in, 1: required } } } } } }
        '421b12190a022f7012134a110a0f120d220b',
        '22016e', // 4: n
        '120470617468', // 2: path
        '0801', // 1: true
        // 9: definitions { 1: { 1: D, 2: { 22: type { 1: string }, 31: { 1: x-a, 2: { 2: yaml } } } }
        '4a210a1f0a0144121ab201080a06737472696e67fa010c0a03782d61120512035b315d',
        '6a00', // 13: no security definitions
      ].join(''),
    );
  });
});
