/** The workloads that are about where pods go: what each consists of, and its invariants by the file's own sentences. */
import { expect } from 'vitest';
import type { Node, Pod } from '#api/kinds/core.ts';
import { overNamespaces, type Setting, workloads } from '#test/bench/scheduler-workloads.ts';
import type { FileSize } from './file.ts';
import { colourCounts, expectAllBound, expectRoom, type Outcome, podsByNode } from './outcome.ts';
import { nodeFrom, podFrom, podsFrom } from './templates.ts';

export interface Placement {
  readonly build: (size: FileSize) => Setting;
  readonly invariants: Readonly<Record<string, (outcome: Outcome) => void>>;
}

/** As the benchmark builds it. */
const asMeasured =
  (name: string) =>
  ({ nodes = 0, init = 0, measure = 0 }: FileSize): Setting =>
    workloads.find(workload => workload.name === name)!.build({ nodes, init, measure });

const allBound = { 'every measured pod is bound': expectAllBound };

const isOn = (node: string) => (pod: Pod) => pod.spec.nodeName === node;
const indexOf = ({ metadata }: Pod | Node): number => Number(metadata.name.replace(/^.*-/, ''));

const zoneOf = ({ nodes }: Outcome, { spec }: Pod): string | undefined =>
  nodes.find(({ metadata }) => metadata.name === spec.nodeName)?.metadata.labels?.['topology.kubernetes.io/zone'];

/** Zones in the order in which the blue pods came; never more than 5 apart. */
const expectEvenZones = (outcome: Outcome): void => {
  const zones = outcome.nodes.map(({ metadata }) => metadata.labels?.['topology.kubernetes.io/zone']);
  const counts = new Map([...new Set(zones)].map(zone => [zone, 0]));
  expect(counts.size).toBe(3);
  for (const pod of outcome.measured) {
    const zone = zoneOf(outcome, pod);
    counts.set(zone, counts.get(zone)! + 1);
    expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(5);
  }
};

/** Its own pods' terms keep all green pods apart, over all namespaces. */
const expectOneGreenEach = (outcome: Outcome): void => {
  expectAllBound(outcome);
  expect(Math.max(...colourCounts(outcome, 'green'))).toBe(1);
};

const inNamespaces =
  (template: string, zones: readonly string[] = []) =>
  ({ nodes = 0, initNamespaces = 0, initPodsPerNamespace = 0, measure = 0 }: FileSize): Setting =>
    overNamespaces(template, initNamespaces, zones)({ nodes, init: initNamespaces * initPodsPerNamespace, measure });

const matchingAntiAffinity = (size: FileSize): Setting => ({
  ...asMeasured('SchedulingPodAntiAffinity')({ ...size, measure: 0 }),
  measure: podsFrom('pod-matching-anti-affinity', 'measured', size['measure'] ?? 0, 'sched-1'),
});

const inclusionPolicy = ({ tainted = 0, normal = 0, measure = 0 }: FileSize): Setting => ({
  nodes: [
    ...Array.from({ length: tainted }, (_, i) => nodeFrom('node-with-taint', `tainted-${i}`)),
    ...Array.from({ length: normal }, (_, i) => nodeFrom('node-default', `normal-${i}`, { foo: 'bar' })),
  ],
  init: [],
  measure: podsFrom('pod-spread-inclusion', 'measured', measure),
});

const extendedResource = ({ nodes = 0, init = 0, measure = 0 }: FileSize): Setting => ({
  nodes: [
    ...Array.from({ length: init }, (_, i) => nodeFrom('node-default', `plain-${i}`)),
    ...Array.from({ length: nodes }, (_, i) => {
      const text = JSON.stringify(nodeFrom('node-with-extended-resource', `node-${i}`));
      return JSON.parse(text.replaceAll('{i}', String(i))) as Node;
    }),
  ],
  init: [],
  measure: Array.from({ length: measure }, (_, i) => podFrom('pod-extended-resource', `measured-${i}`, 'default', i)),
});

const spreadByWish = (outcome: Outcome): void => {
  const counts = colourCounts(outcome, 'yellow');
  const even = Math.ceil(counts.reduce((sum, count) => sum + count, 0) / counts.length);
  expect(Math.max(...counts)).toBeLessThanOrEqual(even);
};

