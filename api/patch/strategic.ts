/**
 * Strategic merge patch: maps merge, lists merge by the key that the schema declares (or by value for lists of scalars),
 * other lists are replaced, and directives inside the patch say what merging cannot ($patch, $retainKeys,
 * $setElementOrder/LIST, $deleteFromPrimitiveList/LIST). Rules and order of elements as apimachinery's strategicpatch.
 */
import { deepCopy } from '#base/deep.ts';
import type { SchemaNode } from '../schema.ts';
import { ApiError, badRequest } from '../status.ts';
import { goPrinted } from './errors.ts';
import { isMap, type JsonMap } from './json-map.ts';
import { orderElements, setElementOrder } from './strategic-order.ts';

/** A patched copy; `target` stays as it is. Throws BadRequest (or upstream's code) for patches with wrong directives. */
export const strategicPatch = (schema: SchemaNode, target: object, patch: unknown): object => {
  if (!isMap(patch)) throw badRequest('invalid JSON document');
  return mergeMap(schema, target as JsonMap, patch);
};

const patchDirective = '$patch';
const retainKeysDirective = '$retainKeys';
const deletePrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

const isDirective = (key: string): boolean =>
  key === patchDirective || key === retainKeysDirective || key.startsWith(deletePrefix) || key.startsWith(orderPrefix);

const mergeMap = (schema: SchemaNode, original: JsonMap, patch: JsonMap): JsonMap => {
  if (Object.hasOwn(patch, patchDirective)) {
    const type = patch[patchDirective];
    if (type === 'replace') return withoutDirectives(patch) as JsonMap;
    if (type === 'delete') return {};
    if (type !== 'merge') throw badPatchType(type, patch);
  }
  const result: Record<string, unknown> = retainKeys(original, patch);
  const ordered = orderedLists(schema, result, patch);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(deletePrefix)) deleteFromPrimitiveList(result, key.slice(deletePrefix.length), value);
    else if (isDirective(key) || ordered.has(key)) continue;
    else if (value === null || (isDeleted(value) && !Object.hasOwn(result, key))) delete result[key];
    else result[key] = mergeField(fieldOf(schema, key), result[key], value, key);
  }
  return result;
};

const isDeleted = (value: unknown): boolean => isMap(value) && value[patchDirective] === 'delete';

const fieldOf = (schema: SchemaNode, key: string): SchemaNode | undefined =>
  schema.properties !== undefined && Object.hasOwn(schema.properties, key)
    ? schema.properties[key]
    : schema.additionalProperties;

const mergeField = (schema: SchemaNode | undefined, original: unknown, patch: unknown, key: string): unknown => {
  if (isMap(original) && isMap(patch) && schema?.['x-kubernetes-patch-strategy'] !== 'replace')
    return mergeMap(schema ?? {}, original, patch);
  if (Array.isArray(original) && Array.isArray(patch)) return mergeList(schema, original, patch, key);
  return withoutDirectives(patch);
};

const mergesByStrategy = (schema: SchemaNode | undefined): boolean =>
  schema?.['x-kubernetes-patch-strategy']?.split(',').includes('merge') ?? false;

const mergeList = (
  schema: SchemaNode | undefined,
  original: readonly unknown[],
  patch: readonly unknown[],
  key: string,
): readonly unknown[] => {
  if (!mergesByStrategy(schema)) return withoutDirectives(patch) as readonly unknown[];
  const sample = original[0] ?? patch[0];
  if (Array.isArray(sample)) throw unprocessableList('lists of lists are not supported');
  if (!isMap(sample)) {
    const merged = [...new Set([...original, ...patch])];
    return orderElements(merged, patch, original, undefined);
  }
  const mergeKey = schema?.['x-kubernetes-patch-merge-key'];
  if (mergeKey === undefined) throw serverError(`cannot merge lists without merge key for ${key}`);
  return mergeKeyedList(schema?.items ?? {}, original, patch, mergeKey);
};

