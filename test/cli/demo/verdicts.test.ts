import { describe, expect, test } from 'vitest';
import {
  classedByResources,
  killedAndRestarted,
  pendingWithReason,
  placedByRequests,
  sharedByRequests,
  throttledToLimit,
} from '#cli/demo/verdicts.ts';

const load = (node: string, allocatableMilli: number, requestedMilli: number) => ({
  node,
  allocatableMilli,
  requestedMilli,
  allocatableBytes: 1 << 30,
  requestedBytes: 1 << 20,
});

describe('a story of the demo', () => {
  test('placement holds when no node is overpromised and the largest pod is where it fits', () => {
    const loads = [load('a', 1000, 700), load('b', 500, 300)];
    expect(placedByRequests(loads, { name: 'share', node: 'a', requestMilli: 600 })).toEqual({
      holds: true,
      text: 'no node promised more than it has; share asks for 600m, so only a would do, and it is on a',
    });
    expect(placedByRequests(loads, { name: 'share', node: 'b', requestMilli: 600 }).holds).toBe(false);
    expect(placedByRequests(loads, { name: 'share', node: '', requestMilli: 600 }).text).toContain('on no node');
    expect(placedByRequests([load('a', 1000, 1001)], { name: 'share', node: 'a', requestMilli: 600 }).holds).toBe(
      false,
    );
  });

  test('pending needs the reason in condition and event, for every node', () => {
    const message =
      '0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.';
    const seen = { phase: 'Pending', reason: 'Unschedulable', message, eventMessage: message, nodes: 3 };
    expect(pendingWithReason(seen).holds).toBe(true);
    expect(pendingWithReason({ ...seen, phase: 'Running' }).holds).toBe(false);
    expect(pendingWithReason({ ...seen, eventMessage: '' }).holds).toBe(false);
    expect(pendingWithReason({ ...seen, nodes: 2 }).holds).toBe(false);
  });

  test('an OOM kill needs the reason and a restart', () => {
    const seen = { reason: 'OOMKilled', exitCode: 137, restarts: 1, limitBytes: 64 << 20 };
    expect(killedAndRestarted(seen)).toEqual({
      holds: true,
      text: 'last ended as OOMKilled with exit code 137, 1 restart; its limit is 64Mi',
    });
    expect(killedAndRestarted({ ...seen, reason: 'Error' }).holds).toBe(false);
    expect(killedAndRestarted({ ...seen, restarts: 0 }).holds).toBe(false);
  });

  test('throttling needs the usage at the limit and most periods held back', () => {
    const window = { seconds: 5, cpuSeconds: 1, periods: 50, throttledPeriods: 50, throttledSeconds: 9 };
    expect(throttledToLimit(window, 0.2, 0).holds).toBe(true);
    expect(throttledToLimit({ ...window, cpuSeconds: 2 }, 0.2, 0).holds).toBe(false);
    expect(throttledToLimit({ ...window, cpuSeconds: 0.2 }, 0.2, 0).holds).toBe(false);
    expect(throttledToLimit({ ...window, throttledPeriods: 3 }, 0.2, 0).holds).toBe(false);
    expect(throttledToLimit({ ...window, periods: 0, throttledPeriods: 0 }, 0.2, 0).holds).toBe(false);
    expect(throttledToLimit(window, 0.2, 1).holds).toBe(false);
  });

  test('sharing needs parts like the requests', () => {
    const shares = (a: number, b: number) => [
      { name: 'quarter', requestMilli: 150, cpuSeconds: a },
      { name: 'three-quarters', requestMilli: 450, cpuSeconds: b },
    ];
    expect(sharedByRequests(shares(1.3, 3.7)).holds).toBe(true);
    expect(sharedByRequests(shares(2.5, 2.5)).holds).toBe(false);
    expect(sharedByRequests(shares(0, 0)).holds).toBe(false);
    expect(sharedByRequests(shares(1, 3)).text).toBe(
      'quarter got 25.0 % (requests say 25.0 %), three-quarters got 75.0 % (requests say 75.0 %)',
    );
  });

  test('the classes need the order of victims and the weights', () => {
    const seen = (guaranteed: number) => [
      { pod: 'g', qosClass: 'Guaranteed', oomScoreAdj: guaranteed, cpuShares: 102, requestMilli: 100 },
      { pod: 'b', qosClass: 'Burstable', oomScoreAdj: 938, cpuShares: 51, requestMilli: 50 },
      { pod: 'e', qosClass: 'BestEffort', oomScoreAdj: 1000, cpuShares: 2, requestMilli: 0 },
    ];
    expect(classedByResources(seen(-997)).holds).toBe(true);
    expect(classedByResources(seen(938)).holds).toBe(false);
    expect(classedByResources(seen(-997).slice(1)).text).toBe('no pod of class Guaranteed');
    expect(classedByResources(seen(-997).map(one => ({ ...one, cpuShares: 1024 }))).holds).toBe(false);
  });
});
