/** Plugins of one's own: they judge, explain, score and preempt like built-in ones, and their faults stay theirs. */
import { describe, expect, test } from 'vitest';
import type { Node, Pod } from '#api/kinds/core.ts';
import type { Columns } from '#engine/columns/columns.ts';
import { PluginError } from '#engine/custom/guard.ts';
import type { NodeView } from '#engine/custom/node-view.ts';
import { type CustomPlugin, type LoadedPlugin, loadedPlugin } from '#engine/custom/plugin.ts';
import type { ClusterChange } from '#engine/plugin.ts';
import { preempt } from '#engine/preemption/preempt.ts';
import { type Profile, tellApartBy } from '#engine/profile.ts';
import { mayHelp } from '#engine/queue/hints.ts';
import { firstOfTies, schedule } from '#engine/schedule.ts';
import { faultsOf, profileOf } from '../config/yaml.ts';
import { columnsOf } from '../golden-world.ts';

const node = (name: string, labels: Record<string, string> = {}): Node =>
  ({ metadata: { name, labels }, status: { allocatable: { cpu: '4', memory: '8Gi', pods: '5' } } }) as unknown as Node;

const pod = (name: string, spec: object = {}, metadata: object = {}): Pod =>
  ({
    metadata: { name, namespace: 'default', uid: `uid-${name}`, ...metadata },
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '1' } } }], ...spec },
  }) as unknown as Pod;

/** A profile that has the plugin as `Mine`. */
const withPlugin = (plugin: unknown, args?: unknown): Profile =>
  profileOf(
    `x-berth-plugins: [{name: Mine, file: mine.ts}]\nprofiles:\n- plugins: {multiPoint: {enabled: [{name: Mine, weight: 10}]}}\n${
      args === undefined ? '' : `  pluginConfig: [{name: Mine, args: ${JSON.stringify(args)}}]\n`
    }`,
    { Mine: plugin },
  );

const worldOf = (profile: Profile, nodes: readonly Node[], pods: readonly Pod[] = []): Columns => {
  const columns = columnsOf({ nodes, pods });
  columns.shapes.tellApart = tellApartBy(new Map([['default-scheduler', profile]]));
  return columns;
};

const three = [node('a', { rack: '1' }), node('b', { rack: '2' }), node('c', { rack: '3' })];

const decide = (columns: Columns, profile: Profile, of: Pod) => {
  const { node, failure } = schedule(columns.view(of), columns, profile, firstOfTies);
  return node?.name ?? failure?.message;
};

