/** KubeSchedulerConfiguration: what the settings become, and what is said about each kind of mistake. */
import { describe, expect, test } from 'vitest';
import { parseConfig } from '#engine/config.ts';
import { defaultProfile } from '#engine/profile.ts';
import { defaultQueueOptions } from '#engine/queue/queue.ts';
import { configOf, faultsOf, filterNames, profileOf, scoreNames } from './yaml.ts';

describe('settings', () => {
  test('a configuration that says nothing is the default profile', () => {
    const { config, faults, warnings } = configOf('');
    expect([faults, warnings]).toEqual([[], []]);
    const [profile] = config!.profiles;
    const plain = defaultProfile();
    expect(filterNames(profile!)).toEqual(filterNames(plain));
    expect(scoreNames(profile!)).toEqual(scoreNames(plain));
    expect({ ...profile, filters: [], scores: [] }).toEqual({ ...plain, filters: [], scores: [] });
    expect(config!.queue).toEqual(defaultQueueOptions);
  });

  test('a profile without a name is default-scheduler while it is the only one', () => {
    expect(profileOf('profiles: [{}]').schedulerName).toBe('default-scheduler');
    expect(faultsOf('profiles: [{}, {schedulerName: b}]')).toEqual(['profiles[0].schedulerName: Required value']);
  });

  test('backoff limits come in seconds', () => {
    const { config } = configOf('podInitialBackoffSeconds: 2\npodMaxBackoffSeconds: 30\n');
    expect(config!.queue).toEqual({ ...defaultQueueOptions, initialBackoffMs: 2000, maxBackoffMs: 30_000 });
    expect(faultsOf('podInitialBackoffSeconds: 0')).toEqual([
      'podInitialBackoffSeconds: Invalid value: 0: must be greater than 0',
    ]);
    expect(faultsOf('podInitialBackoffSeconds: 20')).toEqual([
      'podMaxBackoffSeconds: Invalid value: 10: must be greater than or equal to PodInitialBackoffSeconds (20); 10 is what it is when it is not stated',
    ]);
    expect(faultsOf('podInitialBackoffSeconds: 2\npodMaxBackoffSeconds: 1')).toEqual([
      'podMaxBackoffSeconds: Invalid value: 1: must be greater than or equal to PodInitialBackoffSeconds',
    ]);
  });

  test.each([
    ['', '', 100],
    ['percentageOfNodesToScore: 0', '', 0],
    ['percentageOfNodesToScore: 30', '', 30],
    ['percentageOfNodesToScore: 30', 'percentageOfNodesToScore: 0', 0],
    ['', 'percentageOfNodesToScore: 70', 70],
    ['percentageOfNodesToScore: null', '', 100],
  ])('percentageOfNodesToScore: %j with profile %j is %d', (general, own, expected) => {
    const { config } = configOf(`${general}\nprofiles:\n- schedulerName: a\n${own === '' ? '' : `  ${own}\n`}`);
    expect(config!.profiles[0]!.percentageOfNodesToScore).toBe(expected);
  });

  test('percentageOfNodesToScore must be a percentage', () => {
    expect(faultsOf('percentageOfNodesToScore: 101\nprofiles: [{percentageOfNodesToScore: -1}]')).toEqual([
      'percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]',
      'profiles[0].percentageOfNodesToScore: Invalid value: -1: not in valid range [0-100]',
    ]);
  });

  test('fields that mean nothing here are warned about, not refused', () => {
    const { config, warnings } = configOf(
      'parallelism: 8\nleaderElection: {leaderElect: true, leaseDuration: 15s}\nclientConnection: {kubeconfig: /x, qps: 50}\n' +
        'enableProfiling: true\nenableContentionProfiling: false\ndelayCacheUntilActive: true\nextenders: []\n',
    );
    expect(config).toBeDefined();
    expect(warnings.map(({ path }) => path)).toEqual([
      'parallelism',
      'leaderElection',
      'clientConnection',
      'enableProfiling',
      'enableContentionProfiling',
      'delayCacheUntilActive',
    ]);
    for (const { message } of warnings) expect(message).toMatch(/^has no effect/);
  });
});

