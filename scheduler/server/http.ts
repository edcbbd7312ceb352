/**
 * The HTTPS server: one wildcard route for everything. Here a request is authenticated, authorized and given to whoever answers
 * it, and every failure, of whatever layer, becomes a Status.
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { kindOfResource } from '#api/kinds.ts';
import { ApiError, type Status, unauthorized } from '#api/status.ts';
import { sendError, statusOf } from './answer.ts';
import { authorize, refusal } from './authz.ts';
import { GatheringSocket } from './gathering-socket.ts';
import { actingUser } from './impersonation.ts';
import { answerJoin } from './join.ts';
import { answerHealth, answerPath } from './paths.ts';
import { type RequestInfo, requestInfo } from './request-info.ts';
import type { Call, ServerDeps } from './requests.ts';
import { handleResource, pathNotFound } from './resources.ts';
import { answerReview } from './reviews.ts';
import { answerSchedulerFacts } from './scheduler-facts.ts';
import { createUpgrades } from './sessions.ts';
import type { ServerTls } from './tls.ts';

export interface ApiServer {
  readonly app: FastifyInstance;
  /** Ends listening, open watches and sessions; waits for requests under way. */
  close(): Promise<void>;
}

/** As upstream: 3 MiB for what clients write. */
const bodyLimit = 3 * 1024 * 1024;
/** What is read of a body that is too large, so that its sender gets to hear it. */
const discardLimit = 32 * 1024 * 1024;
const finishMs = 2_000;

export const createApiServer = (deps: ServerDeps, tls: ServerTls): ApiServer => {
  const sockets = new Set<Socket>();
  const app = Fastify({
    logger: false,
    bodyLimit,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 4096, ignoreTrailingSlash: false },
    return503OnClosing: false,
    clientErrorHandler: refuseNonsense,
    frameworkErrors: (error, _, reply) => {
      sendError(reply, statusOfFailure(deps, error));
    },
    serverFactory: handler => {
      const server = createServer({ key: tls.keyPem, cert: tls.certPem, noDelay: true }, handler);
      // Clients that are idle for long (kubectl proxy, informers) keep their connections. Fastify sets none of these on
      // a server that it did not make.
      server.keepAliveTimeout = 180_000;
      server.requestTimeout = 60_000;
      // Between TLS and HTTP: the listener that speaks HTTP is given a connection that gathers what is written.
      const speakHttp = server.listeners('secureConnection') as ((socket: Duplex) => void)[];
      server.removeAllListeners('secureConnection');
      server.on('secureConnection', socket => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        const gathering = new GatheringSocket(socket);
        for (const listener of speakHttp) listener.call(server, gathering);
      });
      return server;
    },
  });
  acceptAnyBody(app);
  app.setErrorHandler(async (error, request, reply) => {
    const status = statusOfFailure(deps, error);
    // A client that is still sending would see a broken connection instead of the answer.
    if (status.code === 413) await discard(request.raw);
    sendError(reply, status);
    return reply;
  });
  app.setNotFoundHandler((_, reply) => sendError(reply, pathNotFound().status));
  app.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: '/*',
    exposeHeadRoute: false,
    handler: (request, reply) => answer(deps, request, reply),
  });
  app.server.on('upgrade', createUpgrades(deps));
  const close = async () => {
    // Requests under way may finish; connections that stay open after that are cut.
    const cancel = deps.clock.after(finishMs, () => {
      for (const socket of sockets) socket.destroy();
    });
    await app.close();
    cancel();
  };
  return { app, close };
};

