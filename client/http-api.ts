/** What a client over HTTP offers beside objects of known kinds; the command line is built on it. */
import type { Signal } from '#base/clock.ts';
import type { TransportRequest } from './rest.ts';

export interface RawResponse {
  readonly code: number;
  readonly contentType: string;
  readonly body: string;
}

/** What the API offers beyond objects of known kinds. Paths start with `/`; failures are ApiErrors. */
export interface HttpApi {
  readonly server: string;
  /** GET with any Accept: tables, discovery, `/version`, OpenAPI, a finished log. */
  getRaw(path: string, accept?: string): Promise<RawResponse>;
  /** GET of JSON with any Accept (`application/json;as=Table;v=v1;g=meta.k8s.io`). */
  getJson<T>(path: string, accept?: string): Promise<T>;
  /** Any request with a JSON body and a JSON answer, for kinds known only from discovery. */
  request<T>(request: TransportRequest): Promise<T>;
  /** A response as it comes (a followed log); ends when either side ends it. */
  stream(path: string, signal: Signal, accept?: string): AsyncIterable<Uint8Array>;
  /** A watch with any Accept: batches of events, `ERROR` events included. */
  lines(path: string, signal: Signal, accept?: string): AsyncIterable<readonly unknown[]>;
}
