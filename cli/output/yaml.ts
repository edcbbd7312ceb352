/**
 * YAML as kubectl prints it (the block style of Go's yaml.v2 with sorted keys): lists not indented under their key,
 * strings plain where that reads back as the same string, else double-quoted when they look like another type and
 * single-quoted when they hold indicators, literal blocks for several lines, folding at spaces beyond column 80.
 */

const foldColumn = 80;

/** One document, ending with a newline. */
export const toYaml = (value: unknown): string => {
  if (isBlock(value)) return node(value, 0).join('\n').concat('\n');
  return `${scalar(value, 0, 0)}\n`;
};

const isBlock = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;

/** The lines of a non-empty mapping or list at `indent`. */
const node = (value: object, indent: number): string[] => {
  const lines: string[] = [];
  if (Array.isArray(value)) {
    for (const item of value) lines.push(...listItem(item, indent));
    return lines;
  }
  const map = value as Record<string, unknown>;
  for (const key of Object.keys(map).sort(byGoOrder)) {
    const item = map[key];
    if (item === undefined) continue;
    const head = `${' '.repeat(indent)}${simpleKey(key)}:`;
    if (isBlock(item)) lines.push(head, ...node(item, Array.isArray(item) ? indent : indent + 2));
    else lines.push(`${head} ${scalar(item, indent + 2, head.length + 1)}`);
  }
  return lines;
};

const listItem = (item: unknown, indent: number): string[] => {
  const dash = `${' '.repeat(indent)}- `;
  if (!isBlock(item)) return [dash + scalar(item, indent + 2, indent + 2)];
  const [first = '', ...rest] = node(item, indent + 2);
  return [dash + first.slice(indent + 2), ...rest];
};

/** Keys in the order Go's yaml sorts them: runs of digits by value, letters before other characters after them. */
const byGoOrder = (a: string, b: string): number => {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    if (left[i] === right[i]) continue;
    const [aLetter, bLetter] = [isLetter(left[i]!), isLetter(right[i]!)];
    if (aLetter && bLetter) return left[i]! < right[i]! ? -1 : 1;
    if (aLetter || bLetter) return bothAfterDigit(left, i) ? (aLetter ? 1 : -1) : aLetter ? 1 : -1;
    const order = numberAt(left, i) - numberAt(right, i);
    if (order !== 0) return order;
    return left[i]! < right[i]! ? -1 : 1;
  }
  return left.length - right.length;
};
const isLetter = (c: string): boolean => /\p{L}/u.test(c);
const bothAfterDigit = (text: readonly string[], i: number): boolean => i > 0 && /\d/.test(text[i - 1]!);
const numberAt = (text: readonly string[], from: number): number => {
  const digits = /^\d*/.exec(text.slice(from).join(''))![0];
  return digits === '' ? 0 : Number(digits);
};

const simpleKey = (key: string): string => {
  const style = styleOf(key);
  if (style === 'literal') return doubleQuoted(key, undefined);
  return style === 'plain' ? key : style === 'single' ? `'${key.replaceAll("'", "''")}'` : doubleQuoted(key, undefined);
};

const scalar = (value: unknown, indent: number, column: number): string => {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return '[]';
  if (typeof value === 'object') return '{}';
  if (typeof value === 'number') return numberText(value);
  if (typeof value !== 'string') return String(value);
  switch (styleOf(value)) {
    case 'plain':
      return folded(value, indent, column, false);
    case 'single':
      return `'${folded(value.replaceAll("'", "''"), indent, column + 1, true)}'`;
    case 'double':
      return doubleQuoted(value, { indent, column });
    case 'literal':
      return literal(value, indent);
  }
};

const numberText = (value: number): string => {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
};

type Style = 'plain' | 'single' | 'double' | 'literal';

