import { describe, expect, test } from 'vitest';
import { decodeObject } from '#api/decode.ts';
import { applyDefaults } from '#api/defaults.ts';
import { replicaSetKind } from '#api/kinds/apps.ts';
import { podKind } from '#api/kinds/core.ts';

const pod = (spec: object, container: object = {}, metadata: object = {}) => {
  const { object } = decodeObject(podKind, {
    metadata: { name: 'x', ...metadata },
    spec: { containers: [{ name: 'c', image: 'i', ...container }], ...spec },
  });
  applyDefaults(podKind, object);
  return object;
};
const warnings = (...args: Parameters<typeof pod>) => podKind.warnings?.(pod(...args), undefined);

describe('a pod that is valid but hardly meant is warned about, in upstream’s words', () => {
  test.each<[string, Parameters<typeof pod>, readonly string[]]>([
    ['nothing', [{}], []],
    [
      'dots in its name',
      [{}, {}, { name: 'a.b' }],
      [
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
      ],
    ],
    [
      'old labels of nodes',
      [
        {
          nodeSelector: { 'beta.kubernetes.io/os': 'linux', disk: 'ssd' },
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [
                  { matchExpressions: [{ key: 'failure-domain.beta.kubernetes.io/zone', operator: 'Exists' }] },
                ],
              },
              preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 1, preference: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b', '-'] }] } },
              ],
            },
          },
        },
      ],
      [
        'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
        "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].values[1]: - is invalid, a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      ],
    ],
    [
      'selectors that match nothing',
      [
        {
          topologySpreadConstraints: [
            { maxSkew: 1, topologyKey: 'beta.kubernetes.io/arch', whenUnsatisfiable: 'DoNotSchedule' },
          ],
          affinity: {
            podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone' }] },
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 1, podAffinityTerm: { topologyKey: 'zone' } },
              ],
            },
          },
        },
      ],
      [
        'spec.topologySpreadConstraints[0].topologyKey: beta.kubernetes.io/arch is deprecated since v1.14; use "kubernetes.io/arch" instead',
        'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
        'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod',
        'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod',
      ],
    ],
    [
      'annotations that do nothing any more',
      [
        {},
        {},
        {
          annotations: {
            'scheduler.alpha.kubernetes.io/critical-pod': '',
            'seccomp.security.alpha.kubernetes.io/pod': 'x',
            'container.seccomp.security.alpha.kubernetes.io/c': 'x',
            'container.apparmor.security.beta.kubernetes.io/c': 'unconfined',
            'container.apparmor.security.beta.kubernetes.io/other': 'unconfined',
          },
        },
      ],
      [
        'metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
        'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
        'metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: non-functional in v1.27+; use the "seccompProfile" field instead',
        'metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the "appArmorProfile" field instead',
      ],
    ],
    [
      'the same thing twice',
      [
        {
          hostAliases: [{ ip: '1.2.3.4' }, { ip: '1.2.3.4' }],
          imagePullSecrets: [{ name: 'a' }, { name: 'a' }, {}],
        },
        {
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '$(A)2' },
            { name: 'A', value: '3' },
            { name: 'B', value: '1' },
            { name: 'B', value: '$(B)' },
          ],
        },
      ],
      [
        'spec.hostAliases[1].ip: duplicate ip "1.2.3.4"',
        'spec.imagePullSecrets[1].name: duplicate name "a"',
        'spec.imagePullSecrets[2].name: invalid empty name ""',
        'spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply',
        'spec.containers[0].env[4]: hides previous definition of "B", which may be dropped when using apply',
      ],
    ],
    [
      'parts of bytes',
      [
        { overhead: { memory: '100m' } },
        {
          resources: {
            limits: { memory: '1500m', cpu: '1500m', 'ephemeral-storage': '1Gi' },
            requests: { memory: '1', 'ephemeral-storage': '0.5' },
          },
        },
      ],
      [
        'spec.overhead[memory]: fractional byte value "100m" is invalid, must be an integer',
        'spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer',
        'spec.containers[0].resources.requests[ephemeral-storage]: fractional byte value "500m" is invalid, must be an integer',
      ],
    ],
    [
      'ports that meet',
      [
        {
          initContainers: [{ name: 'i', image: 'x', ports: [{ containerPort: 80 }] }],
        },
        {
          ports: [
            { containerPort: 80 },
            { containerPort: 80, protocol: 'UDP', hostIP: '1.2.3.4' },
            { containerPort: 90, hostPort: 90 },
            { containerPort: 90 },
            { containerPort: 90, hostPort: 90, hostIP: '1.2.3.4' },
          ],
        },
      ],
      [
        'spec.containers[0].ports[0]: duplicate port definition with spec.initContainers[0].ports[0]',
        'spec.containers[0].ports[1]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:UDP HostIP:1.2.3.4}',
        'spec.containers[0].ports[3]: overlapping port definition with spec.containers[0].ports[2]',
        'spec.containers[0].ports[4]: dangerously ambiguous port definition with spec.containers[0].ports[2]',
        'spec.containers[0].ports[4]: overlapping port definition with spec.containers[0].ports[3]',
      ],
    ],
    [
      'a grace that is none',
      [{ terminationGracePeriodSeconds: -1 }],
      ['spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1'],
    ],
  ])('%s', (_, args, expected) => {
    expect(warnings(...args)).toEqual(expected);
  });

  test('only at create: programs update pods', () => {
    const odd = pod({ terminationGracePeriodSeconds: -1 });
    expect(podKind.warnings?.(odd, odd)).toEqual([]);
  });

  test('templates are read under their own path, and again when they change', () => {
    const set = (grace: number) =>
      decodeObject(replicaSetKind, {
        metadata: { name: 'a.b' },
        spec: { template: { spec: { containers: [], terminationGracePeriodSeconds: grace } } },
      }).object;
    const expected = [
      'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
      'spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
    ];
    expect(replicaSetKind.warnings?.(set(-1), undefined)).toEqual(expected);
    expect(replicaSetKind.warnings?.(set(-1), set(-1))).toEqual([]);
    expect(replicaSetKind.warnings?.(set(-1), set(3))).toEqual(expected);
  });
});
