/**
 * The EventHandling workloads: pods that wait for one plugin each, until a change of other objects or of themselves lets
 * them in. Upstream runs a stage for each plugin; here each has its lane of nodes, and all wait at the same time. Nobody
 * asks for a waiting pod again, and nobody waits for the flush of parked pods after five minutes.
 */
import { expect } from 'vitest';
import type { Node, Pod, PodSpec } from '#api/kinds/core.ts';
import type { PerfCluster } from './cluster.ts';
import type { Happening } from './happening.ts';
import { expectAllBound } from './outcome.ts';
import { granted, type PodParts, podOf } from './pods.ts';
import { nodeFrom } from './templates.ts';

const hostname = 'kubernetes.io/hostname';

/** Pods for the nodes of a lane. */
const some = (count: number, lane: string, parts: PodParts | ((i: number) => PodParts), prefix = 'measured'): Pod[] =>
  Array.from({ length: count }, (_, i) => {
    const { labels, spec, ...rest } = typeof parts === 'function' ? parts(i) : parts;
    const inLane = { labels: { lane, ...labels }, spec: { nodeSelector: { lane }, ...spec } };
    return podOf(`${prefix}-${lane}-${i}`, { ...rest, ...inLane });
  });

const spreadOver = (topologyKey: string, maxSkew: number, app: string): Partial<PodSpec> => ({
  topologySpreadConstraints: [
    {
      maxSkew,
      minDomains: 10_000,
      topologyKey,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app } },
    },
  ],
});

const apart = (app: string): Partial<PodSpec> => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: hostname, labelSelector: { matchLabels: { app } } },
      ],
    },
  },
});

/** None of them is bound, and each was refused by what `reasons` says of its lane. */
const expectWaiting = (cluster: PerfCluster, pods: readonly Pod[], reasons: Readonly<Record<string, string>>): void => {
  expect(cluster.bound(pods)).toHaveLength(0);
  for (const { metadata, status } of cluster.now(pods)) {
    const condition = status?.conditions?.find(({ type }) => type === 'PodScheduled');
    expect(condition?.message).toContain(reasons[metadata.labels?.['lane'] ?? '']);
  }
};

const allBound = async (cluster: PerfCluster, pods: readonly Pod[]): Promise<void> =>
  cluster.until(() => cluster.bound(pods).length === pods.length);

const laneOf = (lanes: readonly string[], i: number): string => lanes[i % lanes.length]!;

// ── pods that go ───────────────────────────────────────────────────────────

/** Ten blockers on each node of a lane hold its host ports, its cpu, its share of the spread, or their own company. */
export const podDelete: Happening = async ({ nodes = 0, blockers = 0, measure = 0 }, start) => {
  const cluster = await start();
  const lanes = ['ports', 'resources', 'spread', 'affinity'];
  const each = blockers / lanes.length;
  await cluster.nodes(
    Array.from({ length: nodes }, (_, i) =>
      nodeFrom('node-default', `node-${i}`, i < blockers / 10 ? { lane: laneOf(lanes, i) } : {}),
    ),
  );
  const portOf = (i: number): PodParts => ({ hostPort: 8000 + (i % 10) });
  const blocking = [
    ...some(each, 'ports', portOf, 'blocker'),
    ...some(each, 'resources', { requests: { cpu: '400m' } }, 'blocker'),
    ...some(each, 'spread', { labels: { app: 'blue' }, spec: spreadOver(hostname, 10, 'blue') }, 'blocker'),
    ...some(each, 'affinity', { labels: { app: 'green' } }, 'blocker'),
  ];
  await cluster.pods(blocking);
  await allBound(cluster, blocking);
  const waiting = [
    ...some(each, 'ports', portOf),
    ...some(each + 10, 'resources', { requests: { cpu: '350m' } }),
    ...some(each, 'spread', { labels: { app: 'blue' }, spec: spreadOver(hostname, 10, 'blue') }),
    ...some(measure - 3 * each - 10, 'affinity', { spec: apart('green') }),
  ];
  await cluster.pods(waiting);
  await cluster.pass(1000);
  const reasons = {
    ports: "didn't have free ports",
    resources: 'Insufficient cpu',
    spread: "didn't match pod topology spread constraints",
    affinity: "didn't match pod anti-affinity rules",
  };
  expect(waiting).toHaveLength(measure);
  expectWaiting(cluster, waiting, reasons);
  for (const pod of blocking) await cluster.removePod(pod);
  await allBound(cluster, waiting);
  return { 'waiting pods get bound without a new request': () => expectAllBound(cluster.outcome([], waiting)) };
};

// ── pods that change ───────────────────────────────────────────────────────

/** What keeps pods away from the one node of each lane, and the change to a pod that ends it. */
const obstacles = {
  cordon: { node: { spec: { unschedulable: true } }, reason: 'were unschedulable' },
  taint: { node: { spec: { taints: [{ key: 'new', effect: 'NoSchedule' as const }] } }, reason: 'untolerated taint' },
};

