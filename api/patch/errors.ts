/** How a patch that cannot be applied is refused; status codes as the API server's patch handler chooses them. */
import { ApiError, invalid, invalidValue } from '../status.ts';

/** 422 for a patch whose operations do not fit the object (a failed test, a missing path, wrong list items). */
export const unprocessable = (why: string): ApiError =>
  new ApiError({
    code: 422,
    reason: 'Invalid',
    message: `the server rejected our request due to an error in our request: ${why}`,
  });

/** 422 for a patch after which the object does not decode, or has fields that strict validation refuses. */
export const patchInvalid = (patch: unknown, why: string): ApiError =>
  invalid({ group: '', kind: '' }, '', [invalidValue('patch', JSON.stringify(patch), why)]);
