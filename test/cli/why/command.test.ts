/** `berth why` over HTTPS against a control plane with its scheduler: what is read, what it says, how it ends. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeKind, podKind } from '#api/kinds/core.ts';
import type { ApiError } from '#api/status.ts';
import type { WhyReport } from '#cli/why/report.ts';
import { startCluster, type TestCluster } from './cluster.ts';

let cluster: TestCluster;
const isStuck = (pod: { status?: { conditions?: readonly { reason?: string }[] } }): boolean =>
  pod.status?.conditions?.some(({ reason }) => reason === 'Unschedulable') === true;

const configuration = {
  path: '/etc/scheduler.yaml',
  text: `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles: [{schedulerName: default-scheduler}, {schedulerName: packer}]
`,
};

beforeAll(async () => {
  cluster = await startCluster({ schedulerConfigFile: configuration });
  await cluster.addNode('n1', { cpu: '4', memory: '8Gi' });
  await cluster.addNode('n2', { cpu: '2', memory: '8Gi' }, { spec: { unschedulable: true } });
  await cluster.addPod('small', { cpu: '1', memory: '1Gi' });
  await cluster.until('small', pod => pod.spec.nodeName === 'n1');
  await cluster.addPod('big', { cpu: '3500m', memory: '1Gi' });
  await cluster.until('big', isStuck);
});
afterAll(() => cluster.stop());

describe('berth why', () => {
  test('tells of a pending pod the last attempt, the present obstacles and changes that help', async () => {
    const { code, out, err } = await cluster.shell.run(['why', 'pod/big']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^pod default\/big is Pending: it fits on none of 2 nodes\n/);
    expect(out).toMatch(
      /last attempt, \d+s ago \(attempt \d+.*, at revision \d+, in .* ms\):\n {2}0\/2 nodes are available: 1 Insufficient cpu, 1 node\(s\) were unschedulable\./,
    );
    expect(out).toContain('cpu: asks 3500m, free 3 of 4, short by 500m');
    expect(out).toContain("1. lower the pod's cpu request from 3500m to 3 → n1");
    expect(out).toContain('delete default/small on node n1 → n1');
  });

  test('tells what it told to be true: the suggested request fits in the real scheduler', async () => {
    await cluster.addPod('lowered', { cpu: '3', memory: '1Gi' });
    expect((await cluster.until('lowered', pod => !!pod.spec.nodeName)).spec.nodeName).toBe('n1');
    await cluster.client.remove(podKind, { namespace: 'default', name: 'lowered' }, { gracePeriodSeconds: 0 });
  });

  test('gives all of it as JSON', async () => {
    const { code, out } = await cluster.shell.run(['why', 'big', '-o', 'json']);
    const report = JSON.parse(out) as WhyReport;
    expect(code).toBe(0);
    expect(report).toMatchObject({
      pod: { namespace: 'default', name: 'big' },
      state: 'pending',
      schedulerName: 'default-scheduler',
      lastAttempt: { record: { outcome: 'unschedulable', reasons: { 'Insufficient cpu': 1 } } },
      now: { outcome: 'unschedulable', nodes: 2, feasible: 0 },
    });
    const short = report.now?.verdicts.find(({ node }) => node === 'n1')?.obstacles;
    expect(short).toEqual([
      {
        plugin: 'NodeResourcesFit',
        is: 'resource',
        resource: 'cpu',
        asked: 3500,
        free: 3000,
        short: 500,
        allocatable: 4000,
        reserved: 0,
        text: 'cpu: asks 3500m, free 3 of 4, short by 500m',
      },
    ]);
    expect(JSON.parse(out)).toMatchObject({ apiVersion: 'berth.dev/v1', kind: 'Why' });
    const said = await cluster.shell.run(['why', 'big', '-o', 'jsonpath={.changes[0].text}']);
    expect(said.out).toBe("lower the pod's cpu request from 3500m to 3 → n1");
    expect(report.changes?.[0]).toMatchObject({ node: 'n1', edits: [{ is: 'lowerRequest', from: 3500, to: 3000 }] });
    expect((await cluster.shell.run(['why', 'big', '-o', 'jsonpath={.now.message}'])).out).toBe(report.now?.message);
  });

  test('shows one node, the scores and the history when asked', async () => {
    const { out } = await cluster.shell.run(['why', 'small', '--node', 'n1', '--history']);
    expect(out).toMatch(/^pod default\/small is on node n1, the only one of 2 that it fits on\n/);
    expect(out).toMatch(/NodeResourcesFit +ok\n/);
    expect(out).toMatch(/history:\n +WHEN .*\n.* 1 .* → n1, the only one that it fitted on\n/);
    const scores = await cluster.shell.run(['why', 'small', '--scores']);
    expect(scores.out).toContain('scores (raw → normalized × weight = points):');
  });

  test('ends with 1 for what is not there, in words', async () => {
    expect(await cluster.shell.run(['why', 'nobody'])).toEqual({
      code: 1,
      out: '',
      err: 'Error from server (NotFound): pods "nobody" not found\n',
    });
    expect(await cluster.shell.run(['why', 'small', '-n', 'nowhere'])).toMatchObject({
      code: 1,
      err: 'Error from server (NotFound): namespaces "nowhere" not found\n',
    });
    expect(await cluster.shell.run(['why', 'small', '--node', 'n9'])).toMatchObject({
      code: 1,
      err: 'error: there is no node "n9"\n',
    });
    expect(await cluster.shell.run(['why', 'rs/web'])).toMatchObject({
      code: 1,
      err: 'error: berth why tells about pods, not about rs\n',
    });
    expect((await cluster.shell.run(['why'])).code).toBe(1);
    for (const words of [[''], ['pod/'], ['pod', ''], ['pod/a/b'], ['pods', 'a/b']])
      expect(await cluster.shell.run(['why', ...words])).toEqual({
        code: 1,
        out: '',
        err: expect.stringMatching(/^error: expected POD, pod\/POD or pod POD, not "/),
      });
    expect((await cluster.shell.run(['why', 'node', 'n1'])).err).toBe(
      'error: berth why tells about pods, not about node\n',
    );
  });

  test('takes a pod by name, as pod/NAME and as pod NAME', async () => {
    const first = 'pod default/small is on node n1, the only one of 2 that it fits on\n';
    for (const words of [['small'], ['po/small'], ['pods', 'small']])
      expect((await cluster.shell.run(['why', ...words])).out.slice(0, first.length)).toBe(first);
  });

  test('remembers a pod that is gone', async () => {
    await cluster.addPod('brief', { cpu: '9', memory: '1Gi' });
    await cluster.until('brief', isStuck);
    await cluster.client.remove(podKind, { namespace: 'default', name: 'brief' }, { gracePeriodSeconds: 0 });
    const { code, out, err } = await cluster.shell.run(['why', 'brief', '--history']);
    expect([code, err]).toEqual([1, 'Error from server (NotFound): pods "brief" not found\n']);
    expect(out).toMatch(/^pod default\/brief is gone\n\nhistory:\n/);
    const json = await cluster.shell.run(['why', 'brief', '--history', '-o', 'json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ kind: 'Why', state: 'gone', history: [{ outcome: 'unschedulable' }] });
    expect((await cluster.shell.run(['why', 'brief'])).out).toBe('');
  });

  test('reads the profiles that the server runs with', async () => {
    await cluster.addPod('packed', { cpu: '9' }, { spec: { schedulerName: 'packer' } });
    const packed = await cluster.shell.run(['why', 'packed']);
    expect(packed.out).toMatch(/^pod default\/packed is Pending: it fits on none of 2 nodes\n/);
    await cluster.addPod('strange', { cpu: '1' }, { spec: { schedulerName: 'mine' } });
    const strange = await cluster.shell.run(['why', 'strange']);
    expect(strange.out).toContain('no scheduler here has the name "mine"');
    expect(strange.out).toContain('schedulers here: default-scheduler, packer');
  });

  test('follows the cluster: uncordoned, the pod that nothing else kept goes to the node', async () => {
    await cluster.addPod(
      'waiting',
      { cpu: '2', memory: '7Gi' },
      { spec: { nodeSelector: { 'kubernetes.io/hostname': 'n2' } } },
    );
    await cluster.until('waiting', isStuck);
    expect((await cluster.shell.run(['why', 'waiting'])).out).toContain('1. uncordon node n2 → n2');
    await cluster.client.patch(
      nodeKind,
      { name: 'n2' },
      { type: 'merge', body: { spec: { unschedulable: null, taints: [] } } },
    );
    expect((await cluster.until('waiting', pod => !!pod.spec.nodeName)).spec.nodeName).toBe('n2');
  });
});

describe('what the server tells about its scheduler', () => {
  test('is for administrators only', async () => {
    const answer = async (token: string): Promise<number | undefined> => {
      const client = cluster.http(token);
      const asked = client.getRaw('/apis/berth.dev/v1/decisions');
      const code = await asked.then(
        ({ code: given }) => given,
        error => (error as ApiError).status.code,
      );
      await client.close();
      return code;
    };
    expect(await answer(cluster.adminToken)).toBe(200);
    expect(await answer(cluster.nodeToken('n1'))).toBe(403);
    expect(await answer('nonsense')).toBe(401);
  });

  test('is bounded, and a wrong limit is refused', async () => {
    const client = cluster.http();
    const list = await client.getJson<{ kind: string; items: unknown[] }>('/apis/berth.dev/v1/decisions?limit=2');
    expect([list.kind, list.items.length]).toEqual(['DecisionList', 2]);
    await expect(client.getJson('/apis/berth.dev/v1/decisions?limit=0')).rejects.toMatchObject({
      message: 'limit: Invalid value: "0": must be between 1 and 10000',
    });
    expect(await client.getJson('/apis/berth.dev/v1/schedulerconfiguration')).toEqual({
      apiVersion: 'berth.dev/v1',
      kind: 'SchedulerConfiguration',
      ...configuration,
    });
    await client.close();
  });
});