export const placements: Readonly<Record<string, Placement>> = {
  SchedulingBasic: {
    build: asMeasured('SchedulingBasic'),
    invariants: {
      ...allBound,
      'no node above 110 pods, 4 cpu or 32Gi of requests (40 pods of 100m fit by cpu)': outcome => {
        expectRoom(outcome);
        for (const { status } of outcome.nodes)
          expect(status?.allocatable).toEqual({ cpu: '4', memory: '32Gi', pods: '110' });
        for (const pods of podsByNode(outcome).values()) expect(pods.length).toBeLessThanOrEqual(40);
      },
    },
  },
  SchedulingDaemonset: {
    build: asMeasured('SchedulingDaemonset'),
    invariants: {
      ...allBound,
      // The shortcut is a matter of speed: the benchmark demands 50,000 pods a second of it on 15,000 nodes.
      'all on scheduler-perf-node: matchFields must shortcut node filtering': ({ measured }) =>
        expect(measured.every(isOn('scheduler-perf-node'))).toBe(true),
    },
  },
  'SchedulingWithExtendedResource (fast/slow mix)': {
    build: extendedResource,
    invariants: {
      ...allBound,
      'pod i sits on the one node that has foo.com/bar-i': ({ measured }) => {
        for (const pod of measured) expect(pod.spec.nodeName).toBe(`node-${indexOf(pod)}`);
      },
    },
  },
  SchedulingPodAntiAffinity: {
    build: asMeasured('SchedulingPodAntiAffinity'),
    invariants: {
      ...allBound,
      'at most one green pod per node; at 5/1/4 every node has exactly one': outcome => {
        expectOneGreenEach(outcome);
        const { nodes, init, measured } = outcome;
        if (init.length + measured.length === nodes.length)
          expect(colourCounts(outcome, 'green')).toEqual(nodes.map(() => 1));
      },
    },
  },
  SchedulingPodMatchingAntiAffinity: {
    build: matchingAntiAffinity,
    invariants: {
      'nodes that hold a pod with the anti-affinity term get no matching pod': outcome => {
        expectAllBound(outcome);
        const taken = new Set(outcome.init.map(({ spec }) => spec.nodeName));
        expect(taken.size).toBe(outcome.init.length);
        expect(outcome.measured.filter(({ spec }) => taken.has(spec.nodeName))).toEqual([]);
      },
    },
  },
  SchedulingPodAffinity: {
    build: asMeasured('SchedulingPodAffinity'),
    invariants: {
      ...allBound,
      'the first pod is placed although nothing matches yet (self-match rule)': ({ init }) => {
        expect(init[0]?.spec.affinity?.podAffinity).toBeDefined();
        expect(init.filter(({ spec }) => !spec.nodeName)).toEqual([]);
      },
    },
  },
  SchedulingPreferredPodAffinity: { build: asMeasured('SchedulingPreferredPodAffinity'), invariants: allBound },
  SchedulingPreferredPodAntiAffinity: {
    build: asMeasured('SchedulingPreferredPodAntiAffinity'),
    invariants: {
      ...allBound,
      'with the anti-affinity template and more nodes than pods: spread so that few nodes hold two': spreadByWish,
    },
  },
  SchedulingNodeAffinity: {
    build: asMeasured('SchedulingNodeAffinity'),
    invariants: {
      ...allBound,
      'only nodes of zone1/zone2 used': outcome => {
        for (const pod of [...outcome.init, ...outcome.measured])
          expect(['zone1', 'zone2']).toContain(zoneOf(outcome, pod));
      },
    },
  },
  MixedSchedulingBasePod: { build: asMeasured('MixedSchedulingBasePod'), invariants: allBound },
  TopologySpreading: {
    build: asMeasured('TopologySpreading'),
    invariants: { ...allBound, 'count of blue pods per zone: max - min <= 5 at every moment': expectEvenZones },
  },
  PreferredTopologySpreading: { build: asMeasured('PreferredTopologySpreading'), invariants: allBound },
  DefaultTopologySpreading: { build: asMeasured('DefaultTopologySpreading'), invariants: allBound },
  SchedulingWithNodeInclusionPolicy: {
    build: inclusionPolicy,
    invariants: {
      'exactly one pod on every normal node, none on a tainted one (nodeTaintsPolicy Honor keeps tainted nodes out of the skew)':
        outcome => {
          for (const [name, pods] of podsByNode(outcome)) expect(pods.length).toBe(name.startsWith('normal') ? 1 : 0);
        },
    },
  },
  SchedulingRequiredPodAntiAffinityWithNSSelector: {
    build: inNamespaces('pod-anti-affinity-nsselector'),
    invariants: { 'at most one green pod per node over all namespaces': expectOneGreenEach },
  },
  SchedulingPreferredAntiAffinityWithNSSelector: {
    build: inNamespaces('pod-preferred-anti-affinity-nsselector'),
    invariants: allBound,
  },
  SchedulingRequiredPodAffinityWithNSSelector: {
    build: inNamespaces('pod-affinity-nsselector', ['zone1']),
    invariants: allBound,
  },
  SchedulingPreferredAffinityWithNSSelector: {
    build: inNamespaces('pod-preferred-affinity-nsselector'),
    invariants: allBound,
  },
};
