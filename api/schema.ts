/**
 * The builder of Berth's schemas: JSON Schema values made with TypeBox, with the annotations of Kubernetes' OpenAPI
 * (x-kubernetes-*). A named object carries its OpenAPI definition name in `title` (`io.k8s.api.core.v1.Container`);
 * where it is used as a field, `description` is the field's and `x-definition-description` the type's own.
 * Scalars that OpenAPI gives a definition (Quantity, Time, MicroTime, IntOrString, FieldsV1) carry a title too.
 */
import Type, { type TSchema, type TUnsafe } from 'typebox';

type Fields = Readonly<Record<string, TUnsafe<unknown>>>;
type TypeOf<F> = F extends TUnsafe<infer T> ? T : never;
type Flat<T> = { [K in keyof T]: T[K] };
type Shape<R, O> = Flat<{ -readonly [K in keyof R]: TypeOf<R[K]> } & { -readonly [K in keyof O]?: TypeOf<O[K]> }>;

/** What a field may add to its type: a static default, filled in where the field is absent. */
export interface FieldOptions<T> {
  readonly default?: T;
}

/** A schema as generic code walks it: what can be found at any place of a kind's schema. */
export interface SchemaNode extends TSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly format?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode;
  readonly 'x-definition-description'?: string;
  /** Quantities by resource name, see `resourceList`. */
  readonly 'x-berth-resource-list'?: boolean;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[];
}

export const quantityTitle = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
export const timeTitle = 'io.k8s.apimachinery.pkg.apis.meta.v1.Time';
export const microTimeTitle = 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime';
export const intOrStringTitle = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
export const fieldsV1Title = 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1';

/** The schema as a walkable node. */
export const nodeOf = (schema: TSchema): SchemaNode => schema as SchemaNode;

const scalar =
  <T>(base: object) =>
  (description: string, options: FieldOptions<T> = {}): TUnsafe<T> =>
    Type.Unsafe<T>({ ...base, description, ...options });

export const string = scalar<string>({ type: 'string' });
export const bool = scalar<boolean>({ type: 'boolean' });
export const int32 = scalar<number>({ type: 'integer', format: 'int32' });
export const int64 = scalar<number>({ type: 'integer', format: 'int64' });
/** Base64 text. */
export const bytes = scalar<string>({ type: 'string', format: 'byte' });
/** RFC 3339 with whole seconds (metav1.Time). */
export const time = scalar<string>({ type: 'string', format: 'date-time', title: timeTitle });
/** RFC 3339 with microseconds (metav1.MicroTime). */
export const microTime = scalar<string>({ type: 'string', format: 'date-time', title: microTimeTitle });
/** A resource quantity; a number in a manifest is accepted and stored as text. */
export const quantity = scalar<string>({ type: 'string', title: quantityTitle });
export const intOrString = scalar<number | string>({
  type: 'string',
  format: 'int-or-string',
  title: intOrStringTitle,
  'x-kubernetes-int-or-string': true,
});
/** Any JSON object, kept as it is (FieldsV1). */
export const fieldsV1 = scalar<Record<string, unknown>>({
  type: 'object',
  title: fieldsV1Title,
  'x-kubernetes-preserve-unknown-fields': true,
});

/** A text of a closed set. The set is checked by validation (with upstream's words), not while decoding. */
export const oneOf = <const V extends string>(
  values: readonly V[],
  description: string,
  options: FieldOptions<V> = {},
): TUnsafe<V> => Type.Unsafe<V>({ type: 'string', enum: [...values], description, ...options });

/** A text of a closed set, of which some values are for programs only and not offered by explain. */
export const openEnum = <V extends string>(description: string, options: FieldOptions<V> = {}): TUnsafe<V> =>
  Type.Unsafe<V>({ type: 'string', description, ...options });

export const mapOf = <T>(item: TUnsafe<T>, description: string): TUnsafe<Record<string, T>> =>
  Type.Unsafe<Record<string, T>>({ type: 'object', additionalProperties: item, description });

/** A map that server-side apply owns as a whole. */
export const atomicMapOf = <T>(item: TUnsafe<T>, description: string): TUnsafe<Record<string, T>> =>
  Type.Unsafe<Record<string, T>>({ ...mapOf(item, description), 'x-kubernetes-map-type': 'atomic' });

/** Quantities by resource name: each value is rounded up to milli and canonical when stored. */
export const resourceList = (description: string): TUnsafe<Record<string, string>> =>
  Type.Unsafe<Record<string, string>>({
    ...mapOf(quantity('An amount of that resource.'), description),
    'x-berth-resource-list': true,
  });

/** A list that patches replace as a whole. */
export const listOf = <T>(item: TUnsafe<T>, description: string): TUnsafe<T[]> =>
  Type.Unsafe<T[]>({ type: 'array', items: item, description, 'x-kubernetes-list-type': 'atomic' });

