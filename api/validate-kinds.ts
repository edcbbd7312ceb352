/** Validation of ConfigMap, Secret, Namespace, Node, Event, Lease and PriorityClass beyond their metadata. */
import { deepEqual } from '#base/deep.ts';
import { base64Length, base64ToText } from './base64.ts';
import type { Lease } from './kinds/coordination.ts';
import type { ConfigMap, Event, Namespace, Node, Secret } from './kinds/core.ts';
import type { PriorityClass } from './kinds/scheduling.ts';
import { configKeyFaults, rangeFaults } from './names.ts';
import { type Cause, duplicate, forbiddenField, invalidValue, required, tooLong } from './status.ts';
import { byteLength, type Causes, checkFinalizer, checkImmutable, mustNotBeNegative, pushFaults } from './validate.ts';
import { checkOneOf } from './validate-container.ts';
import { checkAmount } from './validate-resources.ts';
import { validateTaints } from './validate-scheduling.ts';

/** The most that a ConfigMap or Secret may hold. */
const maxContentBytes = 1024 * 1024;
const immutableSet = 'field is immutable when `immutable` is set';

export const validateConfigMap = (map: ConfigMap, old: ConfigMap | undefined): readonly Cause[] => {
  const causes: Causes = [];
  if (old?.immutable) checkFrozen(map, old, ['data', 'binaryData'], causes);
  let bytes = 0;
  for (const [key, text] of Object.entries(map.data ?? {})) {
    pushFaults(causes, `data[${key}]`, key, configKeyFaults(key));
    if (map.binaryData?.[key] !== undefined)
      causes.push(invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    bytes += byteLength(text);
  }
  for (const [key, base64] of Object.entries(map.binaryData ?? {})) {
    pushFaults(causes, `binaryData[${key}]`, key, configKeyFaults(key));
    bytes += base64Length(base64);
  }
  if (bytes > maxContentBytes) causes.push(tooLong('[]', maxContentBytes));
  return causes;
};

type Frozen = 'data' | 'binaryData';
type Freezable = { immutable?: boolean } & Partial<Record<Frozen, Record<string, string>>>;

const checkFrozen = (object: Freezable, old: Freezable, fields: readonly Frozen[], causes: Causes): void => {
  if (!object.immutable) causes.push(forbiddenField('immutable', immutableSet));
  for (const field of fields)
    if (!deepEqual(object[field] ?? {}, old[field] ?? {})) causes.push(forbiddenField(field, immutableSet));
};

export const validateSecret = (secret: Secret, old: Secret | undefined): readonly Cause[] => {
  const causes: Causes = [];
  if (old !== undefined) checkImmutable(causes, 'type', secret.type, old.type);
  if (old?.immutable) checkFrozen(secret, old, ['data'], causes);
  let bytes = 0;
  for (const [key, base64] of Object.entries(secret.data ?? {})) {
    pushFaults(causes, `data[${key}]`, key, configKeyFaults(key));
    bytes += base64Length(base64);
  }
  if (bytes > maxContentBytes) causes.push(tooLong('data', maxContentBytes));
  checkSecretType(secret, causes);
  return causes;
};

const accountName = 'kubernetes.io/service-account.name';

const checkSecretType = ({ type, data = {}, metadata }: Secret, causes: Causes): void => {
  const needs = (key: string) => {
    if (data[key] === undefined) causes.push(required(`data[${key}]`));
  };
  switch (type) {
    case 'kubernetes.io/service-account-token':
      if (!metadata.annotations?.[accountName]) causes.push(required(`metadata.annotations[${accountName}]`));
      return;
    case 'kubernetes.io/dockercfg':
      checkJson('.dockercfg', data, causes);
      return;
    case 'kubernetes.io/dockerconfigjson':
      checkJson('.dockerconfigjson', data, causes);
      return;
    case 'kubernetes.io/basic-auth':
      if (data['username'] === undefined && data['password'] === undefined) {
        needs('username');
        needs('password');
      }
      return;
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) causes.push(required('data[ssh-privatekey]'));
      return;
    case 'kubernetes.io/tls':
      needs('tls.crt');
      needs('tls.key');
  }
};

const checkJson = (key: string, data: Readonly<Record<string, string>>, causes: Causes): void => {
  const base64 = data[key];
  if (base64 === undefined) {
    causes.push(required(`data[${key}]`));
    return;
  }
  const fault = jsonFault(base64ToText(base64));
  if (fault !== undefined) causes.push(invalidValue(`data[${key}]`, '<secret contents redacted>', fault));
};

// The parser's own message would quote the secret.
const jsonFault = (text: string): string | undefined => {
  if (text === '') return 'unexpected end of JSON input';
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? undefined : 'must be a JSON object';
  } catch {
    return 'must be valid JSON';
  }
};

