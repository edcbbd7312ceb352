import { describe, expect, test } from 'vitest';
import { applyDefaults } from '#api/defaults.ts';
import type { Pod } from '#api/kinds/core.ts';
import { podKind } from '#api/kinds/core.ts';
import { validateObject } from '#api/validate.ts';
import { deepCopy } from '#base/deep.ts';

const container = (more: object = {}) => ({ name: 'c', image: 'nginx:1', ...more });
const podWith = (spec: object, metadata: object = {}): Pod => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default', ...metadata },
    spec: { containers: [container()], ...spec },
  } as unknown as Pod;
  applyDefaults(podKind, pod);
  return pod;
};
const faults = (pod: Pod, old?: Pod): readonly string[] =>
  validateObject(podKind, pod, old).map(({ field, message }) => `${field}: ${message}`);
const faultsOf = (spec: object, metadata: object = {}): readonly string[] => faults(podWith(spec, metadata));
const inContainer = (more: object, spec: object = {}): readonly string[] =>
  faultsOf({ containers: [container(more)], ...spec });

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

describe('metadata', () => {
  test('a name with capitals is refused with the rule', () => {
    expect(faultsOf({}, { name: 'Web' })).toEqual([`metadata.name: Invalid value: "Web": ${subdomainRule}`]);
  });
  test('a missing name, a missing namespace', () => {
    expect(faultsOf({}, { name: '', namespace: '' })).toEqual([
      'metadata.name: Required value: name or generateName is required',
      'metadata.namespace: Required value',
    ]);
  });
  test('labels, annotations and finalizers', () => {
    expect(
      faultsOf({}, { labels: { 'a b': 'x' }, annotations: { 'a/b/c': '' }, finalizers: ['mine'] }).map(text =>
        text.slice(0, 64),
      ),
    ).toEqual([
      'metadata.labels: Invalid value: "a b": name part must consist of',
      'metadata.annotations: Invalid value: "a/b/c": a qualified name m',
      'metadata.finalizers[0]: Invalid value: "mine": name is neither a',
    ]);
  });
  test('annotations of more than 256 KiB', () => {
    expect(faultsOf({}, { annotations: { a: 'x'.repeat(262144) } })).toEqual([
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ]);
  });
});

