/**
 * Kubernetes' protobuf request bodies as the JSON that the rest of the server reads (KUBECTL-WIRE §2.14): kubectl 1.32 and
 * later send every typed create so and never fall back. The envelope names the type; proto/k8s-proto.json describes the
 * messages; a few message types have a JSON form of their own, and some message fields are inlined in JSON.
 */
import { toMicroTime, toTime } from '#base/clock.ts';
import descriptor from './proto/k8s-proto.json' with { type: 'json' };
import { badRequest } from './status.ts';
import { bytesToBase64, utf8Text, WireError, wireFields } from './wire.ts';

export interface DecodedProtobuf {
  readonly apiVersion: string;
  readonly kind: string;
  /** As JSON would give it, apiVersion and kind included. */
  readonly object: Record<string, unknown>;
}

/** Throws BadRequest for bytes that are no such message or a type that is unknown. */
export const decodeProtobuf = (bytes: Uint8Array): DecodedProtobuf => {
  if (!magic.every((byte, i) => bytes[i] === byte))
    throw badRequest(`provided data does not appear to be a protobuf message, expected prefix [${magic.join(' ')}]`);
  try {
    const envelope = decodeMessage(messageOf(`${runtimePackage}.Unknown`), bytes.subarray(magic.length), 0);
    const { apiVersion = '', kind = '' } = (envelope['typeMeta'] ?? {}) as { apiVersion?: string; kind?: string };
    const raw = envelope['raw'];
    const message = findMessage(apiVersion, kind);
    if (message === undefined)
      throw badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
    const object = raw instanceof Uint8Array ? decodeMessage(message, raw, 0) : {};
    return { apiVersion, kind, object: { apiVersion, kind, ...object } };
  } catch (error) {
    if (error instanceof WireError) throw badRequest(`the protobuf body could not be decoded: ${error.message}`);
    throw error;
  }
};

const magic = [0x6b, 0x38, 0x73, 0x00] as const;
const runtimePackage = 'k8s.io.apimachinery.pkg.runtime';
const metaPackage = 'k8s.io.apimachinery.pkg.apis.meta.v1';

/** Deeper than any Kubernetes type nests; recursion in a message (JSON schemas) stops here. */
const maxDepth = 64;

interface FieldDescriptor {
  readonly type: string;
  readonly id: number;
  readonly rule?: string;
  readonly keyType?: string;
}

interface Descriptor {
  readonly nested?: Readonly<Record<string, Descriptor>>;
  readonly fields?: Readonly<Record<string, FieldDescriptor>>;
}

interface Field {
  readonly name: string;
  /** A scalar's name, or the full name of a message. */
  readonly type: string;
  readonly repeated: boolean;
  readonly map: boolean;
}

/** A message type ready for decoding; made when first met, so that start-up pays for none. */
interface Message {
  readonly name: string;
  readonly fields: ReadonlyMap<number, Field>;
}

const messages = new Map<string, Message | undefined>();

const messageOf = (name: string): Message => {
  const message = lookUp(name);
  if (message === undefined) throw new WireError(`unknown message type ${name}`);
  return message;
};

const lookUp = (name: string): Message | undefined => {
  if (messages.has(name)) return messages.get(name);
  let at: Descriptor | undefined = descriptor as Descriptor;
  for (const part of name.split('.'))
    at = at?.nested !== undefined && Object.hasOwn(at.nested, part) ? at.nested[part] : undefined;
  const message = at?.fields === undefined ? undefined : { name, fields: fieldsOf(name, at.fields) };
  messages.set(name, message);
  return message;
};

const fieldsOf = (message: string, fields: Readonly<Record<string, FieldDescriptor>>): ReadonlyMap<number, Field> => {
  const scope = message.slice(0, message.lastIndexOf('.'));
  return new Map(
    Object.entries(fields).map(([name, { id, type, rule, keyType }]) => [
      id,
      {
        name: jsonNames.get(name) ?? name,
        type: fullType(scope, type),
        repeated: rule === 'repeated',
        map: keyType !== undefined,
      },
    ]),
  );
};

const fullType = (scope: string, type: string): string => {
  if (type.startsWith('.')) return type.slice(1);
  return /^[a-z0-9]+$/.test(type) ? type : `${scope}.${type}`;
};

/** Group `apps` is package k8s.io.api.apps, `policy` k8s.io.api.policy, `authorization.k8s.io` k8s.io.api.authorization. */
const findMessage = (apiVersion: string, kind: string): Message | undefined => {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  const name = group?.replace(/\.k8s\.io$/, '');
  // Options types (DeleteOptions, …) are registered in every group.
  return lookUp(`k8s.io.api.${name}.${version}.${kind}`) ?? lookUp(`${metaPackage}.${kind}`);
};

const jsonNames: ReadonlyMap<string, string> = new Map([
  ['uID', 'uid'],
  ['aPIGroup', 'apiGroup'],
]);

/** Message fields whose own fields stand beside their siblings in JSON. */
const inlined: ReadonlySet<string> = new Set([
  'volumeSource',
  'persistentVolumeSource',
  'handler',
  'localObjectReference',
  'ephemeralContainerCommon',
  'ingressRuleValue',
]);

