/** The scheduling queue: who comes next, who waits for how long, who is woken by what. */
import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/kinds/core.ts';
import { Columns } from '#engine/columns/columns.ts';
import { defaultProfile } from '#engine/profile.ts';
import { mayHelp } from '#engine/queue/hints.ts';
import { type QueuedPod, SchedulingQueue } from '#engine/queue/queue.ts';

const columns = new Columns();

const view = (name: string, spec: object = {}, requests: Record<string, string> = { cpu: '1' }) =>
  columns.view({
    metadata: { name, namespace: 'default', uid: name },
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests } }], ...spec },
  } as unknown as Pod);

const pop = (queue: SchedulingQueue, nowMs: number): QueuedPod => {
  const pod = queue.pop(nowMs);
  if (pod === undefined) throw new Error('the queue is empty');
  return pod;
};
const nameOf = (pod: QueuedPod | undefined) => pod?.view.pod.metadata.name;
const fit = ['NodeResourcesFit'];
const always = () => true;

describe('the scheduling queue', () => {
  test('gives the most important pod first, and of equals the one that waits longest', () => {
    const queue = new SchedulingQueue();
    queue.set(view('a'), 1);
    queue.set(view('b', { priority: 5 }), 2);
    queue.set(view('c', { priority: 5 }), 3);
    expect([nameOf(queue.pop(9)), nameOf(queue.pop(9)), nameOf(queue.pop(9)), queue.pop(9)]).toEqual([
      'b',
      'c',
      'a',
      undefined,
    ]);
  });

  test('a refused pod waits for a change, backs off 1, 2, 4, 8, 10, 10 seconds, and goes behind its equals', () => {
    const queue = new SchedulingQueue();
    queue.set(view('a'), 0);
    let nowMs = 0;
    const waits: number[] = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      queue.refused(pop(queue, nowMs), fit, nowMs);
      expect(queue.pop(nowMs + 3_600)).toBeUndefined();
      queue.wake(always, nowMs);
      waits.push((queue.nextReadyMs()! - nowMs) / 1000);
      nowMs = queue.nextReadyMs()!;
      queue.flush(nowMs);
    }
    expect(waits).toEqual([1, 2, 4, 8, 10, 10]);
    queue.set(view('b'), nowMs - 1);
    expect([nameOf(queue.pop(nowMs)), nameOf(queue.pop(nowMs))]).toEqual(['b', 'a']);
  });

  test('with nothing else to do a pod that backs off after a refusal is tried early, one after an error is not', () => {
    const queue = new SchedulingQueue();
    queue.set(view('refused'), 0);
    queue.refused(pop(queue, 0), fit, 0);
    queue.wake(always, 0);
    queue.set(view('broken'), 0);
    queue.failed(pop(queue, 0), 0);
    expect(nameOf(queue.pop(10))).toBe('refused');
    expect(queue.pop(10)).toBeUndefined();
    expect(nameOf(queue.pop(1000))).toBe('broken');
  });

  test('only pods whose refusing plugins can be swayed by the change are woken', () => {
    const queue = new SchedulingQueue();
    queue.set(view('short'), 0);
    queue.refused(pop(queue, 0), fit, 0);
    queue.set(view('tainted', { tolerations: [] }), 0);
    queue.refused(pop(queue, 0), ['TaintToleration'], 0);
    const cluster = new Columns();
    cluster.setNode({ metadata: { name: 'n' }, status: { allocatable: { cpu: '4', pods: '9' } } } as never);
    const gone = cluster.addPod({
      metadata: { name: 'gone' },
      spec: { nodeName: 'n', containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] },
    } as never);
    const profile = defaultProfile();
    queue.wake((pod, by) => mayHelp(pod, by, { type: 'podRemoved', pod: gone }, { columns: cluster, profile }), 60_000);
    expect(queue.sizes).toMatchObject({ active: 1, parked: 1 });
    expect(nameOf(queue.pop(60_000))).toBe('short');
  });

  test('a node that could not hold the pod even when empty wakes nobody', () => {
    const queue = new SchedulingQueue();
    queue.set(view('big', {}, { cpu: '8' }), 0);
    queue.refused(pop(queue, 0), fit, 0);
    const cluster = new Columns();
    const profile = defaultProfile();
    const grow = (cpu: string) => {
      cluster.setNode({ metadata: { name: 'n' }, status: { allocatable: { cpu, pods: '9' } } } as never);
      queue.wake(
        (pod, by) => mayHelp(pod, by, { type: 'nodeChanged', slot: 0 }, { columns: cluster, profile }),
        60_000,
      );
    };
    grow('4');
    expect(queue.sizes.parked).toBe(1);
    grow('8');
    expect(queue.sizes).toMatchObject({ parked: 0, active: 1 });
  });

  test('after five minutes a parked pod is tried again whatever happened', () => {
    const queue = new SchedulingQueue();
    queue.set(view('a'), 0);
    queue.refused(pop(queue, 0), fit, 0);
    queue.flushParked(5 * 60_000);
    expect(queue.sizes.parked).toBe(1);
    queue.flushParked(5 * 60_000 + 1);
    expect(queue.sizes).toMatchObject({ parked: 0, active: 1 });
  });

  test('a gated pod stays until its gates are gone; a change of nothing but status does not bring a parked pod back', () => {
    const queue = new SchedulingQueue();
    queue.set(view('g', { schedulingGates: [{ name: 'x' }] }), 0);
    queue.wake(always, 1);
    queue.flushParked(1e9);
    expect(queue.sizes).toMatchObject({ gated: 1, active: 0 });
    queue.set(view('g'), 2);
    const taken = pop(queue, 3);
    queue.refused(taken, fit, 3);
    queue.set({ ...taken.view, nominatedNodeName: 'n1' }, 4);
    expect(queue.sizes).toMatchObject({ parked: 1, active: 0 });
    queue.set(view('g', { tolerations: [{ operator: 'Exists' }] }), 10_000);
    expect(queue.sizes).toMatchObject({ parked: 0, active: 1 });
  });

  test('a pod for which others are being evicted is not tried before that is done', () => {
    const queue = new SchedulingQueue();
    queue.set(view('p'), 0);
    queue.refused(pop(queue, 0), fit, 0);
    queue.preempting('default/p', true, 0);
    queue.wake(always, 5000);
    expect(queue.sizes).toMatchObject({ parked: 1, active: 0 });
    queue.preempting('default/p', false, 6000);
    expect(queue.sizes).toMatchObject({ parked: 0, active: 1 });
  });

  test('a pod whose evictions failed is tried again after its backoff, not early, and then counts on', () => {
    const queue = new SchedulingQueue();
    queue.set(view('p'), 0);
    for (const [nowMs, readyMs] of [
      [0, 1000],
      [1000, 3000],
      [3000, 7000],
    ] as const) {
      queue.refused(pop(queue, nowMs), fit, nowMs);
      queue.preempting('default/p', true, nowMs);
      queue.wake(always, nowMs + 1);
      queue.preempting('default/p', false, nowMs + 2, true);
      expect(queue.pop(readyMs - 1)).toBeUndefined();
      expect(queue.nextReadyMs()).toBe(readyMs);
    }
    expect(queue.sizes).toEqual({ active: 0, backoff: 1, parked: 0, gated: 0 });
  });

  test('a pod deleted while it is tried is forgotten', () => {
    const queue = new SchedulingQueue();
    queue.set(view('p'), 0);
    const taken = pop(queue, 0);
    queue.remove('default/p');
    queue.refused(taken, fit, 1);
    queue.wake(always, 2);
    expect(queue.sizes).toEqual({ active: 0, backoff: 0, parked: 0, gated: 0 });
  });

  test('twenty thousand parked pods that are alike are asked about as one', () => {
    const queue = new SchedulingQueue();
    for (let i = 0; i < 20_000; i++) queue.set(view(`p${i}`), 0);
    for (let i = 0; i < 20_000; i++) queue.refused(pop(queue, 0), fit, 0);
    let asked = 0;
    queue.wake(() => {
      asked++;
      return false;
    }, 1);
    expect(asked).toBe(1);
    expect(queue.sizes.parked).toBe(20_000);
  });
});
