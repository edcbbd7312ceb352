/**
 * Collects responses as undici delivers them (its handler interface, written out so that this file is free of it): short
 * ones whole, long ones chunk by chunk with back-pressure.
 */
import type { ApiError } from '#api/status.ts';
import type { RawResponse } from './http-api.ts';
import { type Asked, connectionError, responseError, warningsOf } from './http-errors.ts';

/** As much of undici's DispatchController as is used. */
interface Controller {
  readonly paused: boolean;
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
}

type OnWarning = ((text: string) => void) | undefined;
/** Joins chunks and reads them as UTF-8. */
export type ToText = (chunks: readonly Uint8Array[]) => string;

/** Bytes of a stream that wait for their reader before the socket is paused. */
const streamBufferBytes = 1024 * 1024;

/** A whole response, whatever its code. */
export interface Answer extends RawResponse {
  readonly retryAfterSeconds: number | undefined;
}

type Headers = Record<string, string | string[] | undefined>;

/** Collects one short response. */
export class WholeResponse {
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #toText: ToText;
  readonly #onWarning: OnWarning;
  readonly #chunks: Uint8Array[] = [];
  #code = 0;
  #headers: Headers = {};

  constructor(
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
    toText: ToText,
    onWarning: OnWarning,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#toText = toText;
    this.#onWarning = onWarning;
  }

  onRequestStart(): void {}

  onResponseStart(_: Controller, code: number, headers: Headers): void {
    this.#code = code;
    this.#headers = headers;
    warn(headers, this.#onWarning);
  }

  onResponseData(_: Controller, chunk: Uint8Array): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#resolve({
      code: this.#code,
      contentType: String(this.#headers['content-type'] ?? ''),
      body: this.#toText(this.#chunks),
      retryAfterSeconds: secondsOf(this.#headers['retry-after']),
    });
  }

  onResponseError(_: Controller, error: Error): void {
    this.#reject(error);
  }
}

/** Passes on one long response chunk by chunk, and pauses the socket while its reader is behind. */
export class StreamedResponse {
  readonly #asked: Asked;
  readonly #server: string;
  readonly #toText: ToText;
  readonly #onWarning: OnWarning;
  readonly #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #code = 0;
  #controller: Controller | undefined;
  #aborted = false;
  #outcome: { error?: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(asked: Asked, server: string, toText: ToText, onWarning: OnWarning) {
    this.#asked = asked;
    this.#server = server;
    this.#toText = toText;
    this.#onWarning = onWarning;
  }

  abort(): void {
    this.#aborted = true;
    if (this.#outcome === undefined) this.#controller?.abort(new Error('no longer wanted'));
    this.#wake();
  }

  async *chunks(): AsyncGenerator<Uint8Array, void> {
    while (!this.#aborted) {
      const chunk = this.#code >= 400 ? undefined : this.#chunks.shift();
      if (chunk !== undefined) {
        this.#bufferedBytes -= chunk.length;
        if (this.#bufferedBytes < streamBufferBytes && this.#controller?.paused) this.#controller.resume();
        yield chunk;
      } else if (this.#outcome === undefined) {
        await new Promise<void>(resolve => {
          this.#wake = resolve;
        });
      } else return this.#finish(this.#outcome.error);
    }
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#aborted) controller.abort(new Error('no longer wanted'));
  }

  onResponseStart(_: Controller, code: number, headers: Headers): void {
    this.#code = code;
    warn(headers, this.#onWarning);
  }

  onResponseData(controller: Controller, chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes >= streamBufferBytes && this.#code < 400) controller.pause();
    this.#wake();
  }

  onResponseEnd(): void {
    this.#outcome = {};
    this.#wake();
  }

  onResponseError(_: Controller, error: Error): void {
    this.#outcome = { error };
    this.#wake();
  }

  /** A response that had begun just ends when its connection breaks: for a watch that is an ordinary end. */
  #finish(error: unknown): void {
    if (this.#code >= 400) {
      throw responseError(this.#code, this.#toText(this.#chunks), this.#asked, this.#server);
    }
    if (error !== undefined && this.#code === 0) throw asConnectionError(error, this.#server);
  }
}

const warn = (headers: Headers, onWarning: ((text: string) => void) | undefined): void => {
  const header = headers['warning'];
  if (header === undefined || onWarning === undefined) return;
  for (const text of warningsOf(header)) onWarning(text);
};

/** Whole seconds, as Kubernetes sends them; the date form is not used by it. */
const secondsOf = (header: string | string[] | undefined): number | undefined => {
  const seconds = Number.parseInt(String(header ?? ''), 10);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
};

/** The code of a platform error, or nothing. */
export const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/** The failure of a connection as an ApiError. */
export const asConnectionError = (error: unknown, server: string): ApiError => {
  // Connecting to several addresses of a name fails with all their errors in one.
  const cause = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  return connectionError(codeOf(cause), cause instanceof Error ? cause.message : String(cause), server);
};
