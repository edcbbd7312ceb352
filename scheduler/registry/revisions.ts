/**
 * Which revision a reader asks for, by resourceVersion, resourceVersionMatch or a continue token, and what it hears when that
 * one cannot be: forgotten, not there yet, or contradictory. Texts are upstream's.
 */
import { ApiError, badRequest, type Cause, expired, forbiddenField, invalid, notSupported } from '#api/status.ts';
import type { ListRequest, WatchRequest } from './read.ts';

/** The number of a resourceVersion; undefined when it is not given. Throws BadRequest. */
export const revisionOf = (resourceVersion: string | undefined): number | undefined => {
  if (resourceVersion === undefined || resourceVersion === '') return undefined;
  if (!/^\d{1,15}$/.test(resourceVersion))
    throw badRequest(
      `resourceVersion: Invalid value: ${JSON.stringify(resourceVersion)}: strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`,
    );
  return Number(resourceVersion);
};

/** The revision that a list must show exactly; undefined: the newest will do. */
export const exactRevision = (store: { readonly rev: number }, request: ListRequest): number | undefined => {
  checkMatch(request);
  const rev = revisionOf(request.resourceVersion);
  if (rev === undefined || rev === 0) return undefined;
  if (request.continue) throw badRequest('specifying resource version is not allowed when using continue');
  if (rev > store.rev) throw tooLarge(rev, store.rev);
  const match = request.resourceVersionMatch ?? '';
  return match === 'Exact' || (match === '' && request.limit) ? rev : undefined;
};

const checkMatch = ({ resourceVersion, resourceVersionMatch: match, continue: token }: ListRequest): void => {
  if (!match) return;
  const faults: string[] = [];
  if (!resourceVersion) faults.push('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (token) faults.push('resourceVersionMatch is forbidden when continue is provided');
  const causes: Cause[] = faults.map(fault => forbiddenField(matchField, fault));
  if (match !== 'Exact' && match !== 'NotOlderThan')
    causes.push(notSupported(matchField, match, ['Exact', 'NotOlderThan', '']));
  if (match === 'Exact' && resourceVersion === '0')
    causes.push(forbiddenField(matchField, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  if (causes.length > 0) throw listOptionsInvalid(causes);
};

const matchField = 'resourceVersionMatch';

/** Throws Invalid when the options of a watch contradict each other. */
export const checkInitialEvents = (request: WatchRequest): void => {
  const { sendInitialEvents, resourceVersionMatch: match } = request;
  const causes: Cause[] = [];
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan')
    causes.push(forbiddenField(matchField, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  if (sendInitialEvents === undefined && match)
    causes.push(
      forbiddenField(matchField, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
    );
  if (sendInitialEvents === true && !request.allowWatchBookmarks)
    causes.push(forbiddenField('sendInitialEvents', 'sendInitialEvents requires setting allowWatchBookmarks to true'));
  if (causes.length > 0) throw listOptionsInvalid(causes);
};

const listOptionsInvalid = (causes: readonly Cause[]): ApiError =>
  invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', causes);

export const tooOld = (rev: number, compactedRev: number): ApiError =>
  expired(`too old resource version: ${rev} (${compactedRev})`);

export const tooLarge = (wanted: number, present: number): ApiError =>
  new ApiError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${wanted}, current: ${present}`,
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge' as never, message: 'Too large resource version', field: '' }],
      retryAfterSeconds: 1,
    },
  });

export const encodeToken = (rev: number, key: string): string => `v1.${rev}.${encodeURIComponent(key)}`;

/** Throws BadRequest for a token that no list of that prefix has given. */
export const decodeToken = (token: string, prefix: string): { rev: number; key: string } => {
  const [version, rev = '', key = ''] = token.split('.', 2).concat(token.split('.').slice(2).join('.'));
  const start = safeDecode(key);
  if (version !== 'v1' || !/^\d{1,15}$/.test(rev) || start === undefined || !start.startsWith(prefix))
    throw badRequest('invalid continue token: continue key is not valid');
  return { rev: Number(rev), key: start };
};

const safeDecode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

/** With a token that goes on with the newest revision, as upstream offers it. */
export const tokenExpired = (from: { key: string } | undefined, rev: number): ApiError => {
  if (from === undefined) return expired('The resourceVersion for the provided list is too old.');
  const error = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  error.status.metadata['continue'] = encodeToken(rev, from.key);
  return error;
};
