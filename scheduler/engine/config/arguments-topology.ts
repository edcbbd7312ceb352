/** Arguments of NodeAffinity, PodTopologySpread, InterPodAffinity and DefaultPreemption. */
import { decodeValue, whyUnhandled } from '#api/decode.ts';
import { affinitySchema, type NodeAffinity, topologySpreadConstraintSchema } from '#api/kinds/affinity.ts';
import type { TopologySpreadConstraint } from '#api/kinds/core.ts';
import { qualifiedNameFaults } from '#api/label-names.ts';
import { nodeOf, type SchemaNode } from '#api/schema.ts';
import { ApiError, duplicate, forbiddenField, invalidValue, notSupported, required } from '#api/status.ts';
import { validateAffinity } from '#api/validate-scheduling.ts';
import type { DefaultConstraint } from '../plugins/spread-constraints.ts';
import { defaultPreemption, type PluginArguments, type PreemptionArguments, systemSpread } from '../profile.ts';
import type { Section } from './fields.ts';

const configuration = { kind: 'KubeSchedulerConfiguration', version: 'v1' };

/** A value of an API type; undefined with a fault when it is none. */
const decode = <T>(section: Section, schema: SchemaNode, value: unknown, path: string): T | undefined => {
  try {
    const decoded = decodeValue(configuration, schema, value);
    for (const field of decoded.unknownFields)
      section.report.fault(`${path}.${field}`, `unknown field ${JSON.stringify(`${path}.${field}`)}`);
    return decoded.value as T;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const why = whyUnhandled(configuration, error);
    // The text names the field, without indexes: enough to find it in the document.
    const field = /Go struct field \w+\.(\S+) of type/.exec(why)?.[1];
    section.report.fault(field === undefined ? path : `${path}.${field}`, why);
    return undefined;
  }
};

export const readNodeAffinity = (args: Section): NonNullable<PluginArguments['nodeAffinity']> => {
  const given = args.value('addedAffinity');
  if (given === undefined) return {};
  const schema = nodeOf(affinitySchema).properties?.['nodeAffinity'] ?? {};
  const at = args.at('addedAffinity');
  const addedAffinity = decode<NodeAffinity>(args, schema, given, at);
  if (addedAffinity === undefined) return {};
  const causes: ReturnType<typeof invalidValue>[] = [];
  validateAffinity({ nodeAffinity: addedAffinity }, args.path, causes);
  const asAffinity = `${args.path}.nodeAffinity`;
  args.report.add(causes.map(cause => ({ ...cause, field: at + cause.field.slice(asAffinity.length) })));
  return { addedAffinity };
};

const actions = ['DoNotSchedule', 'ScheduleAnyway'];

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
    const { maxSkew, topologyKey, whenUnsatisfiable } = constraint;
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(pair)) args.report.add([duplicate(path, pair)]);
    seen.add(pair);
    defaults.push({ maxSkew, topologyKey, whenUnsatisfiable });
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
  for (const field of ['minDomains', 'nodeAffinityPolicy', 'nodeTaintsPolicy', 'matchLabelKeys'] as const)
    if (constraint[field] !== undefined)
      report.add([forbiddenField(`${path}.${field}`, 'Berth does not look at it in default constraints')]);
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