describe('a filter per node', () => {
  test('refuses nodes, and its reasons are counted among the others', () => {
    const plugin: CustomPlugin = {
      filter: (_pod, { labels }) =>
        labels['rack'] === '3'
          ? undefined
          : { reason: `rack ${labels['rack']} is full`, unresolvable: labels['rack'] === '2' },
    };
    const profile = withPlugin(plugin);
    const columns = worldOf(profile, three);
    expect(decide(columns, profile, pod('p'))).toBe('c');
    const big = { containers: [{ name: 'c', resources: { requests: { cpu: '5' } } }] };
    expect(decide(columns, profile, pod('q', big))).toBe('0/3 nodes are available: 3 Insufficient cpu.');
    const blocked = worldOf(profile, three.slice(0, 2));
    const decision = schedule(blocked.view(pod('p')), blocked, profile);
    expect(decision.failure).toMatchObject({
      plugins: ['Mine'],
      message: '0/2 nodes are available: 1 rack 1 is full, 1 rack 2 is full.',
    });
    // One of them is unresolvable: preemption looks at the other only.
    const { suffix } = preempt(decision, blocked, profile, { nowMs: 0, offset: () => 0 });
    expect(suffix).toBe(
      ' no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
    );
  });

  test('sees the pods on a node and what they leave', () => {
    const seen: unknown[] = [];
    const profile = withPlugin({
      filter(_pod: Pod, { name, object, pods }: NodeView) {
        seen.push([name, object.metadata.name, pods.map(({ metadata }) => metadata.name)]);
      },
    });
    const columns = worldOf(profile, three.slice(0, 2), [pod('x', { nodeName: 'b' })]);
    decide(columns, profile, pod('p'));
    expect(seen).toEqual([
      ['a', 'a', []],
      ['b', 'b', ['x']],
    ]);
    const amounts: number[] = [];
    const measuring = withPlugin({
      filter(_pod: Pod, node: NodeView) {
        for (const resource of ['cpu', 'pods', 'example.com/none'])
          amounts.push(node.allocatable(resource), node.requested(resource), node.free(resource));
      },
    });
    decide(worldOf(measuring, three.slice(0, 1), [pod('x', { nodeName: 'a' })]), measuring, pod('p'));
    expect(amounts).toEqual([4000, 1000, 3000, 5, 1, 4, 0, 0, 0]);
  });

  test('is asked about each pod on its own: name and annotations may decide', () => {
    const profile = withPlugin({
      filter: ({ metadata }: Pod, { name }: { name: string }) =>
        metadata.annotations?.['only'] === name ? undefined : 'node(s) not asked for',
    });
    const columns = worldOf(profile, three);
    const wants = (uid: string, only: string): Pod => pod('p', {}, { uid, annotations: { only } });
    expect(['a', 'b', 'c', 'a'].map((only, i) => decide(columns, profile, wants(`${i}`, only)))).toEqual([
      'a',
      'b',
      'c',
      'a',
    ]);
    // The same pod with another annotation is another question.
    expect(decide(columns, profile, wants('0', 'c'))).toBe('c');
  });

  test('counts in preemption: pods that go and come back in thought are seen', () => {
    const most = (limit: number): CustomPlugin => ({
      filter: (_pod, { pods }) => (pods.length >= limit ? 'node(s) crowded' : undefined),
    });
    const profile = withPlugin(most(2));
    const low = ['x', 'y', 'z'].map((name, i) => pod(name, { nodeName: i < 2 ? 'a' : 'b', priority: i }));
    const columns = worldOf(profile, [node('a')], low.slice(0, 2));
    const high = pod('high', { priority: 100 });
    const decision = schedule(columns.view(high), columns, profile);
    expect(decision.failure?.message).toBe('0/1 nodes are available: 1 node(s) crowded.');
    const { best } = preempt(decision, columns, profile, { nowMs: 0, offset: () => 0 });
    expect(best.map(({ victims }) => victims.map(({ view }) => view.pod.metadata.name))).toEqual([['x']]);
  });

  test('is asked again after any change, whatever it is', () => {
    const profile = withPlugin({ filter: () => 'no' });
    const columns = worldOf(profile, three);
    const view = columns.view(pod('p'));
    const placed = columns.addPod(pod('x', { nodeName: 'a' }));
    const changes: readonly ClusterChange[] = [
      { type: 'nodeAdded', slot: 0 },
      { type: 'nodeChanged', slot: 0 },
      { type: 'podAdded', pod: placed },
      { type: 'podRemoved', pod: placed },
      { type: 'podChanged', pod: placed },
      { type: 'selectorsChanged' },
      { type: 'namespacesChanged' },
    ];
    for (const change of changes) expect(mayHelp(view, ['Mine'], change, { columns, profile })).toBe(true);
    expect(mayHelp(view, ['NodeName'], changes[2]!, { columns, profile })).toBe(false);
  });
});

describe('a score per node', () => {
  test('is added with its weight', () => {
    const profile = withPlugin({ score: (_pod: Pod, { name }: { name: string }) => ({ a: 10, b: 90.9, c: 90 })[name] });
    const columns = worldOf(profile, three);
    const plain = profileOf('');
    const others = schedule(columns.view(pod('p')), columns, plain, firstOfTies).score!;
    const decision = schedule(columns.view(pod('p')), columns, profile, firstOfTies);
    expect([decision.node?.name, decision.score, decision.ties]).toEqual(['b', others + 900, 2]);
  });

  test('takes arguments', () => {
    const factory = (args: unknown): CustomPlugin => ({
      score: (_pod, { labels }) => (labels['rack'] === (args as { rack: string }).rack ? 100 : 0),
    });
    const profile = withPlugin(factory, { rack: '3' });
    expect(decide(worldOf(profile, three), profile, pod('p'))).toBe('c');
  });
});

