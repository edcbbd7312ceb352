/** Content negotiation: which form of an answer the Accept header asks for, and which form a body has. Pure. */
import { ApiError } from '#api/status.ts';

export type AnswerForm = 'json' | 'table';

const accepted = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';

/** The first form of the Accept header that can be served. Throws NotAcceptable when there is none. */
export const answerForm = (accept: string | undefined, tables: boolean): AnswerForm => {
  if (accept === undefined || accept === '' || accept === 'application/json') return 'json';
  for (const clause of accept.split(',')) {
    const [type = '', ...parameters] = clause.split(';').map(part => part.trim());
    const isTable = parameters.includes('as=Table');
    if (isTable && type === 'application/json' && tables && parameters.includes('v=v1')) return 'table';
    if (isTable || parameters.some(parameter => parameter.startsWith('as='))) continue;
    if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  }
  throw new ApiError({
    code: 406,
    reason: 'NotAcceptable',
    message: `only the following media types are accepted: ${accepted.replace(', application/vnd.kubernetes.protobuf', '')}`,
  });
};

/** The media type without parameters, in lower case; empty when there is none. */
export const mediaType = (contentType: string | undefined): string =>
  (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();

export const unsupportedMediaType = (types: string): ApiError =>
  new ApiError({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${types}`,
  });

export const bodyTypes = accepted;
export const patchTypes =
  'application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml';
