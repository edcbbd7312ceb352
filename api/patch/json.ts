/**
 * JSON Patch (RFC 6902), all or nothing, with the reading and the texts of evanphx/json-patch, which real API servers use: where it
 * goes its own way (a replace may add a member, an index may count from the end), so does this.
 */
import { deepCopy, deepEqual } from '#base/deep.ts';
import type { SchemaNode } from '../schema.ts';
import { ApiError, badRequest } from '../status.ts';
import { unprocessable } from './errors.ts';
import { isMap } from './json-map.ts';

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
  const state: State = { document: deepCopy(target), copiedBytes: 0 };
  for (const operation of patch) {
    if (!isMap(operation)) throw badRequest('json: cannot unmarshal patch operation: it is no object');
    const { op, path, from, value } = operation;
    const kind = typeof op === 'string' ? op : 'unknown';
    if (!Object.hasOwn(operations, kind)) throw unprocessable(`Unexpected kind: ${kind}`);
    const missing =
      typeof path !== 'string' ? 'path' : from !== undefined || kind === 'move' || kind === 'copy' ? 'from' : '';
    if (typeof path !== 'string' || (missing === 'from' && typeof from !== 'string'))
      throw unprocessable(`${kind} operation failed to decode ${missing}: missing value`);
    operations[kind]!(state, { path, from: typeof from === 'string' ? from : '', value: deepCopy(value ?? null) });
  }
  if (!isMap(state.document)) throw unprocessable('the patched document is no object');
  return state.document;
};

interface State {
  document: unknown;
  copiedBytes: number;
}

interface Operation {
  readonly path: string;
  readonly from: string;
  readonly value: unknown;
}

const operations: Readonly<Record<string, (state: State, operation: Operation) => void>> = {
  add: (state, { path, value }) => {
    const place = placeOf(state.document, path);
    if (place === undefined) throw doesNotApply('add', `doc is missing path: "${path}"`);
    insert(place, value, `error in add for path: '${path}': `);
  },
  remove: (state, { path }) => {
    const place = placeOf(state.document, path);
    if (place === undefined) throw doesNotApply('remove', `doc is missing path: "${path}"`);
    take(place, `error in remove for path: '${path}': `);
  },
  replace: (state, { path, value }) => {
    if (path === '') {
      state.document = value;
      return;
    }
    const place = placeOf(state.document, path);
    if (place === undefined) throw doesNotApply('replace', `doc is missing path: ${path}`);
    if (Array.isArray(place.container) && indexIn(place, place.container.length) === undefined)
      throw doesNotApply('replace', `doc is missing key: ${path}`);
    set(place, value);
  },
  move: (state, { path, from }) => {
    const source = placeOf(state.document, from);
    if (source === undefined) throw doesNotApply('move', `doc is missing from path: ${from}`);
    const value = take(source, `error in move for path: '${source.key}': `);
    const place = placeOf(state.document, path);
    if (place === undefined) throw doesNotApply('move', `doc is missing destination path: ${path}`);
    insert(place, value, `error in move for path: '${path}': `);
  },
  copy: (state, { path, from }) => {
    const source = placeOf(state.document, from);
    if (source === undefined) throw doesNotApply('copy', `doc is missing from path: ${from}`);
    const value = deepCopy(valueAt(source, `error in copy for from: '${from}': `) ?? null);
    const place = placeOf(state.document, path);
    if (place === undefined) throw doesNotApply('copy', `doc is missing destination path: ${path}`);
    state.copiedBytes += JSON.stringify(value).length;
    if (state.copiedBytes > maxCopiedBytes)
      throw unprocessable(
        `Unable to complete the copy, the accumulated size increase of copy is ${state.copiedBytes}, exceeding the limit ${maxCopiedBytes}`,
      );
    insert(place, value, 'error while adding value during copy: ');
  },
  test: (state, { path, value }) => {
    const place = path === '' ? undefined : placeOf(state.document, path);
    if (path !== '' && place === undefined) throw doesNotApply('test', `is missing path: ${path}`);
    const present = place === undefined ? state.document : valueAt(place, `error in test for path: '${path}': `);
    if (!deepEqual(present ?? null, value)) throw unprocessable(`testing value ${path} failed: test failed`);
  },
};

const doesNotApply = (op: string, why: string): ApiError =>
  unprocessable(`${op} operation does not apply: ${why}: missing value`);

/** Where a pointer leads: the container that is there, and the key in it that need not be. */
interface Place {
  readonly container: Record<string, unknown> | unknown[];
  readonly key: string;
}

const placeOf = (document: unknown, pointer: string): Place | undefined => {
  if (!pointer.startsWith('/')) return undefined;
  const steps = pointer.slice(1).split('/').map(unescaped);
  if (steps.includes('__proto__')) throw unprocessable(`${JSON.stringify(pointer)} is not allowed`);
  const key = steps.pop()!;
  let value = document;
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) return undefined;
    const place = { container: value as Place['container'], key: step };
    if (Array.isArray(value)) {
      const index = indexIn(place, value.length);
      value = index === undefined ? undefined : value[index];
    } else value = Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : undefined;
  }
  return typeof value === 'object' && value !== null ? { container: value as Place['container'], key } : undefined;
};

const unescaped = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~');

/** The index that the key is, of `count`; negative ones count from the end. Undefined: it is none. */
const indexIn = ({ key }: Place, count: number): number | undefined => {
  if (!/^[-+]?\d{1,9}$/.test(key)) return undefined;
  const index = Number(key) < 0 ? Number(key) + count : Number(key);
  return index >= 0 && index < count ? index : undefined;
};

const noIndex = ({ key }: Place): string =>
  /^[-+]?\d{1,9}$/.test(key)
    ? `Unable to access invalid index: ${Number(key)}: invalid index referenced`
    : `strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`;

const valueAt = (place: Place, prefix: string): unknown => {
  const { container, key } = place;
  if (!Array.isArray(container)) return Object.hasOwn(container, key) ? container[key] : undefined;
  const index = indexIn(place, container.length);
  if (index === undefined) throw unprocessable(prefix + noIndex(place));
  return container[index];
};

const insert = (place: Place, value: unknown, prefix: string): void => {
  const { container, key } = place;
  if (!Array.isArray(container)) {
    container[key] = value;
    return;
  }
  const index = key === '-' ? container.length : indexIn(place, container.length + 1);
  if (index !== undefined) container.splice(index, 0, value);
  else if (/^[-+]?\d{1,9}$/.test(key)) throw unprocessable(prefix + noIndex(place));
  else throw unprocessable(`${prefix}value was not a proper array index: '${key}': ${noIndex(place)}`);
};

const set = (place: Place, value: unknown): void => {
  const { container, key } = place;
  if (Array.isArray(container)) container[indexIn(place, container.length)!] = value;
  else container[key] = value;
};

/** Removes the value and gives it. */
const take = (place: Place, prefix: string): unknown => {
  const value = valueAt(place, prefix);
  const { container, key } = place;
  if (Array.isArray(container)) container.splice(indexIn(place, container.length)!, 1);
  else {
    if (!Object.hasOwn(container, key))
      throw unprocessable(`${prefix}Unable to remove nonexistent key: ${key}: missing value`);
    delete container[key];
  }
  return value;
};
