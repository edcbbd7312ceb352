/**
 * From the bytes of a request to a value: JSON, YAML or Kubernetes' protobuf, by content type (JSON when none is given). What
 * cannot be read is refused in upstream's words (apiserver endpoints/handlers/rest.go and patch.go).
 */
import { decodeJson } from '#api/decode-json.ts';
import { ApiError, badRequest } from '#api/status.ts';
import { decodeYaml, YamlError } from '#api/yaml.ts';
import type { Patch } from '#client/client.ts';
import { bodyTypes, mediaType, patchTypes, unsupportedMediaType } from './negotiate.ts';

export interface Body {
  readonly value: unknown;
  /** What the text itself does that strict clients do not want, in words: keys that are given twice. */
  readonly strictFaults: readonly string[];
}

export interface BodyOptions {
  /** The kind that the body ought to be, for texts alone. */
  readonly kind: string;
  /** Find keys that are given twice. */
  readonly strict?: boolean;
}

/** Rejects with BadRequest, or UnsupportedMediaType. */
export const readBody = async (bytes: Buffer, contentType: string | undefined, options: BodyOptions): Promise<Body> => {
  try {
    const { value, strictFaults } = await parsed(bytes, mediaType(contentType), options.strict === true);
    // As Go reads it: nothing is an object without fields.
    if (value === null || value === undefined) return { value: {}, strictFaults };
    if (typeof value !== 'object' || Array.isArray(value)) throw badRequest(notOfType(value, objectMeta));
    return { value, strictFaults };
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 400) throw error;
    throw badRequest(
      `the object provided is unrecognized (must be of type ${options.kind}): ${error.message} (${summaryOf(bytes)})`,
    );
  }
};

const parsed = async (bytes: Buffer, type: string, strict: boolean): Promise<Body> => {
  switch (type) {
    case '':
    case 'application/json': {
      const { value, duplicateFields } = fromJson(bytes, strict, "couldn't get version/kind; json parse error: ");
      return { value, strictFaults: duplicateFields.map(duplicateField) };
    }
    case 'application/yaml': {
      const { value, duplicateKeys } = fromYaml(bytes, 'error converting YAML to JSON: ');
      return { value, strictFaults: strict ? duplicateKeys : [] };
    }
    case 'application/vnd.kubernetes.protobuf':
      return { value: await fromProtobuf(bytes), strictFaults: [] };
    default:
      throw unsupportedMediaType(bodyTypes);
  }
};

export interface PatchBody {
  readonly patch: Patch;
  readonly strictFaults: readonly string[];
}

/** Throws BadRequest, or UnsupportedMediaType. */
export const readPatch = (bytes: Buffer, contentType: string | undefined, strict: boolean): PatchBody => {
  const type = mediaType(contentType);
  switch (type) {
    case 'application/json-patch+json':
      return readJsonPatch(bytes, strict);
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json': {
      const prefix = type === 'application/merge-patch+json' ? decodingPatch : '';
      const { value, duplicateFields } = fromJson(bytes, strict, prefix);
      const body = objectOf(value, prefix);
      const patch: Patch = { type: prefix === '' ? 'strategic' : 'merge', body };
      return { patch, strictFaults: duplicateFields.map(duplicateField) };
    }
    case 'application/apply-patch+yaml':
      return readApply(bytes, strict);
    default:
      throw unsupportedMediaType(patchTypes);
  }
};

const decodingPatch = 'error decoding patch: ';
const decodingYaml = 'error decoding YAML: ';
const operationTexts = ['op', 'path', 'from'] as const;
const operationFields: ReadonlySet<string> = new Set([...operationTexts, 'value']);

const readJsonPatch = (bytes: Buffer, strict: boolean): PatchBody => {
  const { value, duplicateFields } = fromJson(bytes, strict, decodingPatch);
  if (!Array.isArray(value)) throw badRequest(decodingPatch + notOfType(value, '[]handlers.jsonPatchOp'));
  const unknown: string[] = [];
  for (const [i, operation] of value.entries()) {
    if (typeof operation !== 'object' || operation === null || Array.isArray(operation))
      throw badRequest(decodingPatch + notOfType(operation, 'handlers.jsonPatchOp'));
    for (const field of operationTexts) {
      const text = (operation as Record<string, unknown>)[field] ?? '';
      if (typeof text !== 'string')
        throw badRequest(decodingPatch + notOfType(text, 'string', `struct field jsonPatchOp.${field} of`));
    }
    if (!strict) continue;
    for (const field of Object.keys(operation))
      if (!operationFields.has(field)) unknown.push(`unknown field "[${i}].${field}"`);
  }
  const faults = [...unknown, ...duplicateFields.map(duplicateField)];
  return { patch: { type: 'json', body: value as object[] }, strictFaults: faults.map(fault => `json patch ${fault}`) };
};

/** Clients really send JSON; which is YAML, so only what is no JSON, or gives a key twice, is read as such. */
const readApply = (bytes: Buffer, strict: boolean): PatchBody => {
  const quick = quickJson(bytes);
  const needsYaml =
    quick === undefined || (strict && decodeJson(bytes.toString(), { duplicates: true }).duplicateFields.length > 0);
  const { value, duplicateKeys } = needsYaml
    ? fromYaml(bytes, `${decodingYaml}error converting YAML to JSON: `)
    : { value: quick, duplicateKeys: [] };
  const body = objectOf(value ?? {}, `${decodingYaml}error unmarshaling JSON: while decoding JSON: `);
  return { patch: { type: 'apply', body }, strictFaults: strict ? duplicateKeys : [] };
};

const quickJson = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    // It may be YAML; and what is wrong with it, if it is none, reading it as such will say.
    return undefined;
  }
};

const objectMeta =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

const notOfType = (value: unknown, type: string, target = 'value of'): string => {
  const shown = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
  const text = `json: cannot unmarshal ${shown === 'boolean' ? 'bool' : shown} into Go ${target} type ${type}`;
  return type === objectMeta ? `couldn't get version/kind; json parse error: ${text}` : text;
};

const objectOf = (value: unknown, prefix: string): object => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest(prefix + notOfType(value, 'map[string]interface {}'));
  return value;
};

const duplicateField = (path: string): string => `duplicate field ${JSON.stringify(path)}`;

/** Longer bodies are not searched for keys given twice: that takes longer than all the rest. */
const duplicatesLimit = 64 * 1024;

const fromJson = (bytes: Buffer, strict: boolean, prefix: string) => {
  try {
    return decodeJson(bytes.toString(), { duplicates: strict && bytes.length < duplicatesLimit });
  } catch (error) {
    throw error instanceof ApiError ? badRequest(prefix + error.message) : error;
  }
};

/** Loaded with the first such body: many servers never see one, and the descriptor is large. */
const fromProtobuf = async (bytes: Buffer): Promise<unknown> => {
  const { decodeProtobuf } = await import('#api/protobuf.ts');
  return decodeProtobuf(bytes).object;
};

const fromYaml = (bytes: Buffer, prefix: string) => {
  try {
    return decodeYaml(bytes.toString());
  } catch (error) {
    throw error instanceof YamlError ? badRequest(prefix + error.message) : error;
  }
};

const summaryLength = 30;

/** How a body begins: as text when it looks like JSON, else in hex, since it may be anything. */
const summaryOf = (bytes: Buffer): string => {
  if (bytes.length === 0) return '<empty>';
  const start = bytes.subarray(0, summaryLength).toString(bytes[0] === 0x7b ? 'utf8' : 'hex');
  return bytes.length > summaryLength ? `${start} ...` : start;
};
