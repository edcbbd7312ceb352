/**
 * Changes to the text of a kubeconfig that touch nothing but what they are about: entries of its lists, values of its
 * keys, in block style (YAML as kubectl writes it) and in flow style (JSON). Each operation takes text and gives text.
 */
import { type Document, isMap, isSeq, LineCounter, type Pair, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';

/** What a user must mend in a kubeconfig file. */
export class KubeconfigError extends Error {
  override name = 'KubeconfigError';
}

/** `undefined` for a text without any content. Throws KubeconfigError; `file` is for its message. */
export const parseKubeconfig = (text: string, file: string): YAMLMap | undefined => {
  const lines = new LineCounter();
  const document: Document = parseDocument(text, { lineCounter: lines, keepSourceTokens: true });
  const [error] = document.errors as readonly { pos: [number, number]; message: string }[];
  if (error) {
    const { line } = lines.linePos(error.pos[0]);
    throw new KubeconfigError(`${file}: line ${line} is not valid YAML: ${error.message.split('\n')[0]}`);
  }
  if (document.contents === null) return undefined;
  if (!isMap(document.contents)) throw new KubeconfigError(`${file} is not a kubeconfig: it must be a mapping`);
  return document.contents as YAMLMap;
};

export const sequenceOf = (map: YAMLMap | undefined, list: string): YAMLSeq | undefined => {
  const node = map?.get(list, true);
  return isSeq(node) ? (node as YAMLSeq) : undefined;
};

/** The entry of that name in one of the lists. */
export const entryOf = (map: YAMLMap | undefined, list: string, name: string): YAMLMap | undefined =>
  sequenceOf(map, list)?.items.find((item): item is YAMLMap => isMap(item) && item.get('name') === name);

/** The text of a key's value as it stands, with the space before it; null: there is no such key. */
export const sourceOf = (text: string, map: YAMLMap, key: string): string | null => {
  const place = placeOf(map, key);
  return place ? text.slice(place.colonEnd, place.valueEnd) : null;
};

/** Sets the text of a key's value; null takes the key away. A key that is not there is added at the end. */
export const withSource = (text: string, key: string, source: string | null): string => {
  const map = mapOf(text);
  const place = placeOf(map, key);
  if (place && source !== null) return splice(text, place.colonEnd, place.valueEnd, source);
  if (place) return withoutPair(text, map, key);
  return source === null ? text : withPair(text, map, `${key}:${source}`);
};

/**
 * Puts an entry first in a list. `block` gives its lines at an indentation, `flow` its JSON. A list that is empty, null or
 * not there is made one.
 */
export const withEntry = (text: string, list: string, block: (indent: string) => string, flow: string): string => {
  const map = mapOf(text);
  const place = placeOf(map, list);
  const items = sequenceOf(map, list);
  const eol = lineEnd(text);
  if (map.flow) {
    if (!place) return withPair(text, map, `${JSON.stringify(list)}: [${flow}]`);
    if (!items?.items.length) return splice(text, place.valueStart, place.valueEnd, `[${flow}]`);
    return splice(text, place.valueStart + 1, place.valueStart + 1, `${flow}, `);
  }
  if (!place) return withPair(text, map, `${list}:${eol}${block('').replaceAll('\n', eol)}`);
  if (items?.flow && items.items.length > 0)
    return splice(text, place.valueStart + 1, place.valueStart + 1, `${flow}, `);
  const emptied = items?.items.length ? text : splice(text, place.colonEnd, place.valueEnd, '');
  const indent = ' '.repeat(items?.items.length ? indentOf(items) : 0);
  const newline = emptied.indexOf('\n', place.colonEnd);
  const lines = block(indent).replaceAll('\n', eol);
  if (newline < 0) return `${emptied}${eol}${lines}`;
  return splice(emptied, newline + 1, newline + 1, `${lines}${eol}`);
};

/** Takes an entry out of a list; a list that is empty then gets `source` as its value (null: its key goes too). */
export const withoutEntry = (text: string, list: string, name: string, source: string | null): string => {
  const map = mapOf(text);
  const items = sequenceOf(map, list);
  const item = entryOf(map, list, name);
  if (!items || !item) return text;
  const inFlow = items.flow === true;
  const [from, to] = inFlow ? flowSpan(text, item) : lineSpan(text, dashOf(items, item), contentEnd(item));
  const rest = splice(text, from, to, '');
  if (items.items.length > 1) return rest;
  if (source === null) return withSource(rest, list, null);
  return withSource(rest, list, inFlow && source.trim() === '' ? ' []' : source);
};

interface Place {
  readonly keyStart: number;
  /** Just behind the colon. */
  readonly colonEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

interface Positioned {
  readonly range?: readonly [number, number, number] | null;
}
interface Token {
  readonly type: string;
  readonly offset: number;
}

const placeOf = (map: YAMLMap, key: string): Place | undefined => {
  const pair = map.items.find(({ key: found }) => String(found) === key) as Pair<Positioned, Positioned> | undefined;
  const tokens = (pair as { srcToken?: { sep?: readonly Token[] } } | undefined)?.srcToken?.sep ?? [];
  const colon = tokens.find(({ type }) => type === 'map-value-ind');
  if (!pair || !colon) return undefined;
  const colonEnd = colon.offset + 1;
  const [valueStart, valueEnd] = pair.value?.range ?? [colonEnd, colonEnd];
  // A value that is not written has its place behind the line's end.
  const written = valueEnd > valueStart;
  const end = isSeq(pair.value) && !pair.value.flow ? contentEnd(pair.value) : valueEnd;
  return {
    keyStart: pair.key.range![0],
    colonEnd,
    valueStart: written ? valueStart : colonEnd,
    valueEnd: written ? end : colonEnd,
  };
};

const mapOf = (text: string): YAMLMap => {
  const map = parseKubeconfig(text, 'kubeconfig');
  if (!map) throw new KubeconfigError('the kubeconfig is empty');
  return map;
};

const splice = (text: string, from: number, to: number, insert: string): string =>
  text.slice(0, from) + insert + text.slice(to);

const lineEnd = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n');

/** Where the last character of a node stands, without the comments and empty lines that follow it. */
const contentEnd = (node: unknown): number => {
  if (isMap(node) && !node.flow && node.items.length > 0) {
    const last = node.items.at(-1)!;
    const value = last.value as Positioned | null;
    return value?.range && value.range[1] > value.range[0] ? contentEnd(value) : contentEnd(last.key);
  }
  if (isSeq(node) && !node.flow && node.items.length > 0) return contentEnd(node.items.at(-1));
  return (node as Positioned).range![1];
};

/** The lines that a node takes. At the end of a text without a last line break, the one before them goes with them. */
const lineSpan = (text: string, start: number, end: number): readonly [number, number] => {
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const newline = text.indexOf('\n', end);
  if (newline >= 0) return [from, newline + 1];
  return [Math.max(0, from - lineEnd(text).length), text.length];
};

/** A node among others in flow style, with the comma that parts it from them. */
const flowSpan = (text: string, node: Positioned): readonly [number, number] => {
  const [start, end] = node.range!;
  const after = /^\s*, ?/.exec(text.slice(end));
  if (after) return [start, end + after[0].length];
  const before = /,\s*$/.exec(text.slice(0, start));
  return [start - (before?.[0].length ?? 0), end];
};

const dashOf = (items: YAMLSeq, item: YAMLMap): number => {
  const { srcToken } = items as { srcToken?: { items: readonly { start: readonly Token[] }[] } };
  const tokens = srcToken!.items[items.items.indexOf(item)]!.start;
  return tokens.find(({ type }) => type === 'seq-item-ind')!.offset;
};

const indentOf = (items: YAMLSeq): number => (items as { srcToken?: { indent: number } }).srcToken!.indent;

const withPair = (text: string, map: YAMLMap, pair: string): string => {
  if (map.flow) {
    const open = (map as Positioned).range![0] + 1;
    const key = /^[\w-]+:/.test(pair) ? pair.replace(/^([\w-]+):/, '"$1":') : pair;
    return splice(text, open, open, map.items.length > 0 ? `${key}, ` : key);
  }
  const eol = lineEnd(text);
  return text.endsWith('\n') ? `${text}${pair}${eol}` : `${text}${eol}${pair}`;
};

const withoutPair = (text: string, map: YAMLMap, key: string): string => {
  const { keyStart, valueEnd } = placeOf(map, key)!;
  const [from, to] = map.flow
    ? flowSpan(text, { range: [keyStart, valueEnd, valueEnd] })
    : lineSpan(text, keyStart, valueEnd);
  return splice(text, from, to, '');
};
