/**
 * From JSON to an object of a kind, along the kind's schema: wrong types are refused with the texts of a real API server,
 * nulls and empty optional texts, lists and maps are dropped as Go's encoder drops them, times and quantities get their
 * stored form, and fields that the schema does not know are left out and reported. The result is fresh and mutable.
 */
import { goType, structName } from './go-types.ts';
import type { GroupVersionKind, Kind } from './kind.ts';
import { groupVersion } from './kind.ts';
import { kindOf } from './kinds.ts';
import type { KubeObject } from './object.ts';
import {
  decodeBytes,
  decodeIntOrString,
  decodeMicroTime,
  decodeQuantity,
  decodeTime,
  goValue,
  ScalarError,
} from './scalars.ts';
import { fieldsV1Title, microTimeTitle, nodeOf, quantityTitle, type SchemaNode, timeTitle } from './schema.ts';
import { type ApiError, badRequest } from './status.ts';

export interface Decoded<T> {
  readonly object: T;
  /** Paths of fields that the kind does not have, such as `spec.containers[0].foo`, at most 100. */
  readonly unknownFields: readonly string[];
}

/** A kind as far as decoding is concerned; bodies that are posted and not kept are such ones, too. */
export type Decodable<T extends KubeObject> = Pick<Kind, 'group' | 'version' | 'kind' | 'schema'> &
  Partial<Pick<Kind<T>, 'columns'>>;

/** The object that `json` describes; apiVersion and kind may be left out there. Throws BadRequest. */
export const decodeObject = <T extends KubeObject>(kind: Decodable<T>, json: unknown): Decoded<T> => {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind.kind}): couldn't get version/kind; json parse error: json: cannot unmarshal ${goValue(json)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  checkKind(kind, json as Record<string, unknown>);
  const { value, unknownFields } = decodeValue(kind, nodeOf(kind.schema), json);
  const object = value as Record<string, unknown>;
  const { apiVersion: _version, kind: _kind, ...rest } = object;
  const whole: Record<string, unknown> = { apiVersion: groupVersion(kind), kind: kind.kind, metadata: {}, ...rest };
  if (nodeOf(kind.schema).properties?.['spec'] !== undefined) whole['spec'] ??= {};
  return { object: whole as unknown as T, unknownFields };
};

/** A value along any schema, for bodies that are no kind of their own (Eviction, Binding, DeleteOptions). Throws BadRequest. */
export const decodeValue = (
  kind: Pick<Kind, 'kind' | 'version'>,
  schema: SchemaNode,
  json: unknown,
): { readonly value: unknown; readonly unknownFields: readonly string[] } => {
  const walk: Walk = { unknown: [], fault: undefined };
  const root: Place = { struct: structName(schema.title ?? kind.kind), field: '', goPath: '', path: '' };
  try {
    const value = decodeNode(walk, schema, json, root);
    if (walk.fault === undefined) return { value, unknownFields: walk.unknown };
  } catch (error) {
    if (!(error instanceof ScalarError)) throw error;
    walk.fault = error.message;
  }
  throw cannotBeHandled(kind, walk.fault);
};

/** The refusal of fields that are unknown or given twice (fieldValidation=Strict); undefined when there are none. */
export const strictError = (
  kind: Pick<Kind, 'kind' | 'version'>,
  unknownFields: readonly string[],
  duplicateFields: readonly string[],
): ApiError | undefined => {
  const problems = strictProblems(unknownFields, duplicateFields);
  return problems.length === 0 ? undefined : cannotBeHandled(kind, `strict decoding error: ${problems.join(', ')}`);
};

/** One text per problem, as warnings word them (fieldValidation=Warn): `unknown field "spec.x"`, `duplicate field "spec.y"`. */
export const strictProblems = (
  unknownFields: readonly string[],
  duplicateFields: readonly string[],
): readonly string[] => [
  ...unknownFields.map(path => `unknown field ${JSON.stringify(path)}`),
  ...duplicateFields.map(path => `duplicate field ${JSON.stringify(path)}`),
];

export const cannotBeHandled = (kind: Pick<Kind, 'kind' | 'version'>, why: string): ApiError =>
  badRequest(`${unhandled(kind)}${why}`);

/** Only the `why` of cannotBeHandled; other messages as they are. */
export const whyUnhandled = (kind: Pick<Kind, 'kind' | 'version'>, { message }: ApiError): string =>
  message.startsWith(unhandled(kind)) ? message.slice(unhandled(kind).length) : message;

const unhandled = ({ kind, version }: Pick<Kind, 'kind' | 'version'>): string =>
  `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: `;

const checkKind = (kind: GroupVersionKind, json: Record<string, unknown>): void => {
  const expected = groupVersion(kind);
  const version = textOr(json['apiVersion'], expected);
  const name = textOr(json['kind'], kind.kind);
  if (version === expected && name === kind.kind) return;
  const other = kindOf(version, name);
  const why =
    other === undefined
      ? `no kind ${JSON.stringify(name)} is registered for version ${JSON.stringify(version)}`
      : `converting (${other.version}.${name}) to (${kind.group === '' ? 'core' : kind.group.split('.')[0]}.${kind.kind}): unknown conversion`;
  const shown = JSON.stringify(version.slice(version.indexOf('/') + 1));
  throw badRequest(`${name} in version ${shown} cannot be handled as a ${kind.kind}: ${why}`);
};

const textOr = (value: unknown, otherwise: string): string =>
  typeof value === 'string' && value !== '' ? value : otherwise;

