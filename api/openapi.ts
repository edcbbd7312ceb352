/**
 * OpenAPI: an index and one v3 document per group version, from the kinds. kubectl reads them before it applies, creates or
 * edits (is there server-side validation?), for merge keys, and for `explain` (KUBECTL-WIRE §2.5). Version 2 is one document of
 * them all, in JSON and in protobuf, for kubectl before 1.27 and for generators of clients.
 */
import type { GroupVersionKind, Kind, Verb } from './kind.ts';
import { groupVersion } from './kind.ts';
import { listMetaSchema } from './kinds/meta.ts';
import { type Definitions, define, refTo } from './openapi-schema.ts';
import { type V2Document, type V3Document, v2Of } from './openapi-v2.ts';
import { v2ToProtobuf } from './openapi-v2-protobuf.ts';
import { nodeOf } from './schema.ts';

export interface OpenApiDocument {
  readonly contentType: string;
  readonly body: string | Uint8Array;
  /** Changes with the content; quoted, for the ETag header. */
  readonly etag: string;
}

/** The documents of a set of kinds, each made when first asked for. */
export class OpenApi {
  readonly #kinds: ReadonlyMap<string, readonly Kind[]>;
  readonly #version: string;
  readonly #made = new Map<string, OpenApiDocument>();

  /** `version` is that of the server, such as `v1.35.0`. */
  constructor(kinds: readonly Kind[], version: string) {
    this.#kinds = Map.groupBy(kinds, kind =>
      kind.group === '' ? `api/${kind.version}` : `apis/${groupVersion(kind)}`,
    );
    this.#version = version;
  }

  /**
   * The document at `/openapi/v2`, `/openapi/v3` or `/openapi/v3/GROUP/VERSION`; undefined where there is none. `accept` is
   * the header of that name: v2 is protobuf for those who ask for that.
   */
  at(path: string, accept = ''): OpenApiDocument | undefined {
    if (path === '/openapi/v2')
      return accept.includes(v2Protobuf) ? this.#v2Protobuf() : this.#make('v2', () => this.#v2Document());
    if (path === '/openapi/v3' || path === '/openapi/v3/') return this.#make('', () => this.#index());
    const name = path.startsWith('/openapi/v3/') ? path.slice('/openapi/v3/'.length) : '';
    const kinds = this.#kinds.get(name);
    return kinds === undefined ? undefined : this.#make(name, () => documentOf(kinds, this.#version));
  }

  #index(): object {
    const paths = [...this.#kinds.keys()].sort().map(name => {
      const hash = this.at(`/openapi/v3/${name}`)?.etag.slice(1, -1) ?? '';
      return [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${hash}` }];
    });
    return { paths: Object.fromEntries(paths) };
  }

  #v2Document(): V2Document {
    return v2Of([...this.#kinds.values()].map(kinds => documentOf(kinds, this.#version)));
  }

  #v2Protobuf(): OpenApiDocument {
    const before = this.#made.get(v2Protobuf);
    if (before !== undefined) return before;
    const content = this.#v2Document();
    const document = {
      contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
      body: v2ToProtobuf(content),
      etag: `"P${contentHash(JSON.stringify(content))}"`,
    };
    this.#made.set(v2Protobuf, document);
    return document;
  }

  #make(name: string, make: () => object): OpenApiDocument {
    const before = this.#made.get(name);
    if (before !== undefined) return before;
    const body = JSON.stringify(make());
    const document = { contentType: 'application/json', body, etag: `"${contentHash(body)}"` };
    this.#made.set(name, document);
    return document;
  }
}

/** As clients ask for it; the content type of the answer has a dot for the @. */
const v2Protobuf = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

/** 64 bits of FNV-1a (two runs of 32): enough to tell documents apart, not to defend against anybody. */
export const contentHash = (text: string): string => {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code ^ i, 0x01000193);
  }
  const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
  return `${hex(high)}${hex(low)}`.toUpperCase();
};

const documentOf = (kinds: readonly Kind[], version: string): V3Document & { readonly openapi: string } => {
  const definitions: Definitions = {};
  const paths: Record<string, object> = {};
  for (const kind of kinds) {
    define(definitions, nodeOf(kind.schema));
    defineList(definitions, kind);
    Object.assign(paths, pathsOf(kind));
  }
  definitions[patchTitle] = {
    description: 'A patch of the object, in the form that the content type names.',
    type: 'object',
  };
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version },
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: Object.fromEntries(Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        BearerToken: { type: 'apiKey', description: 'Bearer token', name: 'authorization', in: 'header' },
      },
    },
  };
};

const patchTitle = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch';
const titleOf = (kind: Kind): string => nodeOf(kind.schema).title ?? kind.kind;

const defineList = (definitions: Definitions, kind: Kind): void => {
  const meta = nodeOf(listMetaSchema);
  define(definitions, meta);
  definitions[`${titleOf(kind)}List`] = {
    description: `A list of ${kind.plural}.`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { description: 'Version of the API that this list is written in.', type: 'string' },
      items: { description: 'The items of the list.', type: 'array', items: { allOf: [refTo(titleOf(kind))] } },
      kind: { description: 'Kind of the list.', type: 'string' },
      metadata: { description: 'Revision of the list, and whether more follows.', allOf: [refTo(meta.title ?? '')] },
    },
    'x-kubernetes-group-version-kind': [{ ...gvkOf(kind), kind: `${kind.kind}List` }],
  };
};

const gvkOf = ({ group, version, kind }: GroupVersionKind): GroupVersionKind => ({ group, version, kind });

const pathsOf = (kind: Kind): Record<string, object> => {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${groupVersion(kind)}`;
  const collection = kind.namespaced ? `${root}/namespaces/{namespace}/${kind.plural}` : `${root}/${kind.plural}`;
  const scope = kind.namespaced ? [pathParameter('namespace')] : [];
  const named = [pathParameter('name'), ...scope];
  const paths: Record<string, object> = {
    [collection]: { ...operations(kind, collectionOperations), parameters: scope },
    [`${collection}/{name}`]: { ...operations(kind, itemOperations), parameters: named },
  };
  if (kind.namespaced && kind.verbs.includes('list'))
    paths[`${root}/${kind.plural}`] = operations(kind, { list: collectionOperations.list });
  for (const { name, body, verbs } of kind.subresources) {
    const of = { ...kind, verbs: verbs.filter(verb => verb !== 'connect') };
    const methods = body === undefined ? operations(of, subresourceOperations) : foreignOperations(of, body);
    paths[`${collection}/{name}/${name}`] = { ...methods, parameters: named };
  }
  return paths;
};

type Operation = (kind: Kind) => { readonly method: string; readonly action: string; readonly operation: object };

const schemaOf = (name: string): object => ({ 'application/json': { schema: refTo(name) } });
const answers = (name: string): object => ({ 200: { description: 'OK', content: schemaOf(name) } });
const pathParameter = (name: string): object => ({
  name,
  in: 'path',
  description: `${name} of the object`,
  required: true,
  schema: { type: 'string', uniqueItems: true },
});
const queryParameter = (name: string, type: string, description: string): object => ({
  name,
  in: 'query',
  description,
  schema: { type, uniqueItems: true },
});

const dryRun = queryParameter('dryRun', 'string', 'All: do everything but store the result.');
const fieldManager = queryParameter('fieldManager', 'string', 'Name under which the changes are recorded.');
const fieldValidation = queryParameter(
  'fieldValidation',
  'string',
  'What to do about unknown and duplicate fields: Ignore, Warn or Strict.',
);
const force = queryParameter('force', 'boolean', 'Apply: take fields over from other managers.');
const writing = [dryRun, fieldManager, fieldValidation];
const listing = [
  queryParameter('labelSelector', 'string', 'Only objects whose labels are selected.'),
  queryParameter('fieldSelector', 'string', 'Only objects whose fields are selected.'),
  queryParameter('limit', 'integer', 'At most that many objects; the list then says how to go on.'),
  queryParameter('continue', 'string', 'Goes on where an earlier list ended.'),
  queryParameter('resourceVersion', 'string', 'Revision to read or to watch from.'),
  queryParameter('resourceVersionMatch', 'string', 'How that revision is meant: Exact or NotOlderThan.'),
  queryParameter('watch', 'boolean', 'Watch for changes instead of listing.'),
  queryParameter('allowWatchBookmarks', 'boolean', 'Send bookmarks in a watch.'),
  queryParameter('sendInitialEvents', 'boolean', 'Begin a watch with the present objects.'),
  queryParameter('timeoutSeconds', 'integer', 'End the watch after that long.'),
];

const patchTypes = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];
const patchBody = {
  content: Object.fromEntries(patchTypes.map(type => [type, { schema: refTo(patchTitle) }])),
  required: true,
};

