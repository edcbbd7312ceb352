/** Arguments of NodeAffinity: an affinity that every pod of the profile has beside its own. */
import { affinitySchema, type NodeAffinity, type NodeSelectorRequirement } from '#api/kinds/affinity.ts';
import { requirementFaults } from '#api/label-requirements.ts';
import { toRequirement } from '#api/node-selector.ts';
import { nodeOf } from '#api/schema.ts';
import { invalidValue, notSupported } from '#api/status.ts';
import type { PluginArguments } from '../profile.ts';
import { decode } from './decode.ts';
import type { Report, Section } from './fields.ts';

export const readNodeAffinity = (args: Section): NonNullable<PluginArguments['nodeAffinity']> => {
  const given = args.value('addedAffinity');
  if (given === undefined) return {};
  const schema = nodeOf(affinitySchema).properties?.['nodeAffinity'] ?? {};
  const at = args.at('addedAffinity');
  const addedAffinity = decode<NodeAffinity>(args, schema, given, at);
  if (addedAffinity === undefined) return {};
  const must = 'requiredDuringSchedulingIgnoredDuringExecution';
  const wish = 'preferredDuringSchedulingIgnoredDuringExecution';
  (addedAffinity[must]?.nodeSelectorTerms ?? []).forEach((term, i) => {
    checkTerm(term, `${at}.${must}.nodeSelectorTerms[${i}]`, args.report);
  });
  (addedAffinity[wish] ?? []).forEach(({ weight, preference }, i) => {
    // Upstream does not read wishes that count nothing.
    if (weight !== 0) checkTerm(preference ?? {}, `${at}.${wish}[${i}].preference`, args.report);
  });
  return { addedAffinity };
};

interface Term {
  readonly matchExpressions?: readonly NodeSelectorRequirement[];
  readonly matchFields?: readonly NodeSelectorRequirement[];
}

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'];

/** As upstream parses terms, which is less strict than what it asks of a pod's. */
const checkTerm = ({ matchExpressions = [], matchFields = [] }: Term, path: string, report: Report): void => {
  matchExpressions.forEach((requirement, i) => {
    checkExpression(requirement, `${path}.matchExpressions[${i}]`, report);
  });
  matchFields.forEach(({ operator, values = [] }, i) => {
    const at = `${path}.matchFields[${i}]`;
    const isKnown = operator === 'In' || operator === 'NotIn';
    if (!isKnown) report.add([notSupported(`${at}.operator`, operator ?? '', ['In', 'NotIn'])]);
    else if (values.length !== 1) report.add([invalidValue(`${at}.values`, values, 'must have one element')]);
  });
};

const checkExpression = (requirement: NodeSelectorRequirement, at: string, report: Report): void => {
  const parsed = toRequirement(requirement);
  if (parsed === undefined) {
    report.add([notSupported(`${at}.operator`, requirement.operator ?? '', operators)]);
    return;
  }
  for (const fault of requirementFaults({ ...parsed, key: requirement.key ?? '' })) {
    // `values[0]: Invalid value: …`; a fault of the key names no field.
    const [, field = '', message = fault] = /^([^:]*): (.*)$/s.exec(fault) ?? [];
    report.fault(`${at}.${field === '<nil>' ? 'key' : field}`, message);
  }
};
