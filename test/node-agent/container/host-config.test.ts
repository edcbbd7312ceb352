import { describe, expect, test } from 'vitest';
import {
  allowedOomScore,
  cpuQuota,
  cpuShares,
  type NodeLimits,
  oomScoreAdj,
  resourceConfig,
  securityConfig,
  userOf,
} from '#agent/container/host-config.ts';
import { container, pod } from '#test/node-agent/pod-fixtures.ts';

const gib = 2 ** 30;
const node: NodeLimits = {
  hostCpus: 2,
  memoryCapacityBytes: 4 * gib,
  negativeOomScore: true,
  pidsLimit: 0,
  cpuPeriodMicros: 100_000,
};
const config = (resources: object, limits: Partial<NodeLimits> = {}) => {
  const app = container('app', { resources });
  return resourceConfig(pod({ containers: [app] }), app, { ...node, ...limits });
};

test.each([
  [0, 2],
  [1, 2],
  [100, 102],
  [250, 256],
  [1000, 1024],
  [300_000, 262_144],
])('%im of CPU weigh %i shares', (milli, shares) => {
  expect(cpuShares(milli)).toBe(shares);
});

test.each([
  [10, 1000],
  [1, 1000],
  [500, 50_000],
  [1500, 150_000],
])('%im of CPU are a quota of %i µs', (milli, quota) => {
  expect(cpuQuota(milli)).toBe(quota);
});

describe('limits', () => {
  test.each([
    ['nothing', {}, { CpuShares: 2, OomScoreAdj: 1000 }],
    ['a request alone', { requests: { cpu: '250m', memory: '1Gi' } }, { CpuShares: 256, OomScoreAdj: 750 }],
    [
      'limits and the same requests',
      { limits: { cpu: '500m', memory: '64Mi' }, requests: { cpu: '500m', memory: '64Mi' } },
      { CpuShares: 512, NanoCpus: 500_000_000, Memory: 64 << 20, MemorySwap: 64 << 20, OomScoreAdj: -997 },
    ],
    [
      'a limit of 1m',
      { requests: { cpu: '1m' }, limits: { cpu: '1m' } },
      { CpuShares: 2, NanoCpus: 10_000_000, OomScoreAdj: 999 },
    ],
    ['a limit of all CPUs', { limits: { cpu: '2' } }, { CpuShares: 2048, NanoCpus: 2_000_000_000, OomScoreAdj: 999 }],
    [
      'a limit above the machine',
      { limits: { cpu: '3' } },
      { CpuShares: 3072, CpuPeriod: 100_000, CpuQuota: 300_000, OomScoreAdj: 999 },
    ],
  ])('%s', (_name, resources, expected) => {
    expect(config(resources)).toEqual(expected);
  });

  test('another period is never mixed with NanoCpus', () => {
    expect(config({ limits: { cpu: '500m' } }, { cpuPeriodMicros: 10_000 })).toMatchObject({
      CpuPeriod: 10_000,
      CpuQuota: 5000,
    });
    expect(config({ limits: { cpu: '500m' } }, { cpuPeriodMicros: 10_000 })).not.toHaveProperty('NanoCpus');
  });

  test('a limit above the share is cut to it', () => {
    expect(config({ limits: { cpu: '2' } }, { cpuCeilingMilli: 300 })).toMatchObject({ NanoCpus: 300_000_000 });
  });

  test('a memory limit below what the engine can set is refused with field and remedy', () => {
    expect(() => config({ limits: { memory: '4Mi' } })).toThrow(
      'resources.limits.memory of container "app" is 4Mi, below the least that Docker Engine can set: 6Mi',
    );
  });

  test('a limit of processes is set when the node has one', () => {
    expect(config({}, { pidsLimit: 512 })).toMatchObject({ PidsLimit: 512 });
  });
});

describe('oom_score_adj', () => {
  const score = (spec: Parameters<typeof pod>[0], name = 'app') => {
    const p = pod(spec);
    const found = [...(p.spec.initContainers ?? []), ...p.spec.containers].find(c => c.name === name)!;
    return oomScoreAdj(p, found, 4 * gib);
  };
  const guaranteed = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } };
  test('orders Guaranteed, Burstable, BestEffort', () => {
    expect(score({ containers: [container('app', { resources: guaranteed })] })).toBe(-997);
    expect(score({ containers: [container('app', { resources: { requests: { memory: '2Gi' } } })] })).toBe(500);
    expect(score({ containers: [container('app', { resources: { requests: { cpu: '1' } } })] })).toBe(999);
    expect(score({ containers: [container('app', { resources: { requests: { memory: '4Gi' } } })] })).toBe(3);
    expect(score({})).toBe(1000);
  });
  test('of a sidecar is no worse than that of the smallest app container', () => {
    const side = container('side', { restartPolicy: 'Always', resources: { requests: { memory: '1Gi' } } });
    expect(
      score(
        { initContainers: [side], containers: [container('app', { resources: { requests: { memory: '2Gi' } } })] },
        'side',
      ),
    ).toBe(500);
  });
  test('of a pod on a slice is measured by the slice', () => {
    const p = pod({ containers: [container('app', { resources: { requests: { memory: '32Mi' } } })] });
    expect(oomScoreAdj(p, p.spec.containers[0]!, 512 << 20)).toBe(938);
  });
  test('counts an equal part of what the pod requests beyond its containers', () => {
    const containers = [container('app', { resources: { requests: { memory: '1Gi' } } }), container('other')];
    expect(score({ containers, resources: { requests: { memory: '3Gi' } } })).toBe(500);
    expect(score({ containers, resources: { requests: { memory: '3Gi' } } }, 'other')).toBe(750);
  });
  test('of a node-critical pod is that of Guaranteed', () => {
    expect(score({ priorityClassName: 'system-node-critical', priority: 2_000_001_000 })).toBe(-997);
  });
  test('is not below 0 where the engine cannot', () => {
    expect(allowedOomScore(-997, { ...node, negativeOomScore: false })).toBe(0);
    expect(allowedOomScore(-997, node)).toBe(-997);
  });
});

test('security settings of the container win over those of the pod', () => {
  const app = container('app', {
    securityContext: {
      runAsUser: 1000,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
      seccompProfile: { type: 'Unconfined' },
    },
  });
  const p = pod({
    containers: [app],
    securityContext: { runAsUser: 1, runAsGroup: 2000, supplementalGroups: [5], fsGroup: 7 },
  });
  expect(userOf(p, app)).toBe('1000:2000');
  expect(securityConfig(p, app)).toEqual({
    CapAdd: ['NET_ADMIN'],
    CapDrop: ['ALL'],
    GroupAdd: ['5', '7'],
    SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'],
    ReadonlyRootfs: true,
  });
  expect(userOf(pod(), container('app'))).toBeUndefined();
});
