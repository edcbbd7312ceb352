/** What a node says of itself, and how often; in virtual time. */
import { describe, expect, test } from 'vitest';
import { agentTimings } from '#agent/timings.ts';
import { type Lease, leaseKind } from '#api/kinds/coordination.ts';
import { nodeKind } from '#api/kinds/core.ts';
import { newWorld } from '#test/node-agent/virtual-node.ts';

const lease = (calls: readonly { resource: string }[]) =>
  calls.filter(({ resource }) => resource === 'leases.coordination.k8s.io').length;

describe('heartbeats', () => {
  test.each([
    ['kubernetes', 40, 6],
    ['fast', 4, 60],
  ] as const)('with timings %s the lease holds %i s and is renewed %i times a minute', async (name, seconds, times) => {
    const world = await newWorld({}, { timings: agentTimings[name] });
    const held = (): Lease => world.client.peek(leaseKind, 'n1', 'kube-node-lease')!;
    expect(held().spec.leaseDurationSeconds).toBe(seconds);
    const [calls, renewed] = [lease(world.client.calls), held().spec.renewTime];
    await world.clock.advance(60_000);
    expect(lease(world.client.calls) - calls).toBe(times);
    expect(held().spec.renewTime! > renewed!).toBe(true);
  });

  test('a status that does not change is written each five minutes, with a later heartbeat', async () => {
    const world = await newWorld({});
    const ready = () => world.client.peek(nodeKind, 'n1')!.status!.conditions!.find(({ type }) => type === 'Ready')!;
    const first = ready();
    await world.clock.advance(290_000);
    expect(ready()).toEqual(first);
    await world.clock.advance(20_000);
    expect(ready().lastHeartbeatTime! > first.lastHeartbeatTime!).toBe(true);
    expect(ready().lastTransitionTime).toBe(first.lastTransitionTime);
  });
});
