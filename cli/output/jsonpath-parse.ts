/**
 * Reads kubectl's JSONPath templates (client-go/util/jsonpath): literal text with actions in braces. An action is a chain
 * of nodes, each fed with what the one before it found: fields (`\.` for a dot in a key), `['key']`, indexes, slices
 * `[a:b:step]`, unions, `*`, recursive descent `..`, filters `[?(@.type=="Ready")]`, quoted text, numbers, booleans.
 * `{range …}…{end}` repeats what is between.
 */

export type Node =
  | { readonly is: 'value'; readonly value: string | number | boolean }
  | { readonly is: 'field'; readonly name: string }
  | { readonly is: 'all' }
  | { readonly is: 'deep' }
  | { readonly is: 'slice'; readonly from?: number; readonly to?: number; readonly step: number; readonly one: boolean }
  | { readonly is: 'union'; readonly choices: readonly Chain[] }
  | { readonly is: 'filter'; readonly left: Chain; readonly op: string; readonly right: Chain };

export type Chain = readonly Node[];

export type Part =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'path'; readonly chain: Chain }
  | { readonly is: 'range'; readonly chain: Chain; readonly body: readonly Part[] };

export interface Template {
  /** As its author wrote it. */
  readonly text: string;
  readonly parts: readonly Part[];
}

/** What is wrong with a template, in words for its author. */
export class JsonPathError extends Error {
  override name = 'JsonPathError';
}

/** Reads a template; throws JsonPathError. */
export const parseTemplate = (text: string): Template => {
  try {
    return { text, parts: parseParts(text) };
  } catch (error) {
    if (error instanceof JsonPathError) throw new JsonPathError(`error parsing jsonpath ${text}, ${error.message}`);
    throw error;
  }
};

const parseParts = (text: string): readonly Part[] => {
  const tokens = tokenize(text);
  let next = 0;
  const body = (inRange: boolean): Part[] => {
    const parts: Part[] = [];
    while (next < tokens.length) {
      const token = tokens[next++]!;
      if (token.is === 'text') parts.push(token);
      else if (token.word === 'end') {
        if (inRange) return parts;
        throw new JsonPathError('not in range, nothing to end');
      } else if (token.word === 'range') parts.push({ is: 'range', chain: token.chain, body: body(true) });
      else parts.push({ is: 'path', chain: token.chain });
    }
    if (inRange) throw new JsonPathError('unexpected end of range: no matching {end}');
    return parts;
  };
  return body(false);
};

/** A bare path as --sort-by, custom-columns and wait take it: `x.y`, `.x.y`, `{x.y}` or `{.x.y}`. */
export const parseRelaxedPath = (text: string): Template => {
  const match = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/s.exec(text);
  if (text !== '' && !match) {
    throw new JsonPathError(
      `unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'`,
    );
  }
  return parseTemplate(`{.${match?.[1] ?? match?.[2] ?? ''}}`);
};

type Token =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'action'; readonly word: 'range' | 'end' | undefined; readonly chain: Chain };

const tokenize = (text: string): Token[] => {
  const tokens: Token[] = [];
  for (let i = 0; i < text.length; ) {
    const open = text.indexOf('{', i);
    const end = open < 0 ? text.length : open;
    if (end > i) tokens.push({ is: 'text', text: text.slice(i, end) });
    if (open < 0) break;
    const reader = new ActionReader(text, open + 1, '}');
    const chain = reader.read();
    tokens.push({ is: 'action', word: reader.word, chain });
    i = reader.position;
  }
  return tokens;
};

/** Reads one action, up to its closing brace or (for the parts of filters and unions) to the end of the text. */
class ActionReader {
  /** The identifier in it, if any: only `range` and `end` mean something. */
  word: 'range' | 'end' | undefined;
  position: number;
  readonly #text: string;
  readonly #closing: '}' | '';

  constructor(text: string, position: number, closing: '}' | '') {
    this.#text = text;
    this.position = position;
    this.#closing = closing;
  }

