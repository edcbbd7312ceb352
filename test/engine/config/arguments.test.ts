/** pluginConfig: what each plugin's arguments do to decisions, their defaults, and what is wrong with them. */
import { describe, expect, test } from 'vitest';
import type { Node, Pod, Service } from '#api/kinds/core.ts';
import type { Columns } from '#engine/columns/columns.ts';
import type { ClusterChange } from '#engine/plugin.ts';
import { preempt } from '#engine/preemption/preempt.ts';
import type { Profile } from '#engine/profile.ts';
import { mayHelp } from '#engine/queue/hints.ts';
import { schedule } from '#engine/schedule.ts';
import { columnsOf } from '../golden-world.ts';
import { configOf, faultsOf, profileOf, withArgs } from './yaml.ts';

const node = (name: string, labels: Record<string, string> = {}, allocatable: Record<string, string> = {}): Node =>
  ({
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...allocatable } },
  }) as unknown as Node;

interface PodParts {
  readonly requests?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly spec?: object;
}

const pod = (name: string, { requests = { cpu: '1' }, labels = {}, spec = {} }: PodParts = {}): Pod =>
  ({
    metadata: { name, namespace: 'default', labels },
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests } }], ...spec },
  }) as unknown as Pod;

const on = (nodeName: string, name: string, parts: PodParts = {}): Pod =>
  pod(name, { ...parts, spec: { ...parts.spec, nodeName } });

const decide = (columns: Columns, profile: Profile, of: Pod) => {
  const { node, failure } = schedule(columns.view(of), columns, profile);
  return node?.name ?? failure?.message;
};

const faults = (plugin: string, args: unknown): readonly string[] =>
  faultsOf(withArgs(plugin, args)).map(fault => fault.replace('profiles[0].pluginConfig[0].args', '$'));

