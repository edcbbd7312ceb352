/** How a patch that cannot be applied is refused; status codes as the API server's patch handler chooses them. */
import { ApiError, invalid, invalidValue } from '../status.ts';

/** 422 for a patch whose operations do not fit the object (a failed test, a missing path, wrong list items). */
export const unprocessable = (why: string): ApiError =>
  new ApiError({
    code: 422,
    reason: 'Invalid',
    message: `the server rejected our request due to an error in our request: ${why}`,
  });

/**
 * 422 for a patch after which the object does not decode, or has fields that strict validation refuses. `shown` is what
 * upstream quotes of it: the patched object as JSON, or a strategic patch as Go prints it.
 */
export const patchInvalid = (shown: string, why: string): ApiError =>
  invalid({ group: '', kind: '' }, '', [invalidValue('patch', shown, why)]);

/** A JSON value as Go's %+v prints it: `map[spec:map[replicas:3] x:[a b]]`. */
export const goPrinted = (value: unknown): string => {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goPrinted).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, item]) => `${key}:${goPrinted(item)}`).join(' ')}]`;
};

const emptyMapType = 'map[string]interface {}';
const emptyListType = '[]interface {}';

/** The Go type that a JSON value is decoded to. */
export const goType = (value: unknown): string => {
  if (Array.isArray(value)) return emptyListType;
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : emptyMapType;
};

/** A JSON value as Go's %#v prints it: `map[string]interface {}{"a":1}`. */
export const goSyntax = (value: unknown): string => {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (Array.isArray(value)) return `${emptyListType}{${value.map(goSyntax).join(', ')}}`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${emptyMapType}{${entries.map(([key, item]) => `${JSON.stringify(key)}:${goSyntax(item)}`).join(', ')}}`;
};
