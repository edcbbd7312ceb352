/**
 * Watching over HTTP: one JSON event per line for as long as the client stays, no faster than it reads. The objects' JSON is the
 * store's, so a thousand watchers cost one serialisation.
 */
import type { ServerResponse } from 'node:http';
import { groupVersion, type Kind } from '#api/kind.ts';
import type { Status } from '#api/status.ts';
import { metadataOnly, tableOf } from '#api/table.ts';
import type { RegistryEvent } from '#registry/read.ts';
import { type AnswerOptions, json, statusOf, tableOptions } from './answer.ts';

export interface WatchStream {
  readonly kind: Kind;
  readonly events: AsyncIterable<readonly RegistryEvent[]>;
  readonly options: AnswerOptions;
  /** Aborts when the client is gone or the watch's time is over. */
  readonly signal: AbortSignal;
  readonly now: () => number;
}

export const streamWatch = async (response: ServerResponse, stream: WatchStream): Promise<void> => {
  response.writeHead(200, { 'content-type': json, 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  const frame = frames(stream);
  try {
    for await (const batch of stream.events) {
      if (!response.write(batch.map(frame).join(''))) await drained(response, stream.signal);
      if (stream.signal.aborted) break;
    }
  } catch (error) {
    if (!response.writableEnded && !stream.signal.aborted) response.write(errorFrame(statusOf(error)));
  }
  response.end();
};

const frames = ({ kind, options, now }: WatchStream): ((event: RegistryEvent) => string) => {
  const partial = options.form === 'metadata' || options.form === 'metadata-list';
  if (options.form !== 'table')
    return event => {
      const object =
        event.type === 'BOOKMARK'
          ? bookmark(partial ? partialMetadata : { kind: kind.kind, apiVersion: groupVersion(kind) }, event)
          : partial
            ? JSON.stringify(metadataOnly(event.entry.value))
            : event.entry.text;
      return `{"type":"${event.type}","object":${object}}\n`;
    };
  let first = true;
  return event => {
    const table = { ...tableOptions(options), nowMs: now(), columnDefinitions: first };
    first = false;
    const object =
      event.type === 'BOOKMARK'
        ? tableOf(kind, [], { ...table, metadata: { resourceVersion: String(event.rev) } })
        : tableOf(kind, [event.entry.value], table);
    return `${JSON.stringify({ type: event.type, object })}\n`;
  };
};

const partialMetadata = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };

const bookmark = (head: object, { rev, initial }: { readonly rev: number; readonly initial: boolean }): string =>
  JSON.stringify({
    ...head,
    metadata: {
      resourceVersion: String(rev),
      creationTimestamp: null,
      ...(initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    },
  });

const errorFrame = (status: Status): string => `${JSON.stringify({ type: 'ERROR', object: status })}\n`;

/** Resolves when more may be written, or the client is gone. */
export const drained = (response: ServerResponse, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted || response.destroyed) return resolve();
    const done = () => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.on('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
