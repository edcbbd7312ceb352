/** The smaller pure parts of an agent: images, admission, cgroups of pods, the Node's status, usage arithmetic. */
import { describe, expect, test } from 'vitest';
import { reject } from '#agent/admission.ts';
import { containerPath, isOomProven, podCgroupLimits, shareLimits } from '#agent/container/cgroup-plan.ts';
import {
  imageNameFault,
  isUnreachable,
  numericUser,
  pullPolicyOf,
  tagOf,
  withTag,
} from '#agent/container/image-policy.ts';
import { pauseProgram, tarOf } from '#agent/container/pause-image.ts';
import { label } from '#agent/names.ts';
import { differs, type NodeConfig, type NodeFacts, nodeStatusOf, usageText } from '#agent/node/node-status.ts';
import { podUsages, type Sample, usageOf, withSample } from '#agent/node/stats.ts';
import type { Node } from '#api/kinds/core.ts';
import { container, pod, seen } from '#test/node-agent/pod-fixtures.ts';
import { startMs } from '#test/virtual.ts';

describe('images', () => {
  test.each([
    ['nginx', 'latest', 'nginx:latest', 'Always'],
    ['nginx:1.2', '1.2', 'nginx:1.2', 'IfNotPresent'],
    ['host:5000/a/b', 'latest', 'host:5000/a/b:latest', 'Always'],
    [`a@sha256:${'0'.repeat(64)}`, undefined, `a@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
  ])('%s', (image, tag, full, policy) => {
    expect(imageNameFault(image)).toBeUndefined();
    expect([tagOf(image), withTag(image), pullPolicyOf(container('c', { image }))]).toEqual([tag, full, policy]);
  });
  test.each(['', 'Nginx', 'a b', 'a//b', ':1', '-a', 'a:'])('%j is no image name', image => {
    expect(imageNameFault(image)).toMatch(/^couldn't parse image name/);
  });
  test('a registry that cannot be reached is told from an image that is not there', () => {
    expect(isUnreachable('Get "https://r/v2/": dial tcp: lookup r on 1.1.1.1: no such host')).toBe(true);
    expect(isUnreachable('dial tcp 127.0.0.1:9: connect: connection refused')).toBe(true);
    expect(isUnreachable('pull access denied for x, repository does not exist')).toBe(false);
    expect(isUnreachable('manifest for x:1 not found: manifest unknown')).toBe(false);
  });
  test('users of images', () => {
    expect(['', 'root', '0', '1000:5', 'app'].map(numericUser)).toEqual([0, 0, 0, 1000, undefined]);
  });
});

describe('admission', () => {
  const node = (more: Partial<Node['spec']> = {}): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1', labels: { disk: 'ssd' } },
    spec: more,
    status: { allocatable: { cpu: '2', memory: '1Gi', pods: '3', 'example.com/x': '1' } },
  });
  const wants = (requests: Record<string, string>, spec = {}) =>
    pod({ containers: [container('app', { resources: { requests } })], ...spec });
  const reason = (p: ReturnType<typeof pod>, others: readonly ReturnType<typeof pod>[] = [], n = node()) =>
    reject(p, n, others);
  test.each([
    ['fits', wants({ cpu: '2' }), [], undefined],
    [
      'too much CPU beside others',
      wants({ cpu: '1500m' }),
      [wants({ cpu: '1' })],
      "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
    ],
    [
      'too much memory',
      wants({ memory: '2Gi' }),
      [],
      `Node didn't have enough resource: memory, requested: ${2 ** 31}, used: 0, capacity: ${2 ** 30}`,
    ],
    [
      'an unknown resource',
      wants({ 'example.com/y': '1' }),
      [],
      "Node didn't have enough resource: example.com/y, requested: 1, used: 0, capacity: 0",
    ],
    ['requests of nothing on a full node', wants({}), [wants({ cpu: '2' })], undefined],
    [
      'too many pods',
      wants({}),
      [wants({}), wants({}), wants({})],
      "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
    ],
    [
      'a selector that does not match',
      wants({}, { nodeSelector: { disk: 'hdd' } }),
      [],
      "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ],
  ] as const)('%s', (_name, p, others, message) => {
    expect(reason(p, others)?.message).toBe(message);
  });
  test('host ports and taints', () => {
    const port = (hostPort: number, hostIP?: string) =>
      pod({
        containers: [
          container('c', { ports: [{ containerPort: 80, hostPort, protocol: 'TCP', ...(hostIP ? { hostIP } : {}) }] }),
        ],
      });
    expect(reason(port(80), [port(80, '127.0.0.1')])?.reason).toBe('NodePorts');
    expect(reason(port(80, '127.0.0.2'), [port(80, '127.0.0.1')])).toBeUndefined();
    const tainted = node({ taints: [{ key: 'k', effect: 'NoExecute' }] });
    expect(reason(pod(), [], tainted)?.reason).toBe('TaintToleration');
    expect(reason(pod({ tolerations: [{ key: 'k', operator: 'Exists' }] }), [], tainted)).toBeUndefined();
  });
});

describe('cgroups of a pod', () => {
  const withResources = (...resources: object[]) =>
    pod({ containers: resources.map((each, i) => container(`c${i}`, { resources: each })) });
  const full = { limits: { cpu: '500m', memory: '64Mi' }, requests: { cpu: '250m', memory: '64Mi' } };
  test.each([
    ['BestEffort', withResources({}), { cpuShares: 2, noSwap: true }],
    [
      'all limited',
      withResources(full, full),
      { cpuShares: 512, cpuQuotaMicros: 100_000, memoryBytes: 128 << 20, noSwap: true },
    ],
    ['one not limited', withResources(full, { requests: { cpu: '250m' } }), { cpuShares: 512, noSwap: true }],
  ])('%s', (_name, p, limits) => {
    expect(podCgroupLimits(p, undefined)).toEqual(limits);
  });
  test('a quota above the share is cut to it', () => {
    expect(podCgroupLimits(withResources(full), 300).cpuQuotaMicros).toBe(30_000);
    expect(shareLimits({ cpuMilli: 1000, memoryBytes: 1 << 30 })).toEqual({
      cpuShares: 1024,
      cpuQuotaMicros: 100_000,
      memoryBytes: 1 << 30,
    });
  });
  test('only pods of several containers have a group for each', () => {
    const owner = { cluster: 'c', node: 'n' };
    expect(containerPath(owner, withResources({}), 'c0')).toEqual(['c', 'n', 'uid-1']);
    expect(containerPath(owner, withResources({}, {}), 'c1')).toEqual(['c', 'n', 'uid-1', 'c1']);
  });
  test.each([
    ['2', 0, 1, 0, 1, true],
    ['2', 1, 1, 0, 137, false],
    ['1', 0, 0, 100, 137, true],
    ['1', 0, 0, 99, 137, false],
    ['1', 0, 0, 100, 1, false],
  ] as const)(
    'evidence on v%s: kills %i→%i, peak %i, exit %i: %s',
    (version, before, kills, peakBytes, exitCode, proven) => {
      expect(
        isOomProven(version, { kills: before }, { kills, peakBytes, limitHits: 0 }, { limitBytes: 100, exitCode }),
      ).toBe(proven);
    },
  );
});

describe('the Node', () => {
  const config: NodeConfig = {
    name: 'n1',
    share: {},
    labels: {},
    taints: [],
    reserved: { cpu: '200m' },
    maxPods: 110,
    version: 'v1',
    annotations: {},
  };
  const info = {
    cpus: 2,
    memoryBytes: 4 * 2 ** 30,
    cgroupVersion: '1',
    cgroupDriver: 'cgroupfs',
    serverVersion: '20',
    apiVersion: '1.41',
    kernelVersion: '6',
    operatingSystem: 'x',
    osType: 'linux',
    architecture: 'amd64',
    rootDirectory: '/',
    id: 'A:B',
    liveRestore: false,
  } as const;
  const host = { hostname: 'h', address: '192.0.2.1', machineId: '', bootId: '', systemUuid: '' };
  const facts: NodeFacts = {
    info,
    host,
    images: [],
    fileSystem: { capacityBytes: 100 << 20, availableBytes: 50 << 20 },
    memoryInUseBytes: 0,
    engineFault: undefined,
    shareFault: undefined,
    remarks: [],
  };
  const conditions = (more: Partial<NodeFacts>, old?: Node, nowMs = startMs) =>
    Object.fromEntries(
      nodeStatusOf(config, { ...facts, ...more }, old, nowMs).conditions!.map(c => [c.type, `${c.status} ${c.reason}`]),
    );
  test('has what the engine has, less what is reserved and the eviction threshold', () => {
    const { capacity, allocatable } = nodeStatusOf(config, facts, undefined, startMs);
    expect(capacity).toEqual({ cpu: '2', memory: '4Gi', 'ephemeral-storage': '100Mi', pods: '110' });
    expect(allocatable).toMatchObject({
      cpu: '1800m',
      memory: '3996Mi',
      'ephemeral-storage': String(90 << 20),
      pods: '110',
    });
  });
  test('keeps a resource that somebody advertised and makes it allocatable', () => {
    const old = {
      metadata: { name: 'n1' },
      status: { capacity: { 'example.com/dongle': '4', cpu: '99' } },
    } as unknown as Node;
    expect(nodeStatusOf(config, facts, old, startMs).allocatable).toMatchObject({
      'example.com/dongle': '4',
      cpu: '1800m',
    });
  });
  test('is ready while the engine answers, and tells pressure', () => {
    expect(conditions({})).toMatchObject({
      Ready: 'True KubeletReady',
      MemoryPressure: 'False KubeletHasSufficientMemory',
      DiskPressure: 'False KubeletHasNoDiskPressure',
    });
    expect(conditions({ engineFault: 'gone' })['Ready']).toBe('False KubeletNotReady');
    expect(conditions({ memoryInUseBytes: 4 * 2 ** 30 - 1 })['MemoryPressure']).toBe(
      'True KubeletHasInsufficientMemory',
    );
    expect(conditions({ fileSystem: { capacityBytes: 100, availableBytes: 9 } })['DiskPressure']).toBe(
      'True KubeletHasDiskPressure',
    );
    expect(conditions({ shareFault: 'read-only' })['SliceEnforced']).toBe('False AdmissionOnly');
  });
  test('shows pressure for five minutes after it was last seen', () => {
    const status = nodeStatusOf(config, { ...facts, memoryInUseBytes: 4 * 2 ** 30 }, undefined, startMs);
    const old = { metadata: { name: 'n1' }, status } as unknown as Node;
    expect(conditions({}, old, startMs + 299_000)['MemoryPressure']).toMatch(/^True/);
    expect(conditions({}, old, startMs + 301_000)['MemoryPressure']).toMatch(/^False/);
  });
  test('heartbeats alone are no difference', () => {
    const a = nodeStatusOf(config, facts, undefined, startMs);
    const b = nodeStatusOf(config, facts, { metadata: { name: 'n1' }, status: a } as unknown as Node, startMs + 9000);
    expect(differs(a, b)).toBe(false);
    expect(differs(a, nodeStatusOf(config, { ...facts, engineFault: 'x' }, undefined, startMs))).toBe(true);
  });
  test('says what is used of what is requested', () => {
    expect(
      usageText(
        { cpuNanoCores: 312e6, memoryWorkingSetBytes: 210 << 20 },
        { cpuMilli: 500, memoryBytes: 256 << 20 },
        { cpu: '1', memory: '1Gi' },
      ),
    ).toBe('cpu 312m used, 500m requested of 1; memory 210Mi used, 256Mi requested of 1024Mi');
  });
});

describe('usage', () => {
  const sample = (atMs: number, cpuNanos: number): Sample => ({
    atMs,
    cpuNanos,
    memoryWorkingSetBytes: 5,
    memoryUsageBytes: 9,
    throttling: { periods: 0, throttledPeriods: 0, throttledNanos: 0 },
    pids: 1,
  });
  test('is the difference of two samples over their own time', () => {
    const one = withSample(undefined, 1, sample(1000, 100));
    expect(usageOf(one)).toBeUndefined();
    expect(usageOf(withSample(one, 1, sample(3000, 1_000_000_100)))).toEqual({
      cpuNanoCores: 500_000_000,
      memoryWorkingSetBytes: 5,
      windowMs: 2000,
    });
  });
  test('begins anew when the container does, and ignores a sample of the same instant', () => {
    const two = withSample(withSample(undefined, 1, sample(1000, 100)), 1, sample(2000, 200));
    expect(withSample(two, 1, sample(2000, 999))).toBe(two);
    expect(usageOf(withSample(two, 2, sample(3000, 10)))).toBeUndefined();
    expect(usageOf(withSample(two, 1, sample(3000, 10)))).toBeUndefined();
  });
  test('leaves out a pod of which one container has no pair yet', () => {
    const labels = (name: string) => ({
      [label.podUid]: 'u',
      [label.podName]: 'p',
      [label.podNamespace]: 'd',
      [label.containerName]: name,
    });
    const [a, b] = [seen('a', 0, { labels: labels('a') }), seen('b', 0, { labels: labels('b') })];
    const pair = withSample(withSample(undefined, 1, sample(1000, 0)), 1, sample(2000, 1000));
    expect(podUsages([a, b], new Map([[a.id, pair]]))).toEqual([]);
    expect(
      podUsages(
        [a, b],
        new Map([
          [a.id, pair],
          [b.id, pair],
        ]),
      )[0],
    ).toMatchObject({ name: 'p', windowMs: 1000, containers: [{ name: 'a' }, { name: 'b' }] });
  });
});

describe('the pause image', () => {
  test('is an ELF program for the architectures it knows', () => {
    for (const architecture of ['amd64', 'arm64']) {
      const program = pauseProgram(architecture)!;
      expect(Buffer.from(program.subarray(0, 4)).toString('latin1')).toBe('\x7fELF');
      expect(program.length).toBeLessThan(400);
    }
    expect(pauseProgram('s390x')).toBeUndefined();
  });
  test('is packed as tar reads it', () => {
    const tar = Buffer.from(tarOf('pause', Uint8Array.of(1, 2, 3)));
    expect(tar.length % 512).toBe(0);
    const sum = [...tar.subarray(0, 512)].reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    expect(Number.parseInt(tar.toString('latin1', 148, 154), 8)).toBe(sum);
    expect(tar.subarray(512, 515)).toEqual(Buffer.of(1, 2, 3));
  });
});
