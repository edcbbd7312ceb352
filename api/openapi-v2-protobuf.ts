/**
 * An OpenAPI v2 document as the protobuf message openapi.v2.Document of gnostic, the only form that client-go asks for. Every
 * field that is used is a text, a flag or a message of its own, so a writer of those is all that it takes. What has no field
 * here is left out, but extensions (`x-…`), which the messages hold as YAML.
 */
import { utf8 } from './base64.ts';
import type { V2Document } from './openapi-v2.ts';

export const v2ToProtobuf = (document: V2Document): Uint8Array => documentMessage(document);

/** The content of one message or text. */
type Encode = (value: unknown) => Uint8Array;
/** One field of a message, with its tag, as often as it is repeated. */
type Field = (value: unknown) => readonly Uint8Array[];
type Fields = Readonly<Record<string, Field>>;

const text: Encode = value => Uint8Array.from(utf8(String(value)));

const varint = (value: number): readonly number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};

const lengthDelimited = 2;
const record = (field: number, content: Uint8Array): readonly Uint8Array[] => [
  Uint8Array.from([...varint((field << 3) | lengthDelimited), ...varint(content.length)]),
  content,
];

const one =
  (field: number, encode: Encode): Field =>
  value =>
    record(field, encode(value));

const each =
  (field: number, encode: Encode): Field =>
  values =>
    (values as readonly unknown[]).flatMap(value => record(field, encode(value)));

const flag =
  (field: number): Field =>
  value =>
    value === true ? [Uint8Array.from([...varint(field << 3), 1])] : [];

/** A message that has nothing but one field. */
const within =
  (field: number, encode: Encode): Encode =>
  value =>
    joined(record(field, encode(value)));

/** A message that stands for a map: its field is repeated pairs of name and value. */
const map =
  (field: number, encode: Encode): Encode =>
  value =>
    joined(Object.entries(value as object).flatMap(([name, item]) => record(field, pair(name, encode(item)))));

const pair = (name: string, content: Uint8Array): Uint8Array =>
  joined([...record(1, text(name)), ...record(2, content)]);

const anything: Encode = value => joined(record(2, text(JSON.stringify(value))));

const message =
  (fields: () => Fields, extensions?: number): Encode =>
  value =>
    joined(
      Object.entries(value as object).flatMap(([name, item]) => {
        if (item === undefined) return [];
        const field = fields()[name];
        if (field !== undefined) return field(item);
        return extensions !== undefined && name.startsWith('x-') ? record(extensions, pair(name, anything(item))) : [];
      }),
    );

const schema: Encode = message(() => schemaFields, 31);
const schemaFields: Fields = {
  $ref: one(1, text),
  format: one(2, text),
  description: one(4, text),
  required: each(19, text),
  enum: each(20, anything),
  additionalProperties: one(21, within(1, schema)),
  type: one(22, within(1, text)),
  items: one(23, within(1, schema)),
  properties: one(25, map(1, schema)),
};

const placed = { required: flag(1), in: one(2, text), description: one(3, text), name: one(4, text) };
const queryParameter = message(() => ({ ...placed, type: one(6, text), uniqueItems: flag(20) }));
const pathParameter = message(() => ({ ...placed, type: one(5, text), uniqueItems: flag(19) }));
const bodyParameter = message(() => ({
  description: one(1, text),
  name: one(2, text),
  in: one(3, text),
  required: flag(4),
  schema: one(5, schema),
}));

const parameter: Encode = value => {
  const place = (value as { readonly in: string }).in;
  if (place === 'body') return within(1, within(1, bodyParameter))(value);
  return within(1, within(2, place === 'path' ? within(4, pathParameter) : within(3, queryParameter)))(value);
};

const response = message(() => ({ description: one(1, text), schema: one(2, within(1, schema)) }));

const operation = message(
  () => ({
    description: one(3, text),
    produces: each(6, text),
    consumes: each(7, text),
    parameters: each(8, parameter),
    responses: one(9, map(1, within(1, response))),
  }),
  13,
);

const pathItem = message(() => ({
  get: one(2, operation),
  put: one(3, operation),
  post: one(4, operation),
  delete: one(5, operation),
  patch: one(8, operation),
  parameters: each(9, parameter),
}));

const keySecurity = message(() => ({
  type: one(1, text),
  name: one(2, text),
  in: one(3, text),
  description: one(4, text),
}));

/** A security scheme needs no scopes here. */
const scopes: Encode = () => new Uint8Array(0);

const documentMessage = message(() => ({
  swagger: one(1, text),
  info: one(
    2,
    message(() => ({ title: one(1, text), version: one(2, text) })),
  ),
  paths: one(8, map(2, pathItem)),
  definitions: one(9, map(1, schema)),
  security: each(12, map(1, scopes)),
  securityDefinitions: one(13, map(1, within(2, keySecurity))),
}));
