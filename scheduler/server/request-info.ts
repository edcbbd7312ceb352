/**
 * What a request is about, from its method and URL alone (upstream: apiserver's RequestInfo). Pure. One parser for one wildcard
 * route, so serving another kind needs no new route.
 */
import { badRequest } from '#api/status.ts';

export type RequestVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

export interface ResourceRequest {
  readonly isResource: true;
  readonly verb: RequestVerb;
  readonly group: string;
  readonly version: string;
  /** Plural name of the resource. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface OtherRequest {
  readonly isResource: false;
  /** The method in lower case, as upstream's authorizers see it. */
  readonly verb: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

export type RequestInfo = ResourceRequest | OtherRequest;

const verbs: Readonly<Record<string, RequestVerb>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

const noQuery = new URLSearchParams();

/** Throws BadRequest when the path is not well encoded. */
export const requestInfo = (method: string, url: string): RequestInfo => {
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  const query = mark === -1 ? noQuery : new URLSearchParams(url.slice(mark + 1));
  const other: OtherRequest = { isResource: false, verb: method.toLowerCase(), path, query };
  const verb = verbs[method];
  const parts = segmentsOf(path);
  const isCore = parts[0] === 'api';
  const head = isCore ? 2 : 3;
  if (verb === undefined || (!isCore && parts[0] !== 'apis') || parts.length <= head) return other;
  const group = isCore ? '' : parts[1]!;
  const version = parts[head - 1]!;
  const place = placeOf(parts.slice(head));
  return { isResource: true, verb: verbOf(verb, place.name, query), group, version, ...place, path, query };
};

interface Place {
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** `namespaces/NS/RESOURCE/…` is in a namespace; `namespaces/NS`, `namespaces/NS/status` are the namespace itself. */
const placeOf = (parts: readonly string[]): Place => {
  const own = parts[0] === 'namespaces' && (parts.length < 3 || ownSubresources.has(parts[2]!));
  if (parts[0] !== 'namespaces' || own)
    return { resource: parts[0]!, namespace: undefined, name: parts[1], subresource: rest(parts, 2) };
  return { resource: parts[2]!, namespace: parts[1]!, name: parts[3], subresource: rest(parts, 4) };
};

const ownSubresources: ReadonlySet<string> = new Set(['status', 'finalize']);

const rest = (parts: readonly string[], from: number): string | undefined =>
  parts.length > from ? parts.slice(from).join('/') : undefined;

const verbOf = (verb: RequestVerb, name: string | undefined, query: URLSearchParams): RequestVerb => {
  if (verb === 'delete' && name === undefined) return 'deletecollection';
  if (verb !== 'get') return verb;
  if (name === undefined) return isTrue(query.get('watch')) ? 'watch' : 'list';
  return verb;
};

/** A boolean query parameter as Go reads it: absent or `false` or `0` is false, anything else true. */
export const isTrue = (value: string | null): boolean => value !== null && value !== 'false' && value !== '0';

const segmentsOf = (path: string): readonly string[] => {
  const parts = path.split('/').filter(part => part !== '');
  if (!path.includes('%')) return parts;
  try {
    return parts.map(decodeURIComponent);
  } catch {
    throw badRequest(`the path ${JSON.stringify(path)} is not well encoded`);
  }
};
