import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Container, ContainerStatus, Pod, PodSpec } from '#api/kinds/core.ts';
import { compareQuantities } from '#api/quantity.ts';
import { nonZeroRequests, podLimits, podRequestAmounts, podRequests } from '#api/resources.ts';

type List = Record<string, string>;

const pod = (spec: Partial<PodSpec>, status?: Pod['status']): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default' },
  spec: { containers: [], ...spec },
  ...(status === undefined ? {} : { status }),
});
const asks = (name: string, requests?: List, limits?: List): Container => ({
  name,
  ...(requests === undefined && limits === undefined
    ? {}
    : { resources: { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) } }),
});
const sidecar = (name: string, requests: List): Container => ({ ...asks(name, requests), restartPolicy: 'Always' });

describe('effective requests', () => {
  test('are the sum of containers and sidecars, or the costliest moment of the start, whichever is more', () => {
    const p = pod({
      initContainers: [asks('i1', { cpu: '2' }), sidecar('s1', { cpu: '1' }), asks('i2', { cpu: '3' })],
      containers: [asks('a', { cpu: '1' }), asks('b', { cpu: '1' })],
    });
    expect(podRequests(p)).toEqual({ cpu: '4' });
  });
  test('count a sidecar only for the init containers after it', () => {
    const p = pod({
      initContainers: [asks('i1', { cpu: '3' }), sidecar('s1', { cpu: '1' })],
      containers: [asks('a', { cpu: '500m' })],
    });
    expect(podRequests(p)).toEqual({ cpu: '3' });
  });
  test('of one plain container are its own, as they are spelt', () => {
    expect(podRequests(pod({ containers: [asks('a', { cpu: '0.5', memory: '1024Mi' })] }))).toEqual({
      cpu: '0.5',
      memory: '1024Mi',
    });
  });
  test('add the overhead', () => {
    const p = pod({ containers: [asks('a', { cpu: '500m' })], overhead: { cpu: '250m', memory: '64Mi' } });
    expect(podRequests(p)).toEqual({ cpu: '750m', memory: '64Mi' });
  });
  test('are replaced, resource by resource, by those of the pod as a whole', () => {
    const p = pod({
      containers: [asks('a', { cpu: '500m', memory: '1Gi', 'example.com/gpu': '1' })],
      resources: { requests: { cpu: '2', 'example.com/gpu': '7' } },
      overhead: { cpu: '100m' },
    });
    expect(podRequests(p)).toEqual({ cpu: '2100m', memory: '1Gi', 'example.com/gpu': '1' });
  });
  test('are summed exactly and rounded up once per pod', () => {
    const p = pod({ containers: [asks('a', { memory: '100m', cpu: '1' }), asks('b', { memory: '200m' })] });
    expect(podRequestAmounts(p)).toEqual(
      new Map([
        ['memory', 1],
        ['cpu', 1000],
      ]),
    );
    const huge = pod({ containers: [asks('a', { memory: '6Ei' }), asks('b', { memory: '1n' })] });
    expect(podRequestAmounts(huge).get('memory')).toBe(Number(6n * 1024n ** 6n + 1n));
  });
});

describe('effective limits', () => {
  test('get the overhead only where there is a limit', () => {
    const p = pod({
      containers: [asks('a', undefined, { cpu: '1' }), asks('b')],
      overhead: { cpu: '100m', memory: '64Mi' },
    });
    expect(podLimits(p)).toEqual({ cpu: '1100m' });
  });
});

describe('requests for scoring', () => {
  test('assume 100m and 200Mi for each container that states none; an explicit 0 stays 0', () => {
    const p = pod({ containers: [asks('a'), asks('b', { cpu: '0', memory: '1Gi' })] });
    expect(nonZeroRequests(p)).toEqual({ cpuMilli: 100, memoryBytes: 200 * 2 ** 20 + 2 ** 30 });
    expect(nonZeroRequests(pod({ containers: [asks('a')] }))).toEqual({ cpuMilli: 100, memoryBytes: 200 * 2 ** 20 });
  });
  test('assume nothing for what the pod as a whole requests', () => {
    const p = pod({ containers: [asks('a'), asks('b')], resources: { requests: { cpu: '1' } } });
    expect(nonZeroRequests(p)).toEqual({ cpuMilli: 1000, memoryBytes: 400 * 2 ** 20 });
  });
});

