/** Validation of what the scheduler reads: selectors, affinity, tolerations, taints, topology spread, gates. */
import type {
  Affinity,
  LabelSelector,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  Taint,
  Toleration,
  TopologySpreadConstraint,
} from './kinds/core.ts';
import { labelValueFaults, qualifiedNameFaults, subdomainFaults } from './label-names.ts';
import { labelFaults } from './names.ts';
import { duplicate, forbiddenField, invalidValue, notSupported, required } from './status.ts';
import { type Causes, checkOperator, checkUnique, notAnOperator, pushFaults, validateSelector } from './validate.ts';

export const validateAffinity = (affinity: Affinity | undefined, path: string, causes: Causes): void => {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {};
  const must = 'requiredDuringSchedulingIgnoredDuringExecution';
  const wish = 'preferredDuringSchedulingIgnoredDuringExecution';
  if (nodeAffinity?.[must] !== undefined)
    validateNodeSelector(nodeAffinity[must], `${path}.nodeAffinity.${must}`, causes);
  (nodeAffinity?.[wish] ?? []).forEach((term, i) => {
    const at = `${path}.nodeAffinity.${wish}[${i}]`;
    checkWeight(term.weight, `${at}.weight`, causes);
    // Label values of wishes are not checked, as upstream: such a wish just never holds.
    validateNodeTerm(term.preference ?? {}, false, `${at}.preference`, causes);
  });
  for (const [name, terms] of [
    ['podAffinity', podAffinity],
    ['podAntiAffinity', podAntiAffinity],
  ] as const) {
    (terms?.[must] ?? []).forEach((term, i) => {
      validatePodTerm(term, `${path}.${name}.${must}[${i}]`, causes);
    });
    (terms?.[wish] ?? []).forEach((term, i) => {
      const at = `${path}.${name}.${wish}[${i}]`;
      checkWeight(term.weight, `${at}.weight`, causes);
      validatePodTerm(term.podAffinityTerm ?? { topologyKey: '' }, `${at}.podAffinityTerm`, causes);
    });
  }
};

const checkWeight = (weight: number | undefined, path: string, causes: Causes): void => {
  const value = weight ?? 0;
  if (value <= 0 || value > 100) causes.push(invalidValue(path, value, 'must be in the range 1-100'));
};

export const validateNodeSelector = (selector: NodeSelector, path: string, causes: Causes): void => {
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0)
    causes.push(required(`${path}.nodeSelectorTerms`, 'must have at least one node selector term'));
  terms.forEach((term, i) => {
    validateNodeTerm(term, true, `${path}.nodeSelectorTerms[${i}]`, causes);
  });
};

const validateNodeTerm = (term: NodeSelectorTerm, checkValues: boolean, path: string, causes: Causes): void => {
  (term.matchExpressions ?? []).forEach((requirement, i) => {
    validateNodeRequirement(requirement, checkValues, `${path}.matchExpressions[${i}]`, causes);
  });
  (term.matchFields ?? []).forEach((requirement, i) => {
    validateFieldRequirement(requirement, `${path}.matchFields[${i}]`, causes);
  });
};

const validateNodeRequirement = (
  { key, operator, values = [] }: NodeSelectorRequirement,
  checkValues: boolean,
  path: string,
  causes: Causes,
): void => {
  if (operator !== 'Gt' && operator !== 'Lt') checkOperator(operator, values, path, causes);
  else if (values.length !== 1)
    causes.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  pushFaults(causes, `${path}.key`, key ?? '', qualifiedNameFaults(key ?? ''));
  if (checkValues)
    values.forEach((value, i) => {
      pushFaults(causes, `${path}.values[${i}]`, value, labelValueFaults(value));
    });
};