const mergeKeyedList = (
  items: SchemaNode,
  original: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string,
): readonly unknown[] => {
  let kept: readonly unknown[] = original;
  let replaces = false;
  const additions: JsonMap[] = [];
  for (const item of patch) {
    if (!isMap(item))
      throw serverError(`expected a map in a list that merges by ${mergeKey}, but received ${JSON.stringify(item)}`);
    const type = item[patchDirective];
    if (type === 'delete') kept = kept.filter(one => !sameKey(one, keyOf(item, mergeKey), mergeKey));
    else if (type === 'replace') replaces = true;
    else if (type === 'merge') throw serverError('merging lists cannot yet be specified in the patch');
    else if (type !== undefined) throw badPatchType(type, item);
    else additions.push(item);
  }
  if (replaces) return withoutDirectives(additions) as readonly unknown[];
  const merged: unknown[] = [...kept];
  for (const item of additions) {
    const wanted = keyOf(item, mergeKey);
    const at = merged.findIndex(one => sameKey(one, wanted, mergeKey));
    if (at === -1) merged.push(withoutDirectives(item));
    else merged[at] = mergeMap(items, merged[at] as JsonMap, item);
  }
  return orderElements(merged, additions, kept, mergeKey);
};

const keyOf = (item: JsonMap, mergeKey: string): unknown => {
  if (Object.hasOwn(item, mergeKey)) return item[mergeKey];
  throw serverError(`map: ${goPrinted(item)} does not contain declared merge key: ${mergeKey}`);
};

const sameKey = (item: unknown, key: unknown, mergeKey: string): boolean =>
  isMap(item) && Object.hasOwn(item, mergeKey) && String(item[mergeKey]) === String(key);

/** A copy of `original` with only the fields that the patch retains; all of them when it does not say. */
const retainKeys = (original: JsonMap, patch: JsonMap): Record<string, unknown> => {
  const retained = patch[retainKeysDirective];
  if (retained === undefined) return { ...deepCopy(original) };
  if (!Array.isArray(retained)) throw badRequest('invalid patch format of retainKeys');
  for (const [key, value] of Object.entries(patch))
    if (!isDirective(key) && value !== null && !retained.includes(key))
      throw badRequest('invalid patch format of retainKeys');
  return Object.fromEntries(
    Object.entries(original)
      .filter(([key]) => retained.includes(key))
      .map(([key, value]) => [key, deepCopy(value)]),
  );
};

const deleteFromPrimitiveList = (result: Record<string, unknown>, key: string, gone: unknown): void => {
  if (!Array.isArray(gone)) throw badRequest('invalid patch format of primitive list');
  const list = result[key];
  if (Array.isArray(list)) result[key] = list.filter(item => !gone.includes(item));
};

/** Merges and orders each list that has a $setElementOrder directive; returns the fields done. */
const orderedLists = (schema: SchemaNode, result: Record<string, unknown>, patch: JsonMap): ReadonlySet<string> => {
  const done = new Set<string>();
  for (const [directive, order] of Object.entries(patch)) {
    if (!directive.startsWith(orderPrefix)) continue;
    const key = directive.slice(orderPrefix.length);
    if (!Array.isArray(order)) throw serverError(`expected a []interface {}, but received ${JSON.stringify(order)}`);
    const original = result[key] ?? undefined;
    const changes = patch[key];
    for (const list of [original, changes])
      if (list !== undefined && !Array.isArray(list))
        throw serverError(`expected a []interface {}, but received ${JSON.stringify(list)}`);
    done.add(key);
    const field = fieldOf(schema, key);
    const before = Array.isArray(original) ? original : undefined;
    const deletions = patch[`${deletePrefix}${key}`];
    let merged: readonly unknown[] | undefined = before;
    if (Array.isArray(changes))
      merged =
        before === undefined ? (withoutDirectives(changes) as unknown[]) : mergeList(field, before, changes, key);
    if (Array.isArray(deletions)) merged = merged?.filter(item => !deletions.includes(item));
    if (merged === undefined) continue;
    const mergeKey = field?.['x-kubernetes-patch-merge-key'];
    result[key] = setElementOrder(merged, order, before ?? [], Array.isArray(changes) ? changes : [], mergeKey, key);
  }
  return done;
};

/** A copy without directives and nulls: what a patch means where there is nothing yet to merge with. */
const withoutDirectives = (value: unknown): unknown => {
  if (Array.isArray(value))
    return value
      .filter(item => !isDeleted(item) && !(isMap(item) && item[patchDirective] === 'replace'))
      .map(withoutDirectives);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => item !== null && !isDirective(key) && !isDeleted(item))
      .map(([key, item]) => [key, withoutDirectives(item)]),
  );
};

const badPatchType = (type: unknown, patch: JsonMap): ApiError =>
  serverError(`unknown patch type: ${String(type)} in map: ${goPrinted(patch)}`);

const unprocessableList = (message: string): ApiError => new ApiError({ code: 422, reason: 'Invalid', message });

// Upstream lets these faults of the patch through as plain errors, which answer 500; they are the client's, so 400 here.
const serverError = (message: string): ApiError => badRequest(message);
