/**
 * The one OpenAPI v2 document, from those of v3: what `kubectl explain --output=plaintext-openapiv2`, kubectl before 1.27 and
 * generators of clients read. v2 has one schema where v3 has alternatives, and knows a reference with a description beside it.
 */
import type { Definitions } from './openapi-schema.ts';

/** What this module reads of an OpenAPI v3 document. */
export interface V3Document {
  readonly info: object;
  readonly paths: Readonly<Record<string, object>>;
  readonly components: { readonly schemas: Definitions; readonly securitySchemes: object };
}

export interface V2Document {
  readonly swagger: '2.0';
  readonly info: object;
  readonly paths: Readonly<Record<string, object>>;
  readonly definitions: Readonly<Record<string, object>>;
  readonly securityDefinitions: object;
  readonly security: readonly object[];
}

/** One document of all of them, which share their definitions; there must be at least one. */
export const v2Of = (documents: readonly V3Document[]): V2Document => {
  const first = documents[0]!;
  const merged = (records: readonly Readonly<Record<string, object>>[]): [string, object][] =>
    Object.entries(Object.assign({}, ...records) as Record<string, object>).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    swagger: '2.0',
    info: first.info,
    paths: Object.fromEntries(
      merged(documents.map(({ paths }) => paths)).map(([path, item]) => [path, itemOf(path, item)]),
    ),
    definitions: Object.fromEntries(
      merged(documents.map(({ components }) => components.schemas)).map(([name, schema]) => [name, schemaOf(schema)]),
    ),
    securityDefinitions: first.components.securitySchemes,
    security: Object.keys(first.components.securitySchemes).map(name => ({ [name]: [] })),
  };
};

type Fields = Readonly<Record<string, unknown>>;

const v3Reference = '#/components/schemas/';

const schemaOf = (schema: object): Fields => {
  const { default: _default, allOf, oneOf, ...others } = schema as Fields;
  const converted: Record<string, unknown> = others;
  // A quantity, a number or a name: as a text it is always right.
  if (oneOf !== undefined) converted['type'] = 'string';
  const reference = ((allOf as readonly Fields[] | undefined)?.[0] ?? others)['$ref'];
  if (reference !== undefined) converted['$ref'] = String(reference).replace(v3Reference, '#/definitions/');
  for (const name of ['items', 'additionalProperties'])
    if (converted[name] !== undefined) converted[name] = schemaOf(converted[name] as object);
  if (converted['properties'] !== undefined)
    converted['properties'] = Object.fromEntries(
      Object.entries(converted['properties'] as object).map(([name, property]) => [name, schemaOf(property)]),
    );
  return converted;
};

/**
 * Where namespaces can be patched with fieldValidation, kubectl takes it that custom resources can too, and before it says that a
 * kind is unknown it asks for their definitions. There are none here to ask for, so v2 does not mention that parameter there.
 */
const namespacePath = '/api/v1/namespaces/{name}';

const itemOf = (path: string, item: object): object => {
  const hidden = path === namespacePath ? 'fieldValidation' : undefined;
  return Object.fromEntries(
    Object.entries(item as Fields).map(([name, value]) => [
      name,
      name === 'parameters' ? (value as readonly Fields[]).map(parameterOf) : operationOf(value as Fields, hidden),
    ]),
  );
};

const operationOf = (operation: Fields, hidden: string | undefined): object => {
  const { parameters, requestBody, responses, ...others } = operation;
  const body = (requestBody as { readonly content?: Readonly<Record<string, Fields>> } | undefined)?.content;
  const bodySchema = Object.values(body ?? {})[0]?.['schema'];
  return {
    ...others,
    ...(body === undefined ? {} : { consumes: Object.keys(body) }),
    produces: ['application/json', 'application/yaml'],
    parameters: [
      ...(bodySchema === undefined
        ? []
        : [{ name: 'body', in: 'body', required: true, schema: schemaOf(bodySchema as object) }]),
      ...(parameters as readonly Fields[]).filter(({ name }) => name !== hidden).map(parameterOf),
    ],
    responses: Object.fromEntries(
      Object.entries(responses as Readonly<Record<string, Fields>>).map(([code, response]) => [
        code,
        responseOf(response),
      ]),
    ),
  };
};

/** In v2 the type of a parameter is among its own fields. */
const parameterOf = ({ schema, ...parameter }: Fields): Fields => ({ ...parameter, ...(schema as object) });

const responseOf = ({ description, content }: Fields): object => {
  const schema = Object.values((content as Readonly<Record<string, Fields>> | undefined) ?? {})[0]?.['schema'];
  return { description, ...(schema === undefined ? {} : { schema: schemaOf(schema as object) }) };
};
