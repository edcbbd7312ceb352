import { describe, expect, test } from 'vitest';
import { textToBase64 } from '#api/base64.ts';
import { applyDefaults } from '#api/defaults.ts';
import type { Kind } from '#api/kind.ts';
import { replicaSetKind, statefulSetKind } from '#api/kinds/apps.ts';
import { leaseKind } from '#api/kinds/coordination.ts';
import { configMapKind, eventKind, namespaceKind, nodeKind, secretKind, serviceKind } from '#api/kinds/core.ts';
import { podDisruptionBudgetKind } from '#api/kinds/policy.ts';
import { priorityClassKind } from '#api/kinds/scheduling.ts';
import type { KubeObject } from '#api/object.ts';
import { validateObject } from '#api/validate.ts';

const make = <T extends KubeObject>(kind: Kind<T>, rest: object): T => {
  const metadata = { name: 'x', ...(kind.namespaced ? { namespace: 'default' } : {}) };
  const object = { apiVersion: 'v1', kind: kind.kind, metadata, ...rest } as unknown as T;
  applyDefaults(kind, object);
  return object;
};
const faults = <T extends KubeObject>(kind: Kind<T>, rest: object, old?: object): readonly string[] =>
  validateObject(kind, make(kind, rest), old === undefined ? undefined : make(kind, old)).map(
    ({ field, message }) => `${field}: ${message}`,
  );

