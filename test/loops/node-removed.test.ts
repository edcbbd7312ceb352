/** A node that goes takes its topology domain along, and with it what kept a pod from the nodes that are left. */
import { expect, test } from 'vitest';
import { nodeKind } from '#api/kinds/core.ts';
import { schedulingWorld } from './scheduling-world.ts';

test('a pod refused for its spread is tried again when the node of the emptiest domain goes', async () => {
  const it = await schedulingWorld();
  try {
    const inZone = (name: string, zone: string) => ({ metadata: { name, labels: { zone } } });
    await it.node('a', { cpu: '4', memory: '8Gi', pods: '10' }, inZone('a', 'x'));
    await it.pod('first', { cpu: '1' }, { labels: { app: 'web' } });
    await it.pass(100);
    // No pod can go there, so the least number of pods in a domain stays 0.
    await it.node('b', { cpu: '4', memory: '8Gi', pods: '0' }, inZone('b', 'y'));
    const spread = {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'web' } },
    };
    await it.pod('second', { cpu: '1' }, { labels: { app: 'web' }, spec: { topologySpreadConstraints: [spread] } });
    await it.pass(2000);
    expect([it.nodeOf('first'), it.nodeOf('second')]).toEqual(['a', '']);
    await it.client.remove(nodeKind, { name: 'b' });
    await it.pass(2000);
    expect(it.nodeOf('second')).toBe('a');
  } finally {
    const stopping = it.scheduler.stop();
    await it.world.clock.advance(10_000);
    await stopping;
  }
});
