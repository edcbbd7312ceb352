/**
 * The CLI's way to the API: raw verbs on paths, because it works on whatever discovery lists and prints what the server
 * made (Tables), not on compiled-in kinds. Node's own https keeps start-up short. Failures become the
 * ApiErrors of client/http-errors.ts. (undici, which the other clients use, would triple the time to the first request.)
 */
import http from 'node:http';
import https from 'node:https';
import { ApiError } from '#api/status.ts';
import type { Clock, Signal } from '#base/clock.ts';
import type { HttpOptions } from '#client/http.ts';
import { connectionError, notTheApi, responseError, warningsOf } from '#client/http-errors.ts';
import { query } from '#client/paths.ts';
import { CliError } from './failure.ts';

export type Connection = Pick<
  HttpOptions,
  'server' | 'token' | 'caPem' | 'certPem' | 'keyPem' | 'insecureSkipTlsVerify' | 'tlsServerName'
>;

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly accept?: string;
  readonly contentType?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface Api {
  readonly connection: Connection;
  /** The JSON answer; throws ApiError. */
  send<T = unknown>(call: Call): Promise<T>;
  /** As `send`, with the HTTP status code. */
  exchange<T = unknown>(call: Call): Promise<{ code: number; body: T }>;
  /** The body as it arrives; ends when the server or `signal` ends it; throws ApiError, and CliError when cut off. */
  stream(call: Call, signal: AbortSignal): AsyncIterable<Uint8Array>;
  close(): void;
}

export const json = 'application/json';
export const table =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

const maxRetryAfterSeconds = 10;
const maxRetries = 3;

export interface ApiOptions {
  /** Called with the text of each `Warning:` header. */
  readonly onWarning?: (text: string) => void;
  readonly clock: Clock;
  readonly signal: Signal;
  /** A request that has no answer by then is given up; 0 or absent: as long as it takes. */
  readonly timeoutMs?: number;
}

/** A connection that lives until `close`. */
export const createApi = (connection: Connection, options: ApiOptions): Api => {
  const { clock, timeoutMs = 0 } = options;
  const after = (ms: number, task: () => void) => (ms > 0 ? clock.after(ms, task) : () => {});
  const secure = connection.server.startsWith('https:');
  const agentOptions = { keepAlive: true, maxSockets: 16 };
  const agent = secure ? new https.Agent({ ...agentOptions, ...tlsOptions(connection) }) : new http.Agent(agentOptions);

  const open = (call: Call, signal?: AbortSignal): Promise<http.IncomingMessage> => {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    // The server would cut the connection while we still send, and its word would be lost.
    const size = body === undefined ? 0 : Buffer.byteLength(body);
    if (size > maxRequestBytes) return Promise.reject(tooLarge());
    const url = connection.server + call.path + query(call.query ?? {});
    const headers: Record<string, string | number> = { accept: call.accept ?? json, 'user-agent': 'berth-cli' };
    if (connection.token) headers['authorization'] = `Bearer ${connection.token}`;
    if (body !== undefined) {
      headers['content-type'] = call.contentType ?? json;
      headers['content-length'] = size;
    }
    const request = { method: call.method ?? 'GET', agent, headers, ...(signal ? { signal } : {}) };
    return new Promise((resolve, reject) => {
      const sent = (secure ? https : http).request(url, request, response => {
        late();
        resolve(response);
      });
      const late = after(timeoutMs, () => sent.destroy(tooLate(timeoutMs)));
      sent.on('error', error => {
        late();
        reject(networkError(error, connection.server));
      });
      sent.end(body);
    });
  };

  const checked = async (call: Call, signal?: AbortSignal): Promise<http.IncomingMessage> => {
    for (let attempt = 0; ; attempt++) {
      const response = await open(call, signal);
      for (const warning of warningsOf(response.headers['warning'] as string | undefined)) options.onWarning?.(warning);
      const code = response.statusCode ?? 0;
      if (code < 400) return response;
      const text = await textOf(response);
      const retryAfter = Number(response.headers['retry-after'] ?? 'NaN');
      const again = (code === 429 || code >= 500) && retryAfter <= maxRetryAfterSeconds && attempt < maxRetries;
      if (!again) throw responseError(code, text, askedOf(call), connection.server);
      await clock.sleep(retryAfter * 1000, options.signal);
    }
  };

  const exchange = async <T>(call: Call): Promise<{ code: number; body: T }> => {
    const response = await checked(call);
    const late = after(timeoutMs, () => response.destroy(tooLate(timeoutMs)));
    const text = await textOf(response).finally(late);
    const code = response.statusCode ?? 0;
    try {
      return { code, body: (text === '' ? {} : JSON.parse(text)) as T };
    } catch {
      throw notTheApi(text, askedOf(call), connection.server);
    }
  };

  async function* stream(call: Call, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let expired = false;
    let late = () => {};
    try {
      const response = await checked(call, signal);
      late = after(timeoutMs, () => {
        expired = true;
        response.destroy();
      });
      for await (const chunk of response) yield chunk as Uint8Array;
    } catch (error) {
      // What a stream brought in its time is an answer, as kubectl has it.
      if (signal.aborted || expired) return;
      if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') throw new CliError('unexpected EOF');
      throw error;
    } finally {
      late();
    }
  }

  return {
    connection,
    exchange,
    send: async <T>(call: Call) => (await exchange<T>(call)).body,
    stream,
    close: () => agent.destroy(),
  };
};

const tlsOptions = (connection: Connection): https.AgentOptions => ({
  rejectUnauthorized: connection.insecureSkipTlsVerify !== true,
  ...(connection.caPem === undefined ? {} : { ca: connection.caPem }),
  ...(connection.certPem === undefined ? {} : { cert: connection.certPem }),
  ...(connection.keyPem === undefined ? {} : { key: connection.keyPem }),
  ...(connection.tlsServerName === undefined ? {} : { servername: connection.tlsServerName }),
});

/** The API server's limit. */
const maxRequestBytes = 3 * 1024 * 1024;
const tooLarge = (): ApiError =>
  new ApiError({
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: limit is ${maxRequestBytes}`,
  });

const tooLate = (timeoutMs: number): CliError => new CliError(`no answer from the server within ${timeoutMs / 1000} s`);

const askedOf = (call: Call) => ({ method: call.method ?? 'GET', path: call.path });

const textOf = async (response: http.IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

const networkError = (error: Error, server: string): Error => {
  const { code = '' } = error as NodeJS.ErrnoException;
  return error.name === 'AbortError' || code === '' ? error : connectionError(code, error.message, server);
};
