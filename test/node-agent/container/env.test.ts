import { describe, expect, test } from 'vitest';
import { fieldText, resourceText } from '#agent/container/downward.ts';
import { commandLine, environment, expand } from '#agent/container/env.ts';
import type { ConfigMap, Container, Secret } from '#api/kinds/core.ts';
import { container, pod } from '#test/node-agent/pod-fixtures.ts';

const facts = { nodeName: 'n1', hostIP: '192.0.2.1', podIP: '10.0.0.1', allocatable: { cpu: '4', memory: '8Gi' } };
const configMaps: Record<string, Partial<ConfigMap>> = { cm: { data: { A: 'a', B: 'b', 'not-a=name': 'x' } } };
const secrets: Record<string, Partial<Secret>> = { se: { data: { S: 'c2VjcmV0' } } };
const env = (more: Partial<Container>) =>
  Object.fromEntries(
    environment({
      pod: pod({}, { metadata: { labels: { app: 'web' }, annotations: { note: 'a "b"' } } }),
      container: container('app', { resources: { limits: { memory: '64Mi', cpu: '250m' } }, ...more }),
      references: {
        configMap: name => configMaps[name] as ConfigMap | undefined,
        secret: name => secrets[name] as Secret | undefined,
      },
      facts,
      services: { KUBERNETES_PORT: 'tcp://10.0.0.1:443' },
      decode: text => Buffer.from(text, 'base64').toString(),
    }),
  );

test.each([
  ['$(A)', 'a'],
  ['x$(A)y$(B)', 'xayb'],
  ['$$(A)', '$(A)'],
  ['$(NONE)', '$(NONE)'],
  ['$A {A} $', '$A {A} $'],
  ['$$$(A)', '$a'],
])('%s expands to %s', (text, expected) => {
  expect(expand(text, name => ({ A: 'a', B: 'b' })[name])).toBe(expected);
});

describe('the environment', () => {
  test('takes ConfigMaps and Secrets with prefix, and lets env win', () => {
    expect(
      env({
        envFrom: [{ configMapRef: { name: 'cm' } }, { prefix: 'P_', secretRef: { name: 'se' } }],
        env: [{ name: 'A', value: 'own' }],
      }),
    ).toEqual({
      A: 'own',
      B: 'b',
      P_S: 'secret',
      KUBERNETES_PORT: 'tcp://10.0.0.1:443',
    });
  });
  test('refers to what was defined before, and to services', () => {
    const found = env({
      env: [
        { name: 'X', value: '1' },
        { name: 'Y', value: '$(X)$(Z)' },
        { name: 'Z', value: '$(KUBERNETES_PORT)' },
      ],
    });
    expect(found).toMatchObject({ Y: '1$(Z)', Z: 'tcp://10.0.0.1:443' });
  });
  test.each([
    [{ configMapKeyRef: { name: 'none', key: 'k' } }, 'configmap "none" not found'],
    [{ configMapKeyRef: { name: 'cm', key: 'k' } }, "couldn't find key k in ConfigMap default/cm"],
    [{ secretKeyRef: { name: 'none', key: 'k' } }, 'secret "none" not found'],
    [{ secretKeyRef: { name: 'se', key: 'k' } }, "couldn't find key k in Secret default/se"],
  ])('refuses %j', (valueFrom, message) => {
    expect(() => env({ env: [{ name: 'X', valueFrom }] })).toThrow(message);
    const [[sort, source]] = Object.entries(valueFrom) as [[string, object]];
    expect(env({ env: [{ name: 'X', valueFrom: { [sort]: { ...source, optional: true } } }] })).not.toHaveProperty('X');
  });
});

test.each([
  ['metadata.name', 'web'],
  ['metadata.uid', 'uid-1'],
  ["metadata.labels['app']", 'web'],
  ["metadata.labels['none']", ''],
  ['metadata.annotations', 'note="a \\"b\\""'],
  ['spec.nodeName', 'n1'],
  ['status.podIP', '10.0.0.1'],
  ['status.hostIP', '192.0.2.1'],
  ['spec.nonesuch', undefined],
])('field %s is %s', (path, expected) => {
  const p = pod({}, { metadata: { labels: { app: 'web' }, annotations: { note: 'a "b"' } } });
  expect(fieldText(p, path, facts)).toBe(expected);
});

test.each([
  ['limits.cpu', undefined, '1'],
  ['limits.cpu', '1m', '250'],
  ['requests.cpu', '1m', '125'],
  ['limits.memory', '1Mi', '64'],
  ['limits.memory', undefined, String(64 << 20)],
  ['limits.ephemeral-storage', undefined, '0'],
  ['nonsense', undefined, undefined],
])('resource %s with divisor %s is %s', (resource, divisor, expected) => {
  const app = container('app', { resources: { limits: { cpu: '250m', memory: '64Mi' }, requests: { cpu: '125m' } } });
  expect(resourceText(app, resource, divisor, facts.allocatable)).toBe(expected);
});

test('a limit that is not set is what the node gives', () => {
  expect(resourceText(container('app'), 'limits.cpu', undefined, facts.allocatable)).toBe('4');
});

test('command and args are filled in, and left to the image where absent', () => {
  const variables = new Map([['A', 'a']]);
  expect(commandLine(container('app', { command: ['sh', '$(A)'], args: ['$$(A)', '$(B)'] }), variables)).toEqual({
    entrypoint: ['sh', 'a'],
    command: ['$(A)', '$(B)'],
  });
  expect(commandLine(container('app'), variables)).toEqual({});
});
