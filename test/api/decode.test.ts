import { describe, expect, it } from 'vitest';
import { decodeObject, strictError, strictProblems } from '#api/decode.ts';
import { decodeJson } from '#api/decode-json.ts';
import type { Kind } from '#api/kind.ts';
import { leaseKind } from '#api/kinds/coordination.ts';
import { configMapKind, nodeKind, podKind, secretKind, serviceKind } from '#api/kinds/core.ts';

const pod = (spec: object, metadata: object = { name: 'p' }) => ({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
const decodePod = (spec: object, metadata?: object) => decodeObject(podKind, pod(spec, metadata));
const refusal = (kind: Kind, json: unknown): string => {
  try {
    decodeObject(kind, json);
  } catch (error) {
    expect(error).toMatchObject({ code: 400, reason: 'BadRequest' });
    return (error as Error).message;
  }
  throw new Error('it was accepted');
};
const prefix = 'Pod in version "v1" cannot be handled as a Pod: ';

describe('decodeObject', () => {
  it('gives a fresh object and leaves the input alone', () => {
    const json = pod({ containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }] });
    const before = structuredClone(json);
    const { object, unknownFields } = decodeObject(podKind, json);
    object.spec.containers[0]!.name = 'changed';
    object.metadata.labels = {};
    expect(json).toEqual(before);
    expect(unknownFields).toEqual([]);
  });

  it.each<[string, object, string]>([
    [
      'a text for a port',
      { containers: [{ name: 'c', ports: [{ containerPort: '80' }] }] },
      'json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
    ],
    [
      'a number for an env value',
      { containers: [{ name: 'c', env: [{ name: 'A', value: 5 }] }] },
      'json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string',
    ],
    [
      'an object for a list',
      { containers: {} },
      'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      'a fraction for a whole number',
      { priority: 1.5 },
      'json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32',
    ],
    [
      'an overflow',
      { priority: 3000000000 },
      'json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32',
    ],
    [
      'a text for a boolean',
      { hostNetwork: 'yes' },
      'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool',
    ],
    [
      'a boolean for an enumeration',
      { restartPolicy: true },
      'json: cannot unmarshal bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy',
    ],
    [
      'a list for an object',
      { securityContext: [] },
      'json: cannot unmarshal array into Go struct field PodSpec.spec.securityContext of type v1.PodSecurityContext',
    ],
    [
      'a quantity with a unit that is none',
      { containers: [{ name: 'c', resources: { requests: { memory: '1gb' } } }] },
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      'a quantity with a wrong suffix',
      { containers: [{ name: 'c', resources: { requests: { memory: '1K' } } }] },
      "unable to parse quantity's suffix",
    ],
  ])('refuses %s', (_what, spec, message) => {
    expect(refusal(podKind, pod(spec))).toBe(prefix + message);
  });

  it.each<[object, string]>([
    [
      { labels: { a: 1 } },
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      { creationTimestamp: 'yesterday' },
      'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
    ],
    [{ creationTimestamp: '2026-02-30T00:00:00Z' }, 'parsing time "2026-02-30T00:00:00Z": day out of range'],
    [
      { creationTimestamp: '2026-02-20 00:00:00Z' },
      'parsing time "2026-02-20 00:00:00Z" as "2006-01-02T15:04:05Z07:00": cannot parse " 00:00:00Z" as "T"',
    ],
    [{ creationTimestamp: 5 }, 'json: cannot unmarshal number into Go value of type string'],
  ])('refuses metadata %j', (metadata, message) => {
    expect(refusal(podKind, pod({}, metadata))).toBe(prefix + message);
  });

  it('refuses spec of a wrong type and bodies that are no object', () => {
    expect(refusal(podKind, { spec: 'x' })).toBe(
      `${prefix}json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec`,
    );
    expect(refusal(podKind, [])).toContain('cannot unmarshal array');
    expect(refusal(podKind, null)).toContain('must be of type Pod');
  });

  it('refuses another kind or version, and completes what is left out', () => {
    expect(refusal(podKind, { kind: 'ConfigMap', apiVersion: 'v1' })).toBe(
      'ConfigMap in version "v1" cannot be handled as a Pod: converting (v1.ConfigMap) to (core.Pod): unknown conversion',
    );
    expect(refusal(leaseKind, { kind: 'Pod', apiVersion: 'v1' })).toBe(
      'Pod in version "v1" cannot be handled as a Lease: converting (v1.Pod) to (coordination.Lease): unknown conversion',
    );
    expect(refusal(podKind, { kind: 'Pod', apiVersion: 'apps/v1' })).toBe(
      'Pod in version "v1" cannot be handled as a Pod: no kind "Pod" is registered for version "apps/v1"',
    );
    expect(refusal(podKind, { kind: 'Foo' })).toBe(
      'Foo in version "v1" cannot be handled as a Pod: no kind "Foo" is registered for version "v1"',
    );
    expect(decodeObject(podKind, {}).object).toEqual({ apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: {} });
  });

  it('refuses base64 that is none', () => {
    const secret = (value: string) => ({ metadata: { name: 's' }, data: { k: value } });
    for (const bad of ['abc', '%%%%', 'ab=c', 'a===', 'YWJj='])
      expect(refusal(secretKind, secret(bad))).toMatch(/illegal base64 data at input byte \d+$/);
    expect(decodeObject(secretKind, secret('YW\nJj')).object.data).toEqual({ k: 'YWJj' });
    expect(decodeObject(secretKind, secret('')).object.data).toEqual({ k: '' });
    expect(decodeObject(secretKind, secret('YWI=')).object.data).toEqual({ k: 'YWI=' });
  });

  it('stores quantities, times and int-or-string in their one form', () => {
    const { object } = decodePod(
      {
        containers: [
          {
            name: 'c',
            resources: { requests: { cpu: 0.5, memory: ' 1.5Gi ' }, limits: { cpu: 2 } },
            livenessProbe: { httpGet: { port: 'web' } },
          },
        ],
      },
      { name: 'p', creationTimestamp: '2026-11-21T22:00:00.25+02:00' },
    );
    expect(object.spec.containers[0]).toMatchObject({
      resources: { requests: { cpu: '500m', memory: '1536Mi' }, limits: { cpu: '2' } },
      livenessProbe: { httpGet: { port: 'web' } },
    });
    expect(object.metadata.creationTimestamp).toBe('2026-11-21T20:00:00Z');
    const lease = decodeObject(leaseKind, {
      metadata: { name: 'l' },
      spec: { renewTime: '2026-11-21T22:00:00.123456+02:00', holderIdentity: '' },
    });
    expect(lease.object.spec).toEqual({ renewTime: '2026-11-21T20:00:00.123456Z', holderIdentity: '' });
    expect(refusal(serviceKind, { spec: { ports: [{ port: 80, targetPort: true }] } })).toContain(
      'json: cannot unmarshal bool into Go value of type int32',
    );
  });

  it('drops nulls and empty optional values as Go does, and keeps empty objects', () => {
    const { object } = decodePod(
      {
        nodeName: '',
        nodeSelector: {},
        tolerations: null,
        containers: [{ name: 'c', image: '', args: [], env: null }],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
      { name: 'p', labels: { a: null }, annotations: {}, creationTimestamp: null, managedFields: [] },
    );
    expect(object).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', labels: { a: '' }, managedFields: [] },
      spec: { containers: [{ name: 'c' }], volumes: [{ name: 'v', emptyDir: {} }] },
    });
  });

  it('reports unknown fields with their paths and leaves them out', () => {
    const { object, unknownFields } = decodePod({
      bogusField: 1,
      containers: [
        { name: 'a', foo: {} },
        { name: 'b', resources: { request: {} } },
      ],
      constructor: 1,
    });
    expect(unknownFields).toEqual([
      'spec.bogusField',
      'spec.containers[0].foo',
      'spec.containers[1].resources.request',
      'spec.constructor',
    ]);
    expect(object.spec).toEqual({ containers: [{ name: 'a' }, { name: 'b', resources: {} }] });
    expect(strictError(podKind, unknownFields.slice(0, 1), ['spec.x'])).toMatchObject({
      code: 400,
      message: `${prefix}strict decoding error: unknown field "spec.bogusField", duplicate field "spec.x"`,
    });
    expect(strictError(podKind, [], [])).toBeUndefined();
    expect(strictProblems(['a.b'], [])).toEqual(['unknown field "a.b"']);
  });

  it('keeps fieldsV1 as it is and counts at most 100 unknown fields', () => {
    const fieldsV1 = { 'f:data': { '.': {}, 'f:a': {} } };
    const managedFields = [{ manager: 'm', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1 }];
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x${i}`, 1]));
    const { object, unknownFields } = decodeObject(configMapKind, { metadata: { name: 'c', managedFields }, ...many });
    expect(object.metadata.managedFields).toEqual(managedFields);
    expect(unknownFields).toHaveLength(100);
  });

  it('does not let a key reach the prototype', () => {
    const json = JSON.parse('{"metadata":{"name":"c"},"data":{"__proto__":"x"}}');
    expect(refusal(configMapKind, json)).toContain('"__proto__" is not allowed');
    const node = decodeObject(nodeKind, JSON.parse('{"metadata":{"name":"n"},"__proto__":{"polluted":true}}'));
    expect(node.unknownFields).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('decodeJson', () => {
  it('finds keys given twice, once each, with their path', () => {
    const text =
      '{"a":{"x":1,"x":2,"x":3},"l":[{"k":1},{"k":"x:[{","k":2}],"b":"\\"a\\":","spec":{"\\u0061":1,"a":2},"a":null}';
    expect(decodeJson(text, { duplicates: true }).duplicateFields).toEqual(['a.x', 'l[1].k', 'spec.a', 'a']);
    expect(decodeJson(text).duplicateFields).toEqual([]);
  });

  it('refuses text that is no JSON', () => {
    expect(() => decodeJson('{"a":')).toThrow(expect.objectContaining({ code: 400 }));
  });
});
