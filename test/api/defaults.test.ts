import { describe, expect, test } from 'vitest';
import { applyDefaults } from '#api/defaults.ts';
import type { Kind } from '#api/kind.ts';
import { replicaSetKind, statefulSetKind } from '#api/kinds/apps.ts';
import type { Pod } from '#api/kinds/core.ts';
import { namespaceKind, nodeKind, podKind, secretKind, serviceKind } from '#api/kinds/core.ts';
import { priorityClassKind } from '#api/kinds/scheduling.ts';
import type { KubeObject } from '#api/object.ts';

const defaulted = <T extends KubeObject>(kind: Kind<T>, rest: object): T => {
  const object = { apiVersion: 'v1', kind: kind.kind, metadata: { name: 'x' }, ...rest } as unknown as T;
  applyDefaults(kind, object);
  return object;
};
const podWith = (spec: object): Pod =>
  defaulted(podKind, { spec: { containers: [{ name: 'c', image: 'nginx:1' }], ...spec } });
const containerWith = (container: object) =>
  podWith({ containers: [{ name: 'c', image: 'nginx:1', ...container }] }).spec.containers[0];

describe('defaults of a pod', () => {
  test('are those of a real API server', () => {
    expect(podWith({}).spec).toEqual({
      containers: [
        {
          name: 'c',
          image: 'nginx:1',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
    });
  });
  test.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['registry:5000/team/nginx', 'Always'],
    ['registry:5000/team/nginx:1.2', 'IfNotPresent'],
    ['nginx@sha256:0123', 'IfNotPresent'],
    ['nginx:latest@sha256:0123', 'IfNotPresent'],
  ])('%s is pulled %s', (image, policy) => {
    expect(containerWith({ image })?.imagePullPolicy).toBe(policy);
  });
  test('make requests of limits, but never limits of requests', () => {
    const resources = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } };
    expect(containerWith({ resources })?.resources).toEqual({
      limits: { cpu: '1', memory: '1Gi' },
      requests: { cpu: '500m', memory: '1Gi' },
    });
    expect(containerWith({ resources: { requests: { cpu: '1' } } })?.resources).toEqual({ requests: { cpu: '1' } });
  });
  test('make quantities canonical and round them up to thousandths', () => {
    const requests = { cpu: '0.0001', memory: '0.5', 'example.com/gpu': 2 };
    expect(containerWith({ resources: { requests } })?.resources?.requests).toEqual({
      cpu: '1m',
      memory: '500m',
      'example.com/gpu': '2',
    });
  });
  test('fill probes, where zero counts as absent', () => {
    const livenessProbe = { httpGet: { port: 80 }, periodSeconds: 0, timeoutSeconds: 7 };
    expect(containerWith({ livenessProbe })?.livenessProbe).toEqual({
      httpGet: { port: 80, path: '/', scheme: 'HTTP' },
      periodSeconds: 10,
      timeoutSeconds: 7,
      successThreshold: 1,
      failureThreshold: 3,
    });
  });
  test('say that resizing restarts nothing, for each resource that the container states', () => {
    const resources = { requests: { memory: '1Gi' }, limits: { cpu: '1' } };
    const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
    expect(containerWith({ resources, resizePolicy })?.resizePolicy).toEqual([
      ...resizePolicy,
      { resourceName: 'cpu', restartPolicy: 'NotRequired' },
    ]);
    expect(containerWith({})?.resizePolicy).toBeUndefined();
  });
  test('publish every port of a pod in the network of the host', () => {
    const pod = podWith({
      hostNetwork: true,
      containers: [{ name: 'c', image: 'i:1', ports: [{ containerPort: 80 }] }],
    });
    expect(pod.spec.containers[0]?.ports).toEqual([{ containerPort: 80, hostPort: 80, protocol: 'TCP' }]);
  });
  test('give volumes their modes, and a volume without a source a directory', () => {
    const volumes = [
      { name: 'a' },
      { name: 'b', secret: { secretName: 's' } },
      { name: 'c', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
      { name: 'd', hostPath: { path: '/tmp' } },
    ];
    expect(podWith({ volumes }).spec.volumes).toEqual([
      { name: 'a', emptyDir: {} },
      { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
      {
        name: 'c',
        projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }], defaultMode: 420 },
      },
      { name: 'd', hostPath: { path: '/tmp', type: '' } },
    ]);
  });
  test('keep the two names of the service account the same', () => {
    expect(podWith({ serviceAccount: 'old' }).spec).toMatchObject({ serviceAccountName: 'old', serviceAccount: 'old' });
    expect(podWith({ serviceAccount: 'old', serviceAccountName: 'new' }).spec).toMatchObject({
      serviceAccountName: 'new',
      serviceAccount: 'new',
    });
  });
  test('complete pod-level resources: requests of the containers first, then the limits', () => {
    const containers = [
      { name: 'a', image: 'i:1', resources: { requests: { cpu: '500m' } } },
      { name: 'b', image: 'i:1', resources: { requests: { cpu: '250m' }, limits: { 'hugepages-2Mi': '4Mi' } } },
    ];
    const pod = podWith({ containers, resources: { limits: { cpu: '2', memory: '1Gi' } } });
    expect(pod.spec.resources).toEqual({
      limits: { cpu: '2', memory: '1Gi', 'hugepages-2Mi': '4Mi' },
      requests: { cpu: '750m', memory: '1Gi', 'hugepages-2Mi': '4Mi' },
    });
    const requestsOnly = podWith({ containers: containers.slice(0, 1), resources: { requests: { memory: '1Gi' } } });
    expect(requestsOnly.spec.resources).toEqual({ requests: { memory: '1Gi' } });
  });
});

