/**
 * An agent in another process, over the links it opens. The control link carries JSON texts: `{id, call, request}` to the agent,
 * `{id, result}` or `{id, error: Status}` back. For logs, exec and attach the agent opens a second link with that id,
 * whose binary messages are passed on unread; close 1000 is a good end, a text message with a Status a bad one.
 */
import type { WebSocket } from 'ws';
import type {
  ExecRequest,
  LogRequest,
  NodeHandler,
  NodeUsage,
  SessionRequest,
  StreamSession,
} from '#api/node-calls.ts';
import { ApiError, type Status, unavailable } from '#api/status.ts';
import type { Clock, Signal } from '#base/clock.ts';
import { frameSocket } from './frames.ts';

const answerMs = 10_000;
const pingMs = 10_000;
const maxPending = 1_000;

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class RemoteNode implements NodeHandler {
  readonly node: string;
  /** Which agent it is: each process has a word of its own. */
  readonly agent: string;
  readonly #control: WebSocket;
  readonly #clock: Clock;
  readonly #answers = new Map<string, Pending>();
  readonly #streams = new Map<string, (socket: WebSocket) => void>();
  #lastId = 0;
  #heard = true;

  constructor({ node, agent }: { node: string; agent: string }, control: WebSocket, clock: Clock) {
    this.node = node;
    this.agent = agent;
    this.#control = control;
    this.#clock = clock;
    control.on('message', (message: Buffer, isBinary: boolean) => {
      if (!isBinary) this.#answered(message.toString());
    });
    control.on('pong', () => {
      this.#heard = true;
    });
    control.on('close', () => this.#lost());
    control.on('error', () => control.terminate());
    this.#ping();
  }

  async usage(): Promise<NodeUsage | undefined> {
    return (await this.#ask('usage', undefined)) as NodeUsage | undefined;
  }

  async logs(request: LogRequest, send: (chunk: Uint8Array) => Promise<void>, signal: Signal): Promise<void> {
    const socket = await this.#open('logs', request);
    const stop = () => socket.close(1000);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    await this.#pass(socket, send);
  }

  exec(request: ExecRequest, session: StreamSession): Promise<void> {
    return this.#session('exec', request, session);
  }

  attach(request: SessionRequest, session: StreamSession): Promise<void> {
    return this.#session('attach', request, session);
  }

  /** Takes a link that the agent opened for a call; false when nobody waits for it. */
  accept(id: string, socket: WebSocket): boolean {
    const take = this.#streams.get(id);
    if (take === undefined) return false;
    take(socket);
    return true;
  }

  /** True when the agent may open a link with that id. */
  expects(id: string): boolean {
    return this.#streams.has(id);
  }

  async #session(call: 'exec' | 'attach', request: SessionRequest, session: StreamSession): Promise<void> {
    const socket = await this.#open(call, request);
    const stop = () => socket.close(1000);
    session.signal.addEventListener('abort', stop, { once: true });
    if (session.signal.aborted) stop();
    await this.#pass(socket, frame => session.send(frame), session.frames);
  }

  /** Pumps both ways until the agent closes; throws what the agent says went wrong. */
  async #pass(
    socket: WebSocket,
    send: (frame: Uint8Array) => Promise<void>,
    input?: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    let failure: ApiError | undefined;
    const link = frameSocket(socket, text => {
      failure = apiErrorOf(text);
    });
    let code = 1006;
    socket.on('close', closed => {
      code = closed;
    });
    if (input !== undefined) void forward(input, frame => link.send(frame));
    for await (const frame of link.frames) await send(frame);
    if (failure !== undefined) throw failure;
    if (code !== 1000 && code !== 1005)
      throw unavailable(`the connection to the agent of node ${JSON.stringify(this.node)} was lost`);
  }

  #open(call: string, request: unknown): Promise<WebSocket> {
    const id = this.#nextId();
    return this.#within(
      new Promise<WebSocket>((resolve, reject) => {
        this.#streams.set(id, resolve);
        // An agent that cannot even open a link says so on the control link.
        this.#answers.set(id, { resolve: () => {}, reject });
        this.#tell({ id, call, request });
      }),
      id,
    );
  }

  #ask(call: string, request: unknown): Promise<unknown> {
    const id = this.#nextId();
    return this.#within(
      new Promise((resolve, reject) => {
        this.#answers.set(id, { resolve, reject });
        this.#tell({ id, call, request });
      }),
      id,
    );
  }

  async #within<T>(answer: Promise<T>, id: string): Promise<T> {
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(answerMs, () =>
        reject(unavailable(`the agent of node ${JSON.stringify(this.node)} does not answer`)),
      );
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      cancel();
      this.#answers.delete(id);
      this.#streams.delete(id);
    }
  }

  #tell(message: object): void {
    if (this.#control.readyState !== this.#control.OPEN || this.#answers.size > maxPending)
      throw unavailable(`the agent of node ${JSON.stringify(this.node)} is not connected`);
    this.#control.send(JSON.stringify(message));
  }

  #answered(text: string): void {
    let answer: { id?: unknown; result?: unknown; error?: unknown };
    try {
      answer = JSON.parse(text) as typeof answer;
    } catch {
      this.#control.close(1003, 'not JSON');
      return;
    }
    const pending = this.#answers.get(String(answer.id));
    if (pending === undefined) return;
    if (answer.error === undefined) pending.resolve(answer.result ?? undefined);
    else pending.reject(toApiError(answer.error));
  }

  #lost(): void {
    const error = unavailable(`the agent of node ${JSON.stringify(this.node)} is not connected`);
    for (const pending of this.#answers.values()) pending.reject(error);
    this.#answers.clear();
    this.#streams.clear();
  }

  /** Ends a control link that has gone silent. */
  #ping(): void {
    this.#clock.after(pingMs, () => {
      if (this.#control.readyState !== this.#control.OPEN) return;
      if (!this.#heard) return this.#control.terminate();
      this.#heard = false;
      this.#control.ping();
      this.#ping();
    });
  }

  #nextId(): string {
    this.#lastId++;
    return `c${this.#lastId}`;
  }
}

const forward = async (input: AsyncIterable<Uint8Array>, send: (frame: Uint8Array) => Promise<void>): Promise<void> => {
  for await (const frame of input) await send(frame);
};

const apiErrorOf = (text: string): ApiError => {
  try {
    return toApiError(JSON.parse(text));
  } catch {
    return unavailable(`the agent says: ${text}`);
  }
};

const toApiError = (value: unknown): ApiError => {
  const status = (typeof value === 'object' && value !== null ? value : {}) as Partial<Status>;
  return new ApiError({ ...status, code: status.code ?? 500, reason: status.reason ?? 'InternalError' });
};
