/**
 * Checks that an apply configuration fits the schema, with structured-merge-diff's texts: unknown fields are refused
 * (ownership of them could not be tracked), as are wrong types, list items without their keys and duplicate items.
 */
import { intOrStringTitle, microTimeTitle, quantityTitle, type SchemaNode, timeTitle } from '../schema.ts';
import { goPrinted, goSyntax, goType } from './errors.ts';
import { pathText, valueElement } from './fieldset.ts';
import { isMap, type JsonMap } from './json-map.ts';
import { itemElement } from './structure.ts';

const maxFaults = 100;

/** All faults as `PATH: what is wrong`; empty: it fits. */
export const typedFaults = (schema: SchemaNode, value: unknown): readonly string[] => {
  const faults: string[] = [];
  visit(schema, value, '', faults);
  return faults;
};

/** The faults as one text. */
export const typedFaultText = (faults: readonly string[]): string =>
  faults.length === 1 ? (faults[0] ?? '') : ['errors:', ...faults.map(fault => `  ${fault}`)].join('\n');

const untyped: ReadonlySet<string | undefined> = new Set([quantityTitle, timeTitle, microTimeTitle, intOrStringTitle]);

const visit = (schema: SchemaNode, value: unknown, path: string, faults: string[]): void => {
  if (value === null || value === undefined || faults.length >= maxFaults) return;
  const fault = typeFault(schema, value);
  if (fault !== undefined) faults.push(`${path === '' ? '.' : path}: ${fault}`);
  else if (schema.type === 'array') visitList(schema, value as unknown[], path, faults);
  else if (isMap(value)) visitMap(schema, value, path, faults);
};

const typeFault = (schema: SchemaNode, value: unknown): string | undefined => {
  switch (schema.type) {
    case 'array':
      return Array.isArray(value) ? undefined : `expected list, got ${wrapped(value)}`;
    case 'string':
      if (untyped.has(schema.title))
        return typeof value === 'object' ? `expected any scalar, got ${wrapped(value)}` : undefined;
      return typeof value === 'string' ? undefined : `expected string, got ${wrappedInFull(value)}`;
    case 'integer':
    case 'number':
      return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goType(value)}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got ${wrappedInFull(value)}`;
    default:
      return isMap(value) ? undefined : `expected map, got ${wrapped(value)}`;
  }
};

const visitMap = (schema: SchemaNode, map: JsonMap, path: string, faults: string[]): void => {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return;
  for (const [key, value] of Object.entries(map)) {
    const child =
      schema.properties !== undefined && Object.hasOwn(schema.properties, key)
        ? schema.properties[key]
        : schema.additionalProperties;
    if (child === undefined) faults.push(`${path}.${key}: field not declared in schema`);
    else visit(child, value, `${path}.${key}`, faults);
  }
};

const visitList = (schema: SchemaNode, list: readonly unknown[], path: string, faults: string[]): void => {
  const kind = schema['x-kubernetes-list-type'];
  const seen = new Set<string>();
  for (const [i, item] of list.entries()) {
    const keyed = kind === 'map' || kind === 'set';
    const element = kind === 'set' ? valueElement(item) : kind === 'map' ? itemElement(schema, item) : `i:${i}`;
    const missing = kind === 'map' ? missingKey(schema, item) : undefined;
    if (element === undefined || missing !== undefined) {
      faults.push(
        `${path}: element ${i}: associative list with keys has an element that omits key field ${JSON.stringify(missing ?? '')} (and doesn't have default value)`,
      );
      continue;
    }
    const at = pathText([element]);
    if (keyed && seen.has(element)) faults.push(`${path}: duplicate entries for key ${at}`);
    seen.add(element);
    visit(schema.items ?? {}, item, `${path}${at}`, faults);
  }
};

const missingKey = (schema: SchemaNode, item: unknown): string | undefined =>
  schema['x-kubernetes-list-map-keys']?.find(
    name => !(isMap(item) && item[name] !== undefined) && schema.items?.properties?.[name]?.default === undefined,
  );

// As Go prints the wrapper that upstream holds values in, which is what users find when they search for the message.
const wrapped = (value: unknown): string => `&{${goPrinted(value)}}`;
const wrappedInFull = (value: unknown): string => `&value.valueUnstructured{Value:${goSyntax(value)}}`;
