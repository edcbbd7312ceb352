/** The workloads about pods that may not, or no longer, be placed, and about changes that come all the while. */
import { expect } from 'vitest';
import type { Pod } from '#api/kinds/core.ts';
import { dealt, defaultNodes, type Happening } from './happening.ts';
import { expectAllBound } from './outcome.ts';
import { nodeFrom, podFrom, podsFrom } from './templates.ts';

const conditionOf = ({ status }: Pod) => status?.conditions?.find(({ type }) => type === 'PodScheduled');

/** A node, a pod that fits nowhere and a Service are replaced each second. */
export const schedulingWithMixedChurn: Happening = async ({ nodes = 0, measure = 0 }, start) => {
  const cluster = await start();
  const rounds = 10;
  const measured = podsFrom('pod-default', 'measured', measure);
  const slices = dealt(measured, rounds);
  const big = podsFrom('pod-high-priority-large-cpu', 'churn', rounds);
  await cluster.nodes(defaultNodes(nodes));
  await cluster.repeat(rounds, 1000, async round => {
    if (round > 0) {
      await cluster.removeNode(`churn-${round - 1}`);
      await cluster.removePod(big[round - 1]!);
      await cluster.removeService(`churn-${round - 1}`, 'default');
    }
    await cluster.nodes([nodeFrom('node-default', `churn-${round}`)]);
    await cluster.pods([big[round]!, ...slices[round]!]);
    await cluster.service(`churn-${round}`, 'default', { app: 'churn' });
  });
  return {
    'every measured pod is bound': () => {
      expect(cluster.bound(measured)).toHaveLength(measure);
      expect(cluster.bound(big)).toEqual([]);
      expect(cluster.counters.preemptionVictims).toBe(0);
    },
  };
};

export const schedulingWhileGated: Happening = async ({ gated = 0, deleting = 0, measure = 0 }, start) => {
  const cluster = await start();
  const held = podsFrom('pod-gated', 'gated', gated);
  const leaving = podsFrom('pod-light', 'leaving', deleting);
  const measured = podsFrom('pod-light', 'measured', measure);
  await cluster.nodes([nodeFrom('node-named', 'scheduler-perf-node')]);
  await cluster.pods(held);
  await cluster.pods(leaving);
  await cluster.pass(100);
  const { length: wasBound } = cluster.bound(leaving);
  const slices = dealt(measured, deleting);
  await cluster.repeat(deleting, 20, async round => {
    await cluster.removePod(leaving[round]!);
    await cluster.pods(slices[round]!);
  });
  return {
    'every measured pod is bound': () => {
      expectAllBound(cluster.outcome(leaving, measured));
      expect([wasBound, cluster.now(leaving).length]).toEqual([deleting, 0]);
    },
    'gated pods stay Pending with PodScheduled=False reason SchedulingGated': () => {
      expect(cluster.counters.pending.gated).toBe(gated);
      for (const pod of cluster.now(held)) {
        expect(pod.status?.phase).toBe('Pending');
        expect(conditionOf(pod)).toMatchObject({ status: 'False', reason: 'SchedulingGated' });
      }
    },
  };
};

/** The gated pods have affinity to the measured ones: each of those is news that might concern them. */
export const gatedPodsWithPodAffinity: Happening = async ({ gated = 0, measure = 0 }, start) => {
  const cluster = await start();
  const held = podsFrom('pod-gated-affinity', 'gated', gated);
  const measured = podsFrom('pod-with-label', 'measured', measure);
  await cluster.nodes([nodeFrom('node-named', 'scheduler-perf-node')]);
  await cluster.pods(held);
  await cluster.pass(100);
  await cluster.pods(measured);
  await cluster.pass(1000);
  return {
    'every measured pod is bound': () => expectAllBound(cluster.outcome([], measured)),
    'no gated pod is bound': () => {
      expect(cluster.now(held)).toHaveLength(gated);
      expect(cluster.bound(held)).toEqual([]);
      expect(cluster.counters.attempts).toEqual({ scheduled: measure, unschedulable: 0, error: 0 });
    },
  };
};

/** The scheduler hears of the pods only after they were deleted; their finalizers keep them there, terminating. */
export const deletedPodsWithFinalizers: Happening = async ({ nodes = 0, init = 0, measure = 0 }, start) => {
  let tell: () => void = () => {};
  const mayHear = new Promise<void>(resolve => {
    tell = resolve;
  });
  const cluster = await start(client => ({
    ...client,
    async *watch(kind, options) {
      for await (const events of client.watch(kind, options)) {
        if (kind.kind === 'Pod') await mayHear;
        yield events;
      }
    },
  }));
  const withFinalizer = Array.from({ length: init }, (_, i) => {
    const pod = podFrom('pod-light', `leaving-${i}`);
    return { ...pod, metadata: { ...pod.metadata, finalizers: ['test.k8s.io/finalizer'] } };
  });
  const measured = podsFrom('pod-light', 'measured', measure);
  await cluster.nodes(defaultNodes(nodes));
  await cluster.pods(withFinalizer);
  await cluster.repeat(init, 10, round => cluster.removePod(withFinalizer[round]!));
  tell();
  await cluster.pods(measured);
  await cluster.pass(1000);
  return {
    'every measured pod is bound': () => {
      expectAllBound(cluster.outcome([], measured));
      const leaving = cluster.now(withFinalizer);
      expect(leaving.filter(({ metadata }) => metadata.deletionTimestamp !== undefined)).toHaveLength(init);
      expect(cluster.bound(withFinalizer)).toEqual([]);
      // Upstream's point of this workload: nothing of them stays behind in the scheduler.
      expect(cluster.counters.pending).toEqual({ active: 0, backoff: 0, parked: 0, gated: 0 });
      expect(cluster.counters.placedPods).toBe(measure);
    },
  };
};
