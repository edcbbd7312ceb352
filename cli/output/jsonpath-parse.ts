/**
 * Reads kubectl's JSONPath templates: literal text with expressions in braces. Understood are fields (with `\.` for a dot
 * in a key), `['key']`, indexes (also negative), slices `[a:b:step]`, unions, `*`, recursive descent `..`, filters
 * `[?(@.type=="Ready")]`, quoted text, `{range …}…{end}`.
 */

export type Step =
  | { readonly at: 'field'; readonly name: string }
  | { readonly at: 'all' }
  | { readonly at: 'deep' }
  | { readonly at: 'index'; readonly from?: number; readonly to?: number; readonly step: number; readonly one: boolean }
  | { readonly at: 'union'; readonly choices: readonly (readonly Step[])[] }
  | { readonly at: 'filter'; readonly left: Operand; readonly op: string; readonly right: Operand | undefined };

export type Operand = { readonly path: Path } | { readonly value: unknown };
export interface Path {
  readonly fromRoot: boolean;
  readonly steps: readonly Step[];
}

export type Part =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'path'; readonly path: Path }
  | { readonly is: 'range'; readonly path: Path; readonly body: readonly Part[] };

export interface Template {
  readonly parts: readonly Part[];
}

/** What is wrong with a template, in words for its author. */
export class JsonPathError extends Error {
  override name = 'JsonPathError';
}

/** Reads a template; throws JsonPathError. */
export const parseTemplate = (text: string): Template => {
  const tokens = tokenize(text);
  let next = 0;
  const body = (inRange: boolean): Part[] => {
    const parts: Part[] = [];
    while (next < tokens.length) {
      const token = tokens[next++]!;
      if (token.is !== 'action') {
        parts.push(token);
        continue;
      }
      if (token.text === 'end') {
        if (inRange) return parts;
        throw new JsonPathError('not in range, nothing to end');
      }
      const range = /^range\s+(.*)$/s.exec(token.text);
      if (range) parts.push({ is: 'range', path: parsePath(range[1]!), body: body(true) });
      else parts.push({ is: 'path', path: parsePath(token.text) });
    }
    if (inRange) throw new JsonPathError('unexpected end of range: no matching {end}');
    return parts;
  };
  return { parts: body(false) };
};

/** A bare path as --sort-by, custom-columns and wait take it: `x.y`, `.x.y`, `{x.y}` or `{.x.y}`. */
export const parseRelaxedPath = (text: string): Template => {
  const match = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/s.exec(text);
  if (!match) {
    throw new JsonPathError(
      `unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'`,
    );
  }
  const inner = match[1] ?? match[2]!;
  return parseTemplate(
    `{${inner.startsWith('[') || inner.startsWith('$') || inner.startsWith('@') ? '' : '.'}${inner}}`,
  );
};

type Token = { is: 'text'; text: string } | { is: 'action'; text: string };

const tokenize = (text: string): Token[] => {
  const tokens: Token[] = [];
  let i = 0;
  while (i < text.length) {
    const open = text.indexOf('{', i);
    if (open < 0) {
      tokens.push({ is: 'text', text: text.slice(i) });
      break;
    }
    if (open > i) tokens.push({ is: 'text', text: text.slice(i, open) });
    const close = closingBrace(text, open);
    let action = text.slice(open + 1, close).trim();
    // Several expressions may share a pair of braces: quoted texts first, then a path.
    for (let quote = quoted(action); quote; quote = quoted(action)) {
      tokens.push({ is: 'text', text: quote.value });
      action = action.slice(quote.end).trim();
    }
    if (action !== '') tokens.push({ is: 'action', text: action });
    i = close + 1;
  }
  return tokens;
};

const closingBrace = (text: string, open: number): number => {
  let quote = '';
  for (let i = open + 1; i < text.length; i++) {
    const c = text[i]!;
    if (c === '\\') i++;
    else if (quote !== '') quote = c === quote ? '' : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (c === '}') return i;
  }
  throw new JsonPathError('unclosed action');
};

const quoted = (text: string): { value: string; end: number } | undefined => {
  const mark = text[0];
  if (mark !== '"' && mark !== "'") return undefined;
  for (let i = 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === mark) return { value: unescaped(text.slice(1, i)), end: i + 1 };
  }
  throw new JsonPathError('unterminated quoted string');
};