describe('over columns', () => {
  const fewest: CustomPlugin = {
    columns: {
      filter: {
        scope: 'usage',
        reasons: [{ text: 'node(s) had three pods', unresolvable: false }],
        prepare: (_shape, { podCount }) => ({
          check(nodes, count, verdict) {
            for (let i = 0; i < count; i++) if (podCount[nodes[i]!]! >= 3) verdict[nodes[i]!] = 1;
            return true;
          },
        }),
      },
      score: {
        scope: 'usage',
        normalization: 'reversed',
        prepare: (_shape, { podCount }) => ({
          score(nodes, count, out) {
            for (let i = 0; i < count; i++) out[nodes[i]!] = podCount[nodes[i]!]!;
            return true;
          },
        }),
      },
    },
  };

  test('works as a built-in plugin: pods alike are spread until all nodes are full', () => {
    const profile = withPlugin(fewest);
    const columns = worldOf(profile, three);
    const placed = Array.from({ length: 9 }, (_, i) => {
      const { node, pod: view } = schedule(columns.view(pod(`p${i}`)), columns, profile, firstOfTies);
      columns.placeView(view, node!.name);
      return node!.name;
    });
    expect(placed.join('')).toBe('abcabcabc');
    expect(columns.shapes.size).toBe(1);
    expect(decide(columns, profile, pod('more'))).toBe('0/3 nodes are available: 3 node(s) had three pods.');
  });
});

describe('faults', () => {
  const failing = (plugin: unknown): PluginError => {
    const profile = withPlugin(plugin);
    const columns = worldOf(profile, three);
    try {
      schedule(columns.view(pod('p')), columns, profile);
    } catch (error) {
      if (error instanceof PluginError) return error;
      throw error;
    }
    throw new Error('nothing was thrown');
  };
  const boom = (): never => {
    throw new Error('boom');
  };

  test.each([
    ['a filter', { filter: boom }, /^running "Mine" filter plugin: boom \(plugin\.test\.ts:\d+:\d+\)$/],
    [
      'a score',
      { score: boom },
      /^running Score plugins: plugin "Mine" failed with: boom \(plugin\.test\.ts:\d+:\d+\)$/,
    ],
    [
      'a filter that says what it may not',
      { filter: () => 5 },
      /^running "Mine" filter plugin: filter gave 5; expected nothing, a reason, or \{reason, unresolvable\}$/,
    ],
    ['a score that is none', { score: () => 'x' }, /score gave "x"; expected a number from 0 to 100$/],
    ['a score that is nothing', { score: () => undefined }, /score gave nothing; expected a number from 0 to 100$/],
    [
      'a score too high',
      { score: () => 101 },
      /^applying score defaultWeights on Score plugins: plugin "Mine" returns an invalid score 101, it should in the range of \[0, 100\] after normalizing$/,
    ],
    ['a score that is NaN', { score: () => Number.NaN }, /score gave NaN; expected a number from 0 to 100$/],
    ['a score without end', { score: () => Number.POSITIVE_INFINITY }, /returns an invalid score Infinity, /],
    [
      'an async filter',
      { filter: async () => undefined },
      /^running "Mine" filter plugin: filter gave a promise \(the scheduler waits for nothing: no async here\); expected/,
    ],
    ['an async filter that fails', { filter: async () => boom() }, /filter gave a promise /],
    ['an async score', { score: async () => 5 }, /score gave a promise .* expected a number from 0 to 100$/],
    [
      'a column filter prepared to nothing of use',
      { columns: { filter: { scope: 'usage', reasons: [], prepare: () => ({}) } } },
      /^running "Mine" filter plugin: prepare gave \{\}; expected nothing, or an object with check$/,
    ],
    [
      'an async column score',
      { columns: { score: { scope: 'usage', normalization: 'none', prepare: async () => ({ score: () => true }) } } },
      /prepare gave a promise .*; expected nothing, or an object with score$/,
    ],
    ['a score too low', { score: () => -0.5 }, /returns an invalid score -0\.5, /],
    [
      'a column filter that cannot be prepared',
      { columns: { filter: { scope: 'usage', reasons: [], prepare: boom } } },
      /^running "Mine" filter plugin: boom/,
    ],
    [
      'a column filter',
      { columns: { filter: { scope: 'node', reasons: [], prepare: () => ({ check: boom }) } } },
      /^running "Mine" filter plugin: boom/,
    ],
    [
      'a column score',
      { columns: { score: { scope: 'usage', normalization: 'none', prepare: () => ({ score: boom }) } } },
      /^running Score plugins: plugin "Mine" failed with: boom/,
    ],
    [
      'a column score out of range',
      {
        columns: {
          score: {
            scope: 'usage',
            normalization: 'none',
            prepare: () => ({
              score: (nodes: Uint32Array, _n: number, out: Int32Array) => {
                out.fill(300, 0, nodes.length);
                return true;
              },
            }),
          },
        },
      },
      /returns an invalid score 300/,
    ],
  ])('%s that throws names the plugin', (_what, plugin, message) => {
    const error = failing(plugin);
    expect(error.message).toMatch(message);
    expect(error.plugin).toBe('Mine');
  });

  test('one that throws now and then leaves nothing half made behind', () => {
    let calls = 0;
    const plugin: CustomPlugin = {
      columns: {
        filter: {
          scope: 'usage',
          reasons: [{ text: 'node(s) had three pods', unresolvable: false }],
          prepare: (_shape, { podCount }) => ({
            check(nodes, count, verdict) {
              let refused = false;
              for (let i = 0; i < count; i++) {
                // In the middle of its work.
                if (++calls % 7 === 0) throw new Error('now and then');
                if (podCount[nodes[i]!]! >= 3) verdict[nodes[i]!] = 1;
                refused ||= podCount[nodes[i]!]! >= 3;
              }
              return refused;
            },
          }),
        },
      },
    };
    const profile = withPlugin(plugin);
    const columns = worldOf(profile, three);
    const placed: string[] = [];
    let thrown = 0;
    while (placed.length < 9 && thrown < 100)
      try {
        const {
          node,
          pod: view,
          feasible,
        } = schedule(columns.view(pod(`p${placed.length}`)), columns, profile, firstOfTies);
        const open = three.filter(({ metadata }) => columns.podCount[columns.slotOf(metadata.name)]! < 3);
        expect(feasible).toBe(open.length);
        columns.placeView(view, node!.name);
        placed.push(node!.name);
      } catch (error) {
        if (!(error instanceof PluginError)) throw error;
        thrown++;
      }
    expect(thrown).toBeGreaterThan(0);
    expect(placed.sort().join('')).toBe('aaabbbccc');
  });

  test('a hint that throws wakes the pod', () => {
    const profile = withPlugin({
      columns: {
        filter: { scope: 'usage', reasons: [], prepare: () => undefined, wokenBy: { selectorsChanged: boom } },
      },
    });
    const columns = worldOf(profile, three);
    const view = columns.view(pod('p'));
    const helps = (type: 'selectorsChanged' | 'namespacesChanged') =>
      mayHelp(view, ['Mine'], { type }, { columns, profile });
    expect([helps('selectorsChanged'), helps('namespacesChanged')]).toEqual([true, false]);
  });
});

