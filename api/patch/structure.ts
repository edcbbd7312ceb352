/**
 * How server-side apply sees an object: as fields whose ownership the schema draws. Maps and structs are granular unless
 * declared atomic; lists are atomic unless declared `map` (items known by keys) or `set` (items known by value). The
 * operations are those of structured-merge-diff: field set of a value, comparison, merge, removal of fields.
 */
import { deepCopy, deepEqual } from '#base/deep.ts';
import type { SchemaNode } from '../schema.ts';
import { type FieldSet, fieldElement, isMember, keyElement, memberNode, noFields, valueElement } from './fieldset.ts';
import { isMap, type JsonMap } from './json-map.ts';

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

type Shape = 'leaf' | 'map' | 'keyed' | 'set';

const shapeOf = (schema: SchemaNode | undefined, value: unknown): Shape => {
  if (schema === undefined) return 'leaf';
  if (Array.isArray(value)) {
    const list = schema['x-kubernetes-list-type'];
    return list === 'map' ? 'keyed' : list === 'set' ? 'set' : 'leaf';
  }
  const granular = schema.properties !== undefined || schema.additionalProperties !== undefined;
  return isMap(value) && granular && schema['x-kubernetes-map-type'] !== 'atomic' ? 'map' : 'leaf';
};

const isStructField = (schema: SchemaNode, key: string): boolean =>
  schema.properties !== undefined && Object.hasOwn(schema.properties, key);

const childOf = (schema: SchemaNode, key: string): SchemaNode | undefined =>
  isStructField(schema, key) ? schema.properties?.[key] : schema.additionalProperties;

/** The path element of a list item: its keys, absent ones by their default. Undefined when it has none of them. */
export const itemElement = (schema: SchemaNode, item: unknown): string | undefined => {
  if (!isMap(item)) return undefined;
  const keys: Record<string, unknown> = {};
  for (const name of schema['x-kubernetes-list-map-keys'] ?? []) {
    const value = item[name] ?? schema.items?.properties?.[name]?.default;
    if (value !== undefined) keys[name] = value;
  }
  return Object.keys(keys).length === 0 ? undefined : keyElement(keys);
};

const elementOf = (schema: SchemaNode, shape: Shape, item: unknown, index: number): string =>
  shape === 'set' ? valueElement(item) : (itemElement(schema, item) ?? `i:${index}`);

/** The fields that a value sets. A struct is not a field itself unless it is empty; an item of a list or map is. */
export const fieldsOf = (schema: SchemaNode, value: unknown): FieldSet => fieldsBelow(schema, value) ?? noFields;

/** Undefined for a leaf. */
const fieldsBelow = (schema: SchemaNode | undefined, value: unknown): FieldSet | undefined => {
  const shape = shapeOf(schema, value);
  if (shape === 'leaf' || schema === undefined) return undefined;
  const result: Record<string, FieldSet> = {};
  if (shape === 'map') {
    for (const [key, child] of Object.entries(value as JsonMap)) {
      const below = fieldsBelow(childOf(schema, key), child);
      if (below === undefined || isEmptyMap(child) || !isStructField(schema, key))
        result[fieldElement(key)] = memberNode(below);
      else if (Object.keys(below).length > 0) result[fieldElement(key)] = below;
    }
  } else
    for (const [i, item] of (value as unknown[]).entries())
      result[elementOf(schema, shape, item, i)] = memberNode(fieldsBelow(schema.items, item));
  return result;
};

const isEmptyMap = (value: unknown): boolean => isMap(value) && Object.keys(value).length === 0;

/** Every field of a value that appears or vanishes as a whole, structs included. */
const allFields = (schema: SchemaNode | undefined, value: unknown): FieldSet => {
  const shape = shapeOf(schema, value);
  if (shape === 'leaf' || schema === undefined) return memberNode(undefined);
  const children: Record<string, FieldSet> = {};
  if (shape === 'map')
    for (const [key, child] of Object.entries(value as JsonMap)) {
      if (child !== undefined) children[fieldElement(key)] = allFields(childOf(schema, key), child);
    }
  else
    for (const [i, item] of (value as unknown[]).entries())
      children[elementOf(schema, shape, item, i)] = allFields(schema.items, item);
  return memberNode(children);
};

type Found = { added?: FieldSet; modified?: FieldSet; removed?: FieldSet };
const sorts = ['added', 'modified', 'removed'] as const;

/** What differs between two objects. The order of keyed lists and sets is no difference. */
export const compareFields = (schema: SchemaNode, before: unknown, after: unknown): Comparison => {
  const found = compareNode(schema, before, after);
  return {
    added: found?.added ?? noFields,
    modified: found?.modified ?? noFields,
    removed: found?.removed ?? noFields,
  };
};

const compareNode = (schema: SchemaNode | undefined, before: unknown, after: unknown): Found | undefined => {
  if (before === after) return undefined;
  if (before === undefined || before === null) return after === null ? undefined : { added: allFields(schema, after) };
  if (after === undefined || after === null) return { removed: allFields(schema, before) };
  const shape = shapeOf(schema, before);
  if (schema === undefined || shape === 'leaf' || shape !== shapeOf(schema, after))
    return deepEqual(before, after) ? undefined : { modified: memberNode(undefined) };
  return shape === 'map'
    ? compareMaps(schema, before as JsonMap, after as JsonMap)
    : compareLists(schema, shape, before as unknown[], after as unknown[]);
};

