/**
 * Fills in what a client left out: the schema's static defaults, canonical quantities, resource lists rounded up to
 * thousandths (SEMANTICS A.2), then what the kind computes from other fields. Idempotent. Each schema is compiled once
 * into a walk of just the places where there is something to do.
 */
import type { TSchema } from 'typebox';
import { deepCopy } from '#base/deep.ts';
import type { Kind } from './kind.ts';
import type { KubeObject } from './object.ts';
import { canonicalQuantity, exactMilli, roundUpToMilli } from './quantity.ts';
import { nodeOf, quantityTitle, type SchemaNode } from './schema.ts';

/** Applies the defaults of a kind to a decoded, private, mutable object. */
export const applyDefaults = <T extends KubeObject>(kind: Kind<T>, draft: T): void => {
  applySchemaDefaults(kind.schema, draft);
  kind.defaults?.(draft);
};

/** The static part alone, for a body that is no stored kind. */
export const applySchemaDefaults = (schema: TSchema, draft: object): void => {
  let fill = compiled.get(schema);
  if (fill === undefined) {
    fill = compile(nodeOf(schema)) ?? (value => value);
    compiled.set(schema, fill);
  }
  fill(draft);
};

/** Returns what is to stand in the place of a value; changes objects and lists in place. */
type Fill = (value: unknown) => unknown;

const compiled = new WeakMap<TSchema, Fill>();

const compile = (node: SchemaNode): Fill | undefined => {
  if (node.title === quantityTitle) return fillQuantity;
  if (node['x-berth-resource-list']) return fillResourceList;
  if (node.properties !== undefined) return compileObject(node.properties);
  if (node.items !== undefined) return compileList(node.items);
  if (node.additionalProperties !== undefined) return compileMap(node.additionalProperties);
  return undefined;
};

const fillQuantity: Fill = value =>
  typeof value === 'string' || typeof value === 'number' ? canonicalQuantity(String(value)) : value;

const fillResourceList: Fill = value => {
  const list = value as Record<string, unknown>;
  for (const name in list) {
    const amount = String(list[name]);
    list[name] = exactMilli(amount) >= 0 ? canonicalQuantity(amount) : roundUpToMilli(amount);
  }
  return list;
};

interface FieldFill {
  readonly name: string;
  readonly initial: unknown;
  /** Go's zero value counts as absent where the field is no pointer: an empty text. */
  readonly emptyIsAbsent: boolean;
  readonly fill: Fill | undefined;
}

const compileObject = (properties: Readonly<Record<string, SchemaNode>>): Fill | undefined => {
  const fields: FieldFill[] = [];
  for (const [name, node] of Object.entries(properties)) {
    const fill = compile(node);
    if (fill === undefined && node.default === undefined) continue;
    const emptyIsAbsent = typeof node.default === 'string' && node.default !== '';
    fields.push({ name, initial: node.default, emptyIsAbsent, fill });
  }
  if (fields.length === 0) return undefined;
  return value => {
    const object = value as Record<string, unknown>;
    for (const { name, initial, emptyIsAbsent, fill } of fields) {
      let present = object[name];
      if (present === undefined || present === null || (emptyIsAbsent && present === '')) {
        if (initial === undefined) continue;
        present = deepCopy(initial);
        object[name] = present;
      }
      if (fill === undefined) continue;
      const filled = fill(present);
      if (filled !== present) object[name] = filled;
    }
    return object;
  };
};

const compileList = (items: SchemaNode): Fill | undefined => {
  const fill = compile(items);
  if (fill === undefined) return undefined;
  return value => {
    const list = value as unknown[];
    for (let i = 0; i < list.length; i++) if (list[i] != null) list[i] = fill(list[i]);
    return list;
  };
};

const compileMap = (item: SchemaNode): Fill | undefined => {
  const fill = compile(item);
  if (fill === undefined) return undefined;
  return value => {
    const map = value as Record<string, unknown>;
    for (const key in map) if (map[key] != null) map[key] = fill(map[key]);
    return map;
  };
};
