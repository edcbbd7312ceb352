/** Arguments of PodTopologySpread, InterPodAffinity and DefaultPreemption. */
import { topologySpreadConstraintSchema } from '#api/kinds/affinity.ts';
import type { TopologySpreadConstraint } from '#api/kinds/core.ts';
import { qualifiedNameFaults } from '#api/label-names.ts';
import { nodeOf } from '#api/schema.ts';
import { duplicate, forbiddenField, invalidValue, notSupported, required } from '#api/status.ts';
import type { DefaultConstraint } from '../plugins/spread-constraints.ts';
import { defaultPreemption, type PluginArguments, type PreemptionArguments, systemSpread } from '../profile.ts';
import { decode } from './decode.ts';
import type { Report, Section } from './fields.ts';

const actions = ['DoNotSchedule', 'ScheduleAnyway'];
const policies = ['Honor', 'Ignore'];

export const readSpread = (args: Section): NonNullable<PluginArguments['podTopologySpread']> => {
  const type = args.text('defaultingType') || 'System';
  const constraints = (args.items('defaultConstraints') ?? []).map(({ value, path }) => ({
    path,
    constraint: decode<TopologySpreadConstraint>(args, nodeOf(topologySpreadConstraintSchema), value, path),
  }));
  const at = args.at('defaultingType');
  if (type !== 'System' && type !== 'List') args.report.add([notSupported(at, type, ['System', 'List'])]);
  if (type === 'System' && constraints.length > 0)
    args.report.add([invalidValue(at, type, 'when .defaultConstraints are not empty')]);
  const seen = new Set<string>();
  const defaults: DefaultConstraint[] = [];
  for (const { constraint, path } of constraints) {
    if (constraint === undefined) continue;
    checkConstraint(constraint, path, args);
    const { labelSelector: _, matchLabelKeys: __, ...rest } = constraint;
    const { topologyKey, whenUnsatisfiable } = rest;
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(pair)) args.report.add([duplicate(path, pair)]);
    seen.add(pair);
    defaults.push(rest);
  }
  return type === 'List' ? { defaults, isSystemDefault: false } : systemSpread;
};

const checkConstraint = (constraint: TopologySpreadConstraint, path: string, { report }: Section): void => {
  const { maxSkew = 0, topologyKey = '', labelSelector } = constraint;
  const action: string = constraint.whenUnsatisfiable ?? '';
  if (maxSkew <= 0) report.add([invalidValue(`${path}.maxSkew`, maxSkew, 'not in valid range (0, inf)')]);
  if (topologyKey === '') report.add([required(`${path}.topologyKey`, 'can not be empty')]);
  else
    report.add(qualifiedNameFaults(topologyKey).map(fault => invalidValue(`${path}.topologyKey`, topologyKey, fault)));
  if (action === '') report.add([required(`${path}.whenUnsatisfiable`, 'can not be empty')]);
  else if (!actions.includes(action)) report.add([notSupported(`${path}.whenUnsatisfiable`, action, actions)]);
  if (labelSelector !== undefined) {
    const why = 'constraint must not define a selector, as they deduced for each pod';
    report.add([forbiddenField(`${path}.labelSelector`, why)]);
  }
  checkCounting(constraint, path, report);
};

/** Upstream takes whatever stands in these fields; here what a pod may not say is refused, and what does nothing is told. */
const checkCounting = (constraint: TopologySpreadConstraint, path: string, report: Report): void => {
  const { minDomains, whenUnsatisfiable, matchLabelKeys = [] } = constraint;
  if (minDomains !== undefined && minDomains <= 0)
    report.add([invalidValue(`${path}.minDomains`, minDomains, 'must be greater than zero')]);
  else if (minDomains !== undefined && whenUnsatisfiable === 'ScheduleAnyway')
    report.warn(`${path}.minDomains`, 'has no effect: it is for constraints with whenUnsatisfiable DoNotSchedule');
  for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
    const policy: string | undefined = constraint[field];
    if (policy !== undefined && !policies.includes(policy))
      report.add([notSupported(`${path}.${field}`, policy, policies)]);
  }
  if (matchLabelKeys.length > 0)
    report.warn(`${path}.matchLabelKeys`, 'has no effect: the selector is deduced for each pod');
};

export const readPodAffinity = (args: Section): NonNullable<PluginArguments['interPodAffinity']> => {
  const hardPodAffinityWeight = args.whole('hardPodAffinityWeight') ?? 1;
  if (hardPodAffinityWeight < 0 || hardPodAffinityWeight > 100)
    args.report.add([
      invalidValue(args.at('hardPodAffinityWeight'), hardPodAffinityWeight, 'not in valid range [0, 100]'),
    ]);
  const ignorePreferredTermsOfExistingPods = args.flag('ignorePreferredTermsOfExistingPods') ?? false;
  return { hardPodAffinityWeight, ignorePreferredTermsOfExistingPods };
};

export const readPreemption = (args: Section): PreemptionArguments => {
  const percentage = args.whole('minCandidateNodesPercentage') ?? defaultPreemption.minCandidateNodesPercentage;
  const absolute = args.whole('minCandidateNodesAbsolute') ?? defaultPreemption.minCandidateNodesAbsolute;
  const atPercentage = args.at('minCandidateNodesPercentage');
  const atAbsolute = args.at('minCandidateNodesAbsolute');
  if (percentage < 0 || percentage > 100)
    args.report.add([invalidValue(atPercentage, percentage, 'not in valid range [0, 100]')]);
  if (absolute < 0) args.report.add([invalidValue(atAbsolute, absolute, 'not in valid range [0, inf)')]);
  if (percentage === 0 && absolute === 0) {
    const zero = 'cannot be zero at the same time as';
    args.report.add([
      invalidValue(atPercentage, 0, `${zero} minCandidateNodesAbsolute`),
      invalidValue(atAbsolute, 0, `${zero} minCandidateNodesPercentage`),
    ]);
  }
  return { minCandidateNodesPercentage: percentage, minCandidateNodesAbsolute: absolute };
};
