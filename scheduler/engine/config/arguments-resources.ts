/** Arguments of the plugins that look at how full nodes are: NodeResourcesFit and NodeResourcesBalancedAllocation. */
import { qualifiedNameFaults } from '#api/label-names.ts';
import { duplicate, invalidValue, notSupported, required } from '#api/status.ts';
import type { ScoringStrategy, ShapePoint, WeightedResource } from '../plugins/allocation.ts';
import type { PluginArguments } from '../profile.ts';
import type { Section } from './fields.ts';

const strategies = ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'];
const defaultResources: readonly WeightedResource[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];

export const readFit = (args: Section): NonNullable<PluginArguments['fit']> => {
  const ignoredResources = args.texts('ignoredResources') ?? [];
  ignoredResources.forEach((name, i) => {
    checkName(args, `ignoredResources[${i}]`, name);
  });
  const ignoredResourceGroups = args.texts('ignoredResourceGroups') ?? [];
  ignoredResourceGroups.forEach((group, i) => {
    const field = `ignoredResourceGroups[${i}]`;
    if (group.includes('/'))
      args.report.add([invalidValue(args.at(field), group, "resource group name can't contain '/'")]);
    checkName(args, field, group);
  });
  const section = args.section('scoringStrategy');
  const strategy = section === undefined ? undefined : readStrategy(section);
  return { ignoredResources, ignoredResourceGroups, ...(strategy === undefined ? {} : { strategy }) };
};

const checkName = (args: Section, field: string, name: string): void =>
  args.report.add(qualifiedNameFaults(name).map(fault => invalidValue(args.at(field), name, fault)));

/** Undefined for the default strategy, which has a quicker way of its own. */
const readStrategy = (section: Section): ScoringStrategy | undefined => {
  const type = section.text('type') ?? '';
  if (!strategies.includes(type)) section.report.add([notSupported(section.at('type'), type, strategies)]);
  const resources = readResources(section, ({ name, weight }, at) =>
    weight > 0 && weight <= 100
      ? []
      : [invalidValue(at('weight'), weight, `resource weight of ${name} not in valid range (0, 100]`)],
  );
  const ratio = section.section('requestedToCapacityRatio');
  const shape = ratio === undefined ? undefined : readShape(ratio);
  ratio?.end();
  section.end();
  if (type === 'RequestedToCapacityRatio') {
    if (shape === undefined)
      section.report.add([
        required(section.at('requestedToCapacityRatio.shape'), 'at least one point must be specified'),
      ]);
    return { type, resources, shape: shape ?? [] };
  }
  if (type === 'MostAllocated') return { type, resources };
  return isDefault(resources) ? undefined : { type: 'LeastAllocated', resources };
};

const isDefault = (resources: readonly WeightedResource[]): boolean =>
  JSON.stringify(resources) === JSON.stringify(defaultResources);

type Check = (resource: WeightedResource, at: (field: string) => string) => ReturnType<typeof invalidValue>[];

/**
 * Absent: cpu and memory, equally. A weight that is absent is 1; one of 0 is refused, where upstream takes it for absent:
 * who writes 0 does not want the resource to count. For the same reason a list without items is refused.
 */
const readResources = (section: Section, check: Check): readonly WeightedResource[] => {
  const stated = section.sections('resources');
  if (stated === undefined) return defaultResources;
  if (stated.length === 0)
    section.report.add([
      required(section.at('resources'), 'at least one resource must be specified (absent: cpu and memory)'),
    ]);
  return stated.map(item => {
    const name = item.text('name') ?? '';
    if (name === '') item.report.add([required(item.at('name'))]);
    const resource = { name, weight: item.whole('weight') ?? 1 };
    item.end();
    item.report.add(check(resource, field => item.at(field)));
    return resource;
  });
};

const readShape = (ratio: Section): readonly ShapePoint[] | undefined => {
  const points = ratio.sections('shape')?.map(item => {
    const point = { utilization: item.whole('utilization') ?? 0, score: item.whole('score') ?? 0 };
    item.end();
    return { ...point, item };
  });
  if (points === undefined || points.length === 0) {
    if (points !== undefined) ratio.report.add([required(ratio.at('shape'), 'at least one point must be specified')]);
    return points;
  }
  const unsorted = points.find((point, i) => i > 0 && points[i - 1]!.utilization >= point.utilization);
  if (unsorted !== undefined) {
    const at = unsorted.item.at('utilization');
    const why = 'utilization values must be sorted in increasing order';
    ratio.report.add([invalidValue(at, unsorted.utilization, why)]);
  }
  for (const { utilization, score, item } of points) {
    if (utilization < 0 || utilization > 100)
      item.report.add([invalidValue(item.at('utilization'), utilization, 'not in valid range [0, 100]')]);
    if (score < 0 || score > 10) item.report.add([invalidValue(item.at('score'), score, 'not in valid range [0, 10]')]);
  }
  return points.map(({ utilization, score }) => ({ utilization, score }));
};

export const readBalance = (args: Section): NonNullable<PluginArguments['balancedAllocation']> => {
  const seen = new Set<string>();
  const resources = readResources(args, ({ name, weight }, at) => {
    const causes = seen.has(name) ? [duplicate(at('name'), name)] : [];
    seen.add(name);
    return weight === 1 ? causes : [...causes, invalidValue(at('weight'), weight, 'must be 1')];
  });
  return { resources };
};