describe('NodeResourcesFitArgs', () => {
  const columns = columnsOf({
    nodes: [node('empty'), node('half')],
    pods: [on('half', 'a', { requests: { cpu: '2' } })],
  });
  const withStrategy = (scoringStrategy: object) => profileOf(withArgs('NodeResourcesFit', { scoringStrategy }));
  // Balance would have a say of its own.
  const alone = (scoringStrategy: object) => {
    const profile = withStrategy(scoringStrategy);
    return { ...profile, scores: profile.scores.filter(({ plugin }) => plugin.name === 'NodeResourcesFit') };
  };

  test('LeastAllocated spreads, MostAllocated packs', () => {
    expect(decide(columns, alone({ type: 'LeastAllocated' }), pod('p'))).toBe('empty');
    expect(decide(columns, alone({ type: 'MostAllocated' }), pod('p'))).toBe('half');
  });

  test('RequestedToCapacityRatio follows its shape', () => {
    const shape = (at0: number, at100: number) => ({
      type: 'RequestedToCapacityRatio',
      resources: [{ name: 'cpu' }],
      requestedToCapacityRatio: {
        shape: [
          { utilization: 0, score: at0 },
          { utilization: 100, score: at100 },
        ],
      },
    });
    expect(decide(columns, alone(shape(0, 10)), pod('p'))).toBe('half');
    expect(decide(columns, alone(shape(10, 0)), pod('p'))).toBe('empty');
  });

  test('resources and weights decide what counts', () => {
    const uneven = columnsOf({
      nodes: [node('cpu-free'), node('memory-free')],
      pods: [on('cpu-free', 'a', { requests: { memory: '6Gi' } }), on('memory-free', 'b', { requests: { cpu: '3' } })],
    });
    const by = (cpu: number, memory: number) =>
      alone({
        type: 'LeastAllocated',
        resources: [
          { name: 'cpu', weight: cpu },
          { name: 'memory', weight: memory },
        ],
      });
    const tiny = pod('p', { requests: { cpu: '10m', memory: '1Mi' } });
    expect(decide(uneven, by(10, 1), tiny)).toBe('cpu-free');
    expect(decide(uneven, by(1, 10), tiny)).toBe('memory-free');
  });

  test('ignored extended resources are not looked at', () => {
    const plain = columnsOf({ nodes: [node('n')], pods: [] });
    const wants = pod('p', { requests: { 'example.com/gpu': '1' } });
    const placed = (args: object) => decide(plain, profileOf(withArgs('NodeResourcesFit', args)), wants);
    expect(placed({})).toBe('0/1 nodes are available: 1 Insufficient example.com/gpu.');
    expect(placed({ ignoredResources: ['example.com/gpu'] })).toBe('n');
    expect(placed({ ignoredResourceGroups: ['example.com'] })).toBe('n');
    expect(placed({ ignoredResourceGroups: ['other.com'] })).toMatch(/Insufficient/);
  });

  test('a node wakes the pod if it has all but the ignored resource, and only then', () => {
    const world = columnsOf({ nodes: [], pods: [] });
    const view = world.view(pod('p', { requests: { cpu: '2', 'example.com/gpu': '1' } }));
    const wakes = (args: object, allocatable: Record<string, string>): boolean => {
      world.setNode(node('n', {}, allocatable));
      const change = { type: 'nodeAdded', slot: world.slotOf('n') } as const;
      const profile = profileOf(withArgs('NodeResourcesFit', args));
      return mayHelp(view, ['NodeResourcesFit'], change, { columns: world, profile });
    };
    const ignoring = { ignoredResources: ['example.com/gpu'] };
    expect([wakes(ignoring, {}), wakes({ ignoredResourceGroups: ['example.com'] }, {})]).toEqual([true, true]);
    expect([wakes({}, {}), wakes(ignoring, { cpu: '1' }), wakes(ignoring, { pods: '0' })]).toEqual([
      false,
      false,
      false,
    ]);
    expect(wakes({}, { 'example.com/gpu': '1' })).toBe(true);
  });

  test.each([
    [
      { scoringStrategy: { type: 'Fewest' } },
      '$.scoringStrategy.type: Unsupported value: "Fewest": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"',
    ],
    [
      { scoringStrategy: {} },
      '$.scoringStrategy.type: Unsupported value: "": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"',
    ],
    [
      { scoringStrategy: { type: 'MostAllocated', resources: [{ name: 'cpu', weight: 101 }] } },
      '$.scoringStrategy.resources[0].weight: Invalid value: 101: resource weight of cpu not in valid range (0, 100]',
    ],
    [
      { scoringStrategy: { type: 'MostAllocated', resources: [{ weight: 1 }] } },
      '$.scoringStrategy.resources[0].name: Required value',
    ],
    [
      { scoringStrategy: { type: 'RequestedToCapacityRatio' } },
      '$.scoringStrategy.requestedToCapacityRatio.shape: Required value: at least one point must be specified',
    ],
    [
      {
        scoringStrategy: {
          type: 'MostAllocated',
          requestedToCapacityRatio: {
            shape: [
              { utilization: 5, score: 11 },
              { utilization: 5, score: 1 },
            ],
          },
        },
      },
      '$.scoringStrategy.requestedToCapacityRatio.shape[1].utilization: Invalid value: 5: utilization values must be sorted in increasing order',
    ],
    [
      {
        scoringStrategy: {
          type: 'MostAllocated',
          requestedToCapacityRatio: { shape: [{ utilization: 5, score: 11 }] },
        },
      },
      '$.scoringStrategy.requestedToCapacityRatio.shape[0].score: Invalid value: 11: not in valid range [0, 10]',
    ],
    [
      {
        scoringStrategy: {
          type: 'MostAllocated',
          requestedToCapacityRatio: { shape: [{ utilization: 101, score: 1 }] },
        },
      },
      '$.scoringStrategy.requestedToCapacityRatio.shape[0].utilization: Invalid value: 101: not in valid range [0, 100]',
    ],
    [
      { ignoredResourceGroups: ['example.com/gpu'] },
      "$.ignoredResourceGroups[0]: Invalid value: \"example.com/gpu\": resource group name can't contain '/'",
    ],
    [{ ignoredResources: [1] }, '$.ignoredResources[0]: Invalid value: 1: must be a string'],
    [
      { ignoredResource: [] },
      '$.ignoredResource: unknown field "profiles[0].pluginConfig[0].args.ignoredResource"; known here: kind, apiVersion, ignoredResources, ignoredResourceGroups, scoringStrategy',
    ],
    [{ kind: 'NodeAffinityArgs' }, '$.kind: Invalid value: "NodeAffinityArgs": must be NodeResourcesFitArgs'],
    [{ apiVersion: 'v1' }, '$.apiVersion: Invalid value: "v1": must be kubescheduler.config.k8s.io/v1'],
  ])('%j', (args, expected) => {
    expect(faults('NodeResourcesFit', args)).toContain(expected);
  });

  test('a name that is no resource name is told as upstream tells it', () => {
    expect(faults('NodeResourcesFit', { ignoredResources: ['a b'] })).toEqual([
      expect.stringMatching(/^\$\.ignoredResources\[0\]: Invalid value: "a b": name part must consist of/),
    ]);
  });
});