const styleOf = (text: string): Style => {
  const special = /[^\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u.test(text);
  const spaceBreak = / \n/.test(text);
  if (text.includes('\n')) return special || spaceBreak || text.endsWith(' ') ? 'double' : 'literal';
  if (!readsAsString(text)) return 'double';
  if (special) return 'double';
  return text.startsWith(' ') || text.endsWith(' ') || hasIndicators(text) ? 'single' : 'plain';
};

/** False when the plain text would be read as null, a boolean, a number, a time or a merge key. */
const readsAsString = (text: string): boolean =>
  !(
    /^(~|null|Null|NULL|)$/.test(text) ||
    /^(y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE|n|N|no|No|NO|off|Off|OFF|false|False|FALSE)$/.test(text) ||
    /^[-+]?(\.inf|\.Inf|\.INF)$|^(\.nan|\.NaN|\.NAN)$/.test(text) ||
    /^[-+]?(0|[1-9][0-9_]*|0[0-7_]+|0[xX][0-9a-fA-F_]+|0b[01_]+|0o[0-7_]+)$/.test(text) ||
    /^[-+]?[0-9][0-9_]*$/.test(text) ||
    /^[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$/.test(text) ||
    /^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$/.test(text) ||
    /^\d{4}-\d{1,2}-\d{1,2}([Tt ]\d{1,2}:\d{1,2}:\d{1,2}(\.\d*)?([Zz]|[ ]?[-+]\d{1,2}(:\d{2})?)?)?$/.test(text)
  );

const hasIndicators = (text: string): boolean =>
  /^(---|\.\.\.)/.test(text) ||
  /^[#,[\]{}&*!|>'"%@`]/.test(text) ||
  /^[-?:](\s|$)/.test(text) ||
  /:(\s|$)/.test(text) ||
  /\s#/.test(text);

/** Breaks at a single space once the column is beyond the limit. */
const folded = (text: string, indent: number, startColumn: number, quoted: boolean): string => {
  let out = '';
  let column = startColumn;
  const characters = [...text];
  for (let i = 0; i < characters.length; i++) {
    const c = characters[i]!;
    const inside = !quoted || (i > 0 && i < characters.length - 1);
    if (c === ' ' && column > foldColumn && inside && characters[i - 1] !== ' ' && characters[i + 1] !== ' ') {
      out += `\n${' '.repeat(indent)}`;
      column = indent;
    } else {
      out += c;
      column++;
    }
  }
  return out;
};

const escapes: Record<string, string> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\x85': '\\N',
  '\ufeff': '\\uFEFF',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

const doubleQuoted = (text: string, fold: { indent: number; column: number } | undefined): string => {
  let out = '"';
  let column = (fold?.column ?? 0) + 1;
  const characters = [...text];
  let afterBreak = false;
  for (let i = 0; i < characters.length; i++) {
    const c = characters[i]!;
    const inside = i > 0 && i < characters.length - 1;
    if (fold && c === ' ' && !afterBreak && column > foldColumn && inside) {
      out += `\n${' '.repeat(fold.indent)}${characters[i + 1] === ' ' ? '\\' : ''}`;
      column = fold.indent;
      afterBreak = true;
      continue;
    }
    const written = escapes[c] ?? (printable(c) ? c : hexEscape(c));
    out += written;
    column += written.length;
    afterBreak = c === ' ';
  }
  return `${out}"`;
};
const printable = (c: string): boolean => /[\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u.test(c);
const hexEscape = (c: string): string => {
  const code = c.codePointAt(0)!;
  const hex = code.toString(16).toUpperCase();
  return code <= 0xff
    ? `\\x${hex.padStart(2, '0')}`
    : code <= 0xffff
      ? `\\u${hex.padStart(4, '0')}`
      : `\\U${hex.padStart(8, '0')}`;
};

const literal = (text: string, indent: number): string => {
  const leading = /^[ \n]/.test(text) ? '2' : '';
  const chomp = !text.endsWith('\n') ? '-' : /\n\n$|^\n$/.test(text) ? '+' : '';
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
  return [`|${leading}${chomp}`, ...lines.map(line => (line === '' ? '' : ' '.repeat(indent) + line))].join('\n');
};
