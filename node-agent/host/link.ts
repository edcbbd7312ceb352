/**
 * The agent's side of the link to a remote API server. Agents listen on no port: this one opens a control WebSocket,
 * over which the server says what it wants ({id, call, request} as text). Usage is answered there; for logs, exec and
 * attach the agent opens one more WebSocket, on which frames go as they are. A lost link is opened again with backoff.
 */
import type { IncomingMessage } from 'node:http';
import WebSocket from 'ws';
import type { ExecRequest, LogRequest, NodeHandler, SessionRequest, StreamSession } from '#api/node-calls.ts';
import { ApiError, badRequest, internalError } from '#api/status.ts';
import { createBackoff } from '#base/backoff.ts';
import type { Clock, Signal } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';

export interface LinkOptions {
  /** `https://host:port` */
  readonly server: string;
  readonly node: string;
  readonly token: string;
  /** A word that tells this process from another agent of the same node name; letters and digits. */
  readonly agent?: string;
  /** Called each time when the link stands. */
  opened?(): void;
  /** Called with the server's words when it has another agent of this name; the link is not tried again then. */
  refused?(why: string): void;
  /** Certificate of the server's authority; absent: the system's. */
  readonly caPem?: string;
  readonly handler: NodeHandler;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Asked {
  readonly id: string;
  readonly call: string;
  readonly request?: unknown;
}

/** A link without a sign of life for this long is dead; the server's or our own pings keep a good one alive. */
const silenceMs = 60_000;
const pingMs = 20_000;
/** Frames that wait for the process to take them, per session; beyond that the connection is not read. */
const maxWaitingFrames = 64;
/** Bytes that wait for the network before sending pauses. */
const maxWaitingBytes = 1 << 20;
const normalClosure = 1000;

const pathOf = (options: LinkOptions, id?: string): string => {
  const base = options.server.replace(/^http/, 'ws').replace(/\/$/, '');
  const node = encodeURIComponent(options.node);
  const which = options.agent === undefined ? '' : `?agent=${encodeURIComponent(options.agent)}`;
  const rest = id === undefined ? which : `/${encodeURIComponent(id)}`;
  return `${base}/apis/berth.dev/v1/nodes/${node}/link${rest}`;
};

const dial = (options: LinkOptions, id?: string): WebSocket =>
  new WebSocket(pathOf(options, id), {
    headers: { authorization: `Bearer ${options.token}` },
    perMessageDeflate: false,
    handshakeTimeout: 10_000,
    ...(options.caPem === undefined ? {} : { ca: options.caPem }),
  });

/** Keeps the link until `signal` aborts; never rejects. */
export const runLink = async (options: LinkOptions, signal: Signal): Promise<void> => {
  const { clock, random, log } = options;
  const backoff = createBackoff(random, 200, 10_000);
  while (!signal.aborted) {
    const opened = () => {
      backoff.reset();
      options.opened?.();
    };
    const fault = await once(options, signal, opened);
    if (signal.aborted || fault === refused) return;
    log.warn({ server: options.server, fault }, 'link to the server lost');
    await clock.sleep(backoff.next(), signal);
  }
};

/** Says that the link was refused for good. */
const refused = Symbol('refused');

/** One life of the control connection; resolves with why it ended. */
const once = (options: LinkOptions, signal: Signal, opened: () => void): Promise<string | typeof refused> =>
  new Promise(resolve => {
    const socket = dial(options);
    let heardMs = options.clock.now();
    let fault: string | typeof refused = 'closed';
    const stop = () => socket.close(normalClosure);
    const pinging = setInterval(() => {
      if (options.clock.now() - heardMs > silenceMs) socket.terminate();
      else if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, pingMs);
    signal.addEventListener('abort', stop, { once: true });
    socket.on('open', () => {
      options.log.info({ server: options.server }, 'linked to the server');
      opened();
    });
    for (const sign of ['ping', 'pong', 'message'] as const)
      socket.on(sign, () => {
        heardMs = options.clock.now();
      });
    socket.on('message', data => {
      void answer(options, socket, String(data)).catch((error: unknown) =>
        options.log.error({ err: error }, 'a call over the link failed'),
      );
    });
    socket.on('unexpected-response', (request, response) => {
      void bodyOf(response).then(text => {
        const message = messageOf(text) ?? `the server answered ${response.statusCode}`;
        fault = message;
        if (response.statusCode === 409 && options.refused) {
          fault = refused;
          options.refused(message);
        }
        request.destroy();
        socket.terminate();
      });
    });
    socket.on('error', error => {
      if (fault === 'closed') fault = error.message;
    });
    socket.on('close', () => {
      clearInterval(pinging);
      signal.removeEventListener('abort', stop);
      resolve(fault);
    });
  });

const maxRefusalBytes = 64 * 1024;

const bodyOf = async (response: IncomingMessage): Promise<string> => {
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk as string;
      if (text.length > maxRefusalBytes) break;
    }
  } catch {
    // What came of it is enough.
  }
  return text;
};

