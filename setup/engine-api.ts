/**
 * The few calls of the Docker Engine API that set-up and the demo's checks need, over its socket. The node agent has
 * its own adapter; this one stands apart so that set-up depends on nothing but Node.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { SetupError } from './progress.ts';

export interface EngineReply {
  readonly status: number;
  readonly text: string;
}

export interface EngineApi {
  /** As DOCKER_HOST is written: `unix:///var/run/docker.sock`, `tcp://127.0.0.1:2375`. */
  readonly address: string;
  /** `answerWithinMs` bounds the time until the answer begins (default 5 minutes), not the whole of it. */
  call(method: string, path: string, body?: object | Readable, answerWithinMs?: number): Promise<EngineReply>;
}

/** An engine's answers as JSON; any status of 400 and above is a SetupError with the engine's own words. */
export const engineJson = async <T>(api: EngineApi, method: string, path: string, body?: object): Promise<T> => {
  const reply = await api.call(method, path, body);
  if (reply.status >= 400) throw new SetupError(`Docker Engine: ${method} ${path}: ${engineMessage(reply)}`);
  return (reply.text === '' ? undefined : JSON.parse(reply.text)) as T;
};

/** What the engine says about a failed call. */
export const engineMessage = (reply: EngineReply): string => {
  try {
    return (JSON.parse(reply.text) as { message?: string }).message ?? reply.text;
  } catch {
    return reply.text.trim() || `status ${reply.status}`;
  }
};

/** An API for an address; no connection is made yet. Throws SetupError for a scheme that cannot be spoken. */
export const engineAt = (address: string): EngineApi => {
  const send = sender(address);
  return {
    address,
    call: (method, path, body, answerWithinMs = 300_000) =>
      new Promise((resolve, reject) => {
        const stream = body !== undefined && 'pipe' in body ? (body as Readable) : undefined;
        const json = body === undefined || stream ? undefined : JSON.stringify(body);
        const type = stream ? 'application/x-tar' : 'application/json';
        const request = send({
          method,
          path,
          headers: {
            ...(body === undefined ? {} : { 'content-type': type }),
            ...(json === undefined ? {} : { 'content-length': String(Buffer.byteLength(json)) }),
          },
        });
        const late = () => request.destroy(new Error(`the engine did not answer within ${answerWithinMs / 1000} s`));
        const timer = setTimeout(late, answerWithinMs);
        request.on('close', () => clearTimeout(timer));
        request.on('response', response => {
          clearTimeout(timer);
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
          response.on('error', reject);
        });
        request.on('error', reject);
        if (stream) stream.on('error', error => request.destroy(error)).pipe(request);
        else request.end(json);
      }),
  };
};

const sender = (address: string): ((options: http.RequestOptions) => http.ClientRequest) => {
  if (address.startsWith('unix://')) {
    const socketPath = address.slice('unix://'.length);
    return options => http.request({ ...options, socketPath, agent: false });
  }
  const url = URL.parse(address.replace(/^tcp:/, 'http:'));
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new SetupError(`DOCKER_HOST=${address}: Berth speaks to unix:// and tcp:// engines`);
  }
  const at = { host: url.hostname, port: url.port, agent: false as const };
  const certificates = process.env['DOCKER_CERT_PATH'];
  if (!process.env['DOCKER_TLS_VERIFY'] || certificates === undefined)
    return options => http.request({ ...options, ...at });
  const pem = (name: string) => readFileSync(join(certificates, name));
  const tls = { ca: pem('ca.pem'), cert: pem('cert.pem'), key: pem('key.pem') };
  return options => https.request({ ...options, ...at, ...tls });
};