describe('a pod that is being resized', () => {
  const status = (granted: List, actual: List): ContainerStatus => ({
    ...{ name: 'a', ready: true, restartCount: 0, image: 'i', imageID: 'i' },
    allocatedResources: granted,
    resources: { requests: actual },
  });
  const resized = (conditions: NonNullable<NonNullable<Pod['status']>['conditions']>) =>
    pod(
      { containers: [asks('a', { cpu: '1', memory: '3Gi' })] },
      { conditions, containerStatuses: [status({ cpu: '2', memory: '1Gi' }, { cpu: '500m', memory: '2Gi' })] },
    );
  test('counts on its node with the most of asked, granted and actual', () => {
    expect(podRequests(resized([]), { useStatus: true })).toEqual({ cpu: '2', memory: '3Gi' });
  });
  test('counts without what it asks for when that cannot be', () => {
    const conditions = [{ type: 'PodResizePending', status: 'True' as const, reason: 'Infeasible' }];
    expect(podRequests(resized(conditions), { useStatus: true })).toEqual({ cpu: '2', memory: '2Gi' });
  });
  test('counts by its spec alone while it is being placed', () => {
    expect(podRequests(resized([]))).toEqual({ cpu: '1', memory: '3Gi' });
  });
});

interface Golden {
  readonly case: { readonly name: string; readonly pod: Pod };
  readonly expected: {
    readonly podRequest?: {
      readonly milliCPU: number;
      readonly memory: number;
      readonly ephemeralStorage: number;
      readonly scalar?: Readonly<Record<string, number>>;
      readonly nonZeroMilliCPU: number;
      readonly nonZeroMemory: number;
    };
  };
}

describe('the figures of kube-scheduler v1.35', () => {
  const folder = new URL('../data/golden/public/', import.meta.url);
  const cases = readdirSync(folder).flatMap(file =>
    gunzipSync(readFileSync(new URL(file, folder)))
      .toString()
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Golden),
  );
  test('are met for every pod of the golden cases', () => {
    const own = ['cpu', 'memory', 'ephemeral-storage'];
    const asked = cases.filter(({ expected }) => expected.podRequest !== undefined);
    expect(asked.length).toBeGreaterThan(700);
    for (const { case: given, expected } of asked) {
      const amounts = podRequestAmounts(given.pod);
      const { cpuMilli, memoryBytes } = nonZeroRequests(given.pod);
      const scalar = Object.fromEntries([...amounts].filter(([name]) => !own.includes(name)));
      expect([
        given.name,
        {
          milliCPU: amounts.get('cpu') ?? 0,
          memory: amounts.get('memory') ?? 0,
          ephemeralStorage: amounts.get('ephemeral-storage') ?? 0,
          nonZeroMilliCPU: cpuMilli,
          nonZeroMemory: memoryBytes,
          scalar,
        },
      ]).toEqual([given.name, { ...expected.podRequest, scalar: expected.podRequest?.scalar ?? {} }]);
    }
  });
});

/** In thousandths of a unit, straight from the definition: at each moment of the pod's life, what runs then. */
const obviouslyRight = ({ spec }: Pod, resource: string): bigint | undefined => {
  const of = (container: Container) => {
    const text = container.resources?.requests?.[resource];
    return text === undefined ? undefined : BigInt(text);
  };
  const sum = (running: readonly Container[]) =>
    running.reduce<bigint | undefined>((total, c) => {
      const amount = of(c);
      return amount === undefined ? total : (total ?? 0n) + amount;
    }, undefined);
  const starting = spec.initContainers ?? [];
  const moments = starting.map((container, i) => [
    ...starting.slice(0, i).filter(c => c.restartPolicy === 'Always'),
    container,
  ]);
  const running = [...spec.containers, ...starting.filter(c => c.restartPolicy === 'Always')];
  const amounts = [...moments, running].map(sum).filter(amount => amount !== undefined);
  return amounts.length === 0 ? undefined : amounts.reduce((a, b) => (a > b ? a : b));
};

describe('for any pod', () => {
  const resource = fc.constantFrom('cpu', 'memory', 'example.com/gpu');
  const amount = fc.oneof(
    fc.integer({ min: 0, max: 2000 }).map(String),
    fc.bigInt({ min: 0n, max: 2n ** 62n }).map(String),
  );
  const list = fc.dictionary(resource, amount, { maxKeys: 3 });
  const container = list.map(requests => asks('c', requests));
  const starting = fc
    .tuple(container, fc.boolean())
    .map(([c, stays]) => (stays ? { ...c, restartPolicy: 'Always' } : c));
  test('effective requests are what an obviously right count says', () => {
    fc.assert(
      fc.property(
        fc.array(container, { minLength: 1, maxLength: 4 }),
        fc.array(starting, { maxLength: 4 }),
        (containers, initContainers) => {
          const p = pod({ containers, initContainers });
          const texts = podRequests(p);
          const amounts = podRequestAmounts(p);
          for (const name of ['cpu', 'memory', 'example.com/gpu']) {
            const right = obviouslyRight(p, name);
            expect(texts[name] === undefined).toBe(right === undefined);
            if (right === undefined) continue;
            expect(compareQuantities(texts[name]!, String(right))).toBe(0);
            expect(amounts.get(name)).toBe(Number(name === 'cpu' ? right * 1000n : right));
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