const messageOf = (text: string): string | undefined => {
  try {
    return (JSON.parse(text) as { message?: string }).message;
  } catch {
    return undefined;
  }
};

const answer = async (options: LinkOptions, control: WebSocket, text: string): Promise<void> => {
  const asked = JSON.parse(text) as Asked;
  if (asked.call === 'usage') {
    const reply = await options.handler.usage().then(
      result => ({ id: asked.id, result }),
      (error: unknown) => ({ id: asked.id, error: statusOf(error) }),
    );
    control.send(JSON.stringify(reply));
    return;
  }
  await serve(options, asked);
};

const statusOf = (error: unknown): object =>
  (error instanceof ApiError ? error : internalError((error as Error).message)).status;

/** Opens the connection of a session and runs it to its end. */
const serve = async (options: LinkOptions, asked: Asked): Promise<void> => {
  const socket = dial(options, asked.id);
  // Before it is open: the server's first frames may come together with its answer.
  const session = sessionOf(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  try {
    await run(options.handler, asked, session);
  } catch (error) {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(statusOf(error)));
  }
  socket.close(normalClosure);
};

const run = (handler: NodeHandler, { call, request }: Asked, session: StreamSession): Promise<void> => {
  switch (call) {
    case 'logs':
      return handler.logs(request as LogRequest, session.send, session.signal);
    case 'exec':
      return handler.exec(request as ExecRequest, session);
    case 'attach':
      return handler.attach(request as SessionRequest, session);
    default:
      return Promise.reject(badRequest(`unknown call ${JSON.stringify(call)}`));
  }
};

const sessionOf = (socket: WebSocket): StreamSession => {
  const gone = new AbortController();
  const waiting: Uint8Array[] = [];
  let wake: () => void = () => {};
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (!isBinary) return;
    waiting.push(data);
    if (waiting.length >= maxWaitingFrames) socket.pause();
    wake();
  });
  socket.on('error', () => {}); // followed by close
  socket.on('close', () => {
    gone.abort();
    wake();
  });
  const frames = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = waiting.shift();
      if (next) {
        if (socket.isPaused && waiting.length < maxWaitingFrames / 2) socket.resume();
        yield next;
      } else if (gone.signal.aborted) return;
      else
        await new Promise<void>(resolve => {
          wake = resolve;
        });
    }
  };
  const send = (bytes: Uint8Array): Promise<void> =>
    new Promise(resolve => {
      if (socket.readyState !== WebSocket.OPEN) return resolve();
      const isBehind = socket.bufferedAmount > maxWaitingBytes;
      // Behind: the next frame waits until this one has left; else it may follow at once.
      socket.send(bytes, { binary: true }, () => {
        if (isBehind) resolve();
      });
      if (!isBehind) resolve();
    });
  return { frames: frames(), send, signal: gone.signal };
};
