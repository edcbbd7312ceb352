/** The workloads of upstream's scheduler_perf whose speed is measured, as nodes and pods for the engine. */
import type { Namespace, Node, Pod, Service } from '#api/kinds/core.ts';
import { Columns } from '#engine/columns/columns.ts';
import { nodeFrom, podFrom, podsFrom } from '#test/workloads/templates.ts';

const nodes = (count: number, zones: readonly string[] = []): Node[] =>
  Array.from({ length: count }, (_, i) =>
    nodeFrom(
      'node-default',
      `node-${i}`,
      zones.length === 0 ? {} : { 'topology.kubernetes.io/zone': zones[i % zones.length]! },
    ),
  );

export interface Size {
  readonly nodes: number;
  readonly init: number;
  readonly measure: number;
}

/** What is there before, and what is to be placed. */
export interface Setting {
  readonly nodes: readonly Node[];
  readonly namespaces?: readonly Namespace[];
  readonly services?: readonly Service[];
  readonly init: readonly Pod[];
  readonly measure: readonly Pod[];
  /** Pods that fit nowhere, one of which is tried before every so many of the measured ones. */
  readonly impossible?: { readonly every: number; readonly pods: readonly Pod[] };
}

export interface Workload {
  readonly name: string;
  readonly size: Size;
  /** Pods per second that issue 3 asks for. */
  readonly atLeast: number;
  readonly build: (size: Size) => Setting;
}

const zone1 = ['zone1'];
const moons = ['moon-1', 'moon-2', 'moon-3'];
const devops = (count: number): Namespace[] =>
  Array.from({ length: count }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: `devops-${i}`, labels: { team: 'devops', 'kubernetes.io/metadata.name': `devops-${i}` } },
  })) as unknown as Namespace[];

const sched: Namespace[] = ['default', 'sched-0', 'sched-1'].map(
  name =>
    ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    }) as unknown as Namespace,
);

/** Init pods in namespace sched-0, measured ones in sched-1, all from one template. */
const both =
  (template: string, zones: readonly string[] = []) =>
  (size: Size): Setting => ({
    nodes: nodes(size.nodes, zones),
    namespaces: sched,
    init: podsFrom(template, 'init', size.init, 'sched-0'),
    measure: podsFrom(template, 'measured', size.measure, 'sched-1'),
  });

const withInit =
  (init: string, measure: string, zones: readonly string[]) =>
  (size: Size): Setting => ({
    nodes: nodes(size.nodes, zones),
    namespaces: sched,
    init: podsFrom(init, 'init', size.init),
    measure: podsFrom(measure, 'measured', size.measure),
  });

/** The init pods are dealt out over all namespaces but the last, where the measured ones go. */
export const overNamespaces =
  (template: string, namespaceCount: number, zones: readonly string[] = []) =>
  (size: Size): Setting => ({
    nodes: nodes(size.nodes, zones),
    namespaces: devops(namespaceCount + 1),
    init: Array.from({ length: size.init }, (_, i) => podFrom(template, `init-${i}`, `devops-${i % namespaceCount}`)),
    measure: podsFrom(template, 'measured', size.measure, `devops-${namespaceCount}`),
  });

const service = (namespace: string, selector: Record<string, string>): Service =>
  ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'all', namespace }, spec: { selector } }) as Service;

export const mixed = (size: Size): Setting => ({
  nodes: nodes(size.nodes, zone1),
  namespaces: sched,
  init: [
    'pod-default',
    'pod-affinity',
    'pod-anti-affinity',
    'pod-preferred-affinity',
    'pod-preferred-anti-affinity',
  ].flatMap(template => podsFrom(template, template, size.init, 'sched-0')),
  measure: podsFrom('pod-default', 'measured', size.measure, 'sched-1'),
});

export const daemonset = (size: Size): Setting => ({
  nodes: [nodeFrom('node-named', 'scheduler-perf-node'), ...nodes(size.nodes)],
  init: [],
  measure: podsFrom('pod-daemonset', 'measured', size.measure),
});

const unschedulable = (size: Size): Setting => ({
  nodes: nodes(size.nodes),
  init: podsFrom('pod-default', 'init', size.init),
  measure: podsFrom('pod-default', 'measured', size.measure),
  impossible: { every: 100, pods: podsFrom('pod-high-priority-large-cpu', 'impossible', size.measure / 100) },
});