  read(): Chain {
    const nodes: Node[] = [];
    for (;;) {
      const rest = this.#text.slice(this.position);
      const c = rest[0];
      if (c === undefined && this.#closing === '') return nodes;
      if (c === undefined || c === '\n' || c === '\r') throw new JsonPathError('unclosed action');
      if (c === this.#closing) {
        this.position++;
        return nodes;
      }
      if (rest.startsWith('[?(')) nodes.push(this.#filter());
      else if (rest.startsWith('..')) nodes.push(...this.#descent(nodes.at(-1)));
      else if (c === '[') nodes.push(...this.#bracket());
      else if (c === '"' || c === "'") nodes.push({ is: 'value', value: this.#quoted(c) });
      else if (c === '.') nodes.push(this.#field());
      else if (/[-+\d]/.test(c)) nodes.push(this.#number());
      else if (/[\p{L}_]/u.test(c)) nodes.push(...this.#identifier());
      else if (c === ' ' || c === '@' || c === '$') this.position++;
      else throw new JsonPathError(`unrecognized character in action: ${shown(c)}`);
    }
  }

  #take(pattern: RegExp): string {
    const found = pattern.exec(this.#text.slice(this.position))?.[0] ?? '';
    this.position += found.length;
    return found;
  }

  #field(): Node {
    this.position++;
    const name = this.#take(/^(?:\\.|[^\\\s.,[\]$@{}])*/s);
    return name === '*' ? { is: 'all' } : { is: 'field', name: name.replaceAll('\\', '') };
  }

  #descent(before: Node | undefined): Node[] {
    if (before?.is === 'deep') throw new JsonPathError('invalid multiple recursive descent');
    this.position += 2;
    if (!/^[\p{L}\p{N}_]/u.test(this.#text.slice(this.position))) return [{ is: 'deep' }];
    this.position--;
    return [{ is: 'deep' }, this.#field()];
  }

  #number(): Node {
    const digits = this.#take(/^[-+]?[\d.]*/);
    const value = Number(digits);
    if (digits === '' || Number.isNaN(value)) throw new JsonPathError(`cannot parse number ${digits}`);
    return { is: 'value', value };
  }

  #identifier(): Node[] {
    const word = this.#take(/^[\p{L}\p{N}_]+/u);
    if (word === 'true' || word === 'false') return [{ is: 'value', value: word === 'true' }];
    if (word !== 'range' && word !== 'end') throw new JsonPathError(`unrecognized identifier ${word}`);
    this.word = word;
    return [];
  }

  #quoted(mark: string): string {
    for (let i = this.position + 1; i < this.#text.length; i++) {
      if (this.#text[i] === '\\') i++;
      else if (this.#text[i] === mark) {
        const inner = this.#text.slice(this.position + 1, i);
        this.position = i + 1;
        return unescaped(inner);
      }
    }
    throw new JsonPathError('unterminated quoted string');
  }

  /** `[?(left op right)]`: the operator is the first run of comparison signs. */
  #filter(): Node {
    const start = this.position + 3;
    let quote = '';
    let end = start;
    for (; ; end++) {
      const c = this.#text[end];
      if (c === undefined || c === '\n') throw new JsonPathError('unterminated filter');
      if (quote !== '') quote = c === quote && this.#text[end - 1] !== '\\' ? '' : quote;
      else if (c === '"' || c === "'") quote = c;
      else if (c === ')') break;
    }
    if (this.#text[end + 1] !== ']') throw new JsonPathError('unclosed array expect ]');
    this.position = end + 2;
    const [, left, op = 'exists', right = ''] = /^([^!<>=]+)([!<>=]+)(.+)$/s.exec(this.#text.slice(start, end)) ?? [];
    if (left === undefined) return { is: 'filter', left: chainOf(this.#text.slice(start, end)), op, right: [] };
    return { is: 'filter', left: chainOf(left), op, right: chainOf(right) };
  }

  #bracket(): Node[] {
    const close = this.#text.indexOf(']', this.position);
    if (close < 0) throw new JsonPathError('unterminated array');
    const inner = this.#text.slice(this.position + 1, close);
    this.position = close + 1;
    const choices = inner.split(',');
    if (choices.length > 1) return [{ is: 'union', choices: choices.map(choice => chainOf(`[${choice.trim()}]`)) }];
    const key = /^'([^']*)'$/.exec(inner)?.[1];
    // A key is read like a path of fields: `['metadata.name']` is `.metadata.name`.
    if (key !== undefined) return [...chainOf(key.startsWith('.') ? key : `.${key}`)];
    return [slice(inner)];
  }
}

const chainOf = (text: string): Chain => new ActionReader(text, 0, '').read();

const slice = (inner: string): Node => {
  const [whole, from = '', to, step] = /^(-?\d*)(?::(-?\d*))?(?::(-?\d*))?$/.exec(inner === '*' ? ':' : inner) ?? [];
  if (whole === undefined || inner === '') throw new JsonPathError(`invalid array index ${inner}`);
  const bound = (digits: string | undefined) => (digits ? Number(digits) : undefined);
  const [first, last] = [bound(from), bound(to)];
  return {
    is: 'slice',
    ...(first === undefined ? {} : { from: first }),
    ...(last === undefined ? {} : { to: last }),
    step: bound(step) ?? 1,
    one: to === undefined,
  };
};

const unescaped = (text: string): string =>
  text.replace(/\\(.)/gs, (_, c: string) => ({ n: '\n', t: '\t', r: '\r' })[c] ?? c);

/** `U+0026 '&'`, as Go prints a character. */
const shown = (c: string): string => `U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')} '${c}'`;
