/**
 * JSON as Go writes it: keys sorted (by code unit, which is Go's order for ASCII), four spaces where indented, `<`, `>`
 * and `&` escaped. Written by hand because JavaScript objects put keys that look like numbers first.
 */

/** What `-o json` prints, with the final newline. */
export const toJson = (value: unknown): string => `${escapeHtml(write(value, '    ', '\n'))}\n`;

/** One line without spaces, as in annotations and patches. */
export const toCompactJson = (value: unknown): string => escapeHtml(write(value, '', ''));

/** `newline` holds the indentation that has been reached; empty: everything on one line. */
const write = (value: unknown, indent: string, newline: string): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const inner = newline + indent;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[${value.map(item => inner + write(item, indent, inner)).join(',')}${newline}]`;
  }
  const map = value as Record<string, unknown>;
  const keys = Object.keys(map)
    .filter(key => map[key] !== undefined)
    .sort();
  if (keys.length === 0) return '{}';
  const colon = indent === '' ? ':' : ': ';
  const lines = keys.map(key => `${inner}${JSON.stringify(key)}${colon}${write(map[key], indent, inner)}`);
  return `{${lines.join(',')}${newline}}`;
};

const escapeHtml = (json: string): string =>
  json.replace(/[<>&\u2028\u2029]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