/** What is no HTTP, or has headers without end, is told so and hung up on. */
const refuseNonsense = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const isLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const code = isLarge ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const { status } = new ApiError({
    code,
    reason: code === 408 ? 'Timeout' : isLarge ? 'RequestHeaderFieldsTooLarge' : 'BadRequest',
    message: isLarge ? 'the headers of the request are too large' : `the request is no HTTP: ${error.message}`,
  });
  const body = JSON.stringify(status);
  if (socket.writable)
    socket.write(
      `HTTP/1.1 ${code} ${STATUS_CODES[code]}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  socket.destroy(error);
};

/** Bodies stay bytes until their reader knows what they are: fastify's own parsers answer errors that are no Status. */
const acceptAnyBody = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_, body, done) => done(null, body));
};

/** Reads what is left of a body, as far as that is bearable. */
const discard = (body: IncomingMessage): Promise<void> =>
  new Promise(resolve => {
    let bytes = 0;
    body.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > discardLimit) resolve();
    });
    for (const end of ['end', 'close', 'error']) body.on(end, () => resolve());
    if (body.destroyed || body.readableEnded) resolve();
    else body.resume();
  });

const answer = async (
  deps: ServerDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> => {
  const startMs = performance.now();
  // What somebody may see, others may not: no cache on the way may keep it.
  reply.header('cache-control', 'no-cache, private');
  let info: RequestInfo | undefined;
  let code = 500;
  try {
    info = requestInfo(request.method, request.url);
    await dispatch(deps, info, request, reply);
    code = reply.raw.headersSent ? reply.raw.statusCode : reply.statusCode;
  } catch (error) {
    const status = statusOfFailure(deps, error);
    code = status.code ?? 500;
    sendError(reply, status);
  } finally {
    if (info !== undefined) deps.metrics.observe(labelsOf(info, code), (performance.now() - startMs) / 1000);
  }
  return reply;
};

const dispatch = async (
  deps: ServerDeps,
  info: RequestInfo,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> => {
  const user = deps.tokens.authenticate(request.headers.authorization);
  if (user === undefined) {
    if (request.headers.authorization === undefined && answerHealth(deps, info, reply)) return reply;
    throw unauthorized();
  }
  const place = deps.inFlight.enter(info, user);
  try {
    const acting = actingUser(user, request.raw);
    return await permitted({ deps, info, user: acting, request, reply });
  } finally {
    deps.inFlight.leave(place);
  }
};

const permitted = async (call: Call): Promise<FastifyReply | undefined> => {
  const { deps, info, user } = call;
  const verdict = authorize(deps.registry, user, info);
  if (!verdict.allowed) throw refusal(user, info, verdict.reason);
  if (!info.isResource) return answerPath({ ...call, info });
  const reviewed = answerReview(call) ?? answerJoin(call) ?? answerSchedulerFacts(call);
  if (reviewed !== undefined) return reviewed;
  const kind = kindOfResource(info.group, info.version, info.resource);
  if (kind === undefined) throw pathNotFound();
  return handleResource({ ...call, info, kind });
};

const statusOfFailure = (deps: ServerDeps, error: unknown): Status => {
  if (error instanceof ApiError) return error.status;
  const { code, statusCode, message = '' } = error as { code?: string; statusCode?: number; message?: string };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new ApiError({
      code: 413,
      reason: 'RequestEntityTooLarge',
      message: `Request entity too large: limit is ${bodyLimit}`,
    }).status;
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new ApiError({ code: statusCode, reason: 'BadRequest', message }).status;
  deps.log.error({ error: error instanceof Error ? (error.stack ?? message) : String(error) }, 'a request failed');
  return statusOf(error);
};

const labelsOf = (info: RequestInfo, code: number) =>
  info.isResource
    ? {
        verb: info.subresource === 'log' ? 'CONNECT' : info.verb === 'create' ? 'POST' : info.verb.toUpperCase(),
        group: info.group,
        version: info.version,
        resource: kindOfResource(info.group, info.version, info.resource) === undefined ? '' : info.resource,
        subresource: knownSubresources.has(info.subresource ?? '') ? (info.subresource ?? '') : '',
        code,
      }
    : { verb: info.verb.toUpperCase(), group: '', version: '', resource: '', subresource: '', code };

/** Labels come from a fixed set, so that nobody can make the metrics grow. */
const knownSubresources: ReadonlySet<string> = new Set([
  'status',
  'binding',
  'eviction',
  'log',
  'exec',
  'attach',
  'finalize',
  'scale',
  'resize',
]);
