/**
 * A KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1) as the scheduler's settings: profiles by schedulerName and
 * the limits of the queue. Pure: the file is read, and the plugins that it names are loaded, by cli/local/scheduler-config.ts.
 * What upstream does with a field is done here too; where Berth differs stands in docs/SCHEDULER-CONFIG.md.
 */
import { duplicate, invalidValue, required } from '#api/status.ts';
import { type Fault, Report, Section } from './config/fields.ts';
import { tableWith } from './config/plugin-table.ts';
import { profileOf } from './config/profiles.ts';
import type { LoadedPlugin } from './custom/plugin.ts';
import type { Profile } from './profile.ts';
import { defaultQueueOptions, type QueueOptions } from './queue/queue.ts';

/** A plugin that the file brings along. */
export interface DeclaredPlugin {
  readonly name: string;
  /** As written: relative to the configuration. */
  readonly file: string;
  /** Where it is declared. */
  readonly path: string;
}

export interface ParsedConfig {
  readonly profiles: readonly Profile[];
  readonly queue: QueueOptions;
}

export interface Parsed {
  /** Undefined when there are faults. */
  readonly config: ParsedConfig | undefined;
  readonly faults: readonly Fault[];
  /** What is accepted without having an effect. */
  readonly warnings: readonly Fault[];
}

/** Berth's own field: upstream has its plugins compiled in. */
const pluginsField = 'x-berth-plugins';

const apiVersion = 'kubescheduler.config.k8s.io/v1';
const kind = 'KubeSchedulerConfiguration';

/** The plugins to load before `parseConfig`; their faults are reported by that. */
export const declaredPlugins = (document: unknown): readonly DeclaredPlugin[] => {
  const report = new Report();
  const root = Section.of(document, '', report);
  return root === undefined ? [] : readDeclared(root);
};

/** The settings of a document, or everything that is wrong with it. `loaded`: what `declaredPlugins` gave, by name. */
export const parseConfig = (document: unknown, loaded: ReadonlyMap<string, LoadedPlugin> = new Map()): Parsed => {
  const report = new Report();
  const root = Section.of(document, '', report);
  if (root === undefined) return { config: undefined, ...report };
  checkType(root);
  const config = readRoot(root, loaded);
  root.end();
  const { faults, warnings } = report;
  return { config: faults.length === 0 ? config : undefined, faults, warnings };
};

const checkType = (root: Section): void => {
  for (const [field, must] of [
    ['apiVersion', apiVersion],
    ['kind', kind],
  ] as const) {
    const given = root.text(field);
    if (given === undefined) root.report.add([required(field, `must be ${must}`)]);
    else if (given !== must) root.report.add([invalidValue(field, given, `must be ${must}`)]);
  }
};

const readRoot = (root: Section, loaded: ReadonlyMap<string, LoadedPlugin>): ParsedConfig => {
  readIdle(root);
  const declared = readDeclared(root);
  checkDeclared(declared, loaded, root.report);
  const queue = readQueue(root);
  const percentage = readPercentage(root);
  if ((root.items('extenders') ?? []).length > 0)
    root.fault('extenders', 'Forbidden: Berth calls no extenders; write a plugin instead (docs/SCHEDULER-CONFIG.md)');
  const stated = root.sections('profiles') ?? [];
  const sections = stated.length > 0 ? stated : [Section.of({}, 'profiles[0]', root.report)!];
  const isOnly = sections.length === 1;
  const used = new Set<string>();
  const profiles = sections.map(section => {
    const schedulerName = section.text('schedulerName') ?? (isOnly ? 'default-scheduler' : '');
    if (schedulerName === '') root.report.add([required(section.at('schedulerName'))]);
    const ownPercentage = readPercentage(section);
    // Upstream's default is to look at a part of the nodes in big clusters; Berth has the time to look at all.
    const percentageOfNodesToScore = ownPercentage ?? percentage ?? 100;
    const own = { declared, loaded, used };
    return profileOf(section, { schedulerName, percentageOfNodesToScore, own });
  });
  checkProfiles(sections, profiles, root.report);
  for (const { name, path } of declared)
    if (!used.has(name)) root.report.warn(path, `plugin "${name}" has no effect: no profile enables it`);
  return { profiles, queue };
};

