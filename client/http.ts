/**
 * The Client over HTTPS, and beside it the raw requests that a command line needs (tables, logs, discovery). Thousands
 * of small requests per second go through here (the scheduler's binds), so requests are dispatched to undici without
 * URL objects, streams or promises in between. Calls share a bounded pool of kept-alive connections; long responses
 * (watches, logs) have connections of their own, so that they never hold up a call.
 */
import { type Dispatcher, Pool } from 'undici';
import { ApiError } from '#api/status.ts';
import type { Signal } from '#base/clock.ts';
import { systemClock } from '#base/system.ts';
import type { Client } from './client.ts';
import type { HttpApi, RawResponse } from './http-api.ts';
import { type Asked, connectionError, notTheApi, responseError, warningsOf } from './http-errors.ts';
import { JsonLines } from './lines.ts';
import { createRestClient, type Transport, type TransportRequest } from './rest.ts';

export interface HttpOptions {
  /** `https://127.0.0.1:6443`; http:// is taken too. */
  readonly server: string;
  readonly token?: string;
  /** The only CA trusted for the server; absent: the system's. */
  readonly caPem?: string;
  readonly insecureSkipTlsVerify?: boolean;
  /** Client certificate and key, PEM. */
  readonly certPem?: string;
  readonly keyPem?: string;
  /** The name that the server's certificate must have, when it is not the host of `server`. */
  readonly tlsServerName?: string;
  readonly userAgent?: string;
  /** Connections for calls. Default 32. */
  readonly connections?: number;
  /** Called with each warning of a request that has no `onWarning` of its own. */
  readonly onWarning?: (text: string) => void;
}

export type HttpClient = Client &
  HttpApi & {
    /** Ends all connections; calls that run fail. */
    close(): Promise<void>;
  };

const json = 'application/json';
const callTimeoutMs = 60_000;
/** `Retry-After` is obeyed this often, and waits at most this long each time. */
const retries = 5;
const retryWaitLimitMs = 10_000;
/** Bytes of a stream that wait for their reader before the socket is paused. */
const streamBufferBytes = 1024 * 1024;

export const createHttpClient = (options: HttpOptions): HttpClient => {
  const http = new Http(options);
  const client = createRestClient(http);
  const api: HttpApi & { close(): Promise<void> } = {
    server: options.server,
    getRaw: (path, accept = json) => http.raw('GET', path, accept),
    getJson: async <T>(path: string, accept = json) => (await http.json({ method: 'GET', path }, accept)) as T,
    request: async <T>(request: TransportRequest) => (await http.json(request)) as T,
    stream: (path, signal, accept = '*/*') => http.stream(path, accept, signal),
    lines: (path, signal, accept = json) => http.lines(path, accept, signal),
    close: () => http.close(),
  };
  return Object.assign(client, api);
};

class Http implements Transport {
  readonly #options: HttpOptions;
  readonly #server: string;
  readonly #calls: Pool;
  readonly #streams: Pool;
  /** Request headers by `accept|content type`: built once, as flat arrays, the form undici reads fastest. */
  readonly #headers = new Map<string, string[]>();

  constructor(options: HttpOptions) {
    this.#options = options;
    const url = parseServer(options.server);
    this.#server = url.origin;
    const connect = {
      ...(options.caPem === undefined ? {} : { ca: options.caPem }),
      ...(options.certPem === undefined ? {} : { cert: options.certPem }),
      ...(options.keyPem === undefined ? {} : { key: options.keyPem }),
      ...(options.tlsServerName === undefined ? {} : { servername: options.tlsServerName }),
      rejectUnauthorized: options.insecureSkipTlsVerify !== true,
      timeout: 10_000,
    };
    const common = { connect, allowH2: false, pipelining: 1, headersTimeout: callTimeoutMs };
    this.#calls = new Pool(url.origin, {
      ...common,
      connections: options.connections ?? 32,
      bodyTimeout: callTimeoutMs,
    });
    this.#streams = new Pool(url.origin, { ...common, connections: null, bodyTimeout: 0 });
  }

  async json(request: TransportRequest, accept = json): Promise<unknown> {
    const response = await this.#call(request, accept);
    try {
      return JSON.parse(response.body);
    } catch (error) {
      if (error instanceof SyntaxError) throw notTheApi(response.body, request, this.#server);
      throw error;
    }
  }

  async send(request: TransportRequest): Promise<void> {
    await this.#call(request, json);
  }

  raw(method: 'GET', path: string, accept: string): Promise<RawResponse> {
    return this.#call({ method, path }, accept);
  }

  async *lines(path: string, accept: string, signal: Signal): AsyncGenerator<readonly unknown[], void> {
    const lines = new JsonLines(chunks => (chunks.length === 1 ? toText(chunks[0]) : Buffer.concat(chunks).toString()));
    for await (const chunk of this.stream(path, accept, signal)) {
      const batch = lines.push(chunk);
      if (batch.length > 0) yield batch;
    }
    if (signal.aborted) return;
    const rest = lines.end();
    if (rest.length > 0) yield rest;
  }

  async *stream(path: string, accept: string, signal: Signal): AsyncGenerator<Uint8Array, void> {
    if (signal.aborted) return;
    const response = new StreamedResponse({ method: 'GET', path }, this.#server, this.#options.onWarning);
    const abort = () => response.abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      this.#streams.dispatch({ method: 'GET', path, headers: this.#headersFor(accept, '') }, response);
      yield* response.chunks();
    } finally {
      signal.removeEventListener('abort', abort);
      response.abort();
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#calls.destroy(), this.#streams.destroy()]);
  }

  async #call(request: TransportRequest, accept: string): Promise<RawResponse> {
    for (let attempt = 0; ; attempt++) {
      const response = await this.#once(request, accept, attempt);
      if (response === 'again') continue;
      if (response.code < 400) return response;
      const wait = response.retryAfterSeconds;
      if (wait === undefined || attempt >= retries || !(response.code === 429 || response.code >= 500)) {
        throw responseError(response.code, response.body, request, this.#server);
      }
      await systemClock.sleep(Math.min(wait * 1000, retryWaitLimitMs));
    }
  }

  async #once(request: TransportRequest, accept: string, attempt: number): Promise<Answer | 'again'> {
    try {
      return await this.#dispatch(request, accept);
    } catch (error) {
      // A kept-alive connection that the server had just closed: a GET can simply be asked again.
      const closed = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(codeOf(error));
      if (closed && request.method === 'GET' && attempt === 0) return 'again';
      throw asConnectionError(error, this.#server);
    }
  }

  #dispatch(request: TransportRequest, accept: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { method, path, body } = request;
      const handler = new WholeResponse(resolve, reject, request.onWarning ?? this.#options.onWarning);
      const contentType = body === undefined ? '' : (request.contentType ?? json);
      const headers = this.#headersFor(accept, contentType);
      this.#calls.dispatch({ method, path, headers, body: body === undefined ? null : JSON.stringify(body) }, handler);
    });
  }

  #headersFor(accept: string, contentType: string): string[] {
    const key = `${accept}|${contentType}`;
    const known = this.#headers.get(key);
    if (known) return known;
    const headers = ['accept', accept, 'user-agent', this.#options.userAgent ?? 'berth'];
    if (contentType !== '') headers.push('content-type', contentType);
    if (this.#options.token !== undefined) headers.push('authorization', `Bearer ${this.#options.token}`);
    this.#headers.set(key, headers);
    return headers;
  }
}

