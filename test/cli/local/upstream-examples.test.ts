/**
 * The configurations that the Kubernetes documentation shows (reference/scheduling/config, concepts/scheduling-eviction:
 * resource-bin-packing, topology-spread-constraints, assign-pod-node, scheduler-perf-tuning; tasks: multiple schedulers) mean here what
 * their pages say. Those that name plugins which exist nowhere (MyPlugin, …) have these declared in front.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSchedulerConfig, type SchedulerConfigFile } from '#cli/local/scheduler-config.ts';
import type { Profile } from '#engine/profile.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-k8s-'));
  writeFileSync(join(folder, 'mine.ts'), 'export default { score: (): number => 1 };\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const head = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n';
const load = (text: string): Promise<SchedulerConfigFile> => {
  const path = join(folder, 'sched.yaml');
  writeFileSync(path, text);
  return readSchedulerConfig(path);
};
const profilesOf = async (text: string): Promise<readonly Profile[]> => (await load(head + text)).config.profiles;
const scoresOf = ({ scores }: Profile): Readonly<Record<string, number>> =>
  Object.fromEntries(scores.map(({ plugin, weight }) => [plugin.name, weight]));

describe('the examples of the Kubernetes documentation', () => {
  test('a connection of its own: accepted, and said to have no effect', async () => {
    const { config, warnings } = await load(
      `${head}clientConnection:\n  kubeconfig: /etc/srv/kubernetes/kube-scheduler/kubeconfig\n`,
    );
    expect(config.profiles.map(({ schedulerName }) => schedulerName)).toEqual(['default-scheduler']);
    expect(warnings).toEqual([expect.stringMatching(/sched\.yaml:3:1: clientConnection: has no effect/)]);
  });

  test('one plugin disabled and two of its own enabled', async () => {
    const [profile] = await profilesOf(`x-berth-plugins:
- {name: MyCustomPluginA, file: ./mine.ts}
- {name: MyCustomPluginB, file: ./mine.ts}
profiles:
  - plugins:
      score:
        disabled:
        - name: PodTopologySpread
        enabled:
        - name: MyCustomPluginA
          weight: 2
        - name: MyCustomPluginB
          weight: 1
`);
    expect(scoresOf(profile!)).toMatchObject({ MyCustomPluginA: 2, MyCustomPluginB: 1, ImageLocality: 1 });
    expect(scoresOf(profile!)).not.toHaveProperty('PodTopologySpread');
    expect(profile!.filters.map(({ name }) => name)).toContain('PodTopologySpread');
  });

  test('two profiles, of which one scores nothing', async () => {
    const [usual, none] = await profilesOf(`profiles:
  - schedulerName: default-scheduler
  - schedulerName: no-scoring-scheduler
    plugins:
      preScore:
        disabled:
        - name: '*'
      score:
        disabled:
        - name: '*'
`);
    expect(Object.keys(scoresOf(usual!)).length).toBeGreaterThan(5);
    expect([none!.schedulerName, none!.scores]).toEqual(['no-scoring-scheduler', []]);
    expect(none!.filters.map(({ name }) => name)).toEqual(usual!.filters.map(({ name }) => name));
  });

  test('multiPoint: a plugin everywhere, its weight, and left out at one point', async () => {
    const own = 'x-berth-plugins:\n- {name: MyPlugin, file: ./mine.ts}\n';
    const [everywhere] = await profilesOf(`${own}profiles:
  - schedulerName: multipoint-scheduler
    plugins:
      multiPoint:
        enabled:
        - name: MyPlugin
          weight: 3
`);
    expect(scoresOf(everywhere!)['MyPlugin']).toBe(3);
    const [elsewhere] = await profilesOf(`${own}profiles:
  - schedulerName: non-multipoint-scheduler
    plugins:
      multiPoint:
        enabled:
        - name: 'MyPlugin'
      preScore:
        disabled:
        - name: '*'
      score:
        disabled:
        - name: '*'
        enabled:
        - name: ImageLocality
`);
    expect(scoresOf(elsewhere!)).toEqual({ ImageLocality: 1 });
  });

  test('a node affinity for all pods of a profile', async () => {
    const profiles = await profilesOf(`profiles:
  - schedulerName: default-scheduler
  - schedulerName: foo-scheduler
    pluginConfig:
      - name: NodeAffinity
        args:
          addedAffinity:
            requiredDuringSchedulingIgnoredDuringExecution:
              nodeSelectorTerms:
              - matchExpressions:
                - key: scheduler-profile
                  operator: In
                  values:
                  - foo
`);
    expect(profiles.map(({ schedulerName }) => schedulerName)).toEqual(['default-scheduler', 'foo-scheduler']);
  });

  test.each([
    [
      'constraints for all pods',
      '[{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway}]',
    ],
    ['none', '[]'],
  ])('default spread constraints of a cluster: %s', async (_, constraints) => {
    const [profile] = await profilesOf(`profiles:
  - schedulerName: default-scheduler
    pluginConfig:
      - name: PodTopologySpread
        args:
          defaultConstraints: ${constraints}
          defaultingType: List
`);
    expect(scoresOf(profile!)['PodTopologySpread']).toBe(2);
  });

  test('bin packing: MostAllocated and RequestedToCapacityRatio over extended resources', async () => {
    const strategy = (more: string): string => `profiles:
- pluginConfig:
  - args:
      scoringStrategy:
        resources:
        - name: intel.com/foo
          weight: 3
        - name: intel.com/bar
          weight: 3
${more}
    name: NodeResourcesFit
`;
    const ratio = `        requestedToCapacityRatio:
          shape:
          - utilization: 0
            score: 0
          - utilization: 100
            score: 10
        type: RequestedToCapacityRatio`;
    for (const more of ['        type: MostAllocated', ratio])
      expect(scoresOf((await profilesOf(strategy(more)))[0]!)['NodeResourcesFit']).toBe(1);
  });

  test('half of the nodes', async () => {
    const [profile] = await profilesOf('percentageOfNodesToScore: 50\n');
    expect(profile!.percentageOfNodesToScore).toBe(50);
    const old = `apiVersion: kubescheduler.config.k8s.io/v1alpha1\nkind: KubeSchedulerConfiguration\nalgorithmSource:\n  provider: DefaultProvider\n`;
    await expect(load(old)).rejects.toThrow(
      /sched\.yaml:1:1: apiVersion: .* must be kubescheduler\.config\.k8s\.io\/v1\n.*sched\.yaml:3:1: algorithmSource: unknown field/,
    );
  });

  test('the second scheduler of the task page, out of its ConfigMap', async () => {
    const file = join(import.meta.dirname, '../../data/docs-manifests/admin__sched__my-scheduler.yaml');
    const inside = /my-scheduler-config\.yaml: \|\n((?: {4}.*\n)+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
    const text = inside.replace(/^ {4}/gm, '');
    // The page is older than v1.35, which knows v1 only.
    await expect(load(text)).rejects.toThrow(/apiVersion: Invalid value: "kubescheduler\.config\.k8s\.io\/v1beta2"/);
    const { config, warnings } = await load(text.replace('v1beta2', 'v1'));
    expect(config.profiles.map(({ schedulerName }) => schedulerName)).toEqual(['my-scheduler']);
    expect(warnings).toEqual([expect.stringMatching(/: leaderElection: has no effect/)]);
  });
});