const plain =
  (method: string, action: string, parameters: readonly object[], withBody = false): Operation =>
  kind => ({
    method,
    action,
    operation: {
      parameters,
      ...(withBody ? { requestBody: { content: schemaOf(titleOf(kind)), required: true } } : {}),
      responses: answers(action === 'list' ? `${titleOf(kind)}List` : titleOf(kind)),
    },
  });

const patching: Operation = kind => ({
  method: 'patch',
  action: 'patch',
  operation: { parameters: [...writing, force], requestBody: patchBody, responses: answers(titleOf(kind)) },
});

const collectionOperations = {
  list: plain('get', 'list', listing),
  create: plain('post', 'post', writing, true),
  deletecollection: plain('delete', 'deletecollection', [dryRun, ...listing]),
} as const;
const itemOperations = {
  get: plain('get', 'get', []),
  update: plain('put', 'put', writing, true),
  patch: patching,
  delete: plain('delete', 'delete', [dryRun]),
} as const;
const subresourceOperations = {
  get: plain('get', 'get', []),
  create: plain('post', 'post', writing, true),
  update: plain('put', 'put', writing, true),
  patch: patching,
} as const;

const operations = (kind: Kind, possible: Partial<Record<Verb, Operation>>): object =>
  Object.fromEntries(
    kind.verbs.flatMap(verb => {
      const make = possible[verb];
      if (make === undefined) return [];
      const { method, action, operation } = make(kind);
      return [
        [method, { ...operation, 'x-kubernetes-action': action, 'x-kubernetes-group-version-kind': gvkOf(kind) }],
      ];
    }),
  );

/** Subresources whose bodies are of another kind: their schemas are in no document, only that they exist is said. */
const foreignOperations = (kind: Kind, body: GroupVersionKind): object => {
  const methods = operations(kind, subresourceOperations) as Record<string, object>;
  return Object.fromEntries(
    Object.entries(methods).map(([method, operation]) => [
      method,
      {
        ...operation,
        requestBody: undefined,
        responses: { 200: { description: 'OK' } },
        'x-kubernetes-group-version-kind': gvkOf(body),
      },
    ]),
  );
};