export const podUpdate: Happening = async ({ init = 0, measure = 0 }, start) => {
  const cluster = await start();
  const named = (lane: string): Node => nodeFrom('node-named', `node-${lane}`, { lane });
  await cluster.nodes([
    { ...named('cordon'), ...obstacles.cordon.node },
    { ...named('taint'), ...obstacles.taint.node },
    ...['affinity', 'resources', 'spread', 'gates'].map(named),
  ]);
  const crowd = Math.floor(init / 5);
  // Their agent has granted more than they ask for: together all of the node's cpu.
  const greedy = some(crowd, 'resources', { requests: { cpu: '1m' } }, 'blocker');
  const labelled = [
    ...some(1, 'affinity', { labels: { app: 'green' } }, 'blocker'),
    ...some(crowd, 'spread', { labels: { app: 'blue' } }, 'blocker'),
  ];
  await cluster.pods([...greedy, ...labelled]);
  await allBound(cluster, [...greedy, ...labelled]);
  for (const pod of greedy) await cluster.patchPod(pod, granted(pod, `${4000 / crowd}m`), 'status');
  const waiting = waitingForUpdates(measure, crowd);
  const all = Object.values(waiting).flat();
  await cluster.pods(all);
  await cluster.pass(1000);
  expectWaiting(cluster, all, {
    cordon: obstacles.cordon.reason,
    taint: obstacles.taint.reason,
    affinity: "didn't match pod anti-affinity rules",
    resources: 'Insufficient cpu',
    spread: "didn't match pod topology spread constraints",
    gates: 'Scheduling is blocked due to non-empty scheduling gates',
  });
  await updateAll(cluster, waiting);
  // Those in the way change as well: other labels, and an agent that has taken back what it had granted.
  for (const pod of labelled) await cluster.patchPod(pod, { metadata: { labels: { app: 'grey' } } });
  for (const pod of greedy) await cluster.patchPod(pod, granted(pod, '1m'), 'status');
  await allBound(cluster, all);
  const outcome = cluster.outcome([...greedy, ...labelled], all);
  return { 'every measured pod is bound': () => expectAllBound(outcome) };
};

/** By lane; `crowd`: so many blue pods are on the node already. */
const waitingForUpdates = (measure: number, crowd: number): Readonly<Record<string, readonly Pod[]>> => {
  const count = Math.floor(measure / 6);
  return {
    cordon: some(count, 'cordon', {}),
    taint: some(count, 'taint', {}),
    affinity: some(count, 'affinity', { spec: apart('green') }),
    resources: some(count, 'resources', { requests: { cpu: '5m' } }),
    spread: some(count, 'spread', { labels: { app: 'blue' }, spec: spreadOver(hostname, crowd, 'blue') }),
    gates: some(measure - 5 * count, 'gates', { spec: { schedulingGates: [{ name: 'test.k8s.io/hold' }] } }),
  };
};

/** The updates that waiting pods get themselves. */
const updateAll = async (cluster: PerfCluster, waiting: Readonly<Record<string, readonly Pod[]>>): Promise<void> => {
  const tolerating = (key: string) => ({
    spec: { tolerations: [{ key, operator: 'Exists' }, ...defaultTolerations] },
  });
  for (const pod of waiting['cordon'] ?? [])
    await cluster.patchPod(pod, tolerating('node.kubernetes.io/unschedulable'));
  for (const pod of waiting['taint'] ?? []) await cluster.patchPod(pod, tolerating('new'));
  for (const pod of waiting['gates'] ?? []) await cluster.patchPod(pod, { spec: { schedulingGates: null } });
};

/** Every pod has these from its creation, and tolerations may only be added. */
const defaultTolerations = ['not-ready', 'unreachable'].map(name => ({
  key: `node.kubernetes.io/${name}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
}));

// ── nodes that come ────────────────────────────────────────────────────────

/** One node of each lane is there, and does not do; then others come that do. */
export const nodeAdd: Happening = async ({ nodes = 0, measure = 0 }, start) => {
  const cluster = await start();
  const lanes = ['cordon', 'taint', 'resources', 'node-affinity', 'affinity', 'spread'];
  const first = (lane: string): Node => nodeFrom('node-default', `first-${lane}`, { lane });
  const little = { cpu: '50m', memory: '1Gi', pods: '110' };
  await cluster.nodes([
    { ...first('cordon'), ...obstacles.cordon.node },
    { ...first('taint'), ...obstacles.taint.node },
    { ...first('resources'), status: { capacity: little, allocatable: little } },
    ...lanes.slice(3).map(first),
  ]);
  const count = Math.floor(measure / lanes.length);
  const waiting = lanes.flatMap((lane, i) =>
    some(i === 0 ? measure - (lanes.length - 1) * count : count, lane, forNewNodes(measure)[lane]!),
  );
  await cluster.pods(waiting);
  await cluster.pass(1000);
  expect(waiting).toHaveLength(measure);
  expectWaiting(cluster, waiting, {
    cordon: obstacles.cordon.reason,
    taint: obstacles.taint.reason,
    resources: 'Insufficient cpu',
    'node-affinity': "didn't match Pod's node affinity/selector",
    affinity: "didn't match pod affinity rules",
    spread: 'missing required label',
  });
  await cluster.nodes(
    Array.from({ length: nodes }, (_, i) =>
      nodeFrom('node-default', `node-${i}`, { lane: laneOf(lanes, i), topology: 'new', disk: 'ssd' }),
    ),
  );
  await allBound(cluster, waiting);
  return { 'every measured pod is bound': () => expectAllBound(cluster.outcome([], waiting)) };
};

/** What pods of each lane ask for. */
const forNewNodes = (measure: number): Readonly<Record<string, PodParts>> => ({
  cordon: {},
  taint: {},
  resources: { requests: { cpu: '200m' } },
  'node-affinity': { spec: { nodeSelector: { lane: 'node-affinity', disk: 'ssd' } } },
  affinity: {
    labels: { app: 'red' },
    spec: {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'topology', labelSelector: { matchLabels: { app: 'red' } } },
          ],
        },
      },
    },
  },
  spread: { labels: { app: 'blue' }, spec: spreadOver('topology', measure, 'blue') },
});
