/**
 * Server-side apply, and the field ownership that it rests on. An applier owns what its configuration says; what it no
 * longer says and nobody else owns is removed; changing what others own is a conflict unless forced. Plain writes are
 * tracked too, so that they and appliers see each other (apimachinery managedfields, structured-merge-diff).
 */

import { decodeValue } from '../decode.ts';
import type { Kind } from '../kind.ts';
import { groupVersion } from '../kind.ts';
import type { KubeObject, ManagedFieldsEntry } from '../object.ts';
import { nodeOf, type SchemaNode } from '../schema.ts';
import { ApiError, badRequest } from '../status.ts';
import { applyConflict, type Conflict } from './conflict.ts';
import {
  differenceOf,
  type FieldSet,
  intersectionOf,
  isEmptySet,
  noFields,
  unionOf,
  withNamedParents,
} from './fieldset.ts';
import { isMap, type JsonMap } from './json-map.ts';
import { lastAppliedFields, syncLastApplied } from './last-applied.ts';
import {
  keyOfManager,
  type Manager,
  managedFieldsOf,
  type Owned,
  type Ownership,
  parseManagedFields,
  withoutUnowned,
} from './managers.ts';
import { type Comparison, compareFields, fieldsOf, mergeApplied, removeFields } from './structure.ts';
import { typedFaults, typedFaultText } from './typed.ts';

export interface ApplyRequest<T extends KubeObject> {
  readonly kind: Kind<T>;
  /** The stored object; undefined when there is none yet. */
  readonly live: T | undefined;
  /** The configuration, as the client sent it. */
  readonly config: unknown;
  readonly manager: string;
  readonly force: boolean;
  /** RFC 3339. */
  readonly now: string;
  readonly subresource?: string | undefined;
}

/**
 * The object after the apply, managedFields included, neither defaulted nor validated. Equal to `live` when nothing
 * changes. Throws ApiError: 409 with one cause per field that others own, 500 for a configuration that does not fit the
 * schema (as upstream), 400 for one of another version or kind.
 */
export const applyPatch = <T extends KubeObject>(request: ApplyRequest<T>): T => {
  const { kind, live, manager, now, subresource } = request;
  const config = checkConfig(kind, request.config);
  const base = live === undefined ? identityOf(kind, config) : withoutManagedFields(live);
  const ownership = startingOwnership(kind, live, now);
  const applier: Manager = {
    manager,
    operation: 'Apply',
    apiVersion: groupVersion(kind),
    ...(subresource ? { subresource } : {}),
  };
  const outcome = settleConflicts(request, base, applyOnce(kind, base, config, ownership, applier));
  const object = manager === 'kubectl' ? syncLastApplied(outcome.object, config) : outcome.object;
  const key = keyOfManager(applier);
  const before = ownership.get(key);
  const own = outcome.ownership.get(key);
  const changed = live === undefined || hasChanges(outcome.comparison) || !sameSet(own?.fields, before?.fields);
  const next = new Map(outcome.ownership);
  if (own !== undefined) {
    const time = changed ? now : (before?.time ?? now);
    next.set(key, { ...own, time });
  }
  return withManagedFields(object, managedFieldsOf(next)) as unknown as T;
};

export interface UpdateToTrack<T extends KubeObject> {
  readonly kind: Kind<T>;
  /** The stored object; undefined at create. */
  readonly live: T | undefined;
  /**
   * The object as the client asked for it, defaults filled in, before admission: what the server adds has no owner. Its
   * managedFields are those that the client sent.
   */
  readonly updated: T;
  readonly manager: string;
  /** RFC 3339. */
  readonly now: string;
  readonly subresource?: string | undefined;
}

/**
 * The managedFields to store after a plain write: the writer owns what it changed, others lose that and what vanished.
 * A client that sends a single empty entry clears them; then nothing is tracked until the next apply.
 */
export const trackUpdate = <T extends KubeObject>(update: UpdateToTrack<T>): ManagedFieldsEntry[] => {
  const { kind, live, updated, now, subresource } = update;
  const sent = updated.metadata.managedFields;
  if (!subresource && sent?.length === 1 && Object.keys(sent[0] ?? {}).length === 0) return [];
  const given = subresource ? undefined : parseManagedFields(sent);
  const stored = parseManagedFields(live?.metadata.managedFields) ?? new Map<string, Owned>();
  const ownership = given === undefined || given.size === 0 ? stored : given;
  if (live !== undefined && ownership.size === 0) return [];
  const base = live === undefined ? emptyOf(updated) : withoutManagedFields(live);
  const comparison = writableChanges(update, compareFields(nodeOf(kind.schema), base, withoutManagedFields(updated)));
  if (live !== undefined && !hasChanges(comparison) && ownership === stored) return live.metadata.managedFields ?? [];
  const writer: Manager = {
    manager: update.manager || 'unknown',
    operation: 'Update',
    apiVersion: groupVersion(kind),
    ...(subresource ? { subresource } : {}),
  };
  return managedFieldsOf(ownAfterUpdate(ownership, comparison, writer, now));
};

