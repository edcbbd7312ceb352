/** What is no resource: health, version, discovery, OpenAPI and metrics. */
import type { FastifyReply } from 'fastify';
import { discoveryAt, reviewResources } from '#api/discovery.ts';
import type { OpenApiDocument } from '#api/openapi.ts';
import { sendJson } from './answer.ts';
import type { OtherRequest } from './request-info.ts';
import type { Call, ServerDeps } from './requests.ts';
import { pathNotFound } from './resources.ts';
import { versionInfo } from './version.ts';

/** Answers the requests that need no user, true when it was one. */
export const answerHealth = (
  deps: ServerDeps,
  info: { path: string; query: URLSearchParams },
  reply: FastifyReply,
): boolean => {
  const { path } = info;
  if (path === '/version') {
    sendJson(reply, 200, versionInfo);
    return true;
  }
  const probe = /^\/(healthz|livez|readyz)(?:\/([a-z-]+))?$/.exec(path);
  if (probe === null) return false;
  health(deps, probe[1]!, probe[2], info.query.has('verbose'), reply);
  return true;
};

export const answerPath = async (call: Call): Promise<FastifyReply> => {
  const { deps, info, reply, request } = call as Call<OtherRequest>;
  if (info.verb !== 'get' && info.verb !== 'head') throw pathNotFound();
  if (answerHealth(deps, info, reply)) return reply;
  if (info.path === '/metrics') return metrics(deps, reply);
  const openapi = deps.openapi.at(info.path, request.headers.accept);
  if (openapi !== undefined) return sendOpenApi(call as Call<OtherRequest>, openapi);
  const resources = [...deps.kinds, ...reviewResources];
  const discovery = discoveryAt(resources, info.path, request.headers.accept, request.headers.host ?? '');
  if (discovery !== undefined)
    return reply
      .code(200)
      .header('content-type', discovery.contentType)
      .send(Buffer.from(JSON.stringify(discovery.body)));
  if (info.path === '/') return sendJson(reply, 200, { paths: rootPaths });
  throw pathNotFound();
};

const yearMs = 365 * 24 * 60 * 60_000;

/** Under its hash a document never changes, so clients may keep it; an old hash leads to the new one (upstream: handler3). */
const sendOpenApi = ({ deps, info, request, reply }: Call<OtherRequest>, document: OpenApiDocument): FastifyReply => {
  const hash = info.query.get('hash');
  const present = document.etag.slice(1, -1);
  if (hash !== null && hash !== present)
    return reply.code(301).header('location', `${info.path}?hash=${present}`).send();
  reply.header('content-type', document.contentType).header('etag', document.etag).header('vary', 'Accept');
  if (hash !== null)
    reply
      .header('cache-control', 'public, immutable')
      .header('expires', new Date(deps.clock.now() + yearMs).toUTCString());
  if (request.headers['if-none-match'] === document.etag) return reply.code(304).send();
  return reply.code(200).send(Buffer.from(document.body));
};

const rootPaths = [
  '/api',
  '/apis',
  '/healthz',
  '/livez',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/readyz',
  '/version',
];

/** In the form of upstream's healthz: `ok`, or one line per check. */
const health = (
  deps: ServerDeps,
  endpoint: string,
  only: string | undefined,
  verbose: boolean,
  reply: FastifyReply,
): void => {
  const checks = endpoint === 'livez' ? { ping: () => true } : { ping: () => true, ...deps.checks };
  const chosen = Object.entries(checks).filter(([name]) => only === undefined || name === only);
  reply.header('content-type', 'text/plain; charset=utf-8').header('x-content-type-options', 'nosniff');
  if (chosen.length === 0) {
    reply.code(404).send('404 page not found\n');
    return;
  }
  const results = chosen.map(([name, check]) => ({ name, fine: check() }));
  const fine = results.every(result => result.fine);
  const lines = results.map(
    ({ name, fine: passed }) => `[${passed ? '+' : '-'}]${name} ${passed ? 'ok' : 'failed: reason withheld'}\n`,
  );
  const list = `${lines.join('')}${endpoint} check ${fine ? 'passed' : 'failed'}\n`;
  reply.code(fine ? 200 : 500).send(fine && !verbose ? 'ok' : list);
};

const metrics = async ({ metrics: { registry } }: ServerDeps, reply: FastifyReply): Promise<FastifyReply> => {
  reply.header('content-type', registry.contentType);
  return reply.code(200).send(await registry.metrics());
};
