/**
 * The Client over HTTPS, and beside it the raw requests that a command line needs (tables, logs, discovery). Thousands
 * of small requests per second go through here (the scheduler's binds), so requests are dispatched to undici without
 * URL objects, streams or promises in between. Calls share a bounded pool of kept-alive connections; long responses
 * (watches, logs) have connections of their own, so that they never hold up a call. Bindings come in bursts: they are
 * pipelined on a few connections, so that one write to the socket carries many of them, and one carries their answers.
 */
import { Pool } from 'undici';
import { ApiError } from '#api/status.ts';
import type { Signal } from '#base/clock.ts';
import { systemClock } from '#base/system.ts';
import type { Client } from './client.ts';
import type { HttpApi, RawResponse } from './http-api.ts';
import { notTheApi, responseError } from './http-errors.ts';
import { JsonLines } from './lines.ts';
import { type Answer, asConnectionError, codeOf, StreamedResponse, WholeResponse } from './responses.ts';
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
  /** A watch that is silent for so long is over: servers send a bookmark each minute. Default 150 s. */
  readonly watchSilenceMs?: number;
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
/** Connections for bindings, and how many requests may be on the way on each. */
const burstConnections = 2;
const burstDepth = 64;

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
  readonly #bursts: Pool;
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
    this.#bursts = new Pool(url.origin, {
      ...common,
      pipelining: burstDepth,
      connections: burstConnections,
      bodyTimeout: callTimeoutMs,
    });
    this.#streams = new Pool(url.origin, { ...common, connections: null });
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
    const lines = new JsonLines(toText);
    for await (const chunk of this.stream(path, accept, signal, this.#options.watchSilenceMs ?? 150_000)) {
      const batch = lines.push(chunk);
      if (batch.length > 0) yield batch;
    }
    if (signal.aborted) return;
    const rest = lines.end();
    if (rest.length > 0) yield rest;
  }

  async *stream(path: string, accept: string, signal: Signal, silenceMs = 0): AsyncGenerator<Uint8Array, void> {
    if (signal.aborted) return;
    const response = new StreamedResponse({ method: 'GET', path }, this.#server, toText, this.#options.onWarning);
    const abort = () => response.abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const headers = this.#headersFor(accept, '');
      this.#streams.dispatch({ method: 'GET', path, headers, bodyTimeout: silenceMs }, response);
      yield* response.chunks();
    } finally {
      signal.removeEventListener('abort', abort);
      response.abort();
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#calls.destroy(), this.#bursts.destroy(), this.#streams.destroy()]);
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
      const handler = new WholeResponse(resolve, reject, toText, request.onWarning ?? this.#options.onWarning);
      const contentType = body === undefined ? '' : (request.contentType ?? json);
      const headers = this.#headersFor(accept, contentType);
      const text = body === undefined ? null : JSON.stringify(body);
      // `idempotent` is what undici asks before it pipelines; `blocking: false` lets the next one follow at once.
      if (request.inBursts)
        this.#bursts.dispatch({ method, path, headers, body: text, idempotent: true, blocking: false }, handler);
      else this.#calls.dispatch({ method, path, headers, body: text }, handler);
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

const parseServer = (server: string): URL => {
  const url = URL.parse(server);
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new ApiError({
    code: 400,
    reason: 'BadRequest',
    message: `the address of the server must be a URL like https://127.0.0.1:6443, not ${JSON.stringify(server)}`,
  });
};

const toText = (chunks: readonly Uint8Array[]): string => {
  const [first] = chunks;
  if (first === undefined) return '';
  if (chunks.length > 1) return Buffer.concat(chunks).toString();
  return Buffer.from(first.buffer, first.byteOffset, first.byteLength).toString();
};
