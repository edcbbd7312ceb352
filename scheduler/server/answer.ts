/** Sending: objects with the JSON that the store already has, lists, tables, Status; and warnings. */
import type { FastifyReply } from 'fastify';
import { stringify } from 'yaml';
import { groupVersion, type Kind } from '#api/kind.ts';
import type { KubeList, KubeObject } from '#api/object.ts';
import { ApiError, internalError, type Status } from '#api/status.ts';
import { type IncludeObject, metadataOnly, tableOf } from '#api/table.ts';
import type { ListResult } from '#registry/read.ts';
import { type Negotiated, notAcceptable, wantsPretty } from './negotiate.ts';

export const json = 'application/json';

/** How one request wants its answer. */
export interface AnswerOptions extends Negotiated {
  readonly includeObject: IncludeObject;
  readonly nowMs: number;
}

interface Texted {
  readonly text: string;
  readonly value: KubeObject;
}

const sendText = (reply: FastifyReply, code: number, text: string, yaml = false): FastifyReply => {
  reply.code(code).header('content-type', yaml ? 'application/yaml' : json);
  const { url, headers } = reply.request;
  if (yaml) return reply.send(Buffer.from(stringify(JSON.parse(text), asGoWrites)));
  if (!wantsPretty(url, headers['user-agent'])) return reply.send(Buffer.from(text));
  return reply.send(Buffer.from(`${JSON.stringify(JSON.parse(text), undefined, 2)}\n`));
};

/** Keys in order, lists not indented, nothing folded, and texts that YAML 1.1 would take for something else in quotes. */
const asGoWrites = { version: '1.1', sortMapEntries: true, indentSeq: false, lineWidth: 0 } as const;

export const sendJson = (reply: FastifyReply, code: number, value: unknown): FastifyReply =>
  sendText(reply, code, JSON.stringify(value));

/** Throws NotAcceptable when the form is that of a list. */
export const sendObject = (reply: FastifyReply, code: number, kind: Kind, object: Texted, options: AnswerOptions) => {
  switch (options.form) {
    case 'object':
      return sendText(reply, code, object.text, options.yaml);
    case 'table':
      return sendJson(reply, code, tableOf(kind, [object.value], tableOptions(options)));
    case 'metadata':
      return sendJson(reply, code, metadataOnly(object.value));
    case 'metadata-list':
      throw notAcceptable(
        `you requested PartialObjectMetadataList, but the requested object is not a list (${kind.kind})`,
      );
  }
};

export const sendList = (reply: FastifyReply, kind: Kind, page: ListResult, options: AnswerOptions): FastifyReply => {
  const metadata: KubeList<unknown>['metadata'] = {
    resourceVersion: String(page.rev),
    ...(page.continue === undefined ? {} : { continue: page.continue }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  return sendItems(reply, kind, page.entries, metadata, options);
};

/** A list from the JSON of its items, without making it again. Throws NotAcceptable when the form is that of an object. */
export const sendItems = (
  reply: FastifyReply,
  kind: Kind,
  items: readonly Texted[],
  metadata: KubeList<unknown>['metadata'],
  options: AnswerOptions,
): FastifyReply => {
  const objects = () => items.map(item => item.value);
  if (options.form === 'table')
    return sendJson(reply, 200, tableOf(kind, objects(), { ...tableOptions(options), metadata }));
  if (options.form === 'metadata-list')
    return sendJson(reply, 200, {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata,
      items: objects().map(metadataOnly),
    });
  if (options.form === 'metadata')
    throw notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (${kind.kind}List)`);
  const head = `{"kind":"${kind.kind}List","apiVersion":"${groupVersion(kind)}","metadata":${JSON.stringify(metadata)}`;
  return sendText(reply, 200, `${head},"items":[${items.map(item => item.text).join(',')}]}`, options.yaml);
};

export const tableOptions = ({ nowMs, includeObject }: AnswerOptions) => ({ nowMs, includeObject });

export const statusOf = (error: unknown): Status =>
  error instanceof ApiError
    ? error.status
    : internalError(error instanceof Error ? error.message : String(error)).status;

/** An error as its Status, with Retry-After where it says when to come again. */
export const sendError = (reply: FastifyReply, status: Status): FastifyReply => {
  const retryAfter = status.details?.retryAfterSeconds;
  if (retryAfter) reply.header('retry-after', String(retryAfter));
  return sendJson(reply, status.code ?? 500, status);
};

export const success = (details?: Status['details'], code?: number): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  ...(details === undefined ? {} : { details }),
  ...(code === undefined ? {} : { code }),
});

const maxWarnings = 20;

/** Collects warnings for the `Warning` header (RFC 7234, code 299; KUBECTL-WIRE §2.6). */
export const warningsFor = (reply: FastifyReply): ((text: string) => void) => {
  const texts = new Set<string>();
  return text => {
    if (texts.has(text) || texts.size >= maxWarnings) return;
    texts.add(text);
    reply.header('warning', [...texts].map(warningHeader));
  };
};

// A header may hold printable ASCII only, and quotes must be escaped.
export const warningHeader = (text: string): string =>
  `299 - "${text.replace(/[^\x20-\x7e]+/g, ' ').replace(/[\\"]/g, '\\$&')}"`;
