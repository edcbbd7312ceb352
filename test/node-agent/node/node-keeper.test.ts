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

describe('events about a node', () => {
  const told = (world: Awaited<ReturnType<typeof newWorld>>) =>
    world.events('n1').map(line => line.replace(/^(\w+ \w+).*/, '$1'));
  const conditions = ['NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID', 'NodeReady'];

  test('its start, and each condition as it is for the first time', async () => {
    const world = await newWorld({});
    await world.clock.advance(100);
    expect(told(world)).toEqual(['Starting', ...conditions].map(reason => `Normal ${reason}`));
    expect(world.events('n1')[0]).toBe('Normal Starting: Starting kubelet.');
  });

  test('an engine that goes away and comes back', async () => {
    const world = await newWorld({});
    await world.clock.advance(100);
    world.runtime.outage = 'cannot reach the Docker Engine: connect ENOENT';
    await world.clock.advance(15_000);
    const ready = () => world.client.peek(nodeKind, 'n1')!.status!.conditions!.find(({ type }) => type === 'Ready')!;
    expect(ready()).toMatchObject({
      status: 'False',
      reason: 'KubeletNotReady',
      message: 'container runtime is down: cannot reach the Docker Engine: connect ENOENT',
    });
    world.runtime.outage = undefined;
    await world.clock.advance(15_000);
    expect(ready().status).toBe('True');
    expect(world.events('n1').slice(4)).toEqual([
      'Normal NodeReady x2: Node n1 status is now: NodeReady',
      'Normal NodeNotReady: Node n1 status is now: NodeNotReady',
    ]);
  });

  test('a reboot of its machine, a cordon and its end', async () => {
    const host = { hostname: 'h', address: '192.0.2.1', machineId: 'm', bootId: 'first', systemUuid: '' };
    const parts = { host };
    const world = await newWorld({}, parts);
    parts.host = { ...host, bootId: 'second' };
    await world.restart();
    await world.clock.advance(1000);
    expect(world.events('n1')).toContain('Warning Rebooted: Node n1 has been rebooted, boot id: second');
    const cordon = async (unschedulable: boolean) => {
      await world.client.patch(nodeKind, { name: 'n1' }, { type: 'merge', body: { spec: { unschedulable } } });
      await world.clock.advance(1000);
    };
    await cordon(true);
    await cordon(false);
    expect(told(world).slice(-2)).toEqual(['Normal NodeNotSchedulable', 'Normal NodeSchedulable']);
  });
});
