/** Which plugins a profile has, in which order and with which weight: upstream's merging of sets and of multiPoint. */
import { describe, expect, test } from 'vitest';
import { configOf, faultsOf, filterNames, profileOf, scoreNames } from './yaml.ts';

const withPlugins = (plugins: string): string => `profiles:\n- plugins: ${plugins}\n`;

const filters = (plugins: string): string => filterNames(profileOf(withPlugins(plugins))).join(' ');
const scores = (plugins: string): string => scoreNames(profileOf(withPlugins(plugins))).join(', ');

const allFilters =
  'NodeUnschedulable NodeName TaintToleration NodeAffinity NodePorts NodeResourcesFit PodTopologySpread InterPodAffinity';
const allScores =
  'TaintToleration 3, NodeAffinity 2, NodeResourcesFit 1, PodTopologySpread 2, InterPodAffinity 2, ' +
  'NodeResourcesBalancedAllocation 1, ImageLocality 1';

describe('order', () => {
  test('what is disabled at an extension point is gone there and stays elsewhere', () => {
    const plugins = '{score: {disabled: [{name: NodeAffinity}, {name: ImageLocality}]}}';
    expect(scores(plugins)).toBe(
      'TaintToleration 3, NodeResourcesFit 1, PodTopologySpread 2, InterPodAffinity 2, NodeResourcesBalancedAllocation 1',
    );
    expect(filters(plugins)).toBe(allFilters);
  });

  test('what an extension point enables again comes first there, in its order', () => {
    expect(filters('{filter: {enabled: [{name: InterPodAffinity}, {name: NodeName}]}}')).toBe(
      'InterPodAffinity NodeName NodeUnschedulable TaintToleration NodeAffinity NodePorts NodeResourcesFit PodTopologySpread',
    );
  });

  test('disabled and enabled at the same point, it comes last', () => {
    const plugins = '{filter: {disabled: [{name: NodeName}], enabled: [{name: NodeName}]}}';
    expect(filters(plugins)).toBe(`${allFilters.replace('NodeName ', '')} NodeName`);
  });

  test('* leaves only what the point enables itself', () => {
    expect(scores("{score: {disabled: [{name: '*'}], enabled: [{name: ImageLocality}]}}")).toBe('ImageLocality 1');
    expect(scores("{score: {disabled: [{name: '*'}]}, preScore: {disabled: [{name: '*'}]}}")).toBe('');
  });

  test('multiPoint disables everywhere', () => {
    const plugins = '{multiPoint: {disabled: [{name: NodeResourcesFit}, {name: TaintToleration}]}}';
    expect(filters(plugins)).toBe(allFilters.replace('NodeResourcesFit ', '').replace('TaintToleration ', ''));
    expect(scores(plugins)).not.toMatch(/Fit|Taint/);
  });

  test('multiPoint with * has only what is enabled, in that order', () => {
    const plugins =
      "{multiPoint: {disabled: [{name: '*'}], enabled: [{name: NodeResourcesFit}, {name: NodeName}, {name: PrioritySort}, {name: DefaultBinder}]}}";
    expect(filters(plugins)).toBe('NodeResourcesFit NodeName');
    expect(scores(plugins)).toBe('NodeResourcesFit 1');
    const { config, warnings } = configOf(withPlugins(plugins));
    expect(config!.profiles[0]).toMatchObject({ preemption: undefined, narrowsByName: false, dynamicResources: false });
    expect(warnings).toEqual([
      {
        path: 'profiles[0].plugins',
        message: 'SchedulingGates is honoured all the same: the API server binds no pod that has gates',
      },
    ]);
  });

  test('multiPoint that configures a default plugin anew keeps its place', () => {
    expect(scores('{multiPoint: {enabled: [{name: NodeResourcesFit, weight: 7}]}}')).toBe(
      allScores.replace('NodeResourcesFit 1', 'NodeResourcesFit 7'),
    );
  });

  test('the weight of the extension point counts before that of multiPoint, and 1 where none is stated', () => {
    expect(
      scores(
        '{multiPoint: {enabled: [{name: NodeResourcesFit, weight: 7}]}, score: {enabled: [{name: NodeResourcesFit, weight: 9}]}}',
      ),
    ).toMatch(/^NodeResourcesFit 9, TaintToleration 3/);
    expect(scores('{score: {enabled: [{name: NodeAffinity}]}}')).toMatch(/^NodeAffinity 1, /);
    expect(scores('{multiPoint: {enabled: [{name: NodeAffinity}]}}')).toMatch(/NodeAffinity 1, /);
  });

  test('plugins of the file come last where multiPoint enables them', () => {
    const own = { A: { filter: () => undefined, score: () => 1 }, B: { score: () => 1 } };
    const text = (plugins: string) =>
      `x-berth-plugins: [{name: A, file: a.ts}, {name: B, file: b.ts}]\n${withPlugins(plugins)}`;
    const both = profileOf(text('{multiPoint: {enabled: [{name: B, weight: 4}, {name: A}]}}'), own);
    expect(filterNames(both).join(' ')).toBe(`${allFilters} A`);
    expect(scoreNames(both).join(', ')).toBe(`${allScores}, B 4, A 1`);
    const onlyFilter = profileOf(text('{filter: {enabled: [{name: A}]}}'), own);
    expect(filterNames(onlyFilter).join(' ')).toBe(`${allFilters} A`);
    expect(scoreNames(onlyFilter).join(', ')).toBe(allScores);
    expect(faultsOf(text('{filter: {enabled: [{name: B}]}}'), own)).toEqual([
      'profiles[0].plugins.filter.enabled[0].name: plugin "B" does not extend FilterPlugin plugin',
    ]);
  });
});