export const validateNamespace = (
  { spec, status, metadata }: Namespace,
  old: Namespace | undefined,
): readonly Cause[] => {
  const causes: Causes = [];
  for (const finalizer of spec.finalizers ?? []) checkFinalizer(finalizer, 'spec.finalizers', causes);
  if (old === undefined || deepEqual(status, old.status)) return causes;
  const expected = metadata.deletionTimestamp === undefined ? 'Active' : 'Terminating';
  const when = expected === 'Active' ? 'empty' : 'not empty';
  if (status?.phase !== expected)
    causes.push(
      invalidValue(
        'status.Phase',
        status?.phase ?? '',
        `may only be '${expected}' if \`deletionTimestamp\` is ${when}`,
      ),
    );
  return causes;
};

export const validateNode = (node: Node, old: Node | undefined): readonly Cause[] => {
  const causes: Causes = [];
  // `metadata.taints` is upstream's path.
  validateTaints(node.spec.taints ?? [], 'metadata.taints', causes);
  for (const list of ['capacity', 'allocatable'] as const)
    for (const [name, amount] of Object.entries(node.status?.[list] ?? {}))
      checkAmount(name, amount, `status.${list}.${name}`, causes);
  (node.spec.podCIDRs ?? []).forEach((range, i) => {
    pushFaults(causes, `spec.podCIDRs[${i}]`, range, rangeFaults(range));
  });
  if (old !== undefined) validateNodeUpdate(node, old, causes);
  return causes;
};

const validateNodeUpdate = (node: Node, old: Node, causes: Causes): void => {
  const seen = new Set<string>();
  (node.status?.addresses ?? []).forEach((address, i) => {
    const key = `${address.type} ${address.address}`;
    if (seen.has(key)) causes.push(duplicate(`status.addresses[${i}]`, address));
    seen.add(key);
  });
  if ((old.spec.podCIDRs ?? []).length > 0 && !deepEqual(node.spec.podCIDRs, old.spec.podCIDRs))
    causes.push(forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  if (old.spec.providerID && old.spec.providerID !== node.spec.providerID)
    causes.push(forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  if ((old.spec.externalID ?? '') !== (node.spec.externalID ?? ''))
    causes.push(forbiddenField('spec.externalID', 'may not be updated'));
};

export const validateEvent = ({ metadata, involvedObject }: Event): readonly Cause[] => {
  const about = involvedObject?.namespace ?? '';
  const isHome = about === '' ? ['', 'default'].includes(metadata.namespace ?? '') : about === metadata.namespace;
  return isHome ? [] : [invalidValue('involvedObject.namespace', about, 'does not match event.namespace')];
};

export const validateLease = ({ spec }: Lease): readonly Cause[] => {
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions } = spec;
  const causes: Causes = [];
  if (seconds !== undefined && seconds <= 0)
    causes.push(invalidValue('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
  if (transitions !== undefined && transitions < 0)
    causes.push(invalidValue('spec.leaseTransitions', transitions, mustNotBeNegative));
  return causes;
};

/** The highest priority that a user may define; above it is the system's. */
const highestUserPriority = 1_000_000_000;
const systemClasses: ReadonlyMap<string, number> = new Map([
  ['system-node-critical', 2_000_001_000],
  ['system-cluster-critical', 2_000_000_000],
]);

export const validatePriorityClass = (
  priorityClass: PriorityClass,
  old: PriorityClass | undefined,
): readonly Cause[] => {
  const causes: Causes = [];
  const { metadata, value, preemptionPolicy } = priorityClass;
  const fault = systemClassFault(priorityClass);
  if (fault !== undefined)
    causes.push(
      forbiddenField(
        'metadata.name',
        `priority class names with 'system-' prefix are reserved for system use only. error: ${fault}`,
      ),
    );
  else if (!metadata.name?.startsWith('system-') && value > highestUserPriority)
    causes.push(forbiddenField('value', `maximum allowed value of a user defined priority is ${highestUserPriority}`));
  checkOneOf(preemptionPolicy, ['PreemptLowerPriority', 'Never'], 'preemptionPolicy', causes);
  if (old === undefined) return causes;
  if (value !== old.value) causes.push(forbiddenField('value', 'may not be changed in an update.'));
  checkImmutable(causes, 'preemptionPolicy', preemptionPolicy, old.preemptionPolicy);
  return causes;
};

const systemClassFault = ({ metadata: { name }, value, globalDefault }: PriorityClass): string | undefined => {
  if (!name?.startsWith('system-')) return undefined;
  const known = systemClasses.get(name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
};
