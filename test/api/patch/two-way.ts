/** The strategic merge patch that turns one object into another, as kubectl makes it: for tests of applying patches. */
import { isMap, type JsonMap } from '#api/patch/json-map.ts';
import type { SchemaNode } from '#api/schema.ts';
import { deepEqual } from '#base/deep.ts';

const childOf = (schema: SchemaNode | undefined, key: string) =>
  schema?.properties?.[key] ?? schema?.additionalProperties;

export const twoWayPatch = (schema: SchemaNode | undefined, from: JsonMap, to: JsonMap): JsonMap => {
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(from)) if (!(key in to)) patch[key] = null;
  for (const [key, value] of Object.entries(to)) {
    const before = from[key];
    if (deepEqual(before, value)) continue;
    const field = childOf(schema, key);
    if (isMap(before) && isMap(value)) patch[key] = twoWayPatch(field, before, value);
    else if (
      Array.isArray(before) &&
      Array.isArray(value) &&
      field?.['x-kubernetes-patch-strategy']?.startsWith('merge')
    )
      diffLists(patch, key, field, before, value);
    else patch[key] = value;
  }
  return patch;
};

const diffLists = (
  patch: Record<string, unknown>,
  key: string,
  field: SchemaNode,
  from: readonly unknown[],
  to: readonly unknown[],
): void => {
  const mergeKey = field['x-kubernetes-patch-merge-key'];
  if (mergeKey === undefined) {
    const gone = from.filter(item => !to.includes(item));
    if (gone.length > 0) patch[`$deleteFromPrimitiveList/${key}`] = gone;
    const added = to.filter(item => !from.includes(item));
    if (added.length > 0) patch[key] = added;
    patch[`$setElementOrder/${key}`] = to;
    return;
  }
  const old = new Map((from as JsonMap[]).map(item => [item[mergeKey], item]));
  const changes: unknown[] = [];
  for (const item of to as JsonMap[]) {
    const before = old.get(item[mergeKey]);
    if (before === undefined) changes.push(item);
    else if (!deepEqual(before, item))
      changes.push({ ...twoWayPatch(field.items, before, item), [mergeKey]: item[mergeKey] });
  }
  const names = new Set((to as JsonMap[]).map(item => item[mergeKey]));
  for (const name of old.keys()) if (!names.has(name)) changes.push({ $patch: 'delete', [mergeKey]: name });
  if (changes.length > 0) patch[key] = changes;
  patch[`$setElementOrder/${key}`] = (to as JsonMap[]).map(item => ({ [mergeKey]: item[mergeKey] }));
};