describe('NodeResourcesBalancedAllocationArgs', () => {
  test('three resources are balanced', () => {
    const gpus = { 'example.com/gpu': '4' };
    const columns = columnsOf({
      nodes: [node('a', {}, gpus), node('b', {}, gpus)],
      pods: [
        on('a', 'x', { requests: { cpu: '2', memory: '4Gi', 'example.com/gpu': '2' } }),
        on('b', 'y', { requests: { cpu: '2', memory: '4Gi' } }),
      ],
    });
    const profile = profileOf(
      withArgs('NodeResourcesBalancedAllocation', {
        resources: [{ name: 'cpu' }, { name: 'memory', weight: 1 }, { name: 'example.com/gpu' }],
      }),
    );
    const only = { ...profile, scores: profile.scores.filter(({ plugin }) => /Balanced/.test(plugin.name)) };
    const wants = pod('p', { requests: { cpu: '1', memory: '2Gi', 'example.com/gpu': '1' } });
    expect(decide(columns, only, wants)).toBe('a');
  });

  test('weights other than 1, and resources twice', () => {
    expect(
      faults('NodeResourcesBalancedAllocation', { resources: [{ name: 'cpu', weight: 2 }, { name: 'cpu' }] }),
    ).toEqual(['$.resources[0].weight: Invalid value: 2: must be 1', '$.resources[1].name: Duplicate value: "cpu"']);
  });
});

