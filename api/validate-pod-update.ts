/** What may change in a pod that exists (upstream ValidatePodUpdate and ValidatePodStatusUpdate). */
import { deepEqual } from '#base/deep.ts';
import type { ContainerStatus, NodeSelector, Pod, PodSpec, PodStatus, Toleration } from './kinds/core.ts';
import { qualifiedNameFaults, subdomainFaults } from './label-names.ts';
import { addressFaults, inclusiveRange } from './names.ts';
import { compareQuantities } from './quantity.ts';
import { isSidecar } from './resources.ts';
import { forbiddenField, invalidValue } from './status.ts';
import { type Causes, checkImmutable, pushFaults } from './validate.ts';

/** Faults of the change; `validateSpec` is called when the spec has changed at all. */
export const validatePodUpdate = (pod: Pod, old: Pod, causes: Causes, validateSpec: () => void): void => {
  if (!deepEqual(pod.status, old.status)) validateStatusUpdate(pod, old, causes);
  if (sameMeaning(pod.spec, old.spec)) return;
  validateSpec();
  if (!sameContainers(pod.spec, old.spec, causes)) return;
  if (!validateDeadline(pod.spec, old.spec, causes)) return;
  validateAddedTolerations(pod.spec.tolerations ?? [], old.spec.tolerations ?? [], causes);
  validateRemovedGates(pod.spec, old.spec, causes);
  const rest = withAllowedChanges(pod.spec, old.spec, causes);
  if (sameMeaning(rest, old.spec)) return;
  causes.push(
    forbiddenField(
      'spec',
      `pod updates may not change fields other than ${updatable.join(',')}\n${diff(old.spec, rest)}`,
    ),
  );
};

const updatable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
];

const sameContainers = (spec: PodSpec, old: PodSpec, causes: Causes): boolean => {
  for (const name of ['containers', 'initContainers'] as const) {
    const count = spec[name]?.length ?? 0;
    if (count !== (old[name]?.length ?? 0)) {
      causes.push(forbiddenField(`spec.${name}`, 'pod updates may not add or remove containers'));
      return false;
    }
  }
  return true;
};

const maxInt32 = 2147483647;

const validateDeadline = (spec: PodSpec, old: PodSpec, causes: Causes): boolean => {
  const field = 'spec.activeDeadlineSeconds';
  const deadline = spec.activeDeadlineSeconds;
  const before = old.activeDeadlineSeconds;
  if (deadline === undefined) {
    if (before !== undefined)
      causes.push(invalidValue(field, null, 'must not update from a positive integer to nil value'));
    return true;
  }
  if (deadline < 0 || deadline > maxInt32) {
    causes.push(invalidValue(field, deadline, inclusiveRange(0, maxInt32)));
    return false;
  }
  if (before === undefined || before >= deadline) return true;
  causes.push(invalidValue(field, deadline, 'must be less than or equal to previous value'));
  return false;
};

const validateAddedTolerations = (
  tolerations: readonly Toleration[],
  old: readonly Toleration[],
  causes: Causes,
): void => {
  const kept = (toleration: Toleration) =>
    tolerations.some(now => {
      const { tolerationSeconds: _, ...given } = now;
      const { tolerationSeconds: __, ...before } = toleration;
      return deepEqual(given, before);
    });
  if (!old.every(kept))
    causes.push(
      forbiddenField('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'),
    );
};

const validateRemovedGates = (spec: PodSpec, old: PodSpec, causes: Causes): void => {
  const before = new Set(old.schedulingGates?.map(gate => gate.name));
  (spec.schedulingGates ?? []).forEach(({ name }, i) => {
    if (!before.has(name))
      causes.push(
        forbiddenField(
          `spec.schedulingGates[${i}].name`,
          `only deletion is allowed, but found new scheduling gate '${name}'`,
        ),
      );
  });
};

/** The new spec with everything put back that may change: what is left must equal the old one. */
const withAllowedChanges = (spec: PodSpec, old: PodSpec, causes: Causes): PodSpec => {
  const rest: PodSpec = {
    ...spec,
    containers: spec.containers.map((container, i) => withImage(container, old.containers[i])),
  };
  if (spec.initContainers !== undefined)
    rest.initContainers = spec.initContainers.map((container, i) => withImage(container, old.initContainers?.[i]));
  putBack(rest, old, 'activeDeadlineSeconds');
  putBack(rest, old, 'schedulingGates');
  putBack(rest, old, 'tolerations');
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1)
    putBack(rest, old, 'terminationGracePeriodSeconds');
  if ((old.schedulingGates ?? []).length > 0) allowGated(rest, old, causes);
  return rest;
};

const withImage = <T extends { image?: string }>(container: T, old: T | undefined): T =>
  old?.image === undefined ? container : { ...container, image: old.image };

const putBack = <K extends keyof PodSpec>(spec: PodSpec, old: PodSpec, name: K): void => {
  const before = old[name];
  if (before === undefined) delete spec[name];
  else spec[name] = before;
};

/** A gated pod may become choosier about its node. */
const allowGated = (rest: PodSpec, old: PodSpec, causes: Causes): void => {
  if (!deepEqual(rest.nodeSelector, old.nodeSelector)) {
    for (const [key, value] of Object.entries(old.nodeSelector ?? {}))
      if (rest.nodeSelector?.[key] !== value) {
        causes.push(
          invalidValue(
            'spec.nodeSelector',
            rest.nodeSelector ?? null,
            'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
          ),
        );
        break;
      }
    putBack(rest, old, 'nodeSelector');
  }
  const now = rest.affinity?.nodeAffinity;
  const before = old.affinity?.nodeAffinity;
  if (deepEqual(now, before)) return;
  const must = 'requiredDuringSchedulingIgnoredDuringExecution';
  checkNarrower(now?.[must], before?.[must], `spec.affinity.nodeAffinity.${must}`, causes);
  const { nodeAffinity: _, ...others } = rest.affinity ?? {};
  const affinity = before === undefined ? others : { ...others, nodeAffinity: before };
  if (Object.keys(affinity).length === 0 && old.affinity === undefined) delete rest.affinity;
  else rest.affinity = affinity;
};

