/** What the handlers of one server share, and what they know about one request. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Kind } from '#api/kind.ts';
import type { OpenApi } from '#api/openapi.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Registry } from '#registry/registry.ts';
import type { User } from '#registry/request.ts';
import type { Tokens } from './authn.ts';
import type { InFlight } from './in-flight.ts';
import type { ServerMetrics } from './metrics.ts';
import type { NodeLinks } from './node-links.ts';
import type { RequestInfo, ResourceRequest } from './request-info.ts';
import type { SchedulerFacts } from './scheduler-facts.ts';

export interface ServerDeps {
  readonly registry: Registry;
  readonly kinds: readonly Kind[];
  readonly tokens: Tokens;
  readonly nodeLinks: NodeLinks;
  readonly metrics: ServerMetrics;
  readonly inFlight: InFlight;
  readonly openapi: OpenApi;
  readonly clock: Clock;
  readonly log: Log;
  readonly caPem: string;
  /** What /readyz waits for, by name; the value says whether it is fine. */
  readonly checks: Readonly<Record<string, () => boolean>>;
  /** Absent where no scheduler runs beside the server. */
  readonly scheduler?: SchedulerFacts;
  /** Aborts when the server stops: ends watches, logs and sessions. */
  readonly stopping: AbortSignal;
}

export interface Call<Info extends RequestInfo = RequestInfo> {
  readonly deps: ServerDeps;
  readonly info: Info;
  readonly user: User;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export type ResourceCall = Call<ResourceRequest> & { readonly kind: Kind };

/** A signal that aborts when the client is gone or the server stops. */
export const whileConnected = ({ reply, deps }: Call): AbortSignal => {
  const gone = new AbortController();
  reply.raw.on('close', () => gone.abort());
  return AbortSignal.any([gone.signal, deps.stopping]);
};

export const bytesOf = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : noBytes);
const noBytes = Buffer.alloc(0);