const validateFieldRequirement = (
  { key, operator, values = [] }: NodeSelectorRequirement,
  path: string,
  causes: Causes,
): void => {
  if (operator !== 'In' && operator !== 'NotIn')
    causes.push(invalidValue(`${path}.operator`, operator ?? '', notAnOperator));
  else if (values.length !== 1)
    causes.push(
      required(`${path}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
    );
  if (key !== 'metadata.name') causes.push(invalidValue(`${path}.key`, key ?? '', 'not a valid field selector key'));
  else
    values.forEach((value, i) => {
      pushFaults(causes, `${path}.values[${i}]`, value, subdomainFaults(value));
    });
};

const validatePodTerm = (term: PodAffinityTerm, path: string, causes: Causes): void => {
  validateSelector(term.labelSelector, `${path}.labelSelector`, causes);
  validateSelector(term.namespaceSelector, `${path}.namespaceSelector`, causes);
  for (const name of term.namespaces ?? []) pushFaults(causes, `${path}.namespace`, name, labelFaults(name));
  validateLabelKeys(term.matchLabelKeys, term.mismatchLabelKeys, term.labelSelector, path, causes);
  if (!term.topologyKey) causes.push(required(`${path}.topologyKey`, 'can not be empty'));
  pushFaults(causes, `${path}.topologyKey`, term.topologyKey ?? '', qualifiedNameFaults(term.topologyKey ?? ''));
};

/**
 * Keys whose values come from the pod itself. Admission has already put them into the selector, so a key that stands
 * there twice was given in both places.
 */
const validateLabelKeys = (
  match: readonly string[] = [],
  mismatch: readonly string[] = [],
  selector: LabelSelector | undefined,
  path: string,
  causes: Causes,
): void => {
  for (const [name, keys] of [
    ['matchLabelKeys', match],
    ['mismatchLabelKeys', mismatch],
  ] as const) {
    if (keys.length === 0) continue;
    if (selector === undefined)
      causes.push(forbiddenField(`${path}.${name}`, 'must not be specified when labelSelector is not set'));
    else
      keys.forEach((key, i) => {
        pushFaults(causes, `${path}.${name}[${i}]`, key, qualifiedNameFaults(key));
      });
  }
  const seen = new Set(Object.keys(selector?.matchLabels ?? {}));
  for (const { key } of selector?.matchExpressions ?? []) {
    const i = match.indexOf(key);
    if (i >= 0 && seen.has(key))
      causes.push(invalidValue(`${path}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    seen.add(key);
  }
  match.forEach((key, i) => {
    if (mismatch.includes(key))
      causes.push(
        invalidValue(`${path}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'),
      );
  });
};

export const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export const validateTolerations = (tolerations: readonly Toleration[], path: string, causes: Causes): void =>
  tolerations.forEach((toleration, i) => {
    const at = `${path}[${i}]`;
    const { key = '', value = '', effect = '', tolerationSeconds } = toleration;
    const operator: string = toleration.operator ?? '';
    if (key !== '') pushFaults(causes, `${at}.key`, key, qualifiedNameFaults(key));
    else if (operator !== 'Exists')
      causes.push(
        invalidValue(
          `${at}.operator`,
          operator,
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      causes.push(invalidValue(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    if (operator === 'Exists') {
      if (value !== '')
        causes.push(invalidValue(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"));
    } else if (operator === '' || operator === 'Equal') {
      const faults = labelValueFaults(value);
      if (faults.length > 0) causes.push(invalidValue(`${at}.operator`, value, faults.join(';')));
    } else {
      causes.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']));
    }
    if (effect !== '' && !taintEffects.includes(effect))
      causes.push(notSupported(`${at}.effect`, effect, taintEffects));
  });

export const validateTaints = (taints: readonly Taint[], path: string, causes: Causes): void => {
  const seen = new Set<string>();
  taints.forEach((taint, i) => {
    const at = `${path}[${i}]`;
    pushFaults(causes, `${at}.key`, taint.key ?? '', qualifiedNameFaults(taint.key ?? ''));
    const faults = labelValueFaults(taint.value ?? '');
    if (faults.length > 0) causes.push(invalidValue(`${at}.value`, taint.value, faults.join(';')));
    if (!taint.effect) causes.push(required(`${at}.effect`));
    else if (!taintEffects.includes(taint.effect))
      causes.push(notSupported(`${at}.effect`, taint.effect, taintEffects));
    const pair = `${taint.key} ${taint.effect}`;
    if (seen.has(pair)) {
      const cause = duplicate(at, taint);
      causes.push({ ...cause, message: `${cause.message}: taints must be unique by key and effect pair` });
    }
    seen.add(pair);
  });
};

export const validateSpread = (constraints: readonly TopologySpreadConstraint[], path: string, causes: Causes): void =>
  constraints.forEach((constraint, i) => {
    const at = `${path}[${i}]`;
    const { maxSkew = 0, topologyKey = '', minDomains } = constraint;
    const action: string = constraint.whenUnsatisfiable ?? '';
    checkPositive(maxSkew, `${at}.maxSkew`, causes);
    if (topologyKey === '') causes.push(required(`${at}.topologyKey`, 'can not be empty'));
    if (action !== 'DoNotSchedule' && action !== 'ScheduleAnyway')
      causes.push(notSupported(`${at}.whenUnsatisfiable`, action, ['DoNotSchedule', 'ScheduleAnyway']));
    const repeats = constraints
      .slice(i + 1)
      .some(other => other.topologyKey === topologyKey && other.whenUnsatisfiable === action);
    if (repeats) causes.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${action}}`));
    if (minDomains !== undefined) {
      checkPositive(minDomains, `${at}.minDomains`, causes);
      if (action !== 'DoNotSchedule')
        causes.push(
          invalidValue(
            `${at}.minDomains`,
            minDomains,
            `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`,
          ),
        );
    }
    for (const name of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      const policy: string | undefined = constraint[name];
      if (policy !== undefined && policy !== 'Honor' && policy !== 'Ignore')
        causes.push(notSupported(`${at}.${name}`, policy, ['Honor', 'Ignore']));
    }
    validateLabelKeys(constraint.matchLabelKeys, undefined, constraint.labelSelector, at, causes);
    validateSelector(constraint.labelSelector, `${at}.labelSelector`, causes);
  });

const checkPositive = (value: number, path: string, causes: Causes): void => {
  if (value <= 0) causes.push(invalidValue(path, value, 'must be greater than zero'));
};

export const validateGates = (gates: readonly { name: string }[], path: string, causes: Causes): void => {
  const seen = new Set<string>();
  gates.forEach(({ name }, i) => {
    pushFaults(causes, `${path}[${i}]`, name ?? '', qualifiedNameFaults(name ?? ''));
    checkUnique(causes, seen, `${path}[${i}]`, name);
  });
};