describe('containers', () => {
  test('a pod without any', () => {
    expect(faultsOf({ containers: [] })).toEqual(['spec.containers: Required value']);
  });
  test('names are labels and unique, also among init containers', () => {
    const spec = { containers: [container(), container()], initContainers: [container()] };
    expect(faultsOf(spec)).toEqual([
      'spec.containers[1].name: Duplicate value: "c"',
      'spec.initContainers[0].name: Duplicate value: "c"',
    ]);
    expect(inContainer({ name: '' })).toEqual(['spec.containers[0].name: Required value']);
  });
  test('an image is needed, without blanks around it', () => {
    expect(inContainer({ image: '' })).toEqual(['spec.containers[0].image: Required value']);
    expect(inContainer({ image: ' nginx:1' })).toEqual([
      'spec.containers[0].image: Invalid value: " nginx:1": must not have leading or trailing whitespace',
    ]);
  });
  test('unsupported values name what is supported', () => {
    expect(inContainer({ imagePullPolicy: 'Sometimes' })).toEqual([
      'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
    ]);
    expect(faultsOf({ restartPolicy: 'Maybe' })).toEqual([
      'spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"',
    ]);
  });
  test('ports', () => {
    const ports = [
      { containerPort: 0 },
      { containerPort: 70000, name: 'toolongportnames' },
      { containerPort: 80, protocol: 'tcp', hostPort: 80 },
      { containerPort: 81, hostPort: 80, protocol: 'TCP' },
      { containerPort: 82, hostPort: 80, protocol: 'TCP' },
    ];
    expect(inContainer({ ports })).toEqual([
      'spec.containers[0].ports[0].containerPort: Required value',
      'spec.containers[0].ports[1].name: Invalid value: "toolongportnames": must be no more than 15 bytes',
      'spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      'spec.containers[0].ports[2].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"',
      'spec.containers[0].ports[4].hostPort: Duplicate value: "TCP//80"',
    ]);
  });
  test('environment', () => {
    const env = [
      { name: '' },
      { name: 'A', valueFrom: {} },
      { name: 'B', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'C', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } },
      { name: 'D', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: 'E', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } },
      { name: 'F', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1Mi' } } },
      { name: 'G', valueFrom: { configMapKeyRef: { name: 'c', key: '' } } },
    ];
    expect(inContainer({ env })).toEqual([
      'spec.containers[0].env[0].name: Required value',
      'spec.containers[0].env[1].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      'spec.containers[0].env[2].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
      'spec.containers[0].env[3].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
      'spec.containers[0].env[5].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
      'spec.containers[0].env[6].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource',
      'spec.containers[0].env[7].valueFrom.configMapKeyRef.key: Required value',
    ]);
  });
  test('probes and hooks', () => {
    const more = {
      livenessProbe: { exec: { command: ['a'] }, httpGet: { port: 80 }, successThreshold: 2 },
      readinessProbe: { tcpSocket: { port: 'x--y' }, terminationGracePeriodSeconds: 5 },
      startupProbe: {},
      lifecycle: { preStop: { sleep: { seconds: 60 } }, postStart: { exec: {} } },
    };
    expect(inContainer(more)).toEqual([
      'spec.containers[0].lifecycle.postStart.exec.command: Required value',
      'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 60: must be non-negative and less than terminationGracePeriodSeconds (30)',
      'spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type',
      'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
      'spec.containers[0].startupProbe: Required value: must specify a handler type',
      'spec.containers[0].readinessProbe.tcpSocket.port: Invalid value: "x--y": must not contain consecutive hyphens',
      'spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes',
    ]);
  });
  test('a stop signal is one of the system that the pod names', () => {
    const lifecycle = { stopSignal: 'SIGUSR1' };
    expect(inContainer({ lifecycle })).toEqual([
      'spec.containers[0].lifecycle.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`',
    ]);
    const os = { name: 'linux' };
    expect(inContainer({ lifecycle }, { os })).toEqual([]);
    expect(inContainer({ lifecycle: { stopSignal: 'USR1' } }, { os })[0]).toContain(
      'Unsupported value: "USR1": supported values: "SIGABRT", "SIGALRM"',
    );
  });
  test('init containers have no probes, sidecars may', () => {
    const probed = container({ name: 'i', readinessProbe: { exec: { command: ['a'] } } });
    expect(faultsOf({ initContainers: [probed] })).toEqual([
      'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ]);
    expect(faultsOf({ initContainers: [{ ...probed, restartPolicy: 'Always' }] })).toEqual([]);
  });
  test('security settings that contradict each other', () => {
    const securityContext = { privileged: true, allowPrivilegeEscalation: false, runAsUser: -1 };
    expect(inContainer({ securityContext })).toEqual([
      'spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
      `spec.containers[0].securityContext: Invalid value: ${JSON.stringify(securityContext)}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
    ]);
    expect(faultsOf({ securityContext: { seccompProfile: { type: 'Localhost' } } })).toEqual([
      'spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
    ]);
  });
});

describe('resources', () => {
  const of = (resources: object) => inContainer({ resources }).map(text => text.replace('spec.containers[0].', ''));
  test.each([
    [{ requests: { cpu: '-1' } }, ['resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0']],
    [
      { requests: { cpu: '2' }, limits: { cpu: '1' } },
      ['resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ],
    [{ requests: { cpu: '1000m' }, limits: { cpu: '1' } }, []],
    [
      { requests: { 'example.com/gpu': '1' } },
      ['resources.limits: Required value: Limit must be set for non overcommitable resources'],
    ],
    [
      { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '2' } },
      ['resources.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2'],
    ],
    [
      { limits: { 'example.com/gpu': '500m' } },
      [
        'resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer',
        'resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer',
      ],
    ],
    [{ limits: { 'hugepages-2Mi': '4Mi' } }, ['resources: Forbidden: HugePages require cpu or memory']],
    [
      { limits: { 'hugepages-2Mi': '3Mi', cpu: '1' } },
      [
        'resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
        'resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
      ],
    ],
    [
      { requests: { gpu: '1' } },
      [
        'resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
        'resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers',
      ],
    ],
    [
      { requests: { pods: '1' } },
      ['resources.requests[pods]: Invalid value: "pods": must be a standard resource for containers'],
    ],
  ])('%j', (resources, expected) => {
    expect(of(resources)).toEqual(expected);
  });
  test('of the pod as a whole cover those of the containers', () => {
    const containers = [
      container({ resources: { requests: { cpu: '800m' } } }),
      container({ name: 'd', resources: { requests: { cpu: '400m' }, limits: { memory: '2Gi' } } }),
    ];
    expect(faultsOf({ containers, resources: { requests: { cpu: '1' }, limits: { memory: '1Gi' } } })).toEqual([
      'spec.resources.requests: Invalid value: "2Gi": must be less than or equal to memory limit of 1Gi',
      'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 1200m',
      'spec.resources.containers[1][memory].limits: Invalid value: "2Gi": must be less than or equal to pod limits of 1Gi',
    ]);
    expect(
      faultsOf({ containers, resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '1Gi' } } }),
    ).toEqual([
      'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 1200m',
      'spec.resources.requests[memory]: Invalid value: "1Gi": must be greater than or equal to aggregate container requests of 2Gi',
      'spec.resources.containers[1][memory].limits: Invalid value: "2Gi": must be less than or equal to pod limits of 1Gi',
    ]);
    expect(
      faultsOf({ resources: { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } } })[0],
    ).toBe(
      'spec.resources.limits[example.com/gpu]: Unsupported value: "example.com/gpu": supported values: "cpu", "hugepages-", "memory"',
    );
  });
});

describe('volumes', () => {
  test('have one source, a name of their own, and exist where they are mounted', () => {
    const volumes = [
      { name: 'a', emptyDir: {}, secret: { secretName: 's' } },
      { name: 'b', emptyDir: {} },
      { name: 'b', configMap: {} },
    ];
    const volumeMounts = [
      { name: 'b', mountPath: '/b' },
      { name: 'x', mountPath: '/b' },
    ];
    expect(faultsOf({ volumes, containers: [container({ volumeMounts })] })).toEqual([
      'spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type',
      'spec.volumes[2].configMap.name: Required value',
      'spec.volumes[2].name: Duplicate value: "b"',
      'spec.containers[0].volumeMounts[1].name: Not found: "x"',
      'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/b": must be unique',
    ]);
  });
  test('keep their files below themselves and their modes in range', () => {
    const items = [{ key: 'k', path: '../x', mode: 0o1000 }];
    expect(faultsOf({ volumes: [{ name: 'v', secret: { secretName: 's', items } }] })).toEqual([
      `spec.volumes[0].secret.items[0].path: Invalid value: "../x": must not contain '..'`,
      'spec.volumes[0].secret.items[0].mode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
    ]);
  });
  test('subPath stays below the volume', () => {
    const volumeMounts = [{ name: 'v', mountPath: '/v', subPath: '/etc' }];
    expect(faultsOf({ volumes: [{ name: 'v' }], containers: [container({ volumeMounts })] })).toEqual([
      'spec.containers[0].volumeMounts.subPath: Invalid value: "/etc": must be a relative path',
    ]);
  });
});

describe('scheduling', () => {
  test('tolerations', () => {
    const tolerations = [
      { operator: 'Equal', value: 'x' },
      { key: 'k', operator: 'Exists', value: 'x' },
      { key: 'k', tolerationSeconds: 5, effect: 'NoSchedule' },
      { key: 'k', operator: 'Gt', effect: 'Never' },
    ];
    expect(faultsOf({ tolerations })).toEqual([
      'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      'spec.tolerations[1].operator: Invalid value: "x": value must be empty when `operator` is \'Exists\'',
      'spec.tolerations[2].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
      'spec.tolerations[3].operator: Unsupported value: "Gt": supported values: "Equal", "Exists"',
      'spec.tolerations[3].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ]);
  });
  test('affinity', () => {
    const must = 'requiredDuringSchedulingIgnoredDuringExecution';
    const wish = 'preferredDuringSchedulingIgnoredDuringExecution';
    const affinity = {
      nodeAffinity: {
        [must]: {
          nodeSelectorTerms: [
            {
              matchExpressions: [{ key: 'k', operator: 'In' }],
              matchFields: [{ key: 'a', operator: 'Gt', values: [] }],
            },
          ],
        },
        [wish]: [{ weight: 0, preference: { matchExpressions: [{ key: 'k', operator: 'Is' }] } }],
      },
      podAntiAffinity: { [must]: [{ labelSelector: {}, topologyKey: '', matchLabelKeys: ['a'] }] },
    };
    expect(faultsOf({ affinity }).map(text => text.slice(0, 150))).toEqual([
      `spec.affinity.nodeAffinity.${must}.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`.slice(
        0,
        150,
      ),
      `spec.affinity.nodeAffinity.${must}.nodeSelectorTerms[0].matchFields[0].operator: Invalid value: "Gt": not a valid selector operator`.slice(
        0,
        150,
      ),
      `spec.affinity.nodeAffinity.${must}.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "a": not a valid field selector key`.slice(
        0,
        150,
      ),
      `spec.affinity.nodeAffinity.${wish}[0].weight: Invalid value: 0: must be in the range 1-100`,
      `spec.affinity.nodeAffinity.${wish}[0].preference.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator`.slice(
        0,
        150,
      ),
      `spec.affinity.podAntiAffinity.${must}[0].topologyKey: Required value: can not be empty`,
      `spec.affinity.podAntiAffinity.${must}[0].topologyKey: Invalid value: "": name part must be non-empty`,
      `spec.affinity.podAntiAffinity.${must}[0].topologyKey: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end`.slice(
        0,
        150,
      ),
    ]);
  });
  test('topology spread', () => {
    const topologySpreadConstraints = [
      { maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2 },
      { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway', nodeTaintsPolicy: 'Maybe' },
    ];
    expect(faultsOf({ topologySpreadConstraints })).toEqual([
      'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
      'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, ScheduleAnyway}"',
      'spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway',
      'spec.topologySpreadConstraints[1].nodeTaintsPolicy: Unsupported value: "Maybe": supported values: "Honor", "Ignore"',
    ]);
  });
  test('gates keep a pod off every node', () => {
    expect(faultsOf({ nodeName: 'n', schedulingGates: [{ name: 'a' }, { name: 'a' }] })).toEqual([
      'spec.schedulingGates[1]: Duplicate value: "a"',
      'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
    ]);
  });
});

describe('the rest of a pod', () => {
  test.each([
    [{ dnsPolicy: 'None' }, ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None']],
    [
      { dnsConfig: { nameservers: ['dns'] } },
      [
        'spec.dnsConfig.nameservers[0]: Invalid value: "dns": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      { activeDeadlineSeconds: 0 },
      ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
    ],
    [
      { hostNetwork: true, containers: [container({ ports: [{ containerPort: 80, hostPort: 81 }] })] },
      [
        'spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true',
      ],
    ],
    [
      { securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '1' }] }, hostNetwork: true },
      [
        'spec.securityContext.sysctls[0].name: Invalid value: "net.core.somaxconn": may not be specified when \'hostNetwork\' is true',
      ],
    ],
    [{ hostname: 'a.b' }, ['spec.hostname: Invalid value: "a.b": must not contain dots']],
    [
      { hostAliases: [{ ip: 'x', hostnames: ['ok'] }] },
      ['spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      { preemptionPolicy: 'Always' },
      ['spec.preemptionPolicy: Unsupported value: "Always": supported values: "PreemptLowerPriority", "Never"'],
    ],
  ])('%j', (spec, expected) => {
    expect(faultsOf(spec)).toEqual(expected);
  });
});

describe('an update of a pod', () => {
  const change = (spec: object, edit: (pod: Pod) => void): readonly string[] => {
    const old = podWith(spec);
    const pod = deepCopy(old) as Pod;
    edit(pod);
    applyDefaults(podKind, pod);
    return faults(pod, old);
  };
  test('may change images, add tolerations, shorten the deadline and take gates away', () => {
    const spec = { activeDeadlineSeconds: 100, schedulingGates: [{ name: 'a' }, { name: 'b' }] };
    expect(
      change(spec, ({ spec }) => {
        spec.containers[0]!.image = 'nginx:2';
        spec.tolerations = [{ key: 'k', operator: 'Exists' }];
        spec.activeDeadlineSeconds = 50;
        spec.schedulingGates = [{ name: 'b' }];
      }),
    ).toEqual([]);
  });
  test('may not change anything else, and says what it was', () => {
    const [fault = ''] = change({}, ({ spec }) => {
      spec.containers[0]!.command = ['sleep'];
    });
    expect(fault.split('\n')).toEqual([
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      'containers[0].command: absent → ["sleep"]',
    ]);
  });
  test('does not count another spelling of an amount as a change', () => {
    const resources = { requests: { memory: '1Gi' } };
    expect(
      change({ containers: [container({ resources })] }, ({ spec }) => {
        spec.containers[0]!.resources = { requests: { memory: '1073741824' } };
      }),
    ).toEqual([]);
  });
  test.each<[string, object, (pod: Pod) => void, string]>([
    [
      'adding a container',
      {},
      ({ spec }) => spec.containers.push({ name: 'd', image: 'i' }),
      'spec.containers: Forbidden: pod updates may not add or remove containers',
    ],
    [
      'a longer deadline',
      { activeDeadlineSeconds: 5 },
      ({ spec }) => {
        spec.activeDeadlineSeconds = 6;
      },
      'spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value',
    ],
    [
      'removing a toleration',
      { tolerations: [{ key: 'k', operator: 'Exists' }] },
      ({ spec }) => {
        spec.tolerations = [];
      },
      'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
    ],
    [
      'adding a gate',
      {},
      ({ spec }) => {
        spec.schedulingGates = [{ name: 'g' }];
      },
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'",
    ],
    [
      'another uid',
      {},
      ({ metadata }) => {
        metadata.uid = 'u';
      },
      'metadata.uid: Invalid value: "u": field is immutable',
    ],
    [
      'another class of service',
      {},
      pod => {
        pod.status = { ...pod.status, qosClass: 'Guaranteed' };
      },
      'status.qosClass: Invalid value: "Guaranteed": field is immutable',
    ],
  ])('is refused for %s', (_name, spec, edit, expected) => {
    const old = podWith(spec);
    old.status = { phase: 'Pending', qosClass: 'BestEffort' };
    const pod = deepCopy(old) as Pod;
    edit(pod);
    applyDefaults(podKind, pod);
    expect(faults(pod, old)).toEqual([expected]);
  });
  test('may make a gated pod choosier about its node', () => {
    const gated = { schedulingGates: [{ name: 'g' }], nodeSelector: { a: '1' } };
    const adding = (pod: Pod) => {
      pod.spec.nodeSelector = { a: '1', b: '2' };
    };
    expect(change(gated, adding)).toEqual([]);
    expect(change({ nodeSelector: { a: '1' } }, adding)[0]).toContain('pod updates may not change fields other than');
    expect(
      change(gated, ({ spec }) => {
        spec.nodeSelector = { a: '2' };
      }),
    ).toEqual([
      'spec.nodeSelector: Invalid value: {"a":"2"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
    ]);
  });
  test('does not let a container that has ended for good run again', () => {
    const old = podWith({ restartPolicy: 'Never' });
    const status = { name: 'c', ready: false, restartCount: 0, image: 'i', imageID: '' };
    old.status = { containerStatuses: [{ ...status, state: { terminated: { exitCode: 1 } } }] };
    const pod = { ...old, status: { containerStatuses: [{ ...status, state: { running: {} } }] } };
    expect(faults(pod, old)).toEqual([
      'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
    ]);
    const restarting = { ...old.spec, restartPolicy: 'OnFailure' as const };
    expect(faults({ ...pod, spec: restarting }, { ...old, spec: restarting })).toEqual([]);
  });
});