/** A list of distinct scalars: merged by value in both patch types. */
export const setOf = <T>(item: TUnsafe<T>, description: string): TUnsafe<T[]> =>
  Type.Unsafe<T[]>({
    type: 'array',
    items: item,
    description,
    'x-kubernetes-list-type': 'set',
    'x-kubernetes-patch-strategy': 'merge',
  });

/** A set for server-side apply alone: strategic merge replaces it as a whole. */
export const applySetOf = <T>(item: TUnsafe<T>, description: string): TUnsafe<T[]> =>
  Type.Unsafe<T[]>({ type: 'array', items: item, description, 'x-kubernetes-list-type': 'set' });

/** How a keyed list merges. */
export interface ListKeys {
  /** Key of strategic merge patch; absent: strategic merge replaces the list. */
  readonly mergeKey?: string;
  /** Keys of server-side apply; default: the merge key. `atomic`: apply owns the list as a whole. */
  readonly applyKeys?: readonly string[] | 'atomic';
  /** Strategic merge drops fields of an item that the patch does not list (volumes: one source at a time). */
  readonly retainKeys?: boolean;
}

/** A list of objects that patches merge by key. */
export const listBy = <T>(item: TUnsafe<T>, keys: ListKeys, description: string): TUnsafe<T[]> => {
  const applyKeys = keys.applyKeys ?? (keys.mergeKey === undefined ? 'atomic' : [keys.mergeKey]);
  return Type.Unsafe<T[]>({
    type: 'array',
    items: item,
    description,
    ...(keys.mergeKey === undefined
      ? {}
      : {
          'x-kubernetes-patch-merge-key': keys.mergeKey,
          'x-kubernetes-patch-strategy': keys.retainKeys ? 'merge,retainKeys' : 'merge',
        }),
    ...(applyKeys === 'atomic'
      ? { 'x-kubernetes-list-type': 'atomic' }
      : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [...applyKeys] }),
  });
};

/** Title of a type of the core group. */
export const core = (name: string): string => `io.k8s.api.core.v1.${name}`;

/** A named object: `required` fields first, then optional ones. */
export const struct = <R extends Fields, O extends Fields>(
  title: string,
  description: string,
  required: R,
  optional: O,
): TUnsafe<Shape<R, O>> => {
  const properties: Record<string, TSchema> = { ...required };
  for (const [name, field] of Object.entries(optional)) properties[name] = Type.Optional(field);
  return Type.Unsafe<Shape<R, O>>({ ...Type.Object(properties), title, description });
};

/** The same object, owned as a whole by server-side apply. */
export const atomicStruct = <R extends Fields, O extends Fields>(
  title: string,
  description: string,
  required: R,
  optional: O,
): TUnsafe<Shape<R, O>> =>
  Type.Unsafe<Shape<R, O>>({ ...struct(title, description, required, optional), 'x-kubernetes-map-type': 'atomic' });

/** A field of a named type, described as what it is there. */
export const field = <T>(
  type: TUnsafe<T>,
  description: string,
  options: FieldOptions<NoInfer<Partial<T>>> & { readonly patchStrategy?: 'replace' | 'retainKeys' } = {},
): TUnsafe<T> => {
  const { patchStrategy, ...rest } = options;
  return Type.Unsafe<T>({
    ...type,
    description,
    'x-definition-description': nodeOf(type).description,
    ...(patchStrategy === undefined ? {} : { 'x-kubernetes-patch-strategy': patchStrategy }),
    ...rest,
  });
};

const emptyByDefault = { default: {} };

/** Fields of object type are `{}` when absent, as structs are in Go. */
const withEmptyDefaults = (fields: Fields | undefined): Fields =>
  Object.fromEntries(
    Object.entries(fields ?? {}).map(([name, schema]) => {
      const { properties } = nodeOf(schema);
      return [name, properties === undefined ? schema : Type.Unsafe<unknown>({ ...schema, ...emptyByDefault })];
    }),
  );

/**
 * Schema of a whole object of a kind. `spec`, where the kind has one, is present in every decoded object (an absent one
 * becomes `{}`), so it is required in the type though not in the schema.
 */
export const objectSchema = <M, A extends Fields, O extends Fields>(
  of: { group: string; version: string; kind: string; title: string },
  description: string,
  fields: { metadata: TUnsafe<M>; always?: A; optional?: O },
): TUnsafe<Flat<{ apiVersion: string; kind: string; metadata: M } & Shape<A, O>>> => {
  type Whole = Flat<{ apiVersion: string; kind: string; metadata: M } & Shape<A, O>>;
  const { group, version, kind } = of;
  const whole = struct(
    of.title,
    description,
    {},
    {
      apiVersion: string('Version of the API that this object is written for, as GROUP/VERSION.'),
      kind: string('Kind of the object.'),
      metadata: field(fields.metadata, 'Name, labels and other standard metadata.', emptyByDefault),
      ...withEmptyDefaults(fields.always),
      ...fields.optional,
    },
  );
  return Type.Unsafe<Whole>({ ...whole, 'x-kubernetes-group-version-kind': [{ group, version, kind }] });
};