/** Terms stay as many and in order, and each only gains requirements. */
const checkNarrower = (
  now: NodeSelector | undefined,
  before: NodeSelector | undefined,
  path: string,
  causes: Causes,
): void => {
  if (before === undefined || deepEqual(now, before)) return;
  const terms = now?.nodeSelectorTerms ?? [];
  const oldTerms = before.nodeSelectorTerms ?? [];
  if (terms.length !== oldTerms.length) {
    causes.push(
      invalidValue(
        `${path}.nodeSelectorTerms`,
        terms,
        'no additions/deletions to non-empty NodeSelectorTerms list are allowed',
      ),
    );
    return;
  }
  oldTerms.forEach((oldTerm, i) => {
    const at = `${path}.nodeSelectorTerms[${i}]`;
    const isEmpty = (oldTerm.matchExpressions ?? []).length === 0 && (oldTerm.matchFields ?? []).length === 0;
    const changed = !deepEqual(terms[i], oldTerm);
    if (isEmpty) {
      if (changed)
        causes.push(invalidValue(at, terms[i], 'updates are not allowed for nodeSelectorTerms that are empty'));
      return;
    }
    for (const name of ['matchExpressions', 'matchFields'] as const) {
      const oldList = oldTerm[name] ?? [];
      if (!deepEqual((terms[i]?.[name] ?? []).slice(0, oldList.length), oldList))
        causes.push(
          invalidValue(
            `${at}.${name}`,
            terms[i]?.[name] ?? null,
            'only additions are allowed (no mutations or deletions)',
          ),
        );
    }
  });
};

const validateStatusUpdate = (pod: Pod, old: Pod, causes: Causes): void => {
  const status = pod.status ?? {};
  const before = old.status ?? {};
  (status.conditions ?? []).forEach((condition, i) => {
    if (!before.conditions?.some(known => known.type === condition.type))
      pushFaults(
        causes,
        `status.conditions[${i}].type`,
        condition.type ?? '',
        qualifiedNameFaults(condition.type ?? ''),
      );
  });
  const nominated = status.nominatedNodeName;
  if (nominated && nominated !== before.nominatedNodeName)
    pushFaults(causes, 'status.nominatedNodeName', nominated, subdomainFaults(nominated));
  if (before.qosClass !== undefined) checkImmutable(causes, 'status.qosClass', status.qosClass, before.qosClass);
  checkTransitions(pod.spec, status, before, causes);
  (status.podIPs ?? []).forEach(({ ip }, i) => {
    if (!before.podIPs?.some(known => known.ip === ip))
      pushFaults(causes, `status.podIPs[${i}]`, ip, addressFaults(ip));
  });
};

/** A container that has ended for good does not run again. */
const checkTransitions = (spec: PodSpec, status: PodStatus, before: PodStatus, causes: Causes): void => {
  for (const [list, containers] of [
    ['containerStatuses', spec.containers],
    ['initContainerStatuses', spec.initContainers ?? []],
  ] as const) {
    (before[list] ?? []).forEach((old, i) => {
      const code = old.state?.terminated?.exitCode;
      if (code === undefined || mayRestart(spec, containers, old, code)) return;
      const now = status[list]?.find(({ name }) => name === old.name);
      if (now !== undefined && now.state?.terminated === undefined)
        causes.push(forbiddenField(`status.${list}[${i}].state`, 'may not be transitioned to non-terminated state'));
    });
  }
};

const mayRestart = (
  spec: PodSpec,
  containers: PodSpec['containers'],
  status: ContainerStatus,
  exitCode: number,
): boolean => {
  const container = containers.find(({ name }) => name === status.name);
  if (container !== undefined && (isSidecar(container) || container.restartPolicyRules !== undefined)) return true;
  const policy = container?.restartPolicy ?? spec.restartPolicy;
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
};

const amountLists = new Set(['requests', 'limits', 'overhead', 'sizeLimit', 'divisor']);

/** Equal, counting amounts of one value but another format as equal, and empty lists as absent. */
const sameMeaning = (a: unknown, b: unknown, isAmount = false): boolean => {
  if (a === b) return true;
  if (isAmount && typeof a === 'string' && typeof b === 'string') return compareQuantities(a, b) === 0;
  if (isEmpty(a) && isEmpty(b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((x, i) => sameMeaning(x, b[i]));
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every(key => sameMeaning(left[key], right[key], isAmount || amountLists.has(key)));
};

const isEmpty = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length === 0);

/** The fields that differ, one per line, as `path: old → new`. */
const diff = (old: unknown, now: unknown): string => {
  const lines: string[] = [];
  collect(old, now, '', lines);
  return lines.join('\n');
};

const maxDiffLines = 50;

const collect = (old: unknown, now: unknown, path: string, lines: string[]): void => {
  if (lines.length >= maxDiffLines || sameMeaning(old, now)) return;
  const isTree = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!isTree(old) || !isTree(now) || Array.isArray(old) !== Array.isArray(now)) {
    lines.push(`${path}: ${JSON.stringify(old) ?? 'absent'} → ${JSON.stringify(now) ?? 'absent'}`);
    return;
  }
  for (const key of new Set([...Object.keys(old), ...Object.keys(now)]))
    collect(old[key], now[key], Array.isArray(old) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`, lines);
};