interface Answer extends RawResponse {
  readonly retryAfterSeconds: number | undefined;
}

type Headers = Record<string, string | string[] | undefined>;

/** Collects one short response. */
class WholeResponse implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #onWarning: ((text: string) => void) | undefined;
  readonly #chunks: Buffer[] = [];
  #code = 0;
  #headers: Headers = {};

  constructor(
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
    onWarning: ((text: string) => void) | undefined,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onWarning = onWarning;
  }

  onRequestStart(): void {}

  onResponseStart(_: Dispatcher.DispatchController, code: number, headers: Headers): void {
    this.#code = code;
    this.#headers = headers;
    warn(headers, this.#onWarning);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [first] = this.#chunks;
    this.#resolve({
      code: this.#code,
      contentType: String(this.#headers['content-type'] ?? ''),
      body: this.#chunks.length === 1 ? toText(first) : Buffer.concat(this.#chunks).toString(),
      retryAfterSeconds: secondsOf(this.#headers['retry-after']),
    });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}

/** Passes on one long response chunk by chunk, and pauses the socket while its reader is behind. */
class StreamedResponse implements Dispatcher.DispatchHandler {
  readonly #asked: Asked;
  readonly #server: string;
  readonly #onWarning: ((text: string) => void) | undefined;
  readonly #chunks: Buffer[] = [];
  #bufferedBytes = 0;
  #code = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #aborted = false;
  #outcome: { error?: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(asked: Asked, server: string, onWarning: ((text: string) => void) | undefined) {
    this.#asked = asked;
    this.#server = server;
    this.#onWarning = onWarning;
  }

  abort(): void {
    this.#aborted = true;
    if (this.#outcome === undefined) this.#controller?.abort(new Error('no longer wanted'));
    this.#wake();
  }

  async *chunks(): AsyncGenerator<Buffer, void> {
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

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted) controller.abort(new Error('no longer wanted'));
  }

  onResponseStart(_: Dispatcher.DispatchController, code: number, headers: Headers): void {
    this.#code = code;
    warn(headers, this.#onWarning);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes >= streamBufferBytes && this.#code < 400) controller.pause();
    this.#wake();
  }

  onResponseEnd(): void {
    this.#outcome = {};
    this.#wake();
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#outcome = { error };
    this.#wake();
  }

  /** A response that had begun just ends when its connection breaks: for a watch that is an ordinary end. */
  #finish(error: unknown): void {
    if (this.#code >= 400) {
      throw responseError(this.#code, Buffer.concat(this.#chunks).toString(), this.#asked, this.#server);
    }
    if (error !== undefined && this.#code === 0) throw asConnectionError(error, this.#server);
  }
}

const parseServer = (server: string): URL => {
  const url = URL.parse(server);
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new ApiError({
    code: 400,
    reason: 'BadRequest',
    message: `the address of the server must be a URL like https://127.0.0.1:6443, not ${JSON.stringify(server)}`,
  });
};

const toText = (chunk: Uint8Array | undefined): string =>
  chunk === undefined ? '' : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString();

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

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

const asConnectionError = (error: unknown, server: string): ApiError => {
  // Connecting to several addresses of a name fails with all their errors in one.
  const cause = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  return connectionError(codeOf(cause), cause instanceof Error ? cause.message : String(cause), server);
};
