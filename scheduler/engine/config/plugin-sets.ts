/**
 * `profiles[].plugins`: what is enabled and disabled per extension point, laid over the default profile and over
 * `multiPoint`, as upstream's mergePluginSet and expandMultiPointPlugins do; the result is one ordered list of names per
 * extension point and the weights of the scores.
 */
import type { Report, Section } from './fields.ts';
import { knownText } from './nearby.ts';
import {
  builtIn,
  type ExtensionPoint,
  extensionPoints,
  interfaceOf,
  type PluginTable,
  unavailable,
} from './plugin-table.ts';

interface Enabled {
  readonly name: string;
  /** 0: not stated. */
  readonly weight: number;
  /** Where it is enabled; empty for the default profile. */
  readonly path: string;
}

interface PluginSet {
  readonly enabled: readonly Enabled[];
  readonly disabled: ReadonlySet<string>;
}

export interface ProfilePlugins {
  readonly byPoint: Readonly<Record<ExtensionPoint, readonly string[]>>;
  readonly weights: ReadonlyMap<string, number>;
}

const nothing: PluginSet = { enabled: [], disabled: new Set() };
const defaults: PluginSet = {
  enabled: builtIn.map(({ name, weight = 0 }) => ({ name, weight, path: '' })),
  disabled: new Set(),
};

/** The plugins of a profile; `plugins` is undefined where the profile states none. */
export const pluginsOf = (plugins: Section | undefined, table: PluginTable, report: Report): ProfilePlugins => {
  const read = (point: ExtensionPoint | 'multiPoint'): PluginSet => {
    const section = plugins?.section(point);
    return section === undefined ? nothing : readSet(section, point, table);
  };
  const multiPoint = merge(defaults, read('multiPoint'));
  const sets = new Map(extensionPoints.map(point => [point, read(point)]));
  plugins?.end();
  const byPoint = Object.fromEntries(
    extensionPoints.map(point => [point, expand(point, sets.get(point)!, multiPoint, table)]),
  ) as Record<ExtensionPoint, readonly string[]>;
  const weights = weightsOf([...sets.get('score')!.enabled, ...multiPoint.enabled]);
  checkTotal(byPoint.score, weights, plugins?.path ?? '', report);
  return { byPoint, weights };
};

const readSet = (section: Section, point: ExtensionPoint | 'multiPoint', table: PluginTable): PluginSet => {
  const enabled: Enabled[] = [];
  for (const plugin of section.sections('enabled') ?? []) {
    const name = plugin.text('name') ?? '';
    const weight = readWeight(plugin);
    plugin.end();
    const fault = refusal(name, point, table);
    if (fault !== undefined) plugin.fault('name', fault);
    else if (enabled.some(other => other.name === name))
      plugin.fault('name', `plugin "${name}" already registered as "${registeredAs(point)}"`);
    else enabled.push({ name, weight, path: plugin.path });
  }
  const disabled = new Set<string>();
  for (const plugin of section.sections('disabled') ?? []) {
    const name = plugin.text('name') ?? '';
    plugin.whole('weight');
    plugin.end();
    if (name !== '*' && !table.has(name) && !unavailable.has(name)) plugin.fault('name', notThere(name, point, table));
    disabled.add(name);
  }
  section.end();
  return { enabled, disabled };
};

/** Upstream takes 0 for "not stated"; here it is refused, because who writes 0 wants the plugin not to count. */
const readWeight = (plugin: Section): number => {
  const weight = plugin.whole('weight');
  if (weight === undefined) return 0;
  if (weight === 0)
    plugin.fault('weight', 'Invalid value: 0: must be greater than zero; to leave a plugin out, disable it');
  if (weight < 0) plugin.fault('weight', `Invalid value: ${weight}: must be greater than zero`);
  return Math.max(weight, 0);
};

const registeredAs = (point: ExtensionPoint | 'multiPoint'): string =>
  point === 'multiPoint' ? 'MultiPoint' : interfaceOf(point);

const notThere = (name: string, point: ExtensionPoint | 'multiPoint', table: PluginTable): string => {
  if (name === '') return 'Required value';
  if (name === '*') return `Invalid value: "*": plugins are enabled by name; * stands under disabled only`;
  const here = [...table.values()].filter(plugin => point === 'multiPoint' || plugin.extends.includes(point));
  const what = point === 'multiPoint' ? 'plugin' : interfaceOf(point);
  const names = here.map(plugin => plugin.name);
  return `${what} "${name}" does not exist${knownText(name, names)}`;
};

/** Why a plugin cannot be enabled there. */
const refusal = (name: string, point: ExtensionPoint | 'multiPoint', table: PluginTable): string | undefined => {
  const why = unavailable.get(name);
  if (why !== undefined) return `plugin "${name}" cannot be enabled: ${why}`;
  const plugin = table.get(name);
  if (plugin === undefined) return notThere(name, point, table);
  if (point === 'multiPoint' || plugin.extends.includes(point)) return undefined;
  return `plugin "${name}" does not extend ${interfaceOf(point)} plugin`;
};

/** The custom set over the default one: what is configured anew keeps its place, what is new comes last. */
const merge = (base: PluginSet, custom: PluginSet): PluginSet => {
  const { disabled } = custom;
  const enabled: Enabled[] = [];
  const replaced = new Set<string>();
  if (!disabled.has('*'))
    for (const plugin of base.enabled) {
      if (disabled.has(plugin.name)) continue;
      const again = custom.enabled.find(({ name }) => name === plugin.name);
      if (again !== undefined) replaced.add(plugin.name);
      enabled.push(again ?? plugin);
    }
  enabled.push(...custom.enabled.filter(({ name }) => !replaced.has(name)));
  return { enabled, disabled };
};

/**
 * The names at one extension point. First those of multiPoint that the point configures itself, in the point's order; then
 * the others of multiPoint; then what only the point enables.
 */
const expand = (
  point: ExtensionPoint,
  { enabled, disabled }: PluginSet,
  multiPoint: PluginSet,
  table: PluginTable,
): readonly string[] => {
  const own = enabled.map(({ name }) => name);
  if (disabled.has('*')) return own;
  const general = multiPoint.enabled
    .map(({ name }) => name)
    .filter(name => table.get(name)?.extends.includes(point) && !disabled.has(name));
  const overriding = own.filter(name => general.includes(name));
  return [
    ...overriding,
    ...general.filter(name => !overriding.includes(name)),
    ...own.filter(name => !overriding.includes(name)),
  ];
};

/** The first that is stated counts; none stated: 1. */
const weightsOf = (enabled: readonly Enabled[]): ReadonlyMap<string, number> => {
  const weights = new Map<string, number>();
  for (const { name, weight } of enabled) if (!weights.has(name)) weights.set(name, weight || 1);
  return weights;
};

/** Totals are 32-bit numbers here, and 100 is the most a plugin gives. */
const checkTotal = (
  scores: readonly string[],
  weights: ReadonlyMap<string, number>,
  path: string,
  report: Report,
): void => {
  const most = scores.reduce((sum, name) => sum + 100 * (weights.get(name) ?? 1), 0);
  if (most >= 2 ** 31)
    report.fault(path, 'total score of Score plugins could overflow: all weights together must be at most 21474836');
};