const compareMaps = (schema: SchemaNode, before: JsonMap, after: JsonMap): Found | undefined => {
  const collect = new Collector();
  for (const key in before) collect.add(fieldElement(key), compareNode(childOf(schema, key), before[key], after[key]));
  for (const key in after)
    if (before[key] === undefined)
      collect.add(fieldElement(key), compareNode(childOf(schema, key), undefined, after[key]));
  return collect.found;
};

const compareLists = (
  schema: SchemaNode,
  shape: Shape,
  before: readonly unknown[],
  after: readonly unknown[],
): Found | undefined => {
  const collect = new Collector();
  const old = byElement(schema, shape, before);
  const now = byElement(schema, shape, after);
  for (const [element, items] of old) {
    const others = now.get(element);
    // Items that share their keys cannot be told apart: they are one field together.
    if (items.length > 1 || (others !== undefined && others.length > 1))
      collect.add(element, deepEqual(items, others) ? undefined : { modified: memberNode(undefined) });
    else collect.add(element, compareNode(schema.items, items[0], others?.[0]));
  }
  for (const [element, items] of now)
    if (!old.has(element)) collect.add(element, { added: allFields(schema.items, items[0]) });
  return collect.found;
};

const byElement = (schema: SchemaNode, shape: Shape, list: readonly unknown[]): Map<string, unknown[]> => {
  const map = new Map<string, unknown[]>();
  for (const [i, item] of list.entries()) {
    const element = elementOf(schema, shape, item, i);
    const same = map.get(element);
    if (same === undefined) map.set(element, [item]);
    else same.push(item);
  }
  return map;
};

/** Gathers what was found below each element; stays undefined while nothing was. */
class Collector {
  found: { added?: FieldSet; modified?: FieldSet; removed?: FieldSet } | undefined;

  add(element: string, below: Found | undefined): void {
    if (below === undefined) return;
    this.found ??= {};
    for (const sort of sorts) {
      const fields = below[sort];
      if (fields === undefined) continue;
      const all = (this.found[sort] ?? {}) as Record<string, FieldSet>;
      all[element] = fields;
      this.found[sort] = all;
    }
  }
}

/** `live` with everything that `config` says; what config does not mention stays. Never mutates. */
export const mergeApplied = (schema: SchemaNode | undefined, live: unknown, config: unknown): unknown => {
  if (config === undefined || config === null) return live;
  const shape = shapeOf(schema, config);
  if (schema === undefined || live === undefined || shape === 'leaf' || shape !== shapeOf(schema, live))
    return deepCopy(config);
  if (shape !== 'map') return mergeLists(schema, shape, live as unknown[], config as unknown[]);
  const result: Record<string, unknown> = { ...(live as JsonMap) };
  for (const [key, value] of Object.entries(config as JsonMap))
    result[key] = mergeApplied(childOf(schema, key), result[key], value);
  return result;
};

/** Items that both have follow the order of config; items that only live has stay between the neighbours they had. */
const mergeLists = (
  schema: SchemaNode,
  shape: Shape,
  live: readonly unknown[],
  config: readonly unknown[],
): unknown[] => {
  const wanted = config.map((item, i) => ({ item, element: elementOf(schema, shape, item, i) }));
  const mine = live.map((item, i) => ({ item, element: elementOf(schema, shape, item, i) }));
  const liveItems = new Map(mine.map(({ item, element }) => [element, item]));
  const wantedElements = new Set(wanted.map(({ element }) => element));
  const result: unknown[] = [];
  let next = 0;
  const emit = (): string => {
    const { item, element } = wanted[next++] as { item: unknown; element: string };
    result.push(mergeApplied(schema.items, liveItems.get(element), item));
    return element;
  };
  for (const { item, element } of mine) {
    if (!wantedElements.has(element)) result.push(item);
    else if (nextShared(wanted, next, liveItems) === element) while (emit() !== element);
  }
  while (next < wanted.length) emit();
  return result;
};

const nextShared = (
  wanted: readonly { element: string }[],
  from: number,
  live: ReadonlyMap<string, unknown>,
): string | undefined => wanted.slice(from).find(({ element }) => live.has(element))?.element;

/** The value without the fields of the set; a map or list that this empties goes too. Undefined: nothing is left. */
export const removeFields = (schema: SchemaNode | undefined, value: unknown, gone: FieldSet): unknown => {
  const shape = shapeOf(schema, value);
  if (schema === undefined || shape === 'leaf') return value;
  if (shape === 'map') {
    const result: Record<string, unknown> = {};
    for (const [key, child] of Object.entries(value as JsonMap)) {
      const kept = keep(childOf(schema, key), child, gone[fieldElement(key)]);
      if (kept !== undefined) result[key] = kept;
    }
    return Object.keys(result).length === 0 ? undefined : result;
  }
  const items = (value as unknown[])
    .map((item, i) => keep(schema.items, item, gone[elementOf(schema, shape, item, i)]))
    .filter(item => item !== undefined);
  return items.length === 0 ? undefined : items;
};

const keep = (schema: SchemaNode | undefined, value: unknown, gone: FieldSet | undefined): unknown => {
  if (gone === undefined) return value;
  return isMember(gone) ? undefined : removeFields(schema, value, gone);
};
