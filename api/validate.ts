/**
 * Validation that all kinds share: the causes of field faults beyond those of status.ts, metadata at create and update,
 * selectors, and `validateObject`, which is what the write pipeline calls. Texts and paths are upstream's
 * (apimachinery api/validation). Validators push onto a list, so that valid objects cost little.
 */
import { deepEqual } from '#base/deep.ts';
import type { Kind } from './kind.ts';
import type { LabelSelector } from './kinds/meta.ts';
import { labelValueFaults, qualifiedNameFaults, subdomainFaults } from './label-names.ts';
import { asPrefix, type Faults, label1035Faults, labelFaults } from './names.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from './object.ts';
import { type Cause, duplicate, forbiddenField, invalidValue, required, tooLong } from './status.ts';

export type Causes = Cause[];

/** All faults of an object: metadata and what its kind checks. `old` is given on update. */
export const validateObject = <T extends KubeObject>(
  kind: Kind<T>,
  object: T,
  old: T | undefined,
): readonly Cause[] => {
  const causes: Causes = [];
  validateMetadata(object.metadata, kind, causes);
  if (old !== undefined) validateMetadataUpdate(object.metadata, old.metadata, causes);
  const own = kind.validate?.(object, old) ?? [];
  return own.length === 0 ? causes : [...causes, ...own];
};

export const fieldImmutable = 'field is immutable';
export const mustNotBeNegative = 'must be greater than or equal to 0';

/** The thing that a field refers to does not exist. */
export const notFoundValue = (field: string, value: unknown): Cause => ({
  reason: 'FieldValueNotFound',
  field,
  message: `Not found: ${JSON.stringify(value)}`,
});

export const tooMany = (field: string, count: number, limit: number): Cause => ({
  reason: 'FieldValueTooMany',
  field,
  message: `Too many: ${count}: must have at most ${limit} items`,
});

/** A value that was given before is a fault; this one is remembered. */
export const checkUnique = (causes: Causes, seen: Set<unknown>, path: string, value: unknown): void => {
  if (seen.has(value)) causes.push(duplicate(path, value));
  seen.add(value);
};

/** One Invalid cause per fault. */
export const pushFaults = (causes: Causes, field: string, value: unknown, faults: Faults): void => {
  for (const fault of faults) causes.push(invalidValue(field, value, fault));
};

export const checkNonNegative = (causes: Causes, field: string, value: number | undefined): void => {
  if (value !== undefined && value < 0) causes.push(invalidValue(field, value, mustNotBeNegative));
};

export const checkImmutable = (causes: Causes, field: string, value: unknown, old: unknown): void => {
  if (!deepEqual(value, old)) causes.push(invalidValue(field, value ?? null, fieldImmutable));
};

/** Required when empty, else the rule's faults. */
export const checkName = (
  causes: Causes,
  field: string,
  value: string | undefined,
  rule: (text: string) => Faults,
): void => {
  if (value === undefined || value === '') causes.push(required(field));
  else pushFaults(causes, field, value, rule(value));
};

/** The rule for names of objects of a kind. */
const nameRule = (kind: Pick<Kind, 'group' | 'kind'>): ((name: string) => Faults) =>
  kind.kind === 'Namespace' && kind.group === ''
    ? labelFaults
    : kind.kind === 'Service' && kind.group === ''
      ? label1035Faults
      : subdomainFaults;

const validateMetadata = (metadata: ObjectMeta, kind: Kind, causes: Causes): void => {
  const rule = nameRule(kind);
  if (metadata.generateName)
    pushFaults(causes, 'metadata.generateName', metadata.generateName, asPrefix(rule)(metadata.generateName));
  if (!metadata.name) causes.push(required('metadata.name', 'name or generateName is required'));
  else pushFaults(causes, 'metadata.name', metadata.name, rule(metadata.name));
  if (kind.namespaced) checkName(causes, 'metadata.namespace', metadata.namespace, labelFaults);
  else if (metadata.namespace) causes.push(forbiddenField('metadata.namespace', 'not allowed on this type'));
  checkNonNegative(causes, 'metadata.generation', metadata.generation);
  validateLabels(metadata.labels, 'metadata.labels', causes);
  validateAnnotations(metadata.annotations, 'metadata.annotations', causes);
  validateOwners(metadata.ownerReferences ?? [], causes);
  validateFinalizers(metadata.finalizers ?? [], causes);
};