/** Without what this write will not store: the status at the object itself, the specification at its status. */
const writableChanges = (
  { kind, subresource }: Pick<UpdateToTrack<KubeObject>, 'kind' | 'subresource'>,
  { added, modified, removed }: Comparison,
): Comparison => {
  const writable = (fields: FieldSet) => withoutReset(kind, subresource, fields);
  return { added: writable(added), modified: writable(modified), removed: writable(removed) };
};

const withoutReset = (kind: Pick<Kind, 'hasStatus'>, subresource: string | undefined, fields: FieldSet): FieldSet => {
  const reset = subresource === 'status' ? 'f:spec' : kind.hasStatus && !subresource ? 'f:status' : undefined;
  if (reset === undefined || fields[reset] === undefined) return fields;
  const { [reset]: _reset, ...rest } = fields;
  return rest;
};

const ownAfterUpdate = (ownership: Ownership, comparison: Comparison, writer: Manager, now: string): Ownership => {
  const changed = withoutUnowned(unionOf(comparison.added, comparison.modified));
  const lost = unionOf(changed, comparison.removed);
  const next = new Map<string, Owned>();
  for (const [key, owned] of ownership) next.set(key, { ...owned, fields: differenceOf(owned.fields, lost) });
  if (isEmptySet(changed)) return next;
  const key = keyOfManager(writer);
  next.set(key, { ...writer, time: now, fields: unionOf(next.get(key)?.fields ?? noFields, changed) });
  return next;
};

interface Outcome {
  readonly object: JsonMap;
  readonly ownership: Ownership;
  readonly comparison: Comparison;
  readonly conflicts: readonly Conflict[];
}

const applyOnce = (kind: Kind, live: JsonMap, config: JsonMap, ownership: Ownership, applier: Manager): Outcome => {
  const schema = nodeOf(kind.schema);
  const key = keyOfManager(applier);
  const last = ownership.get(key)?.fields ?? noFields;
  const fields = fieldsOf(schema, config);
  const owned = new Map(ownership);
  owned.set(key, { ...applier, fields });
  const merged = mergeApplied(schema, live, config) as JsonMap;
  // The name is in `fields` here, so that metadata stays even when nothing owned is left in it.
  const pruned = prune(schema, merged, owned, last);
  // Merged once more: pruning drops a map that it emptied, also where the configuration asks for an empty one.
  const object = pruned === merged ? merged : (mergeApplied(schema, pruned, config) as JsonMap);
  owned.set(key, { ...applier, fields: withoutReset(kind, applier.subresource, withoutUnowned(fields)) });
  const comparison = writableChanges({ kind, subresource: applier.subresource }, compareFields(schema, live, object));
  const changed = unionOf(comparison.added, comparison.modified);
  const lost = unionOf(changed, comparison.removed);
  const conflicts: Conflict[] = [];
  for (const [other, theirs] of owned) {
    if (other === key) continue;
    const contested = intersectionOf(theirs.fields, changed);
    if (!isEmptySet(contested)) conflicts.push({ owned: theirs, fields: contested });
    owned.set(other, { ...theirs, fields: differenceOf(theirs.fields, lost) });
  }
  return { object, ownership: owned, comparison, conflicts };
};

/** Removes what the applier owned before, owns no more, and nobody else owns. */
const prune = (schema: SchemaNode, merged: JsonMap, ownership: Ownership, last: FieldSet): JsonMap => {
  if (isEmptySet(last)) return merged;
  const lastNamed = withNamedParents(last);
  const mergedNamed = withNamedParents(fieldsOf(schema, merged));
  const namedFieldsOf = (value: JsonMap): FieldSet => withNamedParents(fieldsOf(schema, value));
  const remove = (gone: FieldSet): JsonMap => (removeFields(schema, merged, gone) ?? {}) as JsonMap;
  const managed = [...ownership.values()].reduce((all, { fields }) => unionOf(all, withNamedParents(fields)), noFields);
  const without = remove(lastNamed);
  const ownedKept = remove(differenceOf(mergedNamed, unionOf(namedFieldsOf(without), managed)));
  return remove(intersectionOf(differenceOf(mergedNamed, namedFieldsOf(ownedKept)), lastNamed));
};

