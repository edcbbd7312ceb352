/** Content negotiation: which form and encoding of an answer a client asks for, and which form a body has. Pure. */
import { ApiError } from '#api/status.ts';

/** `metadata` and `metadata-list`: only the metadata of the object, or of each object of a list. */
export type AnswerForm = 'object' | 'table' | 'metadata' | 'metadata-list';

export interface Negotiated {
  readonly form: AnswerForm;
  readonly yaml: boolean;
}

const plain: Negotiated = { form: 'object', yaml: false };
const inYaml: Negotiated = { form: 'object', yaml: true };

/**
 * What the client likes best of what can be served; a stream is JSON only. Throws NotAcceptable when there is nothing. The
 * protobuf forms that client-go prefers are passed over: it always offers JSON too.
 */
export const negotiate = (accept: string | undefined, isStream = false): Negotiated => {
  if (accept === undefined || accept === '' || accept === json) return plain;
  for (const { type, parameters } of clausesOf(accept)) {
    const isJson = type === json || type === '*/*' || type === 'application/*';
    const form = parameters.get('as');
    if (form === undefined) {
      if (isJson) return plain;
      if (type === yaml && !isStream) return inYaml;
    } else if (forms.has(form) && isJson && parameters.get('v') === 'v1' && parameters.get('g') === 'meta.k8s.io')
      return { form: forms.get(form)!, yaml: false };
  }
  const types = isStream ? json : `${json}, ${yaml}`;
  throw notAcceptable(`only the following media types are accepted: ${types}`);
};

const json = 'application/json';
const yaml = 'application/yaml';
const forms: ReadonlyMap<string, AnswerForm> = new Map([
  ['Table', 'table'],
  ['PartialObjectMetadata', 'metadata'],
  ['PartialObjectMetadataList', 'metadata-list'],
]);

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly weight: number;
}

/** The media ranges of the header, the ones with the greatest q first (RFC 9110 §12.5.1). */
const clausesOf = (accept: string): readonly Clause[] => {
  const clauses = accept.split(',').map((clause): Clause => {
    const [type = '', ...rest] = clause.split(';').map(part => part.trim());
    const parameters = new Map(rest.map(part => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]));
    const q = Number(parameters.get('q') ?? 1);
    return { type: type.toLowerCase(), parameters, weight: Number.isNaN(q) ? 1 : q };
  });
  return clauses.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight);
};

export const notAcceptable = (message: string): ApiError =>
  new ApiError({ code: 406, reason: 'NotAcceptable', message });

/** True for a human with a browser or a tool for the terminal, or who asks for it: then JSON is spread over lines. */
export const wantsPretty = (url: string, userAgent: string | undefined): boolean => {
  const at = url.indexOf('pretty');
  if (at !== -1) {
    const pretty = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('pretty') ?? '';
    if (pretty !== '') return /^(1|t|true)$/i.test(pretty);
  }
  return userAgent !== undefined && /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent);
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

export const bodyTypes = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
export const patchTypes =
  'application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml';
