/** From the bytes of a request to a value: JSON, YAML or Kubernetes' protobuf, by content type (JSON when none is given). */
import { parse } from 'yaml';
import { decodeJson } from '#api/decode-json.ts';
import { badRequest } from '#api/status.ts';
import type { Patch } from '#client/client.ts';
import { bodyTypes, mediaType, patchTypes, unsupportedMediaType } from './negotiate.ts';

export interface Body {
  readonly value: unknown;
  readonly duplicateFields: readonly string[];
}

/** `duplicates`: find keys that are given twice. Rejects with BadRequest, or UnsupportedMediaType. */
export const readBody = async (bytes: Buffer, contentType: string | undefined, duplicates = false): Promise<Body> => {
  switch (mediaType(contentType)) {
    case '':
    case 'application/json':
      return decodeJson(bytes.toString(), { duplicates });
    case 'application/yaml':
      return { value: fromYaml(bytes.toString()), duplicateFields: [] };
    case 'application/vnd.kubernetes.protobuf':
      return { value: await fromProtobuf(bytes), duplicateFields: [] };
    default:
      throw unsupportedMediaType(bodyTypes);
  }
};

/** Throws BadRequest, or UnsupportedMediaType. */
export const readPatch = (bytes: Buffer, contentType: string | undefined): Patch => {
  switch (mediaType(contentType)) {
    case 'application/json-patch+json': {
      const body = decodeJson(bytes.toString()).value;
      if (!Array.isArray(body)) throw badRequest('a JSON patch must be a list of operations');
      return { type: 'json', body: body as object[] };
    }
    case 'application/merge-patch+json':
      return { type: 'merge', body: objectOf(decodeJson(bytes.toString()).value) };
    case 'application/strategic-merge-patch+json':
      return { type: 'strategic', body: objectOf(decodeJson(bytes.toString()).value) };
    case 'application/apply-patch+yaml':
      return { type: 'apply', body: objectOf(fromYaml(bytes.toString())) };
    default:
      throw unsupportedMediaType(patchTypes);
  }
};

const objectOf = (value: unknown): object => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest('a patch must be an object');
  return value;
};

/** Loaded with the first such body: many servers never see one, and the descriptor is large. */
const fromProtobuf = async (bytes: Buffer): Promise<unknown> => {
  const { decodeProtobuf } = await import('#api/protobuf.ts');
  return decodeProtobuf(bytes).object;
};

/** YAML 1.1, as Kubernetes reads it; JSON, which clients really send, is read as such. */
const fromYaml = (text: string): unknown => {
  if (text.trimStart().startsWith('{')) return decodeJson(text).value;
  try {
    return parse(text, { version: '1.1' });
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
};
