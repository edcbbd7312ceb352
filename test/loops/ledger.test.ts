import { describe, expect, test } from 'vitest';
import type { Decision } from '#engine/decision.ts';
import type { PodView } from '#engine/shapes/shape.ts';
import { type AttemptFacts, Ledger } from '#loops/ledger.ts';
import { schedulingWorld } from './scheduling-world.ts';

const facts = (name: string, attempt = 1, more: Partial<AttemptFacts> = {}): AttemptFacts => ({
  view: { uid: `uid-${name}`, pod: { metadata: { name, namespace: 'default' } } } as PodView,
  attempt,
  revision: 7,
  startedMs: Date.parse('2026-05-04T12:00:00.250Z'),
  durationMs: 0,
  ...more,
});
const placed = { outcome: 'scheduled', feasible: 3, node: { slot: 0, name: 'n1' }, score: 400, ties: 2 } as Decision;

describe('the decision ledger', () => {
  test('tells a placed pod with node, score and ties', () => {
    const ledger = new Ledger();
    ledger.placed(facts('a'), placed);
    expect(ledger.list()).toEqual([
      {
        time: '2026-05-04T12:00:00.250000Z',
        namespace: 'default',
        name: 'a',
        uid: 'uid-a',
        attempt: 1,
        revision: 7,
        durationMs: 0,
        outcome: 'scheduled',
        feasible: 3,
        node: 'n1',
        score: 400,
        ties: 2,
      },
    ]);
  });

  test('keeps the latest decisions in all, and tells the latest of one pod', () => {
    const ledger = new Ledger({ total: 6, perPod: 2 });
    for (let attempt = 1; attempt <= 5; attempt++) ledger.placed(facts('a', attempt), placed);
    for (const name of ['b', 'c', 'd']) ledger.placed(facts(name), placed);
    expect(ledger.list().map(({ name, attempt }) => `${name}${attempt}`)).toEqual(['a4', 'a5', 'b1', 'c1', 'd1']);
    for (let i = 0; i < 6; i++) ledger.placed(facts(`e${i}`), placed);
    expect(ledger.list({ pod: 'a' })).toEqual([]);
    expect(ledger.list()).toHaveLength(6);
  });

  test('is read by namespace, pod, uid and number', () => {
    const ledger = new Ledger();
    for (const name of ['a', 'b', 'a']) ledger.placed(facts(name), placed);
    expect(ledger.list({ namespace: 'default', pod: 'a' })).toHaveLength(2);
    expect(ledger.list({ namespace: 'other', pod: 'a' })).toEqual([]);
    expect(ledger.list({ uid: 'uid-b' })).toHaveLength(1);
    expect(ledger.list({ limit: 2 }).map(({ name }) => name)).toEqual(['b', 'a']);
  });

  test('is filled by the scheduler: refusals with reasons and preemption, then the placement', async () => {
    const ledger = new Ledger();
    const world = await schedulingWorld({ ledger });
    await world.node('n1', { cpu: '1', memory: '1Gi', pods: '10' });
    await world.pod('low', { cpu: '1' }, { spec: { priority: 0 } });
    await world.pass(100);
    await world.pod('gated', { cpu: '1' }, { spec: { schedulingGates: [{ name: 'later' }] } });
    await world.pod('big', { cpu: '2' });
    await world.pass(100);
    const [low] = ledger.list({ pod: 'low' });
    expect(low).toMatchObject({ outcome: 'scheduled', node: 'n1', feasible: 1, attempt: 1 });
    const [big] = ledger.list({ pod: 'big' });
    expect(big).toMatchObject({ outcome: 'unschedulable', reasons: { 'Insufficient cpu': 1 } });
    expect(big?.message).toMatch(/^0\/1 nodes are available: 1 Insufficient cpu\. /);
    expect(big?.revision).toBeGreaterThan(low?.revision ?? Infinity);
    expect(ledger.list({ pod: 'gated' })).toEqual([]);
    await world.scheduler.stop();
  });
});