/** No two alike: requests, labels, and every third with tolerations or node affinity of its own. */
export const allDifferent = (size: Size): Setting => ({
  nodes: nodes(size.nodes, moons),
  init: podsFrom('pod-default', 'init', size.init),
  measure: Array.from({ length: size.measure }, (_, i) => {
    const pod = podFrom('pod-default', `different-${i}`);
    const requests = { cpu: `${20 + (i % 97)}m`, memory: `${64 * 1024 + i}Ki` };
    return {
      ...pod,
      metadata: { ...pod.metadata, labels: { app: `app-${i}`, version: `v${i % 7}` } },
      spec: {
        ...pod.spec,
        containers: [{ name: 'c', image: `registry.example/app-${i}:v1`, resources: { requests } }],
        ...(i % 3 === 0 ? { tolerations: [{ key: `dedicated-${i}`, operator: 'Exists' as const }] } : {}),
        ...(i % 3 === 1 ? { nodeSelector: { 'topology.kubernetes.io/zone': moons[i % moons.length]! } } : {}),
      },
    } as Pod;
  }),
});

export const workloads: readonly Workload[] = [
  {
    name: 'SchedulingBasic',
    size: { nodes: 5000, init: 1000, measure: 10_000 },
    atLeast: 30_000,
    build: withInit('pod-default', 'pod-default', []),
  },
  {
    name: 'SchedulingBasic',
    size: { nodes: 5000, init: 5000, measure: 50_000 },
    atLeast: 30_000,
    build: withInit('pod-default', 'pod-default', []),
  },
  { name: 'SchedulingDaemonset', size: { nodes: 15_000, init: 0, measure: 30_000 }, atLeast: 50_000, build: daemonset },
  {
    name: 'TopologySpreading',
    size: { nodes: 5000, init: 5000, measure: 5000 },
    atLeast: 10_000,
    build: withInit('pod-default', 'pod-spread', moons),
  },
  {
    name: 'PreferredTopologySpreading',
    size: { nodes: 5000, init: 5000, measure: 5000 },
    atLeast: 10_000,
    build: withInit('pod-default', 'pod-preferred-spread', moons),
  },
  {
    name: 'DefaultTopologySpreading',
    size: { nodes: 5000, init: 5000, measure: 10_000 },
    atLeast: 5000,
    build: size => ({
      ...withInit('pod-default', 'pod-with-label', moons)(size),
      services: [service('default', { app: 'scheduler-perf' })],
    }),
  },
  {
    name: 'SchedulingNodeAffinity',
    size: { nodes: 5000, init: 5000, measure: 10_000 },
    atLeast: 20_000,
    build: both('pod-node-affinity', zone1),
  },
  {
    name: 'SchedulingPodAntiAffinity',
    size: { nodes: 5000, init: 1000, measure: 2000 },
    atLeast: 5000,
    build: both('pod-anti-affinity'),
  },
  {
    name: 'SchedulingPodAffinity',
    size: { nodes: 5000, init: 5000, measure: 5000 },
    atLeast: 5000,
    build: both('pod-affinity', zone1),
  },
  {
    name: 'SchedulingRequiredPodAntiAffinityWithNSSelector',
    size: { nodes: 6000, init: 4000, measure: 2000 },
    atLeast: 5000,
    build: overNamespaces('pod-anti-affinity-nsselector', 100),
  },
  {
    name: 'SchedulingRequiredPodAffinityWithNSSelector',
    size: { nodes: 5000, init: 5000, measure: 2000 },
    atLeast: 5000,
    build: overNamespaces('pod-affinity-nsselector', 100, zone1),
  },
  {
    name: 'SchedulingPreferredPodAffinity',
    size: { nodes: 5000, init: 5000, measure: 5000 },
    atLeast: 3000,
    build: both('pod-preferred-affinity'),
  },
  {
    name: 'SchedulingPreferredPodAntiAffinity',
    size: { nodes: 5000, init: 5000, measure: 5000 },
    atLeast: 3000,
    build: both('pod-preferred-anti-affinity'),
  },
  {
    name: 'SchedulingPreferredAffinityWithNSSelector',
    size: { nodes: 5000, init: 5000, measure: 5000 },
    atLeast: 3000,
    build: overNamespaces('pod-preferred-affinity-nsselector', 100),
  },
  { name: 'MixedSchedulingBasePod', size: { nodes: 5000, init: 2000, measure: 5000 }, atLeast: 3000, build: mixed },
  {
    name: 'Unschedulable',
    size: { nodes: 5000, init: 20_000, measure: 10_000 },
    atLeast: 20_000,
    build: unschedulable,
  },
  { name: 'AllDifferent', size: { nodes: 5000, init: 1000, measure: 10_000 }, atLeast: 8000, build: allDifferent },
];

export const columnsFor = (setting: Setting): Columns => {
  const columns = new Columns();
  for (const namespace of setting.namespaces ?? []) columns.surroundings.setNamespace(namespace);
  for (const one of setting.services ?? []) columns.surroundings.setService(one);
  for (const node of setting.nodes) columns.setNode(node);
  return columns;
};