const readQueue = (root: Section): QueueOptions => {
  const initial = root.whole('podInitialBackoffSeconds') ?? defaultQueueOptions.initialBackoffMs / 1000;
  const stated = root.whole('podMaxBackoffSeconds');
  const most = stated ?? defaultQueueOptions.maxBackoffMs / 1000;
  if (initial <= 0) root.report.add([invalidValue('podInitialBackoffSeconds', initial, 'must be greater than 0')]);
  if (most < initial) {
    const isDefault = stated === undefined ? ` (${initial}); ${most} is what it is when it is not stated` : '';
    const why = `must be greater than or equal to PodInitialBackoffSeconds${isDefault}`;
    const at = stated === undefined ? 'podInitialBackoffSeconds' : 'podMaxBackoffSeconds';
    root.report.fault('podMaxBackoffSeconds', invalidValue('', most, why).message, at);
  }
  return { ...defaultQueueOptions, initialBackoffMs: initial * 1000, maxBackoffMs: most * 1000 };
};

const readPercentage = (section: Section): number | undefined => {
  const percentage = section.whole('percentageOfNodesToScore');
  if (percentage !== undefined && (percentage < 0 || percentage > 100)) {
    const at = section.at('percentageOfNodesToScore');
    section.report.add([invalidValue(at, percentage, 'not in valid range [0-100]')]);
  }
  return percentage;
};

const leaderElectionFields = ['leaderElect', 'leaseDuration', 'renewDeadline', 'retryPeriod'].concat([
  'resourceLock',
  'resourceName',
  'resourceNamespace',
]);
const connectionFields = ['kubeconfig', 'acceptContentTypes', 'contentType', 'qps', 'burst'];

/** Fields of a scheduler that is a process of its own. */
const readIdle = (root: Section): void => {
  const parallelism = root.whole('parallelism');
  if (parallelism !== undefined) {
    if (parallelism <= 0)
      root.report.add([invalidValue('parallelism', parallelism, 'should be an integer value greater than zero')]);
    root.warn('parallelism', 'has no effect: Berth looks at all nodes in one go');
  }
  const groups = { leaderElection: leaderElectionFields, clientConnection: connectionFields };
  for (const [name, fields] of Object.entries(groups)) {
    const group = root.section(name);
    for (const field of fields) group?.value(field);
    group?.end();
    if (group !== undefined) root.warn(name, 'has no effect: the scheduler runs in the process of the API server');
  }
  for (const name of ['enableProfiling', 'enableContentionProfiling', 'delayCacheUntilActive'])
    if (root.flag(name) !== undefined) root.warn(name, 'has no effect in Berth');
};

const readDeclared = (root: Section): readonly DeclaredPlugin[] =>
  (root.sections(pluginsField) ?? []).map(section => {
    const declared = { name: section.text('name') ?? '', file: section.text('file') ?? '', path: section.path };
    section.end();
    return declared;
  });

const checkDeclared = (
  declared: readonly DeclaredPlugin[],
  loaded: ReadonlyMap<string, LoadedPlugin>,
  report: Report,
): void => {
  const taken = tableWith([]);
  const seen = new Set<string>();
  for (const { name, file, path } of declared) {
    if (name === '') report.add([required(`${path}.name`)]);
    else if (!/^[A-Za-z][A-Za-z0-9.-]*$/.test(name))
      report.add([invalidValue(`${path}.name`, name, 'must be letters, digits, dots and hyphens, a letter first')]);
    else if (taken.has(name)) report.fault(`${path}.name`, `Invalid value: "${name}": a built-in plugin has this name`);
    else if (seen.has(name)) report.add([duplicate(`${path}.name`, name)]);
    const plugin = loaded.get(name);
    if (file === '') report.add([required(`${path}.file`)]);
    else if (plugin !== undefined && 'fault' in plugin) report.fault(`${path}.file`, plugin.fault);
    seen.add(name);
  }
};

const checkProfiles = (sections: readonly Section[], profiles: readonly Profile[], report: Report): void => {
  profiles.forEach(({ schedulerName }, i) => {
    const first = profiles.findIndex(other => other.schedulerName === schedulerName);
    if (first < i && schedulerName !== '')
      report.add([duplicate(sections[i]!.at('schedulerName'), sections[first]!.at('schedulerName'))]);
  });
};