describe('plugins that Berth has by nature or has no work for', () => {
  test('volumes and dynamic resources may be enabled or disabled; it makes no difference to filters and scores', () => {
    const names = ['VolumeRestrictions', 'NodeVolumeLimits', 'VolumeBinding', 'VolumeZone'];
    for (const verb of ['enabled', 'disabled']) {
      const plugins = `{multiPoint: {${verb}: [${names.map(name => `{name: ${name}}`).join(', ')}]}}`;
      const { warnings } = configOf(withPlugins(plugins));
      expect([filters(plugins), scores(plugins), warnings]).toEqual([allFilters, allScores, []]);
    }
    expect(profileOf(withPlugins('{multiPoint: {disabled: [{name: DynamicResources}]}}')).dynamicResources).toBe(false);
    expect(profileOf(withPlugins('{postFilter: {disabled: [{name: DefaultPreemption}]}}')).preemption).toBeUndefined();
  });

  test('plugins of other releases may be left out, not asked for', () => {
    expect(filters('{filter: {disabled: [{name: EBSLimits}]}}')).toBe(allFilters);
    expect(faultsOf(withPlugins('{filter: {enabled: [{name: EBSLimits}]}}'))).toEqual([
      'profiles[0].plugins.filter.enabled[0].name: plugin "EBSLimits" cannot be enabled: Kubernetes v1.34 removed it',
    ]);
    expect(faultsOf(withPlugins('{multiPoint: {enabled: [{name: GangScheduling}]}}'))).toEqual([
      'profiles[0].plugins.multiPoint.enabled[0].name: plugin "GangScheduling" cannot be enabled: it needs a feature gate that is off in Kubernetes v1.35',
    ]);
  });
});

describe('mistakes', () => {
  test.each([
    [
      '{score: {enabled: [{name: NodeFit}]}}',
      'score.enabled[0].name: ScorePlugin "NodeFit" does not exist; did you mean NodeAffinity or NodeResourcesFit?',
    ],
    [
      '{multiPoint: {enabled: [{name: Coscheduling}]}}',
      'multiPoint.enabled[0].name: plugin "Coscheduling" does not exist; known here: SchedulingGates, PrioritySort, NodeUnschedulable, NodeName, TaintToleration, NodeAffinity, NodePorts, NodeResourcesFit, VolumeRestrictions, NodeVolumeLimits, VolumeBinding, VolumeZone, PodTopologySpread, InterPodAffinity, DynamicResources, DefaultPreemption, NodeResourcesBalancedAllocation, ImageLocality, DefaultBinder',
    ],
    [
      '{score: {enabled: [{name: imagelocality}]}}',
      'score.enabled[0].name: ScorePlugin "imagelocality" does not exist; did you mean ImageLocality?',
    ],
    [
      "{score: {enabled: [{name: '*'}]}}",
      'score.enabled[0].name: Invalid value: "*": plugins are enabled by name; * stands under disabled only',
    ],
    [
      '{filter: {disabled: [{name: NodeFit}]}}',
      'filter.disabled[0].name: FilterPlugin "NodeFit" does not exist; did you mean NodeAffinity or NodeResourcesFit?',
    ],
    ['{filter: {enabled: [{}]}}', 'filter.enabled[0].name: Required value'],
    [
      '{filter: {enabled: [{name: ImageLocality}]}}',
      'filter.enabled[0].name: plugin "ImageLocality" does not extend FilterPlugin plugin',
    ],
    [
      '{filter: {enabled: [{name: NodeName}, {name: NodeName}]}}',
      'filter.enabled[1].name: plugin "NodeName" already registered as "FilterPlugin"',
    ],
    [
      '{score: {enabled: [{name: ImageLocality, weight: 0}]}}',
      'score.enabled[0].weight: Invalid value: 0: must be greater than zero; to leave a plugin out, disable it',
    ],
    [
      '{score: {enabled: [{name: ImageLocality, weight: -2}]}}',
      'score.enabled[0].weight: Invalid value: -2: must be greater than zero',
    ],
  ])('%s', (plugins, expected) => {
    expect(faultsOf(withPlugins(plugins))).toEqual([`profiles[0].plugins.${expected}`]);
  });

  test.each([
    [
      '{queueSort: {disabled: [{name: PrioritySort}]}}',
      'only one queue sort plugin required for profile with scheduler name "default-scheduler", but got 0',
    ],
    [
      "{bind: {disabled: [{name: '*'}]}}",
      'at least one bind plugin is needed for profile with scheduler name "default-scheduler"',
    ],
    [
      '{score: {enabled: [{name: ImageLocality, weight: 21474836}]}}',
      'total score of Score plugins could overflow: all weights together must be at most 21474836',
    ],
  ])('%s', (plugins, expected) => {
    expect(faultsOf(withPlugins(plugins))).toEqual([`profiles[0].plugins: ${expected}`]);
  });

  test('a filter without its pre-filter, a score without its pre-score', () => {
    expect(faultsOf(withPlugins('{preFilter: {disabled: [{name: NodePorts}]}}'))).toEqual([
      'profiles[0].plugins.preFilter: NodePorts cannot do its filter without its preFilter: disable both',
    ]);
    expect(faultsOf(withPlugins('{preScore: {disabled: [{name: TaintToleration}]}}'))).toEqual([
      'profiles[0].plugins.preScore: TaintToleration cannot do its score without its preScore: disable both',
    ]);
    const alone = profileOf(withPlugins('{filter: {disabled: [{name: NodeAffinity}]}}'));
    expect(alone.narrowsByName).toBe(true);
  });
});
