/**
 * Order of list elements after a strategic merge: elements that the patch names follow the patch's order, elements that
 * only the server has keep theirs, and the two sequences are merged so that known neighbours stay in order.
 */
import { deepEqual } from '#base/deep.ts';
import { badRequest } from '../status.ts';
import { isMap } from './json-map.ts';

type Key = string | undefined;

/** `merged` in order: patch elements as in `patchOrder`, the others as in `serverOrder`. */
export const orderElements = (
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: Key,
): readonly unknown[] => {
  const inPatch = sorted(
    merged.filter(item => indexIn(patchOrder, item, mergeKey) !== -1),
    patchOrder,
    mergeKey,
  );
  const serverOnly = sorted(
    merged.filter(item => indexIn(patchOrder, item, mergeKey) === -1),
    serverOrder,
    mergeKey,
  );
  const result: unknown[] = [];
  let i = 0;
  let j = 0;
  while (i < serverOnly.length || j < inPatch.length) {
    if (j >= inPatch.length || (i < serverOnly.length && comesBefore(serverOnly[i], inPatch[j], serverOrder, mergeKey)))
      result.push(serverOnly[i++]);
    else result.push(inPatch[j++]);
  }
  return result;
};

/** Orders by a $setElementOrder list, after checking that the patch's own elements follow it. */
export const setElementOrder = (
  merged: readonly unknown[],
  order: readonly unknown[],
  serverOrder: readonly unknown[],
  changes: readonly unknown[],
  mergeKey: Key,
  field: string,
): readonly unknown[] => {
  const places = changes
    .filter(item => !(isMap(item) && item['$patch'] !== undefined))
    .map(item => indexIn(order, item, mergeKey));
  if (places.some((place, i) => place === -1 || (i > 0 && place < (places[i - 1] ?? 0))))
    throw badRequest(
      `The order in patch list:\n${JSON.stringify(changes)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n (${field})`,
    );
  return orderElements(merged, order, serverOrder, mergeKey);
};

const comesBefore = (a: unknown, b: unknown, order: readonly unknown[], mergeKey: Key): boolean => {
  const left = indexIn(order, a, mergeKey);
  const right = indexIn(order, b, mergeKey);
  return left !== -1 && right !== -1 && left < right;
};

const sorted = (items: readonly unknown[], order: readonly unknown[], mergeKey: Key): readonly unknown[] =>
  items
    .map(item => ({ item, at: indexIn(order, item, mergeKey) }))
    .sort((a, b) => (a.at === -1 ? order.length : a.at) - (b.at === -1 ? order.length : b.at))
    .map(({ item }) => item);

const indexIn = (list: readonly unknown[], item: unknown, mergeKey: Key): number => {
  if (mergeKey === undefined || !isMap(item)) return list.findIndex(one => deepEqual(one, item));
  return list.findIndex(one => isMap(one) && String(one[mergeKey]) === String(item[mergeKey]));
};
