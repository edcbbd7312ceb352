/**
 * The connection to one Docker Engine: where it listens, which API version is spoken (the newest that both sides know,
 * asked for anew after an outage), and the raw upgraded sockets of attach and exec. This is the only file that imports
 * dockerode. Upgraded sockets are made with node:http and not with dockerode's streams, because those cannot half-close
 * standard input reliably on every transport (DOCKER-FACTS §7).
 */
import http from 'node:http';
import type { Duplex } from 'node:stream';
import Docker from 'dockerode';
import { RuntimeError } from '../runtime.ts';
import { toRuntimeError } from './faults.ts';

export type Engine = Docker;

/** An engine that has not answered a simple question by then hangs. */
export const answerWithinMs = 20_000;

/** `unix:///var/run/docker.sock`, `tcp://127.0.0.1:2375`, or a bare path of a socket. */
export interface Address {
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
}

/** The newest API version whose answers this adapter understands, and the oldest that has all it needs. */
const newest = '1.52';
const oldest = '1.41';

export const parseAddress = (text: string): Address => {
  if (text.startsWith('unix://')) return { socketPath: text.slice('unix://'.length) };
  if (text.startsWith('/')) return { socketPath: text };
  const match = /^(?:tcp|http):\/\/([^:/]+|\[[^\]]+\]):(\d+)\/?$/.exec(text);
  if (!match)
    throw new RuntimeError(
      'invalid',
      `Docker host ${JSON.stringify(text)}: want unix:///path/to/docker.sock or tcp://host:port`,
    );
  return { host: match[1]!, port: Number(match[2]) };
};

const numberOf = (version: string): number => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major * 1000 + minor;
};

/** The version to speak with an engine that knows `least` to `most`; throws when there is none. */
export const negotiate = (most: string, least: string): string => {
  if (numberOf(most) < numberOf(oldest))
    throw new RuntimeError(
      'invalid',
      `Docker Engine speaks API ${most}; Berth needs ${oldest} or newer (Docker 20.10)`,
    );
  const spoken = numberOf(most) < numberOf(newest) ? most : newest;
  if (numberOf(spoken) < numberOf(least))
    throw new RuntimeError('invalid', `Docker Engine wants API ${least} or newer; this Berth speaks up to ${newest}`);
  return spoken;
};

/** The answer of a GET without parameters; throws RuntimeError, `unavailable` also when none comes in time. */
export const question = <T>(engine: Engine, path: string): Promise<T> =>
  dialled(engine, {
    path,
    method: 'GET',
    statusCodes: { 200: true },
    abortSignal: AbortSignal.timeout(answerWithinMs),
  });

/** A call that dockerode has no method for. A path with a query ends in `&`: docker-modem cuts its last character. */
export const dialled = <T>(engine: Engine, options: object): Promise<T> =>
  new Promise((resolve, reject) => {
    engine.modem.dial(options as Parameters<typeof engine.modem.dial>[0], (error: unknown, answer: unknown) =>
      error ? reject(toRuntimeError(error)) : resolve(answer as T),
    );
  });

export class Connection {
  readonly address: Address;
  #engine: Promise<Docker> | undefined;
  #version = '';

  constructor(address: Address) {
    this.address = address;
  }

  /** API version in use; empty before the first answer. */
  get version(): string {
    return this.#version;
  }

  /** The client of the negotiated version. */
  engine(): Promise<Docker> {
    this.#engine ??= this.#negotiated().catch((error: unknown) => {
      this.forget();
      throw error;
    });
    return this.#engine;
  }

  /** After an outage another version of the engine may answer: negotiate again at the next call. */
  forget(): void {
    this.#engine = undefined;
  }

  async #negotiated(): Promise<Docker> {
    const plain = new Docker({ ...this.address, protocol: 'http' });
    const found = await question<{ ApiVersion: string; MinAPIVersion?: string }>(plain, '/version');
    this.#version = negotiate(found.ApiVersion, found.MinAPIVersion ?? '1.12');
    return new Docker({ ...this.address, protocol: 'http', version: `v${this.#version}` });
  }

  /** POSTs and takes over the connection when the engine upgrades it. */
  async hijack(path: string, body?: object): Promise<Duplex> {
    await this.engine();
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      connection: 'Upgrade',
      upgrade: 'tcp',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    };
    return new Promise((resolve, reject) => {
      const request = http.request({
        ...this.address,
        method: 'POST',
        path: `/v${this.#version}${path}`,
        agent: false,
        headers,
      });
      request.on('upgrade', (_response, socket, head) => {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      });
      request.on('response', response => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', error => reject(toRuntimeError(error)));
        response.on('end', () => reject(toRuntimeError(refusal(response.statusCode ?? 0, Buffer.concat(chunks)))));
      });
      request.on('error', error => reject(toRuntimeError(error)));
      request.end(text);
    });
  }
}

const refusal = (statusCode: number, body: Buffer): { statusCode: number; message: string } => {
  const text = body.toString();
  try {
    return { statusCode, message: String((JSON.parse(text) as { message?: unknown }).message ?? text) };
  } catch {
    return { statusCode, message: text };
  }
};
