/**
 * The patch of a client-side apply: from what was applied last (original), what the manifest says (modified) and what
 * the server has (current). Fields that the manifest dropped are removed, fields that it states are set, and what
 * others wrote stays. Directives ($patch, $setElementOrder, …) are those of strategic merge patches; with `strategic`
 * false the result is a JSON merge patch, in which lists are whole.
 */
import { deepEqual } from '#base/deep.ts';
import { type MergeSchema, plainSchema } from './schemas.ts';

type Map = Readonly<Record<string, unknown>>;

/** The patch; empty when nothing is to be done. */
export const threeWayPatch = (
  original: Map | undefined,
  modified: Map,
  current: Map,
  schema: MergeSchema | undefined,
): Record<string, unknown> => mapPatch(original ?? {}, modified, current, schema ?? plainSchema);

const mapPatch = (original: Map, modified: Map, current: Map, schema: MergeSchema): Record<string, unknown> => {
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(original)) {
    if (modified[key] === undefined) patch[key] = null;
  }
  for (const [key, wanted] of Object.entries(modified)) {
    if (wanted === undefined) continue;
    const below = schema.below(key);
    const present = current[key];
    if (isMap(wanted) && isMap(present)) {
      const was = original[key];
      const inner = mapPatch(isMap(was) ? was : {}, wanted, present, below);
      if (below.retainKeys && Object.keys(inner).length > 0) inner['$retainKeys'] = Object.keys(wanted).sort();
      if (Object.keys(inner).length > 0) patch[key] = inner;
    } else if (Array.isArray(wanted) && Array.isArray(present)) {
      const was = original[key];
      listPatch(patch, key, { original: Array.isArray(was) ? was : [], modified: wanted, current: present }, below);
    } else if (!deepEqual(wanted, present)) patch[key] = wanted;
  }
  return patch;
};

interface Lists {
  readonly original: readonly unknown[];
  readonly modified: readonly unknown[];
  readonly current: readonly unknown[];
}

const listPatch = (patch: Record<string, unknown>, key: string, lists: Lists, schema: MergeSchema): void => {
  if (schema.mergeKey === undefined) {
    if (!deepEqual(lists.modified, lists.current)) patch[key] = lists.modified;
  } else if (schema.mergeKey === '') setPatch(patch, key, lists);
  else keyedPatch(patch, key, lists, schema, schema.mergeKey);
};

/** A set of scalars: what to add and what to take out. */
const setPatch = (patch: Record<string, unknown>, key: string, { original, modified, current }: Lists): void => {
  const added = modified.filter(item => !current.includes(item));
  const removed = original.filter(item => !modified.includes(item));
  if (added.length > 0) patch[key] = added;
  if (removed.length > 0) patch[`$deleteFromPrimitiveList/${key}`] = removed;
  if (added.length + removed.length > 0) patch[`$setElementOrder/${key}`] = modified;
};

/** A list of objects that are told apart by one of their fields. */
const keyedPatch = (
  patch: Record<string, unknown>,
  key: string,
  { original, modified, current }: Lists,
  schema: MergeSchema,
  mergeKey: string,
): void => {
  const keyed = [original, modified, current].every(list => list.every(item => isMap(item) && mergeKey in item));
  if (!keyed) {
    if (!deepEqual(modified, current)) patch[key] = modified;
    return;
  }
  const find = (list: readonly unknown[], value: unknown) => (list as Map[]).find(item => item[mergeKey] === value);
  const items: unknown[] = [];
  for (const wanted of modified as Map[]) {
    const value = wanted[mergeKey];
    const present = find(current, value);
    if (!present) {
      items.push(wanted);
      continue;
    }
    const inner = mapPatch(find(original, value) ?? {}, wanted, present, schema.below());
    if (schema.retainKeys && Object.keys(inner).length > 0) inner['$retainKeys'] = Object.keys(wanted).sort();
    if (Object.keys(inner).length > 0) items.push({ ...inner, [mergeKey]: value });
  }
  for (const was of original as Map[]) {
    if (!find(modified, was[mergeKey])) items.push({ $patch: 'delete', [mergeKey]: was[mergeKey] });
  }
  const order = (list: readonly unknown[]) => (list as Map[]).map(item => item[mergeKey]);
  const kept = order(current).filter(value => find(modified, value));
  const moved = !deepEqual(
    kept,
    order(modified).filter(value => find(current, value)),
  );
  if (items.length > 0) patch[key] = items;
  if (items.length > 0 || moved) {
    patch[`$setElementOrder/${key}`] = order(modified).map(value => ({ [mergeKey]: value }));
  }
};

const isMap = (value: unknown): value is Map => typeof value === 'object' && value !== null && !Array.isArray(value);