/** Fields that are no pointers in Go and have a default: zero on the wire means that nobody set them. */
const zeroIsUnset: ReadonlySet<string> = new Set([
  'generation',
  'observedGeneration',
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
  'hostPort',
  'nodePort',
  'targetPort',
  'minReadySeconds',
]);

const decodeMessage = (message: Message, bytes: Uint8Array, depth: number): Record<string, unknown> => {
  if (depth > maxDepth) throw new WireError('messages are nested too deeply');
  const result: Record<string, unknown> = {};
  for (const { id, value } of wireFields(bytes)) {
    const field = message.fields.get(id);
    if (field === undefined) continue; // A field of a newer release: unknown here as it would be upstream.
    const { name } = field;
    if (field.map) {
      const [key, item] = decodeEntry(field, bytesOf(value), depth);
      result[name] ??= {};
      Object.defineProperty(result[name], key, { value: item, enumerable: true, configurable: true, writable: true });
    } else if (field.repeated) {
      result[name] ??= [];
      (result[name] as unknown[]).push(
        decodeScalar(field.type, value) ?? decodeTyped(field.type, bytesOf(value), depth),
      );
    } else {
      const decoded = decodeScalar(field.type, value) ?? decodeTyped(field.type, bytesOf(value), depth);
      if (inlined.has(name)) Object.assign(result, decoded);
      else if (decoded !== undefined && decoded !== '' && !(decoded === 0 && zeroIsUnset.has(name)))
        result[name] = decoded;
    }
  }
  return result;
};

const decodeEntry = (field: Field, bytes: Uint8Array, depth: number): readonly [string, unknown] => {
  let key = '';
  let item: unknown = field.type === 'string' || field.type === 'bytes' ? '' : undefined;
  for (const { id, value } of wireFields(bytes)) {
    if (id === 1) key = utf8Text(bytesOf(value));
    if (id === 2) item = decodeScalar(field.type, value) ?? decodeTyped(field.type, bytesOf(value), depth);
  }
  return [key, field.type === 'bytes' && item instanceof Uint8Array ? bytesToBase64(item) : item];
};

const bytesOf = (value: bigint | Uint8Array): Uint8Array => {
  if (typeof value === 'bigint') throw new WireError('proto: wrong wireType');
  return value;
};

/** Undefined for message types. */
const decodeScalar = (type: string, value: bigint | Uint8Array): unknown => {
  switch (type) {
    case 'string':
      return utf8Text(bytesOf(value));
    case 'bytes':
      return bytesOf(value);
    case 'bool':
      return value !== 0n;
    case 'int32':
    case 'int64':
    case 'uint32':
    case 'uint64':
      if (typeof value !== 'bigint') throw new WireError('proto: wrong wireType');
      return Number(type.startsWith('u') ? value : BigInt.asIntN(64, value));
    default:
      return undefined;
  }
};

/** A message in its JSON form. */
const decodeTyped = (type: string, bytes: Uint8Array, depth: number): unknown => {
  const fields = decodeMessage(messageOf(type), bytes, depth + 1);
  switch (type) {
    case 'k8s.io.apimachinery.pkg.api.resource.Quantity':
      return fields['string'] ?? '0';
    case 'k8s.io.apimachinery.pkg.util.intstr.IntOrString':
      return fields['type'] === 1 ? (fields['strVal'] ?? '') : (fields['intVal'] ?? 0);
    case `${metaPackage}.Time`:
      return bytes.length === 0 ? undefined : toTime(millisOf(fields));
    case `${metaPackage}.MicroTime`:
      return bytes.length === 0 ? undefined : microTime(fields);
    case `${metaPackage}.Duration`:
      return `${Number(fields['duration'] ?? 0) / 1e9}s`;
    case `${metaPackage}.FieldsV1`:
      return embeddedJson(fields['Raw']);
    case `${runtimePackage}.RawExtension`:
      return embeddedJson(fields['raw']);
    case 'k8s.io.api.authentication.v1.ExtraValue':
    case 'k8s.io.api.authorization.v1.ExtraValue':
      return fields['items'] ?? [];
    default:
      return withBase64(type, fields);
  }
};

const millisOf = (fields: Readonly<Record<string, unknown>>): number =>
  Number(fields['seconds'] ?? 0) * 1000 + Math.floor(Number(fields['nanos'] ?? 0) / 1e6);

const microTime = (fields: Readonly<Record<string, unknown>>): string => {
  const micros = Math.floor(Number(fields['nanos'] ?? 0) / 1000) % 1000;
  return toMicroTime(millisOf(fields)).replace(/\d{3}Z$/, `${String(micros).padStart(3, '0')}Z`);
};

/** Bytes inside JSON are base64; only the envelope's own (`raw`) stay bytes. */
const withBase64 = (type: string, fields: Record<string, unknown>): Record<string, unknown> => {
  if (type === `${runtimePackage}.Unknown`) return fields;
  for (const [name, value] of Object.entries(fields))
    if (value instanceof Uint8Array) fields[name] = bytesToBase64(value);
  return fields;
};

const embeddedJson = (raw: unknown): unknown => {
  if (!(raw instanceof Uint8Array) || raw.length === 0) return undefined;
  try {
    return JSON.parse(utf8Text(raw));
  } catch {
    throw new WireError('embedded JSON is malformed');
  }
};