describe('defaults of other kinds', () => {
  test('templates get what holds for every pod, but no requests from limits', () => {
    const template = { spec: { containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '1' } } }] } };
    const set = defaulted(replicaSetKind, { spec: { selector: {}, template } });
    expect(set.spec.replicas).toBe(1);
    expect(set.spec.template?.spec).toMatchObject({ restartPolicy: 'Always', dnsPolicy: 'ClusterFirst' });
    expect(set.spec.template?.spec?.enableServiceLinks).toBeUndefined();
    expect(set.spec.template?.spec?.containers[0]).toMatchObject({
      imagePullPolicy: 'Always',
      resources: { limits: { cpu: '1' } },
    });
    expect(set.spec.template?.spec?.containers[0]?.resources?.requests).toBeUndefined();
  });
  test('StatefulSet', () => {
    const set = defaulted(statefulSetKind, { spec: { selector: {}, template: { spec: { containers: [] } } } });
    expect(set.spec).toMatchObject({
      replicas: 1,
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      revisionHistoryLimit: 10,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    });
  });
  test('a namespace is labelled with its name', () => {
    expect(defaulted(namespaceKind, {}).metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'x' });
  });
  test('a node may give all it has', () => {
    const node = defaulted(nodeKind, { spec: {}, status: { capacity: { cpu: '2', memory: '1024Mi' } } });
    expect(node.status?.allocatable).toEqual({ cpu: '2', memory: '1Gi' });
  });
  test('texts of a secret go over into its data', () => {
    const secret = defaulted(secretKind, { data: { a: 'MQ==' }, stringData: { a: 'é€😀', b: '' } });
    expect(secret).toMatchObject({ type: 'Opaque', data: { a: 'w6nigqzwn5iA', b: '' } });
    expect(secret.stringData).toBeUndefined();
  });
  test('a service leads to the port of the same number', () => {
    const service = defaulted(serviceKind, { spec: { type: 'NodePort', ports: [{ port: 80 }] } });
    expect(service.spec).toEqual({
      type: 'NodePort',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      sessionAffinity: 'None',
      externalTrafficPolicy: 'Cluster',
      internalTrafficPolicy: 'Cluster',
    });
  });
  test('a priority class preempts', () => {
    expect(defaulted(priorityClassKind, {})).toMatchObject({ value: 0, preemptionPolicy: 'PreemptLowerPriority' });
  });
});

describe('a new pod', () => {
  const created = (spec: object): Pod => {
    const pod = podWith(spec);
    pod.status = { phase: 'Running', podIP: '10.0.0.1' };
    podKind.prepareCreate?.(pod);
    return pod;
  };
  test('is pending and has its class, whatever the client says', () => {
    expect(created({}).status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  });
  test('with gates says that they hold it back', () => {
    expect(created({ schedulingGates: [{ name: 'example.com/wait' }] }).status?.conditions).toEqual([
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ]);
  });
});
