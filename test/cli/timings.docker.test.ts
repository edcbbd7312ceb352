/** `--timings fast` on a real cluster: heartbeats keep nodes Ready, a killed agent's node is lost soon, its pods are evicted. */
import { expect, test } from 'vitest';
import { type Lease, leaseKind } from '#api/kinds/coordination.ts';
import { nodeKind, podKind, type Toleration } from '#api/kinds/core.ts';
import { until } from '#test/faults/berth.ts';
import { idlePod, running } from '#test/faults/pods.ts';
import { startSplitCluster } from '#test/faults/split-cluster.ts';

test('fast timings of server and agents agree', async () => {
  const cluster = await startSplitCluster(['--timings', 'fast']);
  try {
    const { client, place, join, agentData } = cluster;
    const start = (node: string) =>
      place.start(`agent-${node}`, ['agent', '--node', node, '--data', agentData, '--timings', 'fast'], {
        BERTH_JOIN: join,
      });
    start('stays');
    const lost = start('lost');
    await cluster.ready('stays', 'True');
    await cluster.ready('lost', 'True');
    const key = 'node.kubernetes.io/unreachable';
    const tolerations: Toleration[] = [{ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 2 }];
    await client.create(podKind, idlePod('web', {}, { nodeName: 'lost', tolerations }));
    await running(client, 'web');

    // Twelve heartbeats, more than two graces of the server: no node was taken for lost meanwhile.
    const renewed = new Set<string>();
    await until('twelve heartbeats', async () => {
      const lease: Lease = await client.get(leaseKind, { namespace: 'kube-node-lease', name: 'lost' });
      renewed.add(lease.spec.renewTime ?? '');
      const { items } = await client.list(nodeKind);
      const ready = items.map(node => node.status?.conditions?.find(({ type }) => type === 'Ready')?.status);
      expect(ready).toEqual(['True', 'True']);
      expect(items.flatMap(node => node.spec.taints ?? [])).toEqual([]);
      return renewed.size >= 12;
    });

    await lost.end('SIGKILL');
    // Within less than the 50 s that upstream's timings take.
    expect(await cluster.ready('lost', 'Unknown', 25)).toMatchObject({ reason: 'NodeStatusUnknown' });
    await until(
      'the pod is evicted',
      async () => (await client.get(podKind, { namespace: 'default', name: 'web' })).metadata.deletionTimestamp,
      25,
    );

    start('lost');
    await cluster.ready('lost', 'True');
    await until(
      'the pod is gone',
      async () => (await client.list(podKind, { namespace: 'default' })).items.length === 0,
    );
    await until('no taint is left', async () => ((await cluster.node('lost'))?.spec.taints ?? []).length === 0);
  } finally {
    await cluster.stop();
  }
});