describe('NodeAffinityArgs', () => {
  const columns = columnsOf({ nodes: [node('a', { disk: 'hdd' }), node('b', { disk: 'ssd' })], pods: [on('b', 'x')] });
  const ssd = { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] };

  test('the added affinity binds every pod of the profile, and is named in the message', () => {
    const profile = profileOf(
      withArgs('NodeAffinity', {
        addedAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [ssd] } },
      }),
    );
    expect(decide(columns, profile, pod('p'))).toBe('b');
    expect(decide(columns, profile, pod('p', { requests: { cpu: '9' } }))).toBe(
      "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match scheduler-enforced node affinity.",
    );
  });

  test('and its preferences count', () => {
    const args = {
      addedAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: ssd }] },
    };
    expect(decide(columns, profileOf(''), pod('p'))).toBe('a');
    expect(decide(columns, profileOf(withArgs('NodeAffinity', args)), pod('p'))).toBe('b');
  });

  const required = (term: object) => ({
    addedAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
  });
  const at = '$.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]';

  test.each([
    [
      required({ matchExpressions: [{ key: 'a', operator: 'Is' }] }),
      `${at}.matchExpressions[0].operator: Unsupported value: "Is": supported values: "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"`,
    ],
    [
      required({ matchExpressions: [{ key: 'a', operator: 'In' }] }),
      `${at}.matchExpressions[0].values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty`,
    ],
    [
      required({ matchExpressions: [{ key: 'a', operator: 'Gt', values: ['x'] }] }),
      `${at}.matchExpressions[0].values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
    [
      required({ matchFields: [{ key: 'metadata.name', operator: 'Exists' }] }),
      `${at}.matchFields[0].operator: Unsupported value: "Exists": supported values: "In", "NotIn"`,
    ],
    [
      required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a', 'b'] }] }),
      `${at}.matchFields[0].values: Invalid value: ["a","b"]: must have one element`,
    ],
    [
      required({ matchLabels: {} }),
      `${at}.matchLabels: unknown field "profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchLabels"`,
    ],
    [{ addedAffinity: 5 }, '$.addedAffinity: json: cannot unmarshal number into Go value of type v1.NodeAffinity'],
  ])('%j', (args, expected) => {
    expect(faults('NodeAffinity', args)).toEqual([expected]);
  });

  test('a key that is none names the key', () => {
    expect(faults('NodeAffinity', required({ matchExpressions: [{ key: 'a b', operator: 'Exists' }] }))).toEqual([
      expect.stringMatching(/matchExpressions\[0\]\.key: Invalid value: "a b": name part must/),
    ]);
  });
});

describe('PodTopologySpreadArgs', () => {
  const zones = [node('a', { zone: 'x' }), node('b', { zone: 'x' }), node('c', { zone: 'y' }), node('bare')];
  const service = {
    metadata: { name: 's', namespace: 'default' },
    spec: { selector: { app: 'web' } },
  } as unknown as Service;
  const web = { labels: { app: 'web' } };
  const list = (...defaultConstraints: object[]) =>
    profileOf(withArgs('PodTopologySpread', { defaultingType: 'List', defaultConstraints }));
  const hard = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' };

  test('default constraints that must hold refuse nodes', () => {
    const columns = columnsOf({ nodes: zones, pods: [on('c', 'w', web)], services: [service] });
    const full = columnsOf({
      nodes: [node('a', { zone: 'x' }, { pods: '0' }), node('c', { zone: 'y' }), node('bare')],
      pods: [on('c', 'w', web)],
      services: [service],
    });
    expect(['a', 'b']).toContain(decide(columns, list(hard), pod('p', web)));
    expect(decide(full, list(hard), pod('p', web))).toBe(
      "0/3 nodes are available: 1 Too many pods, 1 node(s) didn't match pod topology spread constraints, " +
        "1 node(s) didn't match pod topology spread constraints (missing required label).",
    );
    expect(decide(full, list(), pod('p', web))).not.toMatch(/^0/);
  });

  describe('a pod refused by them is tried again when', () => {
    const columns = columnsOf({ nodes: zones, pods: [], services: [service] });
    const helps = (change: ClusterChange, profile = list(hard), parts: PodParts = web): boolean =>
      mayHelp(columns.view(pod('p', parts)), ['PodTopologySpread'], change, { columns, profile });
    const removed = (name: string, labels: Record<string, string>, namespace = 'default'): ClusterChange => {
      const other = on('a', name, { labels });
      return { type: 'podRemoved', pod: columns.addPod({ ...other, metadata: { ...other.metadata, namespace } }) };
    };

    test('a pod goes that the selector counts', () => {
      expect(helps(removed('w', { app: 'web', more: 'x' }))).toBe(true);
      expect(helps(removed('other', { app: 'db' }))).toBe(false);
      expect(helps(removed('far', { app: 'web' }, 'elsewhere'))).toBe(false);
      expect(helps(removed('wish', { app: 'web' }), list({ ...hard, whenUnsatisfiable: 'ScheduleAnyway' }))).toBe(
        false,
      );
    });

    test('a selector changes, unless the pod states constraints of its own', () => {
      const own = { labels: { app: 'web' }, spec: { topologySpreadConstraints: [{ ...hard, labelSelector: {} }] } };
      expect([helps({ type: 'selectorsChanged' }), helps({ type: 'selectorsChanged' }, list(hard), own)]).toEqual([
        true,
        false,
      ]);
    });

    test('a node with the topology key comes or goes', () => {
      expect(helps({ type: 'nodeAdded', slot: columns.slotOf('a') })).toBe(true);
      expect(helps({ type: 'nodeAdded', slot: columns.slotOf('bare') })).toBe(false);
      expect(helps({ type: 'nodeRemoved', node: zones[0]! })).toBe(true);
      expect(helps({ type: 'nodeRemoved', node: zones[3]! })).toBe(false);
    });
  });

  test('their minDomains count, as those of a pod do', () => {
    // One pod in x, and only x has nodes: a second may come unless there are to be two domains, of which one is empty.
    const columns = columnsOf({ nodes: zones.slice(0, 2), pods: [on('a', 'w', web)], services: [service] });
    expect(['a', 'b']).toContain(decide(columns, list(hard), pod('p', web)));
    expect(decide(columns, list({ ...hard, minDomains: 2 }), pod('p', web))).toBe(
      "0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints.",
    );
  });

  test('their inclusion policies decide which nodes are domains', () => {
    // Two pods in x, none in y, where the pod cannot go: by its selector, or for a taint.
    const tainted = { spec: { taints: [{ key: 'dedicated', effect: 'NoSchedule' }] } };
    const nodes = [node('a', { zone: 'x', disk: 'ssd' }), { ...node('c', { zone: 'y' }), ...tainted } as Node];
    const pods = [on('a', 'v', web), on('a', 'w', web)];
    const columns = columnsOf({ nodes, pods, services: [service] });
    const picky = pod('p', { ...web, spec: { nodeSelector: { disk: 'ssd' } } });
    const plain = pod('p', web);
    const tries = (constraint: object, of: Pod) => decide(columns, list({ ...hard, ...constraint }), of);
    const refused = /1 node\(s\) didn't match pod topology spread constraints/;
    expect(tries({}, picky)).toBe('a');
    expect(tries({ nodeAffinityPolicy: 'Ignore' }, picky)).toMatch(refused);
    expect(tries({}, plain)).toMatch(refused);
    expect(tries({ nodeTaintsPolicy: 'Honor' }, plain)).toBe('a');
  });

  test('ones that are wishes move the choice', () => {
    const wish = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' };
    const columns = columnsOf({ nodes: zones.slice(0, 3), pods: [on('a', 'w', web)], services: [service] });
    const scored = (profile: Profile) => ({
      ...profile,
      scores: profile.scores.filter(({ plugin }) => plugin.name === 'PodTopologySpread'),
    });
    expect(decide(columns, scored(list(wish)), pod('p', web))).toBe('c');
    expect(decide(columns, scored(list()), pod('p', web))).toBe('a');
  });

  test('System is the default, and has no constraints of its own', () => {
    const named = configOf(withArgs('PodTopologySpread', { defaultingType: 'System' }));
    expect(named.faults).toEqual([]);
  });

  const one = (constraint: object) => ({ defaultingType: 'List', defaultConstraints: [constraint] });
  test.each([
    [
      { defaultConstraints: [hard] },
      '$.defaultingType: Invalid value: "System": when .defaultConstraints are not empty',
    ],
    [{ defaultingType: 'Some' }, '$.defaultingType: Unsupported value: "Some": supported values: "System", "List"'],
    [one({ ...hard, maxSkew: 0 }), '$.defaultConstraints[0].maxSkew: Invalid value: 0: not in valid range (0, inf)'],
    [one({ ...hard, topologyKey: '' }), '$.defaultConstraints[0].topologyKey: Required value: can not be empty'],
    [
      one({ ...hard, whenUnsatisfiable: 'Maybe' }),
      '$.defaultConstraints[0].whenUnsatisfiable: Unsupported value: "Maybe": supported values: "DoNotSchedule", "ScheduleAnyway"',
    ],
    [
      one({ maxSkew: 1, topologyKey: 'zone' }),
      '$.defaultConstraints[0].whenUnsatisfiable: Required value: can not be empty',
    ],
    [
      one({ ...hard, labelSelector: { matchLabels: { a: 'b' } } }),
      '$.defaultConstraints[0].labelSelector: Forbidden: constraint must not define a selector, as they deduced for each pod',
    ],
    [
      one({ ...hard, minDomains: 0 }),
      '$.defaultConstraints[0].minDomains: Invalid value: 0: must be greater than zero',
    ],
    [
      one({ ...hard, nodeTaintsPolicy: 'Maybe' }),
      '$.defaultConstraints[0].nodeTaintsPolicy: Unsupported value: "Maybe": supported values: "Honor", "Ignore"',
    ],
    [
      { defaultingType: 'List', defaultConstraints: [hard, hard] },
      '$.defaultConstraints[1]: Duplicate value: "{zone, DoNotSchedule}"',
    ],
    [
      one({ ...hard, maxSkew: 'x' }),
      '$.defaultConstraints[0].maxSkew: json: cannot unmarshal string into Go struct field TopologySpreadConstraint.maxSkew of type int32',
    ],
  ])('%j', (args, expected) => {
    expect(faults('PodTopologySpread', args)).toEqual([expected]);
  });

  test('what does nothing in them is told', () => {
    const wish = { ...hard, whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2, matchLabelKeys: ['v'] };
    const { faults: none, warnings } = configOf(withArgs('PodTopologySpread', one(wish)));
    expect(none).toEqual([]);
    expect(warnings.map(({ path, message }) => [path.replace(/.*\./, ''), message])).toEqual([
      ['minDomains', 'has no effect: it is for constraints with whenUnsatisfiable DoNotSchedule'],
      ['matchLabelKeys', 'has no effect: the selector is deduced for each pod'],
    ]);
  });
});

describe('InterPodAffinityArgs', () => {
  const near = (app: string, topologyKey = 'zone') => ({ labelSelector: { matchLabels: { app } }, topologyKey });
  const nodes = [node('a', { zone: 'x' }), node('b', { zone: 'y' })];
  const scored = (args: object): Profile => {
    const profile = profileOf(withArgs('InterPodAffinity', args));
    return { ...profile, scores: profile.scores.filter(({ plugin }) => plugin.name === 'InterPodAffinity') };
  };
  const web = pod('p', { labels: { app: 'web' } });

  test('hardPodAffinityWeight is what others’ required affinity counts', () => {
    const wantsWeb = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near('web')] } };
    const columns = columnsOf({ nodes, pods: [on('b', 'x', { spec: { affinity: wantsWeb } })] });
    expect(decide(columns, scored({}), web)).toBe('b');
    expect(decide(columns, scored({ hardPodAffinityWeight: 0 }), web)).toBe('a');
  });

  test('ignorePreferredTermsOfExistingPods leaves others’ wishes out, while the pod has none itself', () => {
    const wishesWeb = {
      podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 10, podAffinityTerm: near('web') }] },
    };
    const columns = columnsOf({ nodes, pods: [on('b', 'x', { spec: { affinity: wishesWeb } })] });
    expect(decide(columns, scored({}), web)).toBe('b');
    expect(decide(columns, scored({ ignorePreferredTermsOfExistingPods: true }), web)).toBe('a');
  });

  test.each([
    [{ hardPodAffinityWeight: 101 }, '$.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]'],
    [{ hardPodAffinityWeight: -1 }, '$.hardPodAffinityWeight: Invalid value: -1: not in valid range [0, 100]'],
    [
      { ignorePreferredTermsOfExistingPods: 1 },
      '$.ignorePreferredTermsOfExistingPods: Invalid value: 1: must be true or false',
    ],
  ])('%j', (args, expected) => {
    expect(faults('InterPodAffinity', args)).toEqual([expected]);
  });
});

describe('DefaultPreemptionArgs', () => {
  const nodes = Array.from({ length: 30 }, (_, i) => node(`n${i}`));
  const pods = nodes.map((_, i) => on(`n${i}`, `low-${i}`, { requests: { cpu: '4' } }));
  const columns = columnsOf({ nodes, pods });
  const high = pod('high', { requests: { cpu: '4' }, spec: { priority: 10 } });
  const candidates = (profile: Profile): number => {
    const decision = schedule(columns.view(high), columns, profile);
    return preempt(decision, columns, profile, { nowMs: 1e12, offset: () => 0 }).candidates.length;
  };

  test('bound how many nodes are tried', () => {
    const preemption = (args: object) => profileOf(withArgs('DefaultPreemption', args));
    expect(candidates(profileOf(''))).toBe(30);
    expect(candidates(preemption({ minCandidateNodesPercentage: 20, minCandidateNodesAbsolute: 0 }))).toBe(6);
    expect(candidates(preemption({ minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 4 }))).toBe(4);
    expect(preemption({}).preemption).toEqual({ minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 });
  });

  test.each([
    [
      '',
      ' no new claims to deallocate, preemption: 0/30 nodes are available: 30 No preemption victims found for incoming pod.',
    ],
    ['{postFilter: {disabled: [{name: DefaultPreemption}]}}', ' no new claims to deallocate'],
    [
      '{postFilter: {disabled: [{name: DynamicResources}]}}',
      ' preemption: 0/30 nodes are available: 30 No preemption victims found for incoming pod.',
    ],
    ["{postFilter: {disabled: [{name: '*'}]}}", ''],
  ])('postFilter %j: the message ends with %j', (plugins, suffix) => {
    const profile = profileOf(plugins === '' ? '' : `profiles:\n- plugins: ${plugins}\n`);
    const low = pod('low', { requests: { cpu: '4' } });
    const decision = schedule(columns.view(low), columns, profile);
    expect(preempt(decision, columns, profile, { nowMs: 1e12, offset: () => 0 }).suffix).toBe(suffix);
  });

  test('a pod that names nodes which cannot be helped nobody, and without dynamic resources upstream says so', () => {
    const fields = (name: string) => ({ key: 'metadata.name', operator: 'In', values: [name] });
    const pinned = pod('p', {
      spec: {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchFields: [fields('n1'), fields('n2')] }],
            },
          },
        },
      },
    });
    const end = (text: string) => {
      const profile = profileOf(text);
      const decision = schedule(columns.view(pinned), columns, profile);
      return decision.failure!.message + preempt(decision, columns, profile, { nowMs: 1e12, offset: () => 0 }).suffix;
    };
    expect(end('')).toBe('0/30 nodes are available: pod affinity terms conflict. not found');
    expect(end('profiles:\n- plugins: {postFilter: {disabled: [{name: DynamicResources}]}}\n')).toBe(
      '0/30 nodes are available: pod affinity terms conflict. preemption: 0/30 nodes are available: 30 Preemption is not helpful for scheduling.',
    );
  });

  test.each([
    [
      { minCandidateNodesPercentage: 101 },
      ['$.minCandidateNodesPercentage: Invalid value: 101: not in valid range [0, 100]'],
    ],
    [
      { minCandidateNodesAbsolute: -1 },
      ['$.minCandidateNodesAbsolute: Invalid value: -1: not in valid range [0, inf)'],
    ],
    [
      { minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0 },
      [
        '$.minCandidateNodesPercentage: Invalid value: 0: cannot be zero at the same time as minCandidateNodesAbsolute',
        '$.minCandidateNodesAbsolute: Invalid value: 0: cannot be zero at the same time as minCandidateNodesPercentage',
      ],
    ],
  ])('%j', (args, expected) => {
    expect(faults('DefaultPreemption', args)).toEqual(expected);
  });
});

describe('arguments of other plugins', () => {
  test('of plugins without work are accepted and said to have no effect', () => {
    const { config, warnings } = configOf(withArgs('VolumeBinding', { bindTimeoutSeconds: 60 }));
    expect(config).toBeDefined();
    expect(warnings).toEqual([
      { path: 'profiles[0].pluginConfig[0].args', message: 'has no effect: Berth has no persistent volumes' },
    ]);
  });

  test.each([
    [withArgs('NodeName', { x: 1 }), 'profiles[0].pluginConfig[0].args: Forbidden: NodeName takes no arguments'],
    [
      withArgs('NodeFit', {}),
      'profiles[0].pluginConfig[0].name: plugin "NodeFit" does not exist; did you mean NodeAffinity or NodeResourcesFit?',
    ],
    [withArgs('NodeAffinity', 'x'), 'profiles[0].pluginConfig[0].args: Invalid value: "x": must be a mapping'],
    [
      'profiles: [{pluginConfig: [{name: NodeAffinity}, {name: NodeAffinity}]}]',
      'profiles[0].pluginConfig[1]: Duplicate value: "NodeAffinity"',
    ],
  ])('%j', (text, expected) => {
    expect(faultsOf(text)).toEqual([expected]);
  });
});
