/** The calls of the engine that go on for long: logs, exec, attach, events. */
import type { Signal } from '#base/clock.ts';
import type { ExecOptions, ExecStreams, LogOptions, ProcessStreams, RuntimeEvent, StreamOptions } from '../runtime.ts';
import { answerWithinMs, type Connection, dialled } from './connection.ts';
import { calling, toRuntimeError } from './faults.ts';
import { linesOf, sendLogs } from './reading.ts';
import { processStreams } from './streams.ts';

/** Takes a piece of output; the next one waits until it resolves. */
export type SendChunk = (chunk: Uint8Array) => Promise<void>;

export const readLogs = async (
  connection: Connection,
  id: string,
  options: LogOptions,
  send: SendChunk,
  signal: Signal,
): Promise<void> => {
  const engine = await connection.engine();
  const answer = (await calling(() => engine.getContainer(id).inspect())) as unknown as { Config: { Tty: boolean } };
  const query = new URLSearchParams({
    follow: options.follow ? '1' : '0',
    stdout: options.stdout ? '1' : '0',
    stderr: options.stderr ? '1' : '0',
    timestamps: options.timestamps ? '1' : '0',
  });
  if (options.tailLines !== undefined) query.set('tail', String(options.tailLines));
  if (options.sinceMs !== undefined) query.set('since', (options.sinceMs / 1000).toFixed(3));
  // Not container.logs(): without follow that one reads the whole log into memory first.
  const stream = await dialled<AsyncIterable<Buffer>>(engine, {
    path: `/containers/${id}/logs?${query}&`,
    method: 'GET',
    isStream: true,
    statusCodes: { 200: true },
  });
  await sendLogs(stream, answer.Config.Tty, options, send, signal);
};

export const openExec = async (connection: Connection, id: string, options: ExecOptions): Promise<ExecStreams> => {
  const engine = await connection.engine();
  const exec = await calling(() =>
    engine.getContainer(id).exec({
      Cmd: [...options.command],
      Tty: options.tty,
      AttachStdin: options.stdin,
      AttachStdout: options.stdout,
      AttachStderr: options.stderr && !options.tty,
    }),
  );
  const execId = exec!.id;
  const socket = await connection.hijack(`/exec/${execId}/start`, { Detach: false, Tty: options.tty });
  const state = async () => (await calling(() => engine.getExec(execId).inspect()))!;
  const streams = processStreams(socket, options, async (w, h) => {
    await calling(() => engine.getExec(execId).resize({ w, h }), 409, 500);
  });
  return {
    ...streams,
    exitCode: async () => {
      const { Running: running, ExitCode: code } = await state();
      return running || code === null ? undefined : code;
    },
    pid: async () => (await state()).Pid ?? 0,
  };
};

export const openAttach = async (
  connection: Connection,
  id: string,
  options: StreamOptions,
): Promise<ProcessStreams> => {
  const engine = await connection.engine();
  const query = new URLSearchParams({ stream: '1' });
  for (const name of ['stdin', 'stdout', 'stderr'] as const) if (options[name]) query.set(name, '1');
  const socket = await connection.hijack(`/containers/${id}/attach?${query}`);
  return processStreams(socket, options, async (w, h) => {
    await calling(() => engine.getContainer(id).resize({ w, h }), 404, 409, 500);
  });
};

interface EventLine {
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly time: number;
}

export interface Follower {
  listener(event: RuntimeEvent): void;
  /** Nothing can be missed from now on. */
  opened(): void;
}

/** Events of containers with these labels (`key=value`), until `signal` aborts or the engine ends the stream. */
export const followEvents = async (
  connection: Connection,
  labels: readonly string[],
  { listener, opened }: Follower,
  signal: Signal,
): Promise<void> => {
  const engine = await connection.engine();
  const unanswered = new AbortController();
  const late = setTimeout(() => unanswered.abort(), answerWithinMs);
  try {
    const filters = JSON.stringify({ type: ['container'], label: labels });
    const stream = await calling(() => engine.getEvents({ filters, abortSignal: unanswered.signal }));
    clearTimeout(late);
    opened();
    for await (const line of linesOf(stream as unknown as AsyncIterable<Buffer>, signal)) {
      const { Action: action, Actor: actor, time } = JSON.parse(line) as EventLine;
      listener({ action, id: actor.ID, labels: actor.Attributes, timeMs: time * 1000 });
    }
  } catch (error) {
    if (!signal.aborted) throw toRuntimeError(error);
  } finally {
    clearTimeout(late);
  }
};
