/**
 * Upgrades: exec and attach (WebSocket, v5.channel.k8s.io; KUBECTL-WIRE §4) bridged to the node's agent, and the links that
 * agents open. All checks come before the upgrade, so that a refusal is an ordinary HTTP answer; the SPDY request that
 * kubectl sends after a refusal gets the same one.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Pod } from '#api/kinds/core.ts';
import { podKind } from '#api/kinds/core.ts';
import type { StreamSession } from '#api/node-calls.ts';
import { ApiError, badRequest, type Status, unauthorized } from '#api/status.ts';
import { statusOf } from './answer.ts';
import { authorize, refusal } from './authz.ts';
import { frameSocket } from './frames.ts';
import { actingUser } from './impersonation.ts';
import { refuseSecondAgent } from './node-links.ts';
import { execRequest, sessionRequest } from './pod-calls.ts';
import { RemoteNode } from './remote-node.ts';
import { type ResourceRequest, requestInfo } from './request-info.ts';
import type { ServerDeps } from './requests.ts';
import { pathNotFound } from './resources.ts';

const protocol = 'v5.channel.k8s.io';
const maxMessageBytes = 16 * 1024 * 1024;

/** What a connection does once it is upgraded. */
type Connected = (socket: WebSocket) => Promise<void> | void;

export const createUpgrades = (deps: ServerDeps) => {
  const common = { noServer: true, perMessageDeflate: false, maxPayload: maxMessageBytes } as const;
  const sessions = new WebSocketServer({
    ...common,
    handleProtocols: offered => (offered.has(protocol) ? protocol : false),
  });
  const links = new WebSocketServer(common);
  const remotes = new Map<string, RemoteNode>();
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    try {
      const info = authorized(deps, request);
      const isLink = info.group === 'berth.dev';
      const connected = isLink ? linkFor(deps, remotes, info) : sessionFor(deps, info);
      const isWebSocket = String(request.headers.upgrade).toLowerCase() === 'websocket';
      if (!isWebSocket) throw badRequest('only WebSocket upgrades are served here, SPDY is not');
      if (!isLink && !offersProtocol(request))
        throw badRequest(`the WebSocket subprotocol ${protocol} must be offered`);
      (isLink ? links : sessions).handleUpgrade(request, socket, head, webSocket => {
        void run(deps, webSocket, connected);
      });
    } catch (error) {
      if (!(error instanceof ApiError)) deps.log.error({ error: String(error) }, 'an upgrade failed');
      refuse(socket, statusOf(error));
    }
  };
};

const run = async (deps: ServerDeps, socket: WebSocket, connected: Connected): Promise<void> => {
  const stop = () => socket.terminate();
  deps.stopping.addEventListener('abort', stop, { once: true });
  socket.on('close', () => deps.stopping.removeEventListener('abort', stop));
  try {
    await connected(socket);
  } catch (error) {
    deps.log.warn({ error: String(error) }, 'a session failed');
    socket.close(1011);
  }
};

const offersProtocol = (request: IncomingMessage): boolean =>
  String(request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .some(offered => offered.trim() === protocol);

const authorized = (deps: ServerDeps, request: IncomingMessage): ResourceRequest => {
  const known = deps.tokens.authenticate(request.headers.authorization);
  if (known === undefined) throw unauthorized();
  const user = actingUser(known, request);
  const info = requestInfo(request.method === 'HEAD' ? 'HEAD' : (request.method ?? 'GET'), request.url ?? '/');
  const verdict = authorize(deps.registry, user, info);
  if (!verdict.allowed) throw refusal(user, info, verdict.reason);
  if (!info.isResource) throw pathNotFound();
  return info;
};

const sessionFor = (deps: ServerDeps, info: ResourceRequest): Connected => {
  const { group, version, resource, subresource, namespace, name, query } = info;
  const isPod =
    group === '' && version === 'v1' && resource === 'pods' && namespace !== undefined && name !== undefined;
  if (!isPod || (subresource !== 'exec' && subresource !== 'attach')) throw pathNotFound();
  const pod = deps.registry.get(podKind as never, { namespace, name }).value as Pod;
  const start =
    subresource === 'exec'
      ? bind(execRequest(pod, query), (handler, request, session) => handler.exec(request, session))
      : bind(sessionRequest(pod, query), (handler, request, session) => handler.attach(request, session));
  const handler = deps.nodeLinks.handlerOf(pod.spec.nodeName ?? '');
  return async socket => {
    const session = frameSocket(socket);
    try {
      await start(handler, session);
    } catch (error) {
      // Too late for an HTTP answer: the status channel says it.
      await session.send(statusFrame(statusOf(error)));
    }
    socket.close(1000);
  };
};

type Handler = ReturnType<ServerDeps['nodeLinks']['handlerOf']>;
const bind =
  <R>(request: R, call: (handler: Handler, request: R, session: StreamSession) => Promise<void>) =>
  (handler: Handler, session: StreamSession): Promise<void> =>
    call(handler, request, session);

const statusChannel = 3;
const statusFrame = (status: Status): Uint8Array =>
  Buffer.concat([Buffer.from([statusChannel]), Buffer.from(JSON.stringify(status))]);

const linkFor = (deps: ServerDeps, remotes: Map<string, RemoteNode>, info: ResourceRequest): Connected => {
  const { name: node, subresource = '' } = info;
  if (info.resource !== 'nodes' || node === undefined) throw pathNotFound();
  if (subresource === 'link') {
    const agent = info.query.get('agent') ?? '';
    // A link that its own agent opens anew may take the place of one whose end has not been noticed yet.
    if (remotes.get(node)?.agent !== agent) refuseSecondAgent(deps.nodeLinks, node);
    return socket => connectNode(deps, remotes, new RemoteNode({ node, agent }, socket, deps.clock), socket);
  }
  const id = /^link\/([A-Za-z0-9]{1,32})$/.exec(subresource)?.[1];
  if (id === undefined || !remotes.get(node)?.expects(id)) throw pathNotFound();
  return socket => {
    if (!remotes.get(node)?.accept(id, socket)) socket.close(1008, 'nobody waits for this any more');
  };
};

const connectNode = (
  deps: ServerDeps,
  remotes: Map<string, RemoteNode>,
  remote: RemoteNode,
  socket: WebSocket,
): void => {
  const { node } = remote;
  remotes.set(node, remote);
  const unregister = deps.nodeLinks.register(node, remote);
  deps.log.info({ node }, 'the agent is connected');
  socket.on('close', () => {
    unregister();
    if (remotes.get(node) === remote) remotes.delete(node);
    deps.log.info({ node }, 'the agent is no longer connected');
  });
};

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

const refuse = (socket: Duplex, status: Status): void => {
  const body = JSON.stringify(status);
  const code = status.code ?? 500;
  const head = [
    `HTTP/1.1 ${code} ${reasons[code] ?? 'Error'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
};
