/** JSON as Go writes it: keys sorted, four spaces where indented, `<`, `>` and `&` escaped. */

/** A copy with every mapping's keys in order (by code unit, which is Go's order for ASCII). */
export const sortKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const map = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(map)
      .sort()
      .flatMap(key => (map[key] === undefined ? [] : [[key, sortKeys(map[key])]])),
  );
};

const escapeHtml = (json: string): string =>
  json.replace(/[<>&\u2028\u2029]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** What `-o json` prints, with the final newline. */
export const toJson = (value: unknown): string => `${escapeHtml(JSON.stringify(sortKeys(value), null, 4))}\n`;

/** One line without spaces, as in annotations and patches. */
export const toCompactJson = (value: unknown): string => escapeHtml(JSON.stringify(sortKeys(value)));
