/**
 * Kubernetes' protobuf request bodies as the JSON that the rest of the server reads (KUBECTL-WIRE §2.14): kubectl 1.32 and
 * later send every typed create so and never fall back. The envelope names the type, protobufjs reads the messages that
 * proto/k8s-proto.json describes; a few message types have a JSON form of their own, and some message fields are inlined
 * in JSON. Import it when the first such body comes: the library and the descriptor take longer to load than the server.
 */
import protobuf from 'protobufjs/light.js';
import { toMicroTime, toTime } from '#base/clock.ts';
import descriptor from './proto/k8s-proto.json' with { type: 'json' };
import { badRequest } from './status.ts';

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
  const { typeMeta, raw } = decode(envelopeType, bytes.subarray(magic.length)) as unknown as Envelope;
  const { apiVersion = '', kind = '' } = typeMeta ?? {};
  const type = typeOf(apiVersion, kind);
  if (type === undefined)
    throw badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
  const object = raw === undefined ? {} : fieldsToJson(type, decode(type, raw));
  return { apiVersion, kind, object: { apiVersion, kind, ...object } };
};

/** runtime.Unknown, as far as it is read. */
interface Envelope {
  readonly typeMeta?: { readonly apiVersion?: string; readonly kind?: string } | null;
  readonly raw?: Uint8Array;
}

/** A message as protobufjs makes it: what was on the wire stands in properties of its own, defaults in the prototype. */
type Message = Readonly<Record<string, unknown>>;

const magic = [0x6b, 0x38, 0x73, 0x00] as const;
const runtimePackage = 'k8s.io.apimachinery.pkg.runtime';
const metaPackage = 'k8s.io.apimachinery.pkg.apis.meta.v1';

const typesIn = (namespace: protobuf.NamespaceBase): readonly protobuf.Type[] =>
  namespace.nestedArray.flatMap(nested => {
    if (nested instanceof protobuf.Type) return [nested];
    return nested instanceof protobuf.Namespace ? typesIn(nested) : [];
  });

/** By full name. Not asked of the library, whose look-ups keep every unknown name for ever. */
const types: ReadonlyMap<string, protobuf.Type> = new Map(
  typesIn(protobuf.Root.fromJSON(descriptor as protobuf.INamespace)).map(type => [type.fullName.slice(1), type]),
);
const envelopeType = types.get(`${runtimePackage}.Unknown`)!;

const decode = (type: protobuf.Type, bytes: Uint8Array): Message => {
  try {
    return type.decode(bytes) as unknown as Message;
  } catch (error) {
    throw undecodable(error instanceof Error ? error.message : String(error));
  }
};

const undecodable = (why: string) => badRequest(`the protobuf body could not be decoded: ${why}`);

/** Group `apps` is package k8s.io.api.apps, `policy` k8s.io.api.policy, `authorization.k8s.io` k8s.io.api.authorization. */
const typeOf = (apiVersion: string, kind: string): protobuf.Type | undefined => {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  const name = group?.replace(/\.k8s\.io$/, '');
  // Options types (DeleteOptions, …) are registered in every group.
  return types.get(`k8s.io.api.${name}.${version}.${kind}`) ?? types.get(`${metaPackage}.${kind}`);
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

/** Absent, empty strings, lists and maps, and zeros that mean the default are left out: in Go nobody can tell them apart. */
const fieldsToJson = (type: protobuf.Type, message: Message): Record<string, unknown> => {
  const result: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    if (!Object.hasOwn(message, field.name)) continue;
    const name = jsonNames.get(field.name) ?? field.name;
    const value = message[field.name];
    if (field instanceof protobuf.MapField) {
      const entries = Object.entries(value as object).map(([key, item]) => [key, valueToJson(field, item)] as const);
      if (entries.length > 0) result[name] = Object.fromEntries(entries);
    } else if (field.repeated) {
      const items = (value as readonly unknown[]).map(item => valueToJson(field, item));
      if (items.length > 0) result[name] = items;
    } else {
      const json = valueToJson(field, value);
      if (inlined.has(name)) Object.assign(result, json);
      else if (json !== undefined && json !== '' && !(json === 0 && zeroIsUnset.has(name))) result[name] = json;
    }
  }
  return result;
};

const valueToJson = (field: protobuf.Field, value: unknown): unknown => {
  if (field.resolvedType instanceof protobuf.Type) return messageToJson(field.resolvedType, value as Message);
  if (field.type === 'bytes') return protobuf.util.base64.encode(value as Uint8Array, 0, (value as Uint8Array).length);
  return typeof value === 'object' ? numberOf(value) : value;
};

/** protobufjs gives 64-bit integers as Long. */
const numberOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? (value as { toNumber(): number }).toNumber() : Number(value ?? 0);

/** A message in its JSON form. */
const messageToJson = (type: protobuf.Type, message: Message): unknown => {
  switch (type.fullName.slice(1)) {
    case 'k8s.io.apimachinery.pkg.api.resource.Quantity':
      return message['string'] || '0';
    case 'k8s.io.apimachinery.pkg.util.intstr.IntOrString':
      return numberOf(message['type']) === 1 ? message['strVal'] : message['intVal'];
    case `${metaPackage}.Time`:
      return isEmpty(message) ? undefined : toTime(millisOf(message));
    case `${metaPackage}.MicroTime`:
      return isEmpty(message) ? undefined : microTime(message);
    case `${metaPackage}.Duration`:
      return `${numberOf(message['duration']) / 1e9}s`;
    case `${metaPackage}.FieldsV1`:
      return embeddedJson(message['Raw']);
    case `${runtimePackage}.RawExtension`:
      return embeddedJson(message['raw']);
    case 'k8s.io.api.authentication.v1.ExtraValue':
    case 'k8s.io.api.authorization.v1.ExtraValue':
      return message['items'];
    default:
      return fieldsToJson(type, message);
  }
};

const isEmpty = (message: Message): boolean => Object.keys(message).length === 0;

/** protobuf's range of times, which is RFC 3339's too: the years 1 to 9999. */
const firstMs = Date.parse('0001-01-01T00:00:00Z');
const lastMs = Date.parse('9999-12-31T23:59:59.999Z');

const millisOf = ({ seconds, nanos }: Message): number => {
  const ms = numberOf(seconds) * 1000 + Math.floor(numberOf(nanos) / 1e6);
  if (ms < firstMs || ms > lastMs) throw undecodable('a time lies outside the years 1 to 9999');
  return ms;
};

const microTime = (message: Message): string => {
  const micros = Math.floor(numberOf(message['nanos']) / 1000) % 1000;
  return toMicroTime(millisOf(message)).replace(/\d{3}Z$/, `${String(micros).padStart(3, '0')}Z`);
};

const embeddedJson = (raw: unknown): unknown => {
  if (!(raw instanceof Uint8Array) || raw.length === 0) return undefined;
  try {
    return JSON.parse(protobuf.util.utf8.read(raw, 0, raw.length));
  } catch {
    throw undecodable('embedded JSON is malformed');
  }
};
