/** JSON Merge Patch (RFC 7396): null removes, objects merge, everything else replaces. */
import { deepCopy } from '#base/deep.ts';
import type { SchemaNode } from '../schema.ts';
import { badRequest } from '../status.ts';
import { isMap, type JsonMap } from './json-map.ts';

/** A patched copy; `target` stays as it is. Throws BadRequest for a patch that is no object. */
export const mergePatch = (_schema: SchemaNode, target: object, patch: unknown): object => {
  if (!isMap(patch)) throw badRequest('Invalid JSON Patch');
  return mergeInto(target as JsonMap, patch);
};

const mergeInto = (target: JsonMap, patch: JsonMap): JsonMap => {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(target))
    if (!Object.hasOwn(patch, key)) result[key] = deepCopy(value);
    else if (patch[key] !== null) result[key] = mergeValue(value, patch[key]);
  for (const [key, value] of Object.entries(patch))
    if (value !== null && !Object.hasOwn(target, key)) result[key] = mergeValue(undefined, value);
  return result;
};

const mergeValue = (target: unknown, patch: unknown): unknown =>
  isMap(patch) ? mergeInto(isMap(target) ? target : {}, patch) : deepCopy(patch);