interface Walk {
  readonly unknown: string[];
  /** The first wrong type; the walk goes on, because a malformed scalar further on takes precedence in Go. */
  fault: string | undefined;
}

/** Where a value stands: in which struct and field, the path without indexes that Go names, and the full path. */
interface Place {
  readonly struct: string;
  readonly field: string;
  readonly goPath: string;
  readonly path: string;
}

const maxUnknownFields = 100;

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

const mismatch = (walk: Walk, node: SchemaNode, value: unknown, place: Place): undefined => {
  const shown = typeof value === 'number' && node.type === 'integer' ? `number ${value}` : goValue(value);
  const type = goType(node, place.struct, place.field);
  walk.fault ??=
    place.goPath === ''
      ? `json: cannot unmarshal ${shown} into Go value of type ${type}`
      : `json: cannot unmarshal ${shown} into Go struct field ${place.struct}.${place.goPath} of type ${type}`;
  return undefined;
};

const decodeNode = (walk: Walk, node: SchemaNode, value: unknown, place: Place): unknown => {
  if (value === null || value === undefined) return undefined;
  switch (node.type) {
    case 'array':
      return Array.isArray(value) ? decodeList(walk, node, value, place) : mismatch(walk, node, value, place);
    case 'string':
      return decodeText(walk, node, value, place);
    case 'integer':
      return typeof value === 'number' && isInteger(node, value) ? value : mismatch(walk, node, value, place);
    case 'number':
      return typeof value === 'number' ? value : mismatch(walk, node, value, place);
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(walk, node, value, place);
    default:
      if (typeof value !== 'object' || Array.isArray(value)) return mismatch(walk, node, value, place);
      if (node['x-kubernetes-preserve-unknown-fields'] === true || node.title === fieldsV1Title) return value;
      return node.properties === undefined
        ? decodeMap(walk, node, value, place)
        : decodeStruct(walk, node, value, place);
  }
};

// JSON numbers are doubles here: whole numbers beyond 2^53 cannot be told apart and are refused.
const isInteger = (node: SchemaNode, value: number): boolean =>
  node.format === 'int32' ? value === (value | 0) : Number.isSafeInteger(value);

const decodeText = (walk: Walk, node: SchemaNode, value: unknown, place: Place): unknown => {
  if (node.title === quantityTitle) return decodeQuantity(value);
  if (node.title === timeTitle) return decodeTime(value);
  if (node.title === microTimeTitle) return decodeMicroTime(value);
  if (node['x-kubernetes-int-or-string'] === true) return decodeIntOrString(value);
  if (typeof value !== 'string') return mismatch(walk, node, value, place);
  return node.format === 'byte' ? decodeBytes(value) : value;
};

const decodeList = (walk: Walk, node: SchemaNode, list: readonly unknown[], place: Place): unknown => {
  const items = node.items ?? {};
  const result: unknown[] = [];
  for (const [i, item] of list.entries())
    result.push(decodeNode(walk, items, item, { ...place, path: `${place.path}[${i}]` }) ?? zeroOf(items));
  return result;
};

const decodeMap = (walk: Walk, node: SchemaNode, map: object, place: Place): unknown => {
  const items = node.additionalProperties ?? {};
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(map)) {
    if (key === '__proto__') throw new ScalarError(`${place.path}: the key "__proto__" is not allowed`);
    result[key] = decodeNode(walk, items, item, { ...place, path: join(place.path, key) }) ?? zeroOf(items);
  }
  return result;
};

const decodeStruct = (walk: Walk, node: SchemaNode, object: object, place: Place): unknown => {
  const properties = node.properties ?? {};
  const struct = node.title === undefined ? place.struct : structName(node.title);
  const result: Record<string, unknown> = {};
  for (const [field, item] of Object.entries(object)) {
    const child = Object.hasOwn(properties, field) ? properties[field] : undefined;
    const path = join(place.path, field);
    if (child === undefined) {
      if (walk.unknown.length < maxUnknownFields) walk.unknown.push(path);
      continue;
    }
    const value = decodeNode(walk, child, item, { struct, field, goPath: join(place.goPath, field), path });
    if (value !== undefined && !isOmitted(node, struct, field, value)) result[field] = value;
  }
  return result;
};

// Go's `omitempty`: an empty text, list or map in an optional field is not kept. These fields are pointers in Go, or say
// something by being empty.
const keptEmpty: ReadonlySet<string> = new Set([
  'ObjectMeta.managedFields',
  'LeaseSpec.holderIdentity',
  'PodSpec.containers',
  'NodeSelector.nodeSelectorTerms',
]);

const isOmitted = (node: SchemaNode, struct: string, field: string, value: unknown): boolean => {
  if (value === '') return !node.required?.includes(field) && !keptEmpty.has(`${struct}.${field}`);
  if (typeof value !== 'object' || value === null) return false;
  const child = node.properties?.[field];
  const isCollection = child?.type === 'array' || (child?.type === 'object' && child.properties === undefined);
  if (!isCollection || child.title === fieldsV1Title) return false;
  const empty = Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
  return empty && !node.required?.includes(field) && !keptEmpty.has(`${struct}.${field}`);
};

/** What Go leaves where a list or map holds null. */
const zeroOf = (node: SchemaNode): unknown => {
  switch (node.type) {
    case 'string':
      return node.title === quantityTitle ? '0' : node['x-kubernetes-int-or-string'] === true ? 0 : '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'array':
      return [];
    default:
      return {};
  }
};
