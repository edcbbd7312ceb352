/**
 * Who owns which field: metadata.managedFields as a table of managers. A manager is known by name, operation,
 * subresource and, for updates, API version; names, order, limits and defaults are those of apimachinery's managedfields.
 */
import type { ManagedFieldsEntry } from '../object.ts';
import { differenceOf, type FieldSet, isEmptySet, noFields, parseFieldsV1, unionOf } from './fieldset.ts';

export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource?: string;
}

export interface Owned extends Manager {
  readonly fields: FieldSet;
  /** RFC 3339. */
  readonly time?: string;
}

/** Fields by manager key. */
export type Ownership = ReadonlyMap<string, Owned>;

/** Keeps an applier one manager through all versions of the kind, as upstream does. */
export const keyOfManager = ({ manager, operation, apiVersion, subresource = '' }: Manager): string =>
  JSON.stringify([manager, operation, operation === 'Apply' ? '' : apiVersion, subresource]);

/** The table of stored or given entries; undefined when they are not well formed. */
export const parseManagedFields = (entries: readonly ManagedFieldsEntry[] | undefined): Ownership | undefined => {
  const ownership = new Map<string, Owned>();
  for (const entry of entries ?? []) {
    const fields = parseFieldsV1(entry.fieldsV1 ?? {});
    if (fields === undefined || (entry.operation !== 'Apply' && entry.operation !== 'Update')) return undefined;
    const owned: Owned = {
      manager: entry.manager ?? '',
      operation: entry.operation,
      apiVersion: entry.apiVersion ?? '',
      ...(entry.subresource ? { subresource: entry.subresource } : {}),
      ...(entry.time ? { time: entry.time } : {}),
      fields,
    };
    const key = keyOfManager(owned);
    const before = ownership.get(key);
    ownership.set(key, before === undefined ? owned : { ...owned, fields: unionOf(before.fields, fields) });
  }
  return ownership;
};

/** Entries in upstream's order: appliers first, then by time and name. Managers without fields are left out. */
export const managedFieldsOf = (ownership: Ownership): ManagedFieldsEntry[] =>
  [...capUpdaters(ownership)]
    .filter(owned => !isEmptySet(owned.fields))
    .sort(byOperationTimeName)
    .map(({ manager, operation, apiVersion, time, fields, subresource }) => ({
      manager,
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: fields,
      ...(subresource === undefined ? {} : { subresource }),
    }));

const byOperationTimeName = (a: Owned, b: Owned): number =>
  compare(a.operation, b.operation) ||
  compare(a.time ?? '', b.time ?? '') ||
  compare(a.manager, b.manager) ||
  compare(a.apiVersion, b.apiVersion) ||
  compare(a.subresource ?? '', b.subresource ?? '');

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const maxUpdaters = 10;
const ancientManager = 'ancient-changes';

/** The oldest updaters share one entry once there are more than ten, so that the list cannot grow without bound. */
const capUpdaters = (ownership: Ownership): readonly Owned[] => {
  const all = [...ownership.values()];
  const updaters = all.filter(({ operation }) => operation === 'Update').sort(byOperationTimeName);
  if (updaters.length <= maxUpdaters) return all;
  const surplus = updaters.slice(0, updaters.length - maxUpdaters + 1);
  const last = surplus[surplus.length - 1] as Owned;
  const merged: Owned = {
    manager: ancientManager,
    operation: 'Update',
    apiVersion: last.apiVersion,
    ...(last.time === undefined ? {} : { time: last.time }),
    fields: surplus.reduce((fields, owned) => unionOf(fields, owned.fields), noFields),
  };
  return [...all.filter(owned => !surplus.includes(owned)), merged];
};

const f = (...names: string[]): FieldSet => Object.fromEntries(names.map(name => [`f:${name}`, noFields]));

/** Fields that nobody owns: identity and what the server keeps. */
const unowned: FieldSet = {
  ...f('apiVersion', 'kind'),
  'f:metadata': {
    '.': noFields,
    ...f(
      'name',
      'namespace',
      'creationTimestamp',
      'selfLink',
      'uid',
      'clusterName',
      'generation',
      'managedFields',
      'resourceVersion',
    ),
  },
};

export const withoutUnowned = (fields: FieldSet): FieldSet => differenceOf(fields, unowned);
