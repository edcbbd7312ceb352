/** Plans over plain states: who moves, who waits, who is lost, when a node is drained or lost. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Node, Pod } from '#api/kinds/core.ts';
import type { PodDisruptionBudget } from '#api/kinds/policy.ts';
import { milliValue, wholeValue } from '#api/quantity.ts';
import { successorOf } from '#engine/plan/makers.ts';
import type { Plan } from '#engine/plan.ts';
import { defaultProfile } from '#engine/profile.ts';
import { type ClusterState, emptyState, podKey, withChanges } from '#engine/world.ts';
import { nothingApplied } from '#scheduler/planning/apply.ts';
import { makePlan, type PlanOptions } from '#scheduler/planning/plan.ts';
import { worldArbitrary } from './worlds.ts';

const nowMs = Date.parse('2026-11-21T12:00:00Z');

const plan = (state: ClusterState, arrivals: readonly Pod[], more: Partial<PlanOptions> = {}): Plan => {
  const applied = { ...nothingApplied(), arrivals: arrivals.map(pod => ({ pod, change: 'new' as const })) };
  return makePlan(state, withChanges(state, { setPods: arrivals }), applied, {
    profiles: new Map([['default-scheduler', defaultProfile()]]),
    nowMs,
    refuses: () => undefined,
    ...more,
  });
};

const node = (name: string, cpu = '2', more: object = {}): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    spec: {},
    status: { allocatable: { cpu, memory: '4Gi', pods: '10' } },
    ...more,
  }) as unknown as Node;

interface PodParts {
  readonly on?: string;
  readonly cpu?: string;
  readonly priority?: number;
  readonly owner?: string;
  readonly labels?: Record<string, string>;
  readonly spec?: object;
}

const pod = (name: string, { on, cpu = '1', priority = 0, owner, labels = {}, spec = {} }: PodParts = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      labels,
      ...(owner === undefined
        ? {}
        : { ownerReferences: [{ apiVersion: 'apps/v1', kind: owner, name: 'set', uid: 'set', controller: true }] }),
    },
    spec: {
      containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }],
      priority,
      ...(on === undefined ? {} : { nodeName: on }),
      ...spec,
    },
    status:
      on === undefined ? { phase: 'Pending' } : { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  }) as unknown as Pod;

const budget = (minAvailable: number, allowed: number, healthy: number): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'pdb', namespace: 'default', generation: 1 },
  spec: { minAvailable, selector: { matchLabels: { app: 'web' } } },
  status: {
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: minAvailable,
    expectedPods: healthy,
    observedGeneration: 1,
  },
});

const state = (nodes: readonly Node[], pods: readonly Pod[], more: Partial<ClusterState> = {}): ClusterState => ({
  ...emptyState,
  nodes,
  pods,
  ...more,
});

describe('placements', () => {
  test('higher priority goes first, then the order of the manifests', () => {
    const arrivals = [pod('a', { cpu: '100m' }), pod('b', { cpu: '100m' }), pod('c', { cpu: '100m', priority: 5 })];
    const { placements, verdict } = plan(state([node('n1')], []), arrivals);
    expect(placements.map(one => one.pod)).toEqual(['default/c', 'default/a', 'default/b']);
    expect(verdict).toEqual({ ok: true, pending: 0, evict: 0, blocked: 0 });
  });

  test('a pod that fits nowhere is pending, with what the scheduler would say of it', () => {
    const { pending, verdict } = plan(state([node('n1')], []), [pod('big', { cpu: '3' })]);
    expect(pending).toEqual([
      {
        pod: 'default/big',
        change: 'new',
        priority: 0,
        message:
          '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
      },
    ]);
    expect(verdict).toMatchObject({ ok: false, pending: 1 });
  });

  test('a pod that was pending before is shown, but makes nothing worse', () => {
    const { pending, verdict } = plan(state([node('n1')], [pod('old', { cpu: '9' })]), []);
    expect(pending).toMatchObject([{ pod: 'default/old', change: 'waiting' }]);
    expect(verdict.ok).toBe(true);
  });

  test('a pod that was pending before goes where there is room now', () => {
    const before = state([node('n1', '2')], [pod('old', { cpu: '4' })]);
    const after = withChanges(before, { setNodes: [node('n2', '8')] });
    const applied = nothingApplied();
    const options = { profiles: new Map([['default-scheduler', defaultProfile()]]), nowMs, refuses: () => undefined };
    expect(makePlan(before, after, applied, options).placements).toMatchObject([
      { pod: 'default/old', node: 'n2', change: 'waiting' },
    ]);
  });

  test('a gated pod waits for its gates, which is nothing bad', () => {
    const gated = pod('g', { spec: { schedulingGates: [{ name: 'example.com/wait' }] } });
    const { pending, verdict } = plan(state([node('n1')], []), [gated]);
    expect(pending).toMatchObject([{ gated: true, message: 'waiting for scheduling gates: [example.com/wait]' }]);
    expect(verdict.ok).toBe(true);
  });

  test('a pod for another scheduler is pending', () => {
    const { pending } = plan(state([node('n1')], []), [pod('p', { spec: { schedulerName: 'mine' } })]);
    expect(pending).toMatchObject([{ message: 'no scheduler named "mine" runs' }]);
  });

  test('a pod whose manifest names its node goes there unasked, unless the node refuses it', () => {
    const arrivals = [pod('there', { on: 'n1' }), pod('nowhere', { on: 'n9' }), pod('too', { on: 'n1' })];
    const { placements, pending } = plan(state([node('n1')], []), arrivals, {
      refuses: (_, __, others) => (others.length > 0 ? 'OutOfcpu' : undefined),
    });
    expect(placements).toMatchObject([{ pod: 'default/there', node: 'n1', fixed: true }]);
    expect(pending).toMatchObject([
      { pod: 'default/nowhere', message: 'never runs: node "n9" not found' },
      { pod: 'default/too', message: 'never runs: OutOfcpu' },
    ]);
  });
});

describe('preemption', () => {
  test('a bare victim is lost, one of a ReplicaSet moves to another node', () => {
    const nodes = [node('n1', '1'), node('n2', '1')];
    const tied = { nodeSelector: { 'kubernetes.io/hostname': 'n1' } };
    const bare = plan(state(nodes, [pod('low', { on: 'n1' })]), [pod('high', { priority: 9, spec: tied })]);
    expect(bare.preemptions).toMatchObject([{ by: 'default/high', victims: [{ pod: 'default/low', lost: true }] }]);
    expect(bare.verdict).toMatchObject({ ok: false, evict: 1, pending: 0 });
    const owned = plan(state(nodes, [pod('low', { on: 'n1', owner: 'ReplicaSet' })]), [
      pod('high', { priority: 9, spec: tied }),
    ]);
    expect(owned.preemptions[0]?.victims).toMatchObject([{ owner: 'ReplicaSet/set', to: 'n2' }]);
    expect(owned.placements).toMatchObject([
      { pod: 'default/high', node: 'n1' },
      { pod: 'default/low', node: 'n2', change: 'moved', from: 'n1' },
    ]);
  });

  test('a victim that is made again pushes out who is less important still', () => {
    const nodes = [node('n1', '1'), node('n2', '1')];
    const pods = [
      pod('middle', { on: 'n1', owner: 'ReplicaSet', priority: 5 }),
      pod('low', { on: 'n2', owner: 'ReplicaSet' }),
    ];
    const high = pod('high', { priority: 9, spec: { nodeSelector: { 'kubernetes.io/hostname': 'n1' } } });
    const { preemptions, pending, verdict } = plan(state(nodes, pods), [high]);
    expect(preemptions.map(({ by, victims }) => [by, victims[0]?.pod])).toEqual([
      ['default/high', 'default/middle'],
      ['default/middle', 'default/low'],
    ]);
    expect(pending).toMatchObject([{ pod: 'default/low', change: 'moved', from: 'n2' }]);
    expect(verdict).toEqual({ ok: false, pending: 1, evict: 2, blocked: 0 });
  });
});

describe('a drain', () => {
  const web = (name: string, on: string): Pod =>
    pod(name, { on, owner: 'ReplicaSet', labels: { app: 'web' }, cpu: '500m' });

  test('moves pods one after the other as the budget allows, because those that moved are healthy again', () => {
    const pods = [web('w1', 'n1'), web('w2', 'n1'), web('w3', 'n1')];
    const { drain, verdict } = plan(
      state([node('n1'), node('n2')], pods, { podDisruptionBudgets: [budget(2, 1, 3)] }),
      [],
      {
        drain: 'n1',
      },
    );
    expect(drain?.evicted.map(({ pod, to }) => [pod, to])).toEqual([
      ['default/w1', 'n2'],
      ['default/w2', 'n2'],
      ['default/w3', 'n2'],
    ]);
    expect(verdict.ok).toBe(true);
  });

  test('is blocked where the budget allows nothing, and says so in the words of the eviction', () => {
    const budgets = { podDisruptionBudgets: [budget(1, 0, 1)] };
    const { drain, verdict } = plan(state([node('n1'), node('n2')], [web('w1', 'n1')], budgets), [], { drain: 'n1' });
    expect(drain?.blocked).toEqual([
      {
        pod: 'default/w1',
        message:
          "Cannot evict pod as it would violate the pod's disruption budget. The disruption budget pdb needs 1 healthy pods and has 1 currently",
      },
    ]);
    expect(verdict).toMatchObject({ ok: false, blocked: 1 });
  });

  test('gets stuck when what it moved finds no room', () => {
    const pods = [web('w1', 'n1'), web('w2', 'n1')];
    const budgets = { podDisruptionBudgets: [budget(1, 1, 2)] };
    const { drain, verdict } = plan(state([node('n1'), node('n2', '100m')], pods, budgets), [], { drain: 'n1' });
    expect(drain?.evicted).toMatchObject([{ pod: 'default/w1', pending: expect.stringContaining('0/2 nodes') }]);
    expect(drain?.blocked).toMatchObject([{ pod: 'default/w2' }]);
    expect(verdict).toEqual({ ok: false, pending: 1, evict: 0, blocked: 1 });
  });

  test('ends bare pods for good and leaves those of DaemonSets', () => {
    const pods = [pod('bare', { on: 'n1' }), pod('agent', { on: 'n1', owner: 'DaemonSet', cpu: '100m' })];
    const { drain, verdict } = plan(state([node('n1'), node('n2')], pods), [], { drain: 'n1' });
    expect(drain?.evicted).toMatchObject([{ pod: 'default/bare', lost: true }]);
    expect(drain?.staying).toEqual(['default/agent']);
    expect(verdict).toMatchObject({ ok: false, evict: 1 });
  });

  test('counts pods that the plan has just placed as healthy', () => {
    const budgets = {
      podDisruptionBudgets: [{ ...budget(1, 0, 0), status: { ...budget(1, 0, 0).status!, observedGeneration: 0 } }],
    };
    const arrivals = ['w1', 'w2'].map(name => pod(name, { owner: 'ReplicaSet', labels: { app: 'web' } }));
    const before = state([node('n1', '2'), node('n2', '2')], [], budgets);
    const { drain } = plan(before, arrivals, { drain: 'n1' });
    expect(drain?.blocked).toEqual([]);
    expect(drain?.evicted).toMatchObject([{ to: 'n2' }]);
  });
});

describe('the loss of a node', () => {
  test('does not ask what becomes of pods that belong to it', () => {
    const pods = [pod('web', { on: 'n1', owner: 'ReplicaSet' }), pod('agent', { on: 'n1', owner: 'DaemonSet' })];
    const { nodeLoss } = plan(state([node('n1'), node('n2')], pods), [], { lose: ['n1'] });
    expect(nodeLoss).toMatchObject([{ survives: true, displaced: [{ pod: 'default/web', to: 'n2' }] }]);
    expect(nodeLoss?.[0]?.displaced).toHaveLength(1);
  });

  test('is survived where the others have room for its pods', () => {
    const nodes = [node('n1', '2'), node('n2', '1')];
    const pods = [pod('a', { on: 'n1', owner: 'ReplicaSet' }), pod('b', { on: 'n1', owner: 'ReplicaSet' })];
    const { nodeLoss, verdict } = plan(state(nodes, pods), [], { lose: ['n1', 'n2'] });
    expect(nodeLoss).toMatchObject([
      { node: 'n1', survives: false, displaced: [{ to: 'n2' }, { pending: expect.stringMatching(/^0\/1 nodes/) }] },
      { node: 'n2', survives: true, displaced: [] },
    ]);
    expect(verdict).toEqual({ ok: false, pending: 1, evict: 0, blocked: 0 });
  });

  test('of one node leaves no trace in what is said about the next', () => {
    fc.assert(
      fc.property(worldArbitrary({ owned: true }), ({ state, arrivals }) => {
        const names = state.nodes.map(({ metadata }) => metadata.name);
        const together = plan(state, arrivals, { lose: [...names, ...names] }).nodeLoss;
        const alone = names.map(name => plan(state, arrivals, { lose: [name] }).nodeLoss?.[0]);
        expect(together).toEqual([...alone, ...alone]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('whatever the cluster', () => {
  const options = { numRuns: Number(process.env['BERTH_PROPERTY_RUNS'] ?? 60) };

  test('a plan gives no node more than it has, and every pod is accounted for once', () => {
    fc.assert(
      fc.property(worldArbitrary({ owned: true }), ({ state, arrivals }) => {
        const made = plan(state, arrivals);
        const overfull = (of: 'before' | 'after') =>
          made.nodes.flatMap(({ node, resources }) =>
            Object.entries(resources).flatMap(([name, { allocatable, requests }]) => {
              const amount = name === 'cpu' ? milliValue : wholeValue;
              return amount(requests[of]) > amount(allocatable) ? [`${node} ${name}`] : [];
            }),
          );
        for (const one of overfull('after')) expect(overfull('before')).toContain(one);
        const fates = [...made.placements, ...made.pending].map(one => one.pod);
        expect(new Set(fates).size).toBe(fates.length);
        for (const arrival of arrivals) {
          const lost = made.preemptions.some(({ victims }) => victims.some(one => one.pod === podKey(arrival)));
          expect(fates.includes(podKey(arrival)) || lost).toBe(true);
        }
        // Everything that was there and is owned is still there: moved, pending, or untouched.
        for (const { victims } of made.preemptions)
          for (const victim of victims.filter(one => one.owner !== undefined)) expect(fates).toContain(victim.pod);
      }),
      options,
    );
  });

  test('a plan leaves what it was given as it was', () => {
    fc.assert(
      fc.property(worldArbitrary({ owned: true }), ({ state, arrivals }) => {
        const before = JSON.stringify([state, arrivals]);
        const names = state.nodes.map(({ metadata }) => metadata.name);
        plan(state, arrivals, { drain: names[0], lose: names });
        expect(JSON.stringify([state, arrivals])).toBe(before);
      }),
      { numRuns: 30 },
    );
  });

  test('the same question has the same answer', () => {
    fc.assert(
      fc.property(worldArbitrary({ owned: true }), ({ state, arrivals }) => {
        const names = state.nodes.map(({ metadata }) => metadata.name);
        const ask = () => plan(state, arrivals, { drain: names[0], lose: names });
        expect(ask()).toEqual(ask());
      }),
      { numRuns: 30 },
    );
  });
});

test('a pod that its controller makes again has lost its node and its past', () => {
  const again = successorOf({ ...pod('p', { on: 'n1', owner: 'StatefulSet' }) });
  expect(again).toMatchObject({ metadata: { name: 'p' }, status: { phase: 'Pending' } });
  expect(again?.spec.nodeName).toBeUndefined();
});