const unescaped = (text: string): string =>
  text.replace(/\\(.)/gs, (_, c: string) => ({ n: '\n', t: '\t', r: '\r' })[c] ?? c);

/** Reads one path such as `.items[*].name`, `$.a`, `@.b` or `..c`. */
const parsePath = (text: string): Path => {
  const start = /^[$@]/.test(text) ? 1 : 0;
  return { fromRoot: text[0] === '$', steps: parseSteps(text, start) };
};

const parseSteps = (text: string, from: number): Step[] => {
  const steps: Step[] = [];
  let i = from;
  while (i < text.length) {
    if (text[i] === '[') {
      const close = closingBracket(text, i);
      steps.push(...bracket(text.slice(i + 1, close).trim()));
      i = close + 1;
      continue;
    }
    if (text.startsWith('..', i)) {
      steps.push({ at: 'deep' });
      i += 2;
      if (text[i] === '[') continue;
    } else if (text[i] === '.') {
      i++;
      if (text[i] === '[' || i === text.length) continue;
    } else if (i !== from || !/[A-Za-z_*]/.test(text[i]!)) {
      throw new JsonPathError(`unrecognized character in action: '${text[i]}' in ${JSON.stringify(text)}`);
    }
    const name = /^(?:\\.|[^.[\]\s(){}'"])+/s.exec(text.slice(i))?.[0];
    if (name === undefined) throw new JsonPathError(`unrecognized character in action: ${JSON.stringify(text)}`);
    steps.push(name === '*' ? { at: 'all' } : { at: 'field', name: name.replace(/\\(.)/gs, '$1') });
    i += name.length;
  }
  return steps;
};

const closingBracket = (text: string, open: number): number => {
  let depth = 0;
  let quote = '';
  for (let i = open; i < text.length; i++) {
    const c = text[i]!;
    if (c === '\\') i++;
    else if (quote !== '') quote = c === quote ? '' : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (c === '[') depth++;
    else if (c === ']' && --depth === 0) return i;
  }
  throw new JsonPathError('unterminated array');
};

const bracket = (inner: string): Step[] => {
  const filter = /^\?\s*\((.*)\)$/s.exec(inner);
  if (filter) return [parseFilter(filter[1]!.trim())];
  const choices = splitUnion(inner);
  if (choices.length > 1) return [{ at: 'union', choices: choices.map(choice => bracket(choice.trim())) }];
  if (inner === '*') return [{ at: 'all' }];
  const quote = quoted(inner);
  if (quote) return [{ at: 'field', name: quote.value }];
  if (/^-?\d+$/.test(inner)) return [{ at: 'index', from: Number(inner), step: 1, one: true }];
  const range = /^(-?\d*):(-?\d*)(?::(-?\d*))?$/.exec(inner);
  if (!range) throw new JsonPathError(`invalid array index ${inner}`);
  const step = range[3] ? Number(range[3]) : 1;
  if (step <= 0) throw new JsonPathError(`step must be > 0, got ${step}`);
  const bound = (digits: string | undefined) => (digits ? Number(digits) : undefined);
  const [from, to] = [bound(range[1]), bound(range[2])];
  return [
    { at: 'index', ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), step, one: false },
  ];
};

const splitUnion = (inner: string): string[] => inner.match(/(?:'(?:\\.|[^'])*'|"(?:\\.|[^"])*"|[^,'"])+/gs) ?? [inner];

const parseFilter = (text: string): Step => {
  const match = /^((?:"(?:\\.|[^"])*"|'(?:\\.|[^'])*'|[^=!<>"'])+?)\s*(==|!=|<=|>=|<|>)\s*(.+)$/s.exec(text);
  if (!match) return { at: 'filter', left: operand(text), op: 'exists', right: undefined };
  return { at: 'filter', left: operand(match[1]!.trim()), op: match[2]!, right: operand(match[3]!.trim()) };
};

const operand = (text: string): Operand => {
  const quote = quoted(text);
  if (quote) return { value: quote.value };
  if (/^-?\d+(\.\d+)?$/.test(text)) return { value: Number(text) };
  if (text === 'true' || text === 'false') return { value: text === 'true' };
  return { path: parsePath(text) };
};
