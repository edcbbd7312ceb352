/** The scheduler against an adversary: whatever happened, in the end every pod is where it fits, or fits nowhere. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Pod } from '#api/kinds/core.ts';
import { decidePlainly } from '#test/engine/reference/reference.ts';
import { Adversary } from './adversary.ts';
import { perform, type Step, stepArbitrary } from './adversary-steps.ts';

const priorityOf = (pod: Pod): number => pod.spec.priority ?? 0;

/** Pods that wait for a place, not for their gates, and are not leaving. */
const waitingIn = (it: Adversary): readonly Pod[] =>
  it
    .pods()
    .filter(
      ({ spec, status, metadata }) =>
        spec.nodeName === undefined &&
        status?.phase === 'Pending' &&
        metadata.deletionTimestamp === undefined &&
        !spec.schedulingGates?.length,
    );

/** Nodes on which the pod fits beside `pods`, also with those before it in their promised places. */
const fitting = (it: Adversary, pod: Pod, pods: readonly Pod[]): readonly string[] => {
  const cluster = it.cluster();
  const promised = waitingIn(it).flatMap(other => {
    const nodeName = other.status?.nominatedNodeName;
    const counts = other.metadata.uid !== pod.metadata.uid && priorityOf(other) >= priorityOf(pod);
    return counts && nodeName !== undefined ? [{ ...other, spec: { ...other.spec, nodeName } }] : [];
  });
  const alone = decidePlainly(pod, { ...cluster, pods }).feasible;
  const withThem = decidePlainly(pod, { ...cluster, pods: [...pods, ...promised] }).feasible;
  return alone.filter(name => withThem.includes(name));
};

/** Pods that wait although there is room for them. */
const leftBehind = (it: Adversary): readonly string[] =>
  waitingIn(it).flatMap(pod => {
    const [node] = fitting(it, pod, it.cluster().pods);
    return node === undefined ? [] : [`${pod.metadata.name} fits on ${node}`];
  });

/** Pods that wait although they could push others out. */
const heldBack = (it: Adversary): readonly string[] =>
  waitingIn(it).flatMap(pod => {
    if (pod.spec.preemptionPolicy === 'Never') return [];
    const { nodes, pods } = it.cluster();
    const { refused } = decidePlainly(pod, it.cluster());
    return nodes.flatMap(({ metadata: { name } }) => {
      if (!isResolvable(refused.get(name))) return [];
      const left = pods.filter(other => other.spec.nodeName !== name || priorityOf(other) >= priorityOf(pod));
      return fitting(it, pod, left).includes(name) ? [`${pod.metadata.name} could push out others on ${name}`] : [];
    });
  });

/** Refusals that taking pods off the node may undo (SEMANTICS G.1). */
const isResolvable = (refusal: readonly [string, readonly string[]] | undefined): boolean => {
  const [plugin = '', reasons = []] = refusal ?? [];
  if (plugin === 'InterPodAffinity') return !reasons.some(reason => reason.endsWith("didn't match pod affinity rules"));
  if (plugin === 'PodTopologySpread') return !reasons.some(reason => reason.includes('missing'));
  return plugin === 'NodeResourcesFit' || plugin === 'NodePorts';
};

const play = async (it: Adversary, steps: readonly Step[]): Promise<void> => {
  for (const step of steps) await perform(it, step);
  it.calm();
  for (let round = 0; round < 3; round++) {
    await it.cleanUp();
    await it.pass(30_000);
  }
  expect(it.hostile.wrong).toEqual([]);
  // A nomination that could not be written keeps a place that only the scheduler knows of.
  const isAllWritten = !steps.some(step => step.do === 'fault' && step.fault === 'status' && step.on);
  if (isAllWritten) expect(leftBehind(it)).toEqual([]);
  // Upstream asks only the plugins that refused a pod whether a change may help; after five minutes all is tried again.
  await it.pass(6 * 60_000);
  await it.cleanUp();
  await it.pass(30_000);
  expect(leftBehind(it)).toEqual([]);
  expect(heldBack(it)).toEqual([]);
  const { pending, placedPods, nodes } = it.scheduler.counters;
  const cluster = it.cluster();
  expect({ placedPods, nodes }).toEqual({ placedPods: cluster.pods.length, nodes: cluster.nodes.length });
  expect(pending).toMatchObject({ active: 0, backoff: 0, parked: waitingIn(it).length });
};

test('whatever happens, in the end every pod is where it fits, or fits nowhere', async () => {
  const seen = { checked: 0, evictions: 0, bindFailures: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { minLength: 20, maxLength: 150, size: 'max' }), async steps => {
      const it = await Adversary.start();
      try {
        await play(it, steps);
        seen.checked += it.hostile.checked;
        seen.evictions += it.hostile.evictions;
        seen.bindFailures += it.scheduler.counters.bindFailures;
      } finally {
        await it.stop();
      }
    }),
    // A failure is made smaller for at most two minutes.
    { numRuns: Number(process.env['BERTH_PROPERTY_RUNS'] ?? 30), interruptAfterTimeLimit: 120_000 },
  );
  // Runs in which little happens would prove little.
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(10);
}, 600_000);
