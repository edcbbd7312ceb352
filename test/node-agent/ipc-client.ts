/**
 * A Client over a child process's IPC channel, so that an agent can run in a process of its own (and be killed) while
 * the fake cluster lives on in the test. `serveClient` is the test's side, `ipcClient` the child's.
 */
import type { ChildProcess } from 'node:child_process';
import type { Kind } from '#api/kind.ts';
import { kinds } from '#api/kinds.ts';
import { ApiError, type Status } from '#api/status.ts';
import { createStop, type Stop } from '#base/stop.ts';
import type { Client } from '#client/client.ts';

interface Request {
  readonly id: number;
  readonly verb: string;
  readonly kind: string;
  readonly args: readonly unknown[];
}
interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly failure?: Status;
  readonly batch?: unknown;
  readonly end?: boolean;
}

const verbs = ['get', 'list', 'create', 'update', 'patch', 'remove', 'post'] as const;
const kindNamed = (name: string): Kind => kinds.find(kind => `${kind.group}/${kind.kind}` === name)!;

/** Answers the child's calls from `client` until the child ends. */
export const serveClient = (child: ChildProcess, client: Client): void => {
  const watches = new Map<number, Stop>();
  const send = (reply: Reply) => {
    if (child.connected) child.send(reply);
  };
  const failed = (id: number, error: unknown) => {
    const failure =
      error instanceof ApiError
        ? error.status
        : new ApiError({ code: 500, reason: 'InternalError', message: String(error) }).status;
    send({ id, failure });
  };
  const watch = async ({ id, kind, args }: Request) => {
    const stop = createStop();
    watches.set(id, stop);
    try {
      for await (const batch of client.watch(kindNamed(kind), { ...(args[0] as object), signal: stop.signal }))
        send({ id, batch });
      send({ id, end: true });
    } catch (error) {
      failed(id, error);
    }
  };
  child.on('message', (message: Request) => {
    if (message.verb === 'unwatch') return watches.get(message.id)?.stop();
    if (message.verb === 'watch') return void watch(message);
    const call = client[message.verb as (typeof verbs)[number]] as (...args: readonly unknown[]) => Promise<unknown>;
    call.call(client, kindNamed(message.kind), ...message.args).then(
      value => send({ id: message.id, value }),
      (error: unknown) => failed(message.id, error),
    );
  });
  child.on('exit', () => {
    for (const stop of watches.values()) stop.stop();
  });
};

/** The child's Client. */
export const ipcClient = (): Client => {
  let last = 0;
  const waiting = new Map<number, (reply: Reply) => void>();
  process.on('message', (reply: Reply) => waiting.get(reply.id)?.(reply));
  const ask = (verb: string, kind: Kind, args: readonly unknown[], reply: (reply: Reply) => void): number => {
    const id = ++last;
    waiting.set(id, reply);
    process.send!({ id, verb, kind: `${kind.group}/${kind.kind}`, args } satisfies Request);
    return id;
  };
  const call = (verb: string, kind: Kind, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ask(verb, kind, args, reply => {
        waiting.delete(id);
        if (reply.failure) reject(new ApiError(reply.failure as ConstructorParameters<typeof ApiError>[0]));
        else resolve(reply.value);
      });
    });
  const watch = async function* (kind: Kind, { signal, ...options }: { signal: Stop['signal'] }) {
    const queue: Reply[] = [];
    let wake: () => void = () => {};
    const id = ask('watch', kind, [options], reply => {
      queue.push(reply);
      wake();
    });
    signal.addEventListener('abort', () => {
      process.send!({ id, verb: 'unwatch', kind: '', args: [] } satisfies Request);
      wake();
    });
    for (;;) {
      const reply = queue.shift();
      if (reply?.failure) throw new ApiError(reply.failure as ConstructorParameters<typeof ApiError>[0]);
      if (signal.aborted || reply?.end) return;
      if (reply) yield reply.batch;
      else
        await new Promise<void>(resolve => {
          wake = resolve;
        });
    }
  };
  const calls = Object.fromEntries(
    verbs.map(verb => [verb, (kind: Kind, ...args: readonly unknown[]) => call(verb, kind, args)]),
  );
  return { ...calls, watch } as unknown as Client;
};
