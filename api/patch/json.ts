/**
 * JSON Patch (RFC 6902) through the rfc6902 library, all or nothing, with evanphx/json-patch's texts. What the library
 * lets pass is checked here first: list indexes that are none, members of scalars, and copies that grow without bound.
 */
import { applyPatch, type Operation, Pointer } from 'rfc6902';
import { deepCopy, deepEqual } from '#base/deep.ts';
import type { SchemaNode } from '../schema.ts';
import { ApiError, badRequest } from '../status.ts';
import { unprocessable } from './errors.ts';
import { isMap, type JsonMap } from './json-map.ts';

const maxOperations = 10_000;
/** Ten times the greatest request, as upstream limits it. */
const maxCopiedBytes = 30 * 1024 * 1024;

/** A patched copy; `target` stays as it is. Throws BadRequest for ill-formed patches, 422 when an operation does not apply. */
export const jsonPatch = (_schema: SchemaNode, target: object, patch: unknown): object => {
  if (!Array.isArray(patch)) throw badRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  if (patch.length > maxOperations)
    throw new ApiError({
      code: 413,
      reason: 'RequestEntityTooLarge',
      message: `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
    });
  const operations = patch.map(checkOperation);
  // The document hangs under a member, so that an operation on the whole document is one on a member too.
  const holder: { document: unknown } = { document: deepCopy(target) };
  let copiedBytes = 0;
  for (const operation of operations) {
    if (operation.op === 'copy') {
      copiedBytes += JSON.stringify(valueAt(holder, operation.from))?.length ?? 0;
      if (copiedBytes > maxCopiedBytes)
        throw unprocessable(
          `Unable to complete the copy, the accumulated size increase of copy is ${copiedBytes}, exceeding the limit ${maxCopiedBytes}`,
        );
    }
    applyOne(holder, operation);
  }
  if (!isMap(holder.document)) throw unprocessable('the patched document is no object');
  return holder.document;
};

const ops: ReadonlySet<unknown> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

const checkOperation = (operation: unknown): Operation => {
  if (!isMap(operation)) throw badRequest('json: cannot unmarshal patch operation: it is no object');
  const { op, path, from } = operation;
  if (!ops.has(op)) throw unprocessable(`Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`);
  const inDocument = { ...operation, path: locate(path, 'path') };
  if (op === 'move' || op === 'copy') return { ...inDocument, from: locate(from, 'from') } as unknown as Operation;
  if ((op === 'add' || op === 'replace') && !Object.hasOwn(operation, 'value'))
    throw unprocessable(`${op} operation does not apply: it has no value`);
  return inDocument as unknown as Operation;
};

const locate = (pointer: unknown, member: string): string => {
  if (typeof pointer !== 'string') throw unprocessable(`${member} of a patch operation is missing or no text`);
  if (pointer !== '' && !pointer.startsWith('/'))
    throw unprocessable(`${member} ${JSON.stringify(pointer)} does not start with /`);
  if (pointer.split('/').includes('__proto__'))
    throw unprocessable(`${member} ${JSON.stringify(pointer)} is not allowed`);
  return `/document${pointer}`;
};

const shown = (path: string): string => path.slice('/document'.length);

const applyOne = (holder: object, operation: Operation): void => {
  const { op, path } = operation;
  if (op === 'test') {
    if (!deepEqual(valueAt(holder, path) ?? null, operation.value ?? null))
      throw unprocessable(`testing value ${shown(path)} failed: test failed`);
    return;
  }
  if ((op === 'move' || op === 'copy') && valueAt(holder, operation.from) === undefined)
    throw unprocessable(
      `${op} operation does not apply: doc is missing from path: "${shown(operation.from)}": missing value`,
    );
  const parent = valueAt(holder, path.slice(0, path.lastIndexOf('/')));
  const key = path.slice(path.lastIndexOf('/') + 1);
  if (!isMap(parent) && !Array.isArray(parent))
    throw unprocessable(`${op} operation does not apply: doc is missing path: "${shown(path)}": missing value`);
  const adds = op === 'add' || op === 'move' || op === 'copy';
  if (Array.isArray(parent) && !isIndex(key, parent.length, adds))
    throw unprocessable(
      `${op} operation does not apply: "${shown(path)}": Unable to access invalid index: ${key}: invalid index referenced`,
    );
  if (!adds && valueAt(holder, path) === undefined)
    throw unprocessable(
      op === 'remove'
        ? `remove operation does not apply: doc is missing path: "${shown(path)}": missing value`
        : `replace operation does not apply: doc is missing key: ${shown(path)}: missing value`,
    );
  const [failure] = applyPatch(holder, [operation]);
  if (failure) throw unprocessable(`${op} operation does not apply: ${failure.message}`);
};

const isIndex = (key: string, length: number, adds: boolean): boolean => {
  if (adds && key === '-') return true;
  return /^(?:0|[1-9][0-9]*)$/.test(key) && Number(key) < length + (adds ? 1 : 0);
};

const valueAt = (holder: object, path: string): unknown => {
  let value: unknown = holder;
  for (const token of Pointer.fromJSON(path).tokens.slice(1)) {
    if (Array.isArray(value)) value = /^(?:0|[1-9][0-9]*)$/.test(token) ? value[Number(token)] : undefined;
    else if (isMap(value)) value = Object.hasOwn(value, token) ? (value as JsonMap)[token] : undefined;
    else return undefined;
  }
  return value;
};
