/** Sending: objects with the JSON that the store already has, lists, tables, Status; and warnings. */
import type { FastifyReply } from 'fastify';
import { groupVersion, type Kind } from '#api/kind.ts';
import type { KubeList, KubeObject } from '#api/object.ts';
import { ApiError, internalError, type Status } from '#api/status.ts';
import { type IncludeObject, tableOf } from '#api/table.ts';
import type { ListResult } from '#registry/read.ts';
import type { AnswerForm } from './negotiate.ts';

export const json = 'application/json';

/** How one request wants its answer. */
export interface AnswerOptions {
  readonly form: AnswerForm;
  readonly includeObject: IncludeObject;
  readonly nowMs: number;
}

interface Texted {
  readonly text: string;
  readonly value: KubeObject;
}

export const sendText = (reply: FastifyReply, code: number, text: string): FastifyReply =>
  reply.code(code).header('content-type', json).send(Buffer.from(text));

export const sendJson = (reply: FastifyReply, code: number, value: unknown): FastifyReply =>
  sendText(reply, code, JSON.stringify(value));

export const sendObject = (reply: FastifyReply, code: number, kind: Kind, object: Texted, options: AnswerOptions) =>
  options.form === 'table'
    ? sendJson(reply, code, tableOf(kind, [object.value], tableOptions(options)))
    : sendText(reply, code, object.text);

export const sendList = (reply: FastifyReply, kind: Kind, page: ListResult, options: AnswerOptions): FastifyReply => {
  const metadata: KubeList<unknown>['metadata'] = {
    resourceVersion: String(page.rev),
    ...(page.continue === undefined ? {} : { continue: page.continue }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  return sendItems(reply, kind, page.entries, metadata, options);
};

/** A list from the JSON of its items, without making it again. */
export const sendItems = (
  reply: FastifyReply,
  kind: Kind,
  items: readonly Texted[],
  metadata: KubeList<unknown>['metadata'],
  options: AnswerOptions,
): FastifyReply => {
  if (options.form === 'table') {
    const objects = items.map(item => item.value);
    return sendJson(reply, 200, tableOf(kind, objects, { ...tableOptions(options), metadata }));
  }
  const head = `{"kind":"${kind.kind}List","apiVersion":"${groupVersion(kind)}","metadata":${JSON.stringify(metadata)}`;
  return sendText(reply, 200, `${head},"items":[${items.map(item => item.text).join(',')}]}`);
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
