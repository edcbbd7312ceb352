/**
 * `profiles[].pluginConfig`: the arguments of the built-in plugins, with upstream's defaults, checks and wording
 * (kubescheduler.config.k8s.io/v1, as of v1.35), as what the plugins take.
 */
import { duplicate, invalidValue } from '#api/status.ts';
import { defaultPreemption, type PluginArguments, type PreemptionArguments } from '../profile.ts';
import { readNodeAffinity } from './arguments-affinity.ts';
import { readBalance, readFit } from './arguments-resources.ts';
import { readPodAffinity, readPreemption, readSpread } from './arguments-topology.ts';
import { type Report, Section } from './fields.ts';
import { knownText } from './nearby.ts';
import type { PluginTable } from './plugin-table.ts';

export interface ProfileArguments {
  readonly plugins: PluginArguments;
  readonly preemption: PreemptionArguments;
  /** Of the file's own plugins, as they stand. */
  readonly own: ReadonlyMap<string, unknown>;
}

export interface ArgumentsContext {
  readonly table: PluginTable;
  readonly isOwn: (name: string) => boolean;
}

const apiVersion = 'kubescheduler.config.k8s.io/v1';

type Reader = (args: Section, result: MutableArguments) => void;
type MutableArguments = { -readonly [K in keyof ProfileArguments]: ProfileArguments[K] };

const into =
  <K extends keyof PluginArguments>(key: K, read: (args: Section) => NonNullable<PluginArguments[K]>): Reader =>
  (args, result) => {
    result.plugins = { ...result.plugins, [key]: read(args) };
  };

const readers: Readonly<Record<string, Reader>> = {
  NodeResourcesFit: into('fit', readFit),
  NodeResourcesBalancedAllocation: into('balancedAllocation', readBalance),
  NodeAffinity: into('nodeAffinity', readNodeAffinity),
  PodTopologySpread: into('podTopologySpread', readSpread),
  InterPodAffinity: into('interPodAffinity', readPodAffinity),
  DefaultPreemption: (args, result) => {
    result.preemption = readPreemption(args);
  },
};

const withoutEffect: Readonly<Record<string, { readonly fields: readonly string[]; readonly why: string }>> = {
  VolumeBinding: { fields: ['bindTimeoutSeconds', 'shape'], why: 'Berth has no persistent volumes' },
  DynamicResources: { fields: ['filterTimeout', 'bindingTimeout'], why: 'Berth has no dynamic resource allocation' },
};

export const argumentsOf = (
  configs: readonly Section[] | undefined,
  { table, isOwn }: ArgumentsContext,
  report: Report,
): ProfileArguments => {
  const result: MutableArguments = { plugins: {}, preemption: defaultPreemption, own: new Map() };
  const own = new Map<string, unknown>();
  const seen = new Set<string>();
  for (const config of configs ?? []) {
    const name = config.text('name') ?? '';
    const given = config.value('args');
    config.end();
    if (seen.has(name)) report.add([duplicate(config.path, name)]);
    else if (isOwn(name)) own.set(name, given);
    else if (!table.has(name)) config.fault('name', notThere(name, table));
    else if (given !== undefined) readBuiltIn(name, given, config, result);
    seen.add(name);
  }
  return { ...result, own };
};

const notThere = (name: string, table: PluginTable): string =>
  name === '' ? 'Required value' : `plugin "${name}" does not exist${knownText(name, [...table.keys()])}`;

const readBuiltIn = (name: string, given: unknown, config: Section, result: MutableArguments): void => {
  const args = Section.of(given, config.at('args'), config.report);
  if (args === undefined) return;
  checkType(args, name);
  const read = readers[name];
  const idle = withoutEffect[name];
  if (read !== undefined) read(args, result);
  else if (idle !== undefined) {
    for (const field of idle.fields) args.value(field);
    config.warn('args', `has no effect: ${idle.why}`);
  } else {
    config.fault('args', `Forbidden: ${name} takes no arguments`);
    return;
  }
  args.end();
};

/** The type may be stated in the arguments; then it must be the plugin's. */
const checkType = (args: Section, name: string): void => {
  const kind = args.text('kind');
  const version = args.text('apiVersion');
  if (kind !== undefined && kind !== `${name}Args`)
    args.report.add([invalidValue(args.at('kind'), kind, `must be ${name}Args`)]);
  if (version !== undefined && version !== apiVersion)
    args.report.add([invalidValue(args.at('apiVersion'), version, `must be ${apiVersion}`)]);
};