export const validateLabels = (labels: Record<string, string> | undefined, path: string, causes: Causes): void => {
  for (const key in labels) {
    pushFaults(causes, path, key, qualifiedNameFaults(key));
    const value = labels[key] ?? '';
    pushFaults(causes, path, value, labelValueFaults(value));
  }
};

export const maxAnnotationBytes = 256 * 1024;

export const validateAnnotations = (
  annotations: Record<string, string> | undefined,
  path: string,
  causes: Causes,
): void => {
  let bytes = 0;
  for (const key in annotations) {
    pushFaults(causes, path, key, qualifiedNameFaults(key.toLowerCase()));
    bytes += byteLength(key) + byteLength(annotations[key] ?? '');
  }
  if (bytes > maxAnnotationBytes) causes.push(tooLong(path, maxAnnotationBytes));
};

const validateOwners = (owners: readonly OwnerReference[], causes: Causes): void => {
  let controller: string | undefined;
  owners.forEach((owner, i) => {
    const path = `metadata.ownerReferences[${i}]`;
    const version = (owner.apiVersion ?? '').split('/').pop() ?? '';
    if (version === '')
      causes.push(invalidValue(`${path}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'));
    for (const name of ['kind', 'name', 'uid'] as const)
      if (!owner[name]) causes.push(invalidValue(`${path}.${name}`, '', 'must not be empty'));
    if (!owner.controller) return;
    if (controller !== undefined)
      causes.push(
        invalidValue(
          'metadata.ownerReferences',
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner.name}`,
        ),
      );
    controller = owner.name;
  });
};

const standardFinalizers = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/** Faults of one finalizer's name. */
export const checkFinalizer = (finalizer: string, path: string, causes: Causes): void => {
  pushFaults(causes, path, finalizer, qualifiedNameFaults(finalizer));
  if (!finalizer.includes('/') && !standardFinalizers.has(finalizer))
    causes.push(invalidValue(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'));
};

const validateFinalizers = (finalizers: readonly string[], causes: Causes): void => {
  const path = 'metadata.finalizers';
  finalizers.forEach((finalizer, i) => {
    checkFinalizer(finalizer, `${path}[${i}]`, causes);
  });
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    causes.push(invalidValue(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
};

const immutableMetadata = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

const validateMetadataUpdate = (metadata: ObjectMeta, old: ObjectMeta, causes: Causes): void => {
  if (old.deletionTimestamp !== undefined) {
    const added = (metadata.finalizers ?? []).filter(finalizer => !old.finalizers?.includes(finalizer));
    if (added.length > 0)
      causes.push(
        forbiddenField(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(name => JSON.stringify(name)).join(', ')}}`,
        ),
      );
  }
  if ((metadata.generation ?? 0) < (old.generation ?? 0))
    causes.push(invalidValue('metadata.generation', metadata.generation ?? 0, 'must not be decremented'));
  for (const name of immutableMetadata) checkImmutable(causes, `metadata.${name}`, metadata[name], old[name]);
};

/** Faults of a label selector. */
export const validateSelector = (selector: LabelSelector | undefined, path: string, causes: Causes): void => {
  if (selector === undefined) return;
  validateLabels(selector.matchLabels, `${path}.matchLabels`, causes);
  (selector.matchExpressions ?? []).forEach((requirement, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    const values = requirement.values ?? [];
    checkOperator(requirement.operator, values, at, causes);
    pushFaults(causes, `${at}.key`, requirement.key ?? '', qualifiedNameFaults(requirement.key ?? ''));
    values.forEach((value, v) => {
      pushFaults(causes, `${at}.values[${v}]`, value, labelValueFaults(value));
    });
  });
};

/** Faults of an operator that label and node selectors share, and of how many values it has. */
export const checkOperator = (
  operator: string | undefined,
  values: readonly string[],
  path: string,
  causes: Causes,
): void => {
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0)
        causes.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0)
        causes.push(
          forbiddenField(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
      break;
    default:
      causes.push(invalidValue(`${path}.operator`, operator ?? '', notAnOperator));
  }
};

export const notAnOperator = 'not a valid selector operator';

/** Length in bytes of UTF-8. */
export const byteLength = (text: string): number => {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) bytes += code > 0x7ff && !(code >= 0xd800 && code <= 0xdfff) ? 2 : 1;
  }
  return bytes;
};
