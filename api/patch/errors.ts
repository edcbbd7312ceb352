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