describe('what is no plugin', () => {
  const fault = (exported: unknown): string => (loadedPlugin('Mine', exported) as { fault: string }).fault;

  test.each([
    [
      Promise.resolve({ filter: () => undefined }),
      'it is no plugin: expected an object with filter or score, not a promise (the scheduler waits for nothing: no async here)',
    ],
    [undefined, 'it is no plugin: expected an object with filter or score, not nothing'],
    ['x', 'it is no plugin: expected an object with filter or score, not "x"'],
    [{}, 'it is no plugin: it has neither filter nor score'],
    [{ filter: 'x' }, 'it is no plugin: its filter must be a function'],
    [
      { score: () => 1, columns: { score: {} } },
      'it is no plugin: it has a filter or a score twice: per node and over columns',
    ],
  ])('%j', (exported, expected) => {
    expect(fault(exported)).toBe(expected);
  });

  test('a factory that fails, and arguments that nobody takes, are faults of the profile', () => {
    const text = (args: string) =>
      `x-berth-plugins: [{name: Mine, file: mine.ts}]\nprofiles: [{plugins: {filter: {enabled: [{name: Mine}]}}${args}}]\n`;
    const failing = (): LoadedPlugin => {
      throw new Error('zones must be a list');
    };
    expect(faultsOf(text(', pluginConfig: [{name: Mine, args: {}}]'), { Mine: failing })).toEqual([
      'profiles[0].pluginConfig[0].args: initializing plugin "Mine": zones must be a list',
    ]);
    expect(faultsOf(text(''), { Mine: failing })).toEqual([
      'x-berth-plugins[0]: initializing plugin "Mine": zones must be a list',
    ]);
    expect(faultsOf(text(''), { Mine: async () => failing() })).toEqual([
      expect.stringMatching(/initializing plugin "Mine": expected an object with filter or score, not a promise/),
    ]);
    expect(faultsOf(text(', pluginConfig: [{name: Mine, args: {}}]'), { Mine: { filter: () => undefined } })).toEqual([
      'profiles[0].pluginConfig[0].args: initializing plugin "Mine": it takes no arguments: its default export is not a function',
    ]);
  });
});