describe('mistakes', () => {
  test('no kind and no version', () => {
    expect(parseConfig({}).faults).toEqual([
      { path: 'apiVersion', message: 'Required value: must be kubescheduler.config.k8s.io/v1' },
      { path: 'kind', message: 'Required value: must be KubeSchedulerConfiguration' },
    ]);
  });

  test('another kind, another version, no mapping', () => {
    const faults = (document: unknown) => parseConfig(document).faults;
    expect(faults([])).toEqual([{ path: '', message: 'Invalid value: []: must be a mapping' }]);
    expect(faults({ apiVersion: 'kubescheduler.config.k8s.io/v1beta3', kind: 'Pod' })).toEqual([
      {
        path: 'apiVersion',
        message: 'Invalid value: "kubescheduler.config.k8s.io/v1beta3": must be kubescheduler.config.k8s.io/v1',
      },
      { path: 'kind', message: 'Invalid value: "Pod": must be KubeSchedulerConfiguration' },
    ]);
  });

  test.each([
    [
      'percentageOfNodeToScore: 3',
      /^percentageOfNodeToScore: unknown field "percentageOfNodeToScore"; known here: apiVersion/,
    ],
    ['profiles: [{plugin: {}}]', /^profiles\[0\]\.plugin: unknown field "profiles\[0\]\.plugin"/],
    ['profiles: [{plugins: {filters: {}}}]', /^profiles\[0\]\.plugins\.filters: unknown field/],
    ['profiles: [{plugins: {filter: {enable: []}}}]', /^profiles\[0\]\.plugins\.filter\.enable: unknown field/],
    [
      'profiles: [{plugins: {filter: {enabled: [{name: NodeName, wight: 1}]}}}]',
      /^profiles\[0\]\.plugins\.filter\.enabled\[0\]\.wight: unknown field/,
    ],
    ['profiles: [{pluginConfig: [{name: NodeAffinity, arg: {}}]}]', /^profiles\[0\]\.pluginConfig\[0\]\.arg: unknown/],
    ['leaderElection: {leader: true}', /^leaderElection\.leader: unknown field/],
    ['x-berth-plugins: [{name: A, file: a.ts, path: x}]', /^x-berth-plugins\[0\]\.path: unknown field/],
  ])('unknown field: %s', (text, expected) => {
    const faults = faultsOf(text, { A: { filter: () => undefined } });
    expect(faults).toEqual([expect.stringMatching(expected)]);
  });

  test.each([
    ['parallelism: many', 'parallelism: Invalid value: "many": must be a whole number'],
    ['parallelism: 0', 'parallelism: Invalid value: 0: should be an integer value greater than zero'],
    ['parallelism: 1.5', 'parallelism: Invalid value: 1.5: must be a whole number'],
    ['podMaxBackoffSeconds: 4294967296', 'podMaxBackoffSeconds: Invalid value: 4294967296: must be a whole number'],
    ['profiles: {}', 'profiles: Invalid value: {}: must be a list'],
    ['profiles: [a]', 'profiles[0]: Invalid value: "a": must be a mapping'],
    ['profiles: [{schedulerName: 5}]', 'profiles[0].schedulerName: Invalid value: 5: must be a string'],
    ['profiles: [{plugins: []}]', 'profiles[0].plugins: Invalid value: []: must be a mapping'],
    ['enableProfiling: "yes"', 'enableProfiling: Invalid value: "yes": must be true or false'],
    [
      'profiles: [{plugins: {score: {enabled: [{name: ImageLocality, weight: "2"}]}}}]',
      'profiles[0].plugins.score.enabled[0].weight: Invalid value: "2": must be a whole number',
    ],
    [
      'extenders: [{urlPrefix: "http://x"}]',
      'extenders: Forbidden: Berth calls no extenders; write a plugin instead (docs/SCHEDULER-CONFIG.md)',
    ],
    [
      'profiles: [{schedulerName: a}, {schedulerName: a}]',
      'profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"',
    ],
  ])('%s', (text, expected) => {
    expect(faultsOf(text)).toContain(expected);
  });

  test('all of them are told at once', () => {
    const faults = faultsOf('parallelism: 0\npodInitialBackoffSeconds: -1\nnope: 1\nprofiles: [{schedulerName: ""}]');
    expect(faults.map(fault => fault.split(':')[0])).toEqual([
      'parallelism',
      'podInitialBackoffSeconds',
      'profiles[0].schedulerName',
      'nope',
    ]);
  });

  test('declared plugins need a name of their own and a file', () => {
    const text =
      'x-berth-plugins:\n- {file: a.ts}\n- {name: NodeName, file: b.ts}\n- {name: A, file: a.ts}\n- {name: A, file: c.ts}\n' +
      '- {name: B}\n- {name: "a b", file: d.ts}\n- {name: Broken, file: e.ts}\n';
    const { faults } = configOf(text, { A: { filter: () => undefined }, Broken: 5 });
    expect(faults.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'x-berth-plugins[0].name: Required value',
      'x-berth-plugins[1].name: Invalid value: "NodeName": a built-in plugin has this name',
      'x-berth-plugins[3].name: Duplicate value: "A"',
      'x-berth-plugins[4].file: Required value',
      'x-berth-plugins[5].name: Invalid value: "a b": must be letters, digits, dots and hyphens, a letter first',
      'x-berth-plugins[6].file: it is no plugin: expected an object with filter or score, not 5',
    ]);
  });

  test('a declared plugin that no profile enables is warned about', () => {
    const { warnings } = configOf('x-berth-plugins: [{name: A, file: a.ts}]', { A: { filter: () => undefined } });
    expect(warnings).toEqual([
      { path: 'x-berth-plugins[0]', message: 'plugin "A" has no effect: no profile enables it' },
    ]);
  });
});