describe('ConfigMap', () => {
  test('keys are file names, and stand in one place only', () => {
    expect(faults(configMapKind, { data: { 'a/b': '', k: '' }, binaryData: { k: '' } })).toEqual([
      `data[a/b]: Invalid value: "a/b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
      'data[k]: Invalid value: "k": duplicate of key present in binaryData',
    ]);
  });
  test('holds a mebibyte at most', () => {
    expect(faults(configMapKind, { data: { a: 'x'.repeat(1048576) } })).toEqual([]);
    expect(faults(configMapKind, { data: { a: 'x'.repeat(1048575), b: 'é' } })).toEqual([
      '[]: Too long: may not be more than 1048576 bytes',
    ]);
  });
  test('stays as it is once immutable', () => {
    expect(faults(configMapKind, { data: { a: '2' } }, { data: { a: '1' }, immutable: true })).toEqual([
      'immutable: Forbidden: field is immutable when `immutable` is set',
      'data: Forbidden: field is immutable when `immutable` is set',
    ]);
  });
});

describe('Secret', () => {
  test('of a type has what the type needs', () => {
    expect(faults(secretKind, { type: 'kubernetes.io/tls' })).toEqual([
      'data[tls.crt]: Required value',
      'data[tls.key]: Required value',
    ]);
    expect(faults(secretKind, { type: 'kubernetes.io/basic-auth' })).toHaveLength(2);
    expect(faults(secretKind, { type: 'kubernetes.io/basic-auth', stringData: { username: '' } })).toEqual([]);
    expect(faults(secretKind, { type: 'kubernetes.io/service-account-token' })).toEqual([
      'metadata.annotations[kubernetes.io/service-account.name]: Required value',
    ]);
  });
  test('does not show what it holds when that is no JSON', () => {
    const data = { '.dockerconfigjson': textToBase64('{secret') };
    expect(faults(secretKind, { type: 'kubernetes.io/dockerconfigjson', data })).toEqual([
      'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be valid JSON',
    ]);
  });
  test('keeps its type', () => {
    expect(faults(secretKind, { type: 'a/b' }, {})).toEqual(['type: Invalid value: "a/b": field is immutable']);
  });
});

describe('Namespace, Event, Lease', () => {
  test('a namespace is named by a label and not put into another', () => {
    expect(faults(namespaceKind, { metadata: { name: 'a.b', namespace: 'c' } })).toEqual([
      'metadata.name: Invalid value: "a.b": must not contain dots',
      'metadata.namespace: Forbidden: not allowed on this type',
    ]);
  });
  test('an event is where its object is', () => {
    expect(faults(eventKind, { involvedObject: { namespace: 'other' } })).toEqual([
      'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    ]);
    expect(faults(eventKind, { involvedObject: { kind: 'Node', name: 'n' } })).toEqual([]);
  });
  test('a lease lasts', () => {
    expect(faults(leaseKind, { spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } })).toEqual([
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
    ]);
  });
});

describe('Node', () => {
  test('taints are well formed and unique by key and effect', () => {
    const taints = [
      { key: 'k', effect: 'NoSchedule' },
      { key: 'k', effect: 'NoSchedule', value: 'v' },
      { key: '', effect: 'Never' },
    ];
    const found = faults(nodeKind, { spec: { taints } });
    expect(found[0]).toBe(
      'metadata.taints[1]: Duplicate value: {"key":"k","effect":"NoSchedule","value":"v"}: taints must be unique by key and effect pair',
    );
    expect(found.at(-1)).toBe(
      'metadata.taints[2].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    );
  });
  test('amounts are not negative, pieces are whole', () => {
    const capacity = { cpu: '-1', 'example.com/gpu': '1500m', pods: '10' };
    expect(faults(nodeKind, { spec: {}, status: { capacity, allocatable: {} } })).toEqual([
      'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
      'status.capacity.example.com/gpu: Invalid value: "1500m": must be an integer',
    ]);
  });
  test('keeps its address range and its provider', () => {
    expect(
      faults(
        nodeKind,
        { spec: { podCIDRs: ['10.1.0.0/24'], providerID: 'b' } },
        { spec: { podCIDRs: ['10.0.0.0/24'], providerID: 'a' } },
      ),
    ).toEqual([
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ]);
  });
});

describe('PriorityClass', () => {
  test('of a user stays below those of the system', () => {
    expect(faults(priorityClassKind, { value: 1000000000 })).toEqual([]);
    expect(faults(priorityClassKind, { value: 1000000001 })).toEqual([
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
    ]);
    expect(faults(priorityClassKind, { metadata: { name: 'system-mine' }, value: 1 })).toEqual([
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
    ]);
    expect(faults(priorityClassKind, { metadata: { name: 'system-node-critical' }, value: 2000001000 })).toEqual([]);
  });
  test('keeps its value and policy', () => {
    expect(faults(priorityClassKind, { value: 2, preemptionPolicy: 'Never' }, { value: 1 })).toEqual([
      'value: Forbidden: may not be changed in an update.',
      'preemptionPolicy: Invalid value: "Never": field is immutable',
    ]);
  });
});

describe('workloads', () => {
  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const selector = { matchLabels: { app: 'a' } };
  test('a selector is needed and selects what the template makes', () => {
    expect(faults(replicaSetKind, { spec: { selector: {}, template } })).toEqual([
      'spec.selector: Invalid value: {}: empty selector is invalid for deployment',
    ]);
    expect(faults(replicaSetKind, { spec: { selector: { matchLabels: { app: 'b' } }, template } })).toEqual([
      'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
    ]);
    expect(faults(replicaSetKind, { spec: { selector, template: { metadata: template.metadata } } })).toEqual([
      'spec.template.spec.containers: Required value',
    ]);
    expect(faults(replicaSetKind, { spec: { selector, template, replicas: -1 } })).toEqual([
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ]);
  });
  test('a selector stays', () => {
    const other = { ...template, metadata: { labels: { app: 'b' } } };
    expect(
      faults(
        replicaSetKind,
        { spec: { selector: { matchLabels: { app: 'b' } }, template: other } },
        { spec: { selector, template } },
      ),
    ).toEqual(['spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable']);
  });
  test('the template is a pod that is always restarted', () => {
    const spec = { ...template.spec, restartPolicy: 'Never', containers: [{ name: 'C', image: '' }] };
    expect(
      faults(statefulSetKind, { spec: { selector, template: { ...template, spec } } }).map(f => f.slice(0, 70)),
    ).toEqual(
      [
        'spec.template.spec.containers[0].name: Invalid value: "C": a lowercase ',
        'spec.template.spec.containers[0].image: Required value',
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported',
      ].map(f => f.slice(0, 70)),
    );
  });
  test('most of a StatefulSet stays', () => {
    const spec = { selector, template, serviceName: 'a' };
    expect(faults(statefulSetKind, { spec: { ...spec, replicas: 5 } }, { spec })).toEqual([]);
    expect(faults(statefulSetKind, { spec: { ...spec, serviceName: 'b' } }, { spec })).toEqual([
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ]);
  });
  test('a budget is a number or a share', () => {
    expect(faults(podDisruptionBudgetKind, { spec: { minAvailable: 1, maxUnavailable: '10%' } })[0]).toContain(
      'minAvailable and maxUnavailable cannot be both set',
    );
    expect(faults(podDisruptionBudgetKind, { spec: { minAvailable: '101%' } })).toEqual([
      'spec.minAvailable: Invalid value: "101%": must not be greater than 100%',
    ]);
    expect(faults(podDisruptionBudgetKind, { spec: { maxUnavailable: 'half' } })[0]).toContain(
      'a valid percent string',
    );
    expect(faults(podDisruptionBudgetKind, { spec: { maxUnavailable: '30%', selector } })).toEqual([]);
  });
});

describe('Service', () => {
  test('has ports, of which each is named when there are several', () => {
    expect(faults(serviceKind, { spec: {} })).toEqual(['spec.ports: Required value']);
    expect(faults(serviceKind, { spec: { clusterIP: 'None' } })).toEqual([]);
    expect(faults(serviceKind, { spec: { ports: [{ port: 80 }, { port: 80, name: 'b' }] } })).toEqual([
      'spec.ports[0].name: Required value',
      'spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}',
    ]);
  });
  test('is named by a label that begins with a letter', () => {
    expect(
      faults(serviceKind, { metadata: { name: '1a', namespace: 'default' }, spec: { ports: [{ port: 1 }] } })[0],
    ).toContain('a DNS-1035 label must consist of');
  });
  test('of an external name has one', () => {
    expect(faults(serviceKind, { spec: { type: 'ExternalName' } })).toEqual(['spec.externalName: Required value']);
  });
});