/** Without conflicts, or with force, the outcome; otherwise the Conflict, after what kubectl's upgrade from client-side apply allows. */
const settleConflicts = <T extends KubeObject>(request: ApplyRequest<T>, base: JsonMap, outcome: Outcome): Outcome => {
  if (request.force || outcome.conflicts.length === 0) return outcome;
  const allowed = request.manager === 'kubectl' ? lastAppliedFields(request.kind, base) : noFields;
  const conflicts = outcome.conflicts
    .map(({ owned, fields }) => ({ owned, fields: differenceOf(fields, allowed) }))
    .filter(({ fields }) => !isEmptySet(fields));
  if (conflicts.length === 0) return outcome;
  throw applyConflict(conflicts);
};

/** The configuration in stored form. */
const checkConfig = <T extends KubeObject>(kind: Kind<T>, config: unknown): JsonMap => {
  if (!isMap(config)) throw badRequest('error decoding YAML: the apply configuration is no object');
  const metadata = isMap(config['metadata']) ? config['metadata'] : {};
  if (metadata['managedFields'] !== undefined && metadata['managedFields'] !== null)
    throw badRequest('metadata.managedFields must be nil');
  const expected = groupVersion(kind);
  if (config['apiVersion'] !== expected)
    throw badRequest(
      `incorrect version specified in apply patch. Specified patch version: ${String(config['apiVersion'] ?? '')}, expected: ${expected}`,
    );
  if (config['kind'] !== kind.kind)
    throw badRequest(
      `incorrect kind specified in apply patch. Specified patch kind: ${String(config['kind'] ?? '')}, expected: ${kind.kind}`,
    );
  const schema = nodeOf(kind.schema);
  const faults = typedFaults(schema, config);
  if (faults.length > 0) {
    const name = `${String(metadata['namespace'] ?? '')}/${String(metadata['name'] ?? '')}`;
    throw new ApiError({
      code: 500,
      reason: '',
      message: `failed to create typed patch object (${name}; ${kind.group}/${kind.version}, Kind=${kind.kind}): ${typedFaultText(faults)}`,
    });
  }
  return decodeValue(kind, schema, config).value as JsonMap;
};

/** An object that was never tracked belongs to `before-first-apply`, so that the first applier conflicts as it should. */
const startingOwnership = <T extends KubeObject>(kind: Kind<T>, live: T | undefined, now: string): Ownership => {
  if (live === undefined) return new Map();
  const stored = parseManagedFields(live.metadata.managedFields);
  if (stored !== undefined && stored.size > 0) return stored;
  const { added } = compareFields(nodeOf(kind.schema), emptyOf(live), withoutManagedFields(live));
  const first: Owned = {
    manager: 'before-first-apply',
    operation: 'Update',
    apiVersion: groupVersion(kind),
    time: now,
    fields: withoutUnowned(added),
  };
  return new Map([[keyOfManager(first), first]]);
};

const sameSet = (a: FieldSet | undefined, b: FieldSet | undefined): boolean =>
  isEmptySet(differenceOf(a ?? noFields, b ?? noFields)) && isEmptySet(differenceOf(b ?? noFields, a ?? noFields));

const hasChanges = ({ added, modified, removed }: Comparison): boolean =>
  !isEmptySet(added) || !isEmptySet(modified) || !isEmptySet(removed);

const withoutManagedFields = (object: KubeObject): JsonMap => {
  const { managedFields: _managed, ...metadata } = object.metadata;
  return { ...object, metadata };
};

const withManagedFields = (object: JsonMap, managedFields: readonly ManagedFieldsEntry[]): JsonMap => ({
  ...object,
  metadata: {
    ...(object['metadata'] as JsonMap | undefined),
    ...(managedFields.length === 0 ? {} : { managedFields }),
  },
});

/** What an object of the kind is before anybody sets anything: the structs that are always there. */
const emptyOf = (object: KubeObject): JsonMap => {
  const empty: Record<string, unknown> = { apiVersion: object.apiVersion, kind: object.kind, metadata: {} };
  for (const part of ['spec', 'status']) {
    const given = (object as unknown as JsonMap)[part];
    if (isMap(given)) empty[part] = Array.isArray(given['containers']) ? { containers: [] } : {};
  }
  return empty;
};

const identityOf = (kind: Kind, config: JsonMap): JsonMap => {
  const metadata = isMap(config['metadata']) ? config['metadata'] : {};
  const { name, namespace } = metadata;
  return {
    apiVersion: groupVersion(kind),
    kind: kind.kind,
    metadata: { ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }) },
  };
};
