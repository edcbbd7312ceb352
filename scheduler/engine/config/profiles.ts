/** One profile of a configuration: its plugins and their arguments, made into what the engine works with. */
import type { Pod } from '#api/kinds/core.ts';
import type { EnginePlugin, LoadedPlugin } from '../custom/plugin.ts';
import type { FilterPlugin } from '../plugin.ts';
import { createProfile, defaultFilters, defaultScores, type PluginArguments, type Profile } from '../profile.ts';
import { argumentsOf } from './arguments.ts';
import type { Section } from './fields.ts';
import { type ProfilePlugins, pluginsOf } from './plugin-sets.ts';
import { builtIn, type KnownPlugin, tableWith } from './plugin-table.ts';

interface ProfileContext {
  readonly schedulerName: string;
  readonly percentageOfNodesToScore: number;
  readonly own: OwnPlugins;
}

/** The plugins that the file brings along. */
interface OwnPlugins {
  readonly declared: readonly { readonly name: string; readonly path: string }[];
  readonly loaded: ReadonlyMap<string, LoadedPlugin>;
  /** Gets the names of those that a profile enables. */
  readonly used: Set<string>;
}

/** Everything that is wrong goes to the section's report; the profile is of use only when nothing is. */
export const profileOf = (section: Section, context: ProfileContext): Profile => {
  const { schedulerName, percentageOfNodesToScore } = context;
  const isOwn = (name: string): boolean => context.own.declared.some(plugin => plugin.name === name);
  const table = tableWith(context.own.declared.map(({ name }) => ({ name, extends: ['filter', 'score'] })));
  const configs = section.sections('pluginConfig');
  const args = argumentsOf(configs, { table, isOwn }, section.report);
  const enabled = enabledIn(section.value('plugins'));
  const own = createOwn(section, context.own, args.own, enabled);
  const known: KnownPlugin[] = context.own.declared.map(({ name }) => ({ name, extends: pointsOf(own.get(name)) }));
  const plugins = pluginsOf(section.section('plugins'), tableWith(known), section.report);
  section.end();
  checkPoints(plugins.byPoint, section, schedulerName);
  const { byPoint } = plugins;
  return createProfile({
    schedulerName,
    percentageOfNodesToScore,
    filters: filtersOf(byPoint.filter, args.plugins, own),
    scores: scoresOf(plugins, args.plugins, own),
    preemption: byPoint.postFilter.includes('DefaultPreemption') ? args.preemption : undefined,
    narrowsByName: byPoint.preFilter.includes('NodeAffinity'),
    dynamicResources: byPoint.postFilter.includes('DynamicResources'),
    tellApart: tellApartOf([...own.values()].map(({ tellApart }) => tellApart)),
  });
};

/** Names that some extension point enables; whatever is wrong there is reported when it is read in earnest. */
const enabledIn = (plugins: unknown): ReadonlySet<string> => {
  const names = new Set<string>();
  const sets = Object.values((plugins ?? {}) as Record<string, { enabled?: unknown } | null>);
  for (const set of sets) {
    const enabled = Array.isArray(set?.enabled) ? (set.enabled as readonly unknown[]) : [];
    for (const plugin of enabled) names.add(String((plugin as { name?: unknown } | null)?.name));
  }
  return names;
};

/** The file's plugins that this profile enables, made with the profile's arguments. */
const createOwn = (
  section: Section,
  { declared, loaded, used }: OwnPlugins,
  args: ReadonlyMap<string, unknown>,
  enabled: ReadonlySet<string>,
): ReadonlyMap<string, EnginePlugin> => {
  const own = new Map<string, EnginePlugin>();
  for (const { name, path } of declared) {
    if (!enabled.has(name) || own.has(name)) continue;
    used.add(name);
    const plugin = loaded.get(name);
    if (plugin === undefined || 'fault' in plugin) continue;
    try {
      own.set(name, plugin.create(args.get(name)));
    } catch (error) {
      const at = section
        .items('pluginConfig')
        ?.find(({ value }) => (value as { name?: unknown } | null)?.name === name);
      const why = error instanceof Error ? error.message : String(error);
      section.report.fault(at === undefined ? path : `${at.path}.args`, `initializing plugin "${name}": ${why}`);
    }
  }
  return own;
};

/** A plugin that could not be made may stand anywhere: its fault is reported already. */
const pointsOf = (plugin: EnginePlugin | undefined): KnownPlugin['extends'] => {
  if (plugin === undefined) return ['filter', 'score'];
  return [...(plugin.filter ? (['filter'] as const) : []), ...(plugin.score ? (['score'] as const) : [])];
};

const checkPoints = (byPoint: ProfilePlugins['byPoint'], section: Section, schedulerName: string): void => {
  const name = JSON.stringify(schedulerName);
  const { queueSort, bind, preEnqueue, filter, preFilter, score, preScore } = byPoint;
  if (queueSort.length !== 1)
    section.fault(
      'plugins',
      `only one queue sort plugin required for profile with scheduler name ${name}, but got ${queueSort.length}`,
    );
  if (bind.length === 0)
    section.fault('plugins', `at least one bind plugin is needed for profile with scheduler name ${name}`);
  if (!preEnqueue.includes('SchedulingGates'))
    section.warn('plugins', 'SchedulingGates is honoured all the same: the API server binds no pod that has gates');
  // Here they are one; upstream fails every attempt at a pod when only the second runs.
  const halves = [
    { first: 'preFilter', has: preFilter, second: 'filter', wants: filter },
    { first: 'preScore', has: preScore, second: 'score', wants: score },
  ] as const;
  for (const { first, has, second, wants } of halves)
    for (const plugin of builtIn)
      if (plugin.extends.includes(first) && wants.includes(plugin.name) && !has.includes(plugin.name))
        section.fault(`plugins.${first}`, `${plugin.name} cannot do its ${second} without its ${first}: disable both`);
};

const filtersOf = (
  names: readonly string[],
  args: PluginArguments,
  own: ReadonlyMap<string, EnginePlugin>,
): readonly FilterPlugin[] => {
  const built = new Map(defaultFilters(args).map(plugin => [plugin.name, plugin]));
  return names.flatMap(name => {
    const plugin = built.get(name) ?? own.get(name)?.filter;
    return plugin === undefined ? [] : [plugin];
  });
};

const scoresOf = (
  { byPoint, weights }: ProfilePlugins,
  args: PluginArguments,
  own: ReadonlyMap<string, EnginePlugin>,
): Profile['scores'] => {
  const built = new Map(defaultScores(args).map(({ plugin }) => [plugin.name, plugin]));
  return byPoint.score.flatMap(name => {
    const plugin = built.get(name) ?? own.get(name)?.score;
    return plugin === undefined ? [] : [{ plugin, weight: weights.get(name) ?? 1 }];
  });
};

const tellApartOf = (parts: readonly (((pod: Pod) => string) | undefined)[]): Profile['tellApart'] => {
  const asked = parts.filter(part => part !== undefined);
  return asked.length === 0 ? undefined : pod => asked.map(part => part(pod)).join('\u0000');
};
