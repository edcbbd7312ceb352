/**
 * How the lists of a kind merge, read from the server's OpenAPI v3 document, so that a new kind costs nothing here.
 * Without a schema every list is replaced as a whole, which is what kubectl does for kinds it does not know.
 */
import type { Api } from '../api.ts';
import { groupVersionOf, type Resource } from '../discovery.ts';

/** Where in a schema a patch stands. */
export interface MergeSchema {
  /** The schema of a field, or of the items of a list when `field` is absent. */
  below(field?: string): MergeSchema;
  /** Of a list: the key by which its items merge, `''` for a set of scalars, undefined for a whole replacement. */
  readonly mergeKey: string | undefined;
  /** Of a mapping: fields that the manifest does not name are dropped. */
  readonly retainKeys: boolean;
}

interface OpenApiSchema {
  $ref?: string;
  allOf?: OpenApiSchema[];
  properties?: Record<string, OpenApiSchema>;
  items?: OpenApiSchema;
  additionalProperties?: OpenApiSchema | boolean;
  'x-kubernetes-patch-merge-key'?: string;
  'x-kubernetes-patch-strategy'?: string;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
}

/** Every list replaced. */
export const plainSchema: MergeSchema = { below: () => plainSchema, mergeKey: undefined, retainKeys: false };

/** Reads schemas of an API once per group and version; resolves with undefined for a kind that has none. */
export const createSchemas = (api: Api): ((resource: Resource) => Promise<MergeSchema | undefined>) => {
  const documents = new Map<string, Promise<Record<string, OpenApiSchema>>>();
  let index: Promise<Record<string, { serverRelativeURL: string }>> | undefined;
  const load = async (path: string): Promise<Record<string, OpenApiSchema>> => {
    index ??= api
      .send<{ paths?: Record<string, { serverRelativeURL: string }> }>({ path: '/openapi/v3' })
      .then(answer => answer.paths ?? {});
    const url = (await index)[path]?.serverRelativeURL;
    if (!url) return {};
    const document = await api.send<{ components?: { schemas?: Record<string, OpenApiSchema> } }>({ path: url });
    return document.components?.schemas ?? {};
  };
  return async resource => {
    const path = `${resource.group === '' ? 'api' : 'apis'}/${groupVersionOf(resource)}`;
    let document = documents.get(path);
    if (!document) {
      document = load(path);
      documents.set(path, document);
    }
    const schemas = await document;
    const found = Object.values(schemas).find(schema =>
      schema['x-kubernetes-group-version-kind']?.some(
        gvk => gvk.group === resource.group && gvk.version === resource.version && gvk.kind === resource.kind,
      ),
    );
    return found && schemaAt(schemas, found);
  };
};

const schemaAt = (all: Record<string, OpenApiSchema>, schema: OpenApiSchema | undefined): MergeSchema => {
  if (!schema) return plainSchema;
  const target = resolve(all, schema);
  const strategies = (schema['x-kubernetes-patch-strategy'] ?? '').split(',');
  const values = typeof target.additionalProperties === 'object' ? target.additionalProperties : undefined;
  return {
    mergeKey: strategies.includes('merge') ? (schema['x-kubernetes-patch-merge-key'] ?? '') : undefined,
    retainKeys: strategies.includes('retainKeys'),
    below: field => schemaAt(all, field === undefined ? target.items : (target.properties?.[field] ?? values)),
  };
};

const resolve = (all: Record<string, OpenApiSchema>, schema: OpenApiSchema): OpenApiSchema => {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  const target = reference === undefined ? undefined : all[reference.slice(reference.lastIndexOf('/') + 1)];
  return target ?? schema;
};
