/** What `berth why` prints, as files to be read: test/golden/why. `vitest -u` writes them anew. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/kinds/core.ts';
import { paintFor } from '#cli/output/paint.ts';
import { profilesOf } from '#cli/why/profiles.ts';
import type { WhyReport } from '#cli/why/report.ts';
import { whyText } from '#cli/why/text.ts';
import type { DecisionRecord } from '#engine/decision.ts';
import { ask, budget, failure, node, nowMs, on, pod } from './scenes.ts';

const golden = async (name: string, report: WhyReport, allScores = false): Promise<void> => {
  const text = whyText(report, { nowMs, paint: paintFor(false), allScores });
  expect(text.split('\n').filter(line => line.length > 100)).toEqual([]);
  await expect(text).toMatchFileSnapshot(`../../golden/why/${name}.txt`);
};

const zone = (value: string) => ({ 'topology.kubernetes.io/zone': value });
const gpu = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' as const };
const condition = (message: string) => ({
  phase: 'Pending' as const,
  conditions: [{ type: 'PodScheduled', status: 'False' as const, reason: 'Unschedulable', message }],
});

const three = [
  node('n1', '4/8Gi', { labels: { disk: 'hdd' } }),
  node('n2', '2/4Gi', { spec: { taints: [gpu] } }),
  node('n3', '8/16Gi', {
    spec: { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] },
  }),
];
const busy = on('n1', pod('a', '1500m/1Gi'), pod('b', '500m/1Gi'));

describe('a pod that fits nowhere', () => {
  test('is told node by node in a small cluster, with the last attempt and what would help', async () => {
    const message =
      '0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable.';
    const events = [failure(message, 4, ['2026-05-04T11:55:00Z', '2026-05-04T11:59:50Z'])];
    const report = ask(pod('web', '3/1Gi', { status: condition(message) }), { nodes: three, pods: busy }, { events });
    await golden('pending', report);
    await golden('node', ask(pod('web', '3/1Gi'), { nodes: three, pods: busy }, { node: 'n1' }));
  });

  test('is told group by group in a large one', async () => {
    const nodes = Array.from({ length: 40 }, (_, i) =>
      node(`n${i}`, i % 2 ? '4/8Gi' : '8/16Gi', {
        labels: { disk: i % 4 ? 'hdd' : 'ssd' },
        spec: i % 5 ? {} : { taints: [gpu] },
      }),
    );
    const pods = nodes.flatMap(({ metadata: { name } }, i) => on(name, pod(`p${i}`, `${1000 + 100 * i}m/1Gi`)));
    await golden(
      'pending-large',
      ask(pod('web', '8/1Gi', { spec: { nodeSelector: { disk: 'ssd' } } }), { nodes, pods }),
    );
  });

  test('is told on a page of bounded length, whatever the size of the cluster', () => {
    const nodes = Array.from({ length: 5000 }, (_, i) =>
      node(`n${i}`, `${4 + (i % 3)}/32Gi`, {
        labels: { team: `t${i % 40}`, ...zone(`z${i % 3}`) },
        spec: i % 7 === 0 ? { taints: [{ ...gpu, value: `gpu${i % 50}` }] } : {},
      }),
    );
    const pods = nodes.flatMap(({ metadata: { name } }, i) => on(name, pod(`p${i}`, `${1000 + (i % 99)}m/1Gi`)));
    const stuck = pod('web', '6/1Gi', { spec: { nodeSelector: { team: 't0' } } });
    for (const subject of [stuck, pod('fits', '1/1Gi'), ...on('n5', pod('placed', '1/1Gi'))]) {
      const text = whyText(ask(subject, { nodes, pods }), { nowMs, paint: paintFor(false), allScores: true });
      expect(text.split('\n').length).toBeLessThan(80);
      expect(text.split('\n').filter(line => line.length > 100)).toEqual([]);
    }
  });

  test('for its node selector, node affinity and two resources at once', async () => {
    const affinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'disk', operator: 'In' as const, values: ['ssd', 'nvme'] }] },
          ],
        },
      },
    };
    await golden('affinity', ask(pod('web', '100m/1Gi', { spec: { affinity } }), { nodes: [three[0]!], pods: busy }));
    await golden('two-resources', ask(pod('web', '3/8Gi'), { nodes: [three[0]!], pods: busy }));
  });

  test('for a topology spread', async () => {
    const nodes = [
      node('a1', '4/8Gi', { labels: zone('a') }),
      node('b1', '1/8Gi', { labels: zone('b') }),
      node('c1', '4/8Gi'),
    ];
    const labels = { app: 'web' };
    const topologySpreadConstraints = [
      {
        maxSkew: 1,
        topologyKey: 'topology.kubernetes.io/zone',
        whenUnsatisfiable: 'DoNotSchedule' as const,
        labelSelector: { matchLabels: labels },
      },
    ];
    const pods = on('a1', pod('w1', '100m/', { labels }), pod('w2', '100m/', { labels }));
    const full = on('b1', pod('x', '1/1Gi'));
    await golden(
      'spread',
      ask(pod('web', '100m/', { labels, spec: { topologySpreadConstraints } }), { nodes, pods: [...pods, ...full] }),
    );
  });

  test('for pod anti-affinity, of its own and of others, pod affinity and host ports', async () => {
    const labels = { app: 'web' };
    const apart = {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } },
        ],
      },
    };
    const nodes = [node('n1', '4/8Gi'), node('n2', '4/8Gi')];
    const pods = [
      ...on('n1', pod('w1', '', { labels })),
      ...on('n2', pod('w2', '', { labels: { app: 'x' }, spec: { affinity: apart } })),
    ];
    await golden('anti-affinity', ask(pod('web', '', { labels, spec: { affinity: apart } }), { nodes, pods }));
    const near = {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'db' } } },
        ],
      },
    };
    await golden('no-companion', ask(pod('web', '', { spec: { affinity: near } }), { nodes }));
    const port = { containers: [{ name: 'c', image: 'web:1', ports: [{ containerPort: 80, hostPort: 80 }] }] };
    const holders = [...on('n1', pod('w1', '', { spec: port })), ...on('n2', pod('w2', '', { spec: port }))];
    await golden('ports', ask(pod('web', '', { spec: port }), { nodes, pods: holders }));
  });

  test('but may push out others, against a disruption budget', async () => {
    const nodes = [node('n1', '2/8Gi'), node('n2', '1/8Gi')];
    const pods = [
      ...on('n1', pod('guarded', '2/1Gi', { labels: { app: 'guarded' } })),
      ...on('n2', pod('equal', '1/1Gi', { spec: { priority: 100 } })),
    ];
    const state = { nodes, pods, podDisruptionBudgets: [budget('b', 'guarded', 0)] };
    await golden('preemption', ask(pod('web', '1/1Gi', { spec: { priority: 100 } }), state));
    const spec = { priority: 100, preemptionPolicy: 'Never' as const };
    await golden('preemption-never', ask(pod('web', '1/1Gi', { spec }), state));
    const priorityClasses = [{ metadata: { name: 'high' }, value: 1000 }] as never;
    await golden('priority', ask(pod('web', '1/1Gi'), { ...state, priorityClasses }));
  });

  test('because room is kept for a pod that was promised it', async () => {
    const nodes = [node('n1', '4/8Gi')];
    const promised = pod('first', '3/1Gi', {
      spec: { priority: 10 },
      status: { phase: 'Pending', nominatedNodeName: 'n1' },
    });
    await golden('nominated', ask(pod('web', '2/1Gi'), { nodes, pods: [promised] }));
  });

  test('because there are no nodes, or its terms contradict each other', async () => {
    await golden('no-nodes', ask(pod('web', '1/1Gi'), {}));
    const conflicting = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            {
              matchFields: [
                { key: 'metadata.name', operator: 'In' as const, values: ['n1'] },
                { key: 'metadata.name', operator: 'In' as const, values: ['n2'] },
              ],
            },
          ],
        },
      },
    };
    await golden('conflict', ask(pod('web', '1/1Gi', { spec: { affinity: conflicting } }), { nodes: three }));
  });
});

describe('a pod that is on a node', () => {
  const nodes = [
    node('n1', '4/8Gi'),
    node('n2', '8/16Gi', { spec: { taints: [{ key: 'busy', effect: 'PreferNoSchedule' }] } }),
    node('n3', '8/16Gi'),
    node('n4', '2/1Gi'),
  ];
  const subject = (nodeName: string) => on(nodeName, pod('web', '500m/2Gi', { status: { phase: 'Running' } }))[0]!;

  test('is told with the scores of all nodes, and in full when asked', async () => {
    await golden('scheduled', ask(subject('n3'), { nodes, pods: busy }));
    await golden('scheduled-scores', ask(subject('n3'), { nodes, pods: busy }), true);
    await golden('scheduled-node', ask(subject('n3'), { nodes, pods: busy }, { node: 'n2' }));
  });

  test('is told on a page of bounded width and length, however long the names of nodes', async () => {
    const long = (i: number): string => `gke-production-pool-${i}-0a1b2c3d-xy9z`;
    const many = Array.from({ length: 40 }, (_, i) => node(long(i), `${8 + (i % 4)}/16Gi`));
    const [last] = on(long(0), pod('web', '500m/2Gi'));
    await golden('scheduled-long-names', ask(last!, { nodes: many }));
    await golden('scheduled-long-names-scores', ask(last!, { nodes: many }), true);
  });

  test('is told to be leaving, or to be resized', async () => {
    const [leaving] = on('n3', pod('web', '1/1Gi', { metadata: { deletionTimestamp: '2026-05-04T11:59:00Z' } }));
    const text = whyText(ask(leaving!, { nodes }), { nowMs, paint: paintFor(false), allScores: false });
    expect(text).toMatch(/^pod default\/web is on node n3 and being deleted, the best of 4 that it fits on\n/);
    const granted = { name: 'c', allocatedResources: { cpu: '800m' }, resources: { requests: { cpu: '1200m' } } };
    const status = { phase: 'Running', containerStatuses: [granted] } as unknown as NonNullable<Pod['status']>;
    const [resized] = on('n1', pod('web', '500m/', { status }));
    await golden('resized', ask(resized!, { nodes: nodes.slice(0, 1), pods: on('n1', pod('other', '1/2Gi')) }));
  });

  test('is told where it would go now when that is elsewhere', async () => {
    await golden('scheduled-elsewhere', ask(subject('n1'), { nodes, pods: busy }));
    await golden('scheduled-unfit', ask(subject('n4'), { nodes, pods: busy }));
    await golden('scheduled-tie', ask(subject('n1'), { nodes: [nodes[0]!, node('n5', '4/8Gi')] }));
  });
});

describe('a pod that is not to be scheduled', () => {
  const nodes = [node('n1', '4/8Gi')];
  test.each<[string, WhyReport]>([
    ['gated', ask(pod('web', '1/1Gi', { spec: { schedulingGates: [{ name: 'berth.dev/quota' }] } }), { nodes })],
    ['unowned', ask(pod('web', '1/1Gi', { spec: { schedulerName: 'mine' } }), { nodes })],
    ['deleting', ask(pod('web', '1/1Gi', { metadata: { deletionTimestamp: '2026-05-04T11:59:00Z' } }), { nodes })],
    ['over', ask(pod('web', '1/1Gi', { spec: { nodeName: 'n1' }, status: { phase: 'Succeeded' } }), { nodes })],
    [
      'over-refused',
      ask(
        pod('web', '5/1Gi', {
          spec: { nodeName: 'n1' },
          status: {
            phase: 'Failed',
            reason: 'OutOfcpu',
            message: "Node didn't have enough resource: cpu, requested: 5000, used: 0, capacity: 4000",
          },
        }),
        { nodes },
      ),
    ],
    ['unowned-scheduled', ask(pod('web', '1/1Gi', { spec: { schedulerName: 'mine', nodeName: 'n1' } }), { nodes })],
  ])('says so: %s', (name, report) => golden(name, report));

  test('is told where it would go without its gates, or what else would keep it', async () => {
    const schedulingGates = [{ name: 'berth.dev/quota' }, { name: 'berth.dev/data' }];
    const two = [...nodes, node('n2', '2/8Gi')];
    await golden('gated-fits', ask(pod('web', '3/1Gi', { spec: { schedulingGates } }), { nodes: two }));
    await golden('gated-stuck', ask(pod('web', '5/1Gi', { spec: { schedulingGates } }), { nodes: two }));
  });

  test('waits for those that it pushed out', async () => {
    const victim = pod('victim', '4/1Gi', { metadata: { deletionTimestamp: '2026-05-04T11:59:00Z' } });
    const waiting = pod('web', '3/1Gi', {
      spec: { priority: 5 },
      status: { phase: 'Pending', nominatedNodeName: 'n1' },
    });
    await golden('waiting', ask(waiting, { nodes, pods: on('n1', victim) }));
  });
});

describe('the history of a pod', () => {
  const base = { namespace: 'default', name: 'web', uid: 'uid-web', durationMs: 0.2 };
  const decisions: readonly DecisionRecord[] = [
    {
      ...base,
      time: '2026-05-04T11:58:00.000000Z',
      attempt: 1,
      revision: 120,
      outcome: 'unschedulable',
      message: '0/1 nodes …',
      reasons: { 'Insufficient cpu': 1 },
      nominatedNode: 'n1',
      victims: ['default/old'],
    },
    {
      ...base,
      time: '2026-05-04T11:59:00.000000Z',
      attempt: 2,
      revision: 140,
      outcome: 'scheduled',
      feasible: 3,
      node: 'n1',
      score: 520,
      ties: 2,
    },
  ];
  const failed: DecisionRecord = {
    ...base,
    time: '2026-05-04T11:57:00.000000Z',
    attempt: 1,
    revision: 90,
    outcome: 'error',
    message: 'running "Quota" filter plugin: no such table (quota.ts:7:20)',
  };
  const gated: DecisionRecord = {
    ...base,
    time: '2026-05-04T11:56:00.000000Z',
    attempt: 1,
    revision: 80,
    outcome: 'gated',
    message: 'waiting for scheduling gates: [berth.dev/quota]',
  };

  test('is a table, oldest first', async () => {
    const subject = on('n1', pod('web', '1/1Gi'))[0]!;
    const all = [gated, failed, ...decisions];
    await golden('history', ask(subject, { nodes: [node('n1', '4/8Gi')] }, { decisions: all, history: true }));
    await golden('no-history', ask(subject, { nodes: [node('n1', '4/8Gi')] }, { history: true }));
  });
});

describe('a configuration of the server', () => {
  const path = '/etc/scheduler.yaml';
  const text = `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: packer
  pluginConfig:
  - name: NodeResourcesFit
    args:
      apiVersion: kubescheduler.config.k8s.io/v1
      kind: NodeResourcesFitArgs
      scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}
`;

  test('is what decides', async () => {
    const nodes = [node('empty', '4/8Gi'), node('full', '4/8Gi')];
    const pods = on('full', pod('a', '2/4Gi'));
    const subject = on('full', pod('web', '1/2Gi', { spec: { schedulerName: 'packer' } }))[0]!;
    const report = ask(subject, { nodes, pods }, { profiles: profilesOf({ path, text }) });
    expect(report.now?.chosen?.node).toBe('full');
    await golden('configured', report);
  });

  test('with plugins of its own, or that is not understood, is noted', () => {
    const own = `x-berth-plugins:\n- name: Mine\n  file: mine.ts\n`;
    const plugins = `  plugins: {filter: {enabled: [{name: Mine}]}}\n`;
    expect(profilesOf({ path, text: own + text + plugins }, 'they are elsewhere').notes).toEqual([
      "what the scheduler's own plugins (Mine) say is not in this answer: they are elsewhere; --scheduler-config FILE asks those of a file",
    ]);
    const { notes, bySchedulerName } = profilesOf({ path, text: 'kind: Nonsense' });
    expect(notes).toEqual([
      "the scheduler's configuration is not understood here; the default profile was used instead",
    ]);
    expect([...bySchedulerName.keys()]).toEqual(['default-scheduler']);
  });
});

describe('docs/WHY.md', () => {
  test('shows what is printed', () => {
    const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
    const examples = [...read('docs/WHY.md').matchAll(/<!-- (test\/golden\/why\/\S+) -->\n```text\n([^`]*)```/g)];
    expect(examples).toHaveLength(2);
    for (const [, file, text] of examples) expect([file, text]).toEqual([file, read(file!)]);
  });
});
