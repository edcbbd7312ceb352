/**
 * The schemas of OpenAPI v3 documents, from those of the kinds: every named type becomes a definition under its own name
 * (`io.k8s.api.core.v1.Container`) and is referred to where it is used, with the description that it has there.
 */
import { intOrStringTitle, quantityTitle, type SchemaNode } from './schema.ts';

export type Definitions = Record<string, object>;

export const refTo = (name: string): { readonly $ref: string } => ({ $ref: `#/components/schemas/${name}` });

/** Adds the definition of a named type, and of all that it is made of, to `definitions`. */
export const define = (definitions: Definitions, schema: SchemaNode): void => {
  const name = schema.title;
  if (name === undefined || Object.hasOwn(definitions, name)) return;
  definitions[name] = {}; // Claimed first: a type may contain itself.
  definitions[name] = definitionOf(definitions, schema);
};

const definitionOf = (definitions: Definitions, schema: SchemaNode): object => {
  const description = schema['x-definition-description'] ?? schema.description ?? '';
  if (schema.title === quantityTitle)
    return {
      description: 'A decimal number with an optional suffix such as m, k, Ki, Mi or Gi.',
      oneOf: [{ type: 'string' }, { type: 'number' }],
    };
  if (schema.title === intOrStringTitle)
    return {
      description: 'A number, or a text such as a name or a percentage.',
      format: 'int-or-string',
      oneOf: [{ type: 'integer' }, { type: 'string' }],
    };
  if (schema.type !== 'object') return { description: scalarDescription, ...typeOf(schema) };
  const gvks = schema['x-kubernetes-group-version-kind'];
  return {
    description,
    type: 'object',
    ...(schema.properties === undefined ? {} : { properties: propertiesOf(definitions, schema.properties) }),
    ...(schema.required === undefined || schema.required.length === 0 ? {} : { required: [...schema.required].sort() }),
    ...(gvks === undefined ? {} : { 'x-kubernetes-group-version-kind': gvks }),
    ...annotations(schema, ['x-kubernetes-map-type']),
  };
};

const scalarDescription = 'A time in RFC 3339.';

const propertiesOf = (definitions: Definitions, properties: Readonly<Record<string, SchemaNode>>): object =>
  Object.fromEntries(
    Object.entries(properties)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, node]) => [name, propertyOf(definitions, node)]),
  );

const listAnnotations = [
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-patch-merge-key',
  'x-kubernetes-patch-strategy',
] as const;

const propertyOf = (definitions: Definitions, node: SchemaNode): object => {
  const shared = {
    ...(node.description === undefined ? {} : { description: node.description }),
    ...(node.default === undefined ? {} : { default: node.default }),
    ...annotations(node, listAnnotations),
  };
  if (node.title !== undefined) {
    define(definitions, node);
    // explain prints the description of the field and that of its type; the same text is not said twice.
    const type = definitions[node.title] as { description?: string };
    if (type.description === shared.description) type.description = `The fields of ${shortName(node.title)}.`;
    return { allOf: [refTo(node.title)], ...shared };
  }
  if (node.type === 'array') return { ...shared, type: 'array', items: itemOf(definitions, node.items) };
  if (node.type !== 'object') return { ...shared, ...typeOf(node) };
  return {
    ...shared,
    type: 'object',
    ...annotations(node, ['x-kubernetes-map-type']),
    ...(node.additionalProperties === undefined
      ? {}
      : { additionalProperties: itemOf(definitions, node.additionalProperties) }),
    ...(node.properties === undefined ? {} : { properties: propertiesOf(definitions, node.properties) }),
  };
};

const shortName = (title: string): string => title.slice(title.lastIndexOf('.') + 1);

/** An item is described by what holds it. */
const itemOf = (definitions: Definitions, node: SchemaNode | undefined): object => {
  if (node === undefined) return {};
  const { description: _description, ...item } = propertyOf(definitions, node) as { description?: string };
  return item;
};

const typeOf = (node: SchemaNode): object => ({
  ...(node.type === undefined ? {} : { type: node.type }),
  ...(node.format === undefined ? {} : { format: node.format }),
  ...(node.enum === undefined ? {} : { enum: node.enum }),
});

const annotations = (node: SchemaNode, names: readonly (keyof SchemaNode)[]): object =>
  Object.fromEntries(names.filter(name => node[name] !== undefined).map(name => [name, node[name]]));
