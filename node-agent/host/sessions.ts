/**
 * Exec and attach sessions: the frames of `v5.channel.k8s.io` on one side (KUBECTL-WIRE §4.2), a process's standard
 * streams on the other. The status frame is the last one sent. A client that goes away takes an exec'd process with
 * it, but never an attached one.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamSession } from '#api/node-calls.ts';
import { ApiError, internalError } from '#api/status.ts';
import type { Log } from '#base/log.ts';
import type { ExecStreams, ProcessStreams } from '../runtime.ts';

const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const;

const frame = (id: number, bytes: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(bytes.length + 1);
  whole[0] = id;
  whole.set(bytes, 1);
  return whole;
};

const statusFrame = (status: object): Uint8Array =>
  frame(channel.status, Buffer.from(JSON.stringify({ metadata: {}, ...status })));

const success = statusFrame({ status: 'Success' });

const exitStatus = (code: number): Uint8Array =>
  statusFrame({
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
    code: 500,
  });

/** A failure of any sort as the status frame that shows it. */
export const failureStatus = (error: unknown): Uint8Array => {
  const { status } = error instanceof ApiError ? error : internalError((error as Error).message);
  return statusFrame(status);
};

export interface InputRules {
  /** The client's end of input reaches the process. */
  readonly passesEnd: boolean;
}

/** Passes the client's frames on to the process until the client is gone. */
const pumpInput = async (session: StreamSession, streams: ProcessStreams, rules: InputRules): Promise<void> => {
  for await (const bytes of session.frames) {
    const payload = bytes.subarray(1);
    if (bytes[0] === channel.stdin && payload.length > 0) await streams.write(payload);
    else if (bytes[0] === channel.resize) await resize(streams, payload);
    else if (bytes[0] === channel.close && payload[0] === channel.stdin && rules.passesEnd) streams.endInput();
  }
};

const resize = async (streams: ProcessStreams, payload: Uint8Array): Promise<void> => {
  try {
    const { Width: width, Height: height } = JSON.parse(Buffer.from(payload).toString()) as {
      Width: number;
      Height: number;
    };
    await streams.resize(width, height);
  } catch {
    // A size that cannot be read or set (the process has just ended) changes nothing.
  }
};

/** How the engine says, in the output, that a command could not be started at all (DOCKER-FACTS §7.3). */
const startFailure = /^(?:OCI runtime exec failed|OCI runtime exec|runtime error): /;

/** Sends the output; gives the engine's complaint instead when the command could not be started. */
const pumpOutput = async (session: StreamSession, streams: ProcessStreams): Promise<string | undefined> => {
  let complaint: string | undefined;
  let isFirst = true;
  for await (const { stream, bytes } of streams.output) {
    const text = isFirst ? Buffer.from(bytes.subarray(0, 4096)).toString().trim() : '';
    isFirst = false;
    if (startFailure.test(text)) complaint = text;
    else await session.send(frame(channel[stream], bytes));
  }
  return complaint;
};

/** Runs the session of an exec to its status frame. */
export const runExec = async (
  streams: ExecStreams,
  session: StreamSession,
  containerId: string,
  log: Log,
): Promise<void> => {
  const leave = () => {
    void killExec(streams, containerId, log).finally(() => streams.close());
  };
  session.signal.addEventListener('abort', leave, { once: true });
  // A client may leave while the engine is still starting the command.
  if (session.signal.aborted) leave();
  try {
    const input = pumpInput(session, streams, { passesEnd: true });
    input.catch((error: unknown) => log.debug({ err: error }, 'exec input ended'));
    const complaint = await pumpOutput(session, streams);
    if (session.signal.aborted) return;
    const code = await streams.exitCode();
    if (complaint !== undefined && (code === 126 || code === 127 || code === undefined))
      await session.send(failureStatus(new Error(`error executing command in container: ${complaint}`)));
    else await session.send(code === 0 || code === undefined ? success : exitStatus(code));
  } finally {
    session.signal.removeEventListener('abort', leave);
    streams.close();
  }
};

const killTries = 50;
const killPauseMs = 100;

/**
 * Only a process that is certainly in this container: its number may have been given to another by now. A command that is
 * just being started has no number yet, or is not in its cgroup yet, so it is looked for some seconds long.
 */
const killExec = async (streams: ExecStreams, containerId: string, log: Log): Promise<void> => {
  try {
    for (let tries = 0; tries < killTries; tries++) {
      const pid = await streams.pid();
      if (pid > 0 && readFileSync(`/proc/${pid}/cgroup`, 'latin1').includes(containerId)) {
        process.kill(pid, 'SIGKILL');
        return;
      }
      await sleep(killPauseMs);
    }
  } catch (error) {
    log.debug({ err: error }, 'an exec whose client left could not be ended');
  }
};

/** Runs the session of an attach to its status frame; the exit code is read from the pod. */
export const runAttach = async (
  streams: ProcessStreams,
  session: StreamSession,
  rules: InputRules,
  isRunning: () => Promise<boolean>,
): Promise<void> => {
  const leave = () => streams.close();
  session.signal.addEventListener('abort', leave, { once: true });
  try {
    const input = pumpInput(session, streams, rules);
    input.catch(() => {}); // the client's end is seen by `signal`
    // The engine never ends an attach to a container that has ended before it.
    if (!(await isRunning())) streams.close();
    await pumpOutput(session, streams);
    if (!session.signal.aborted) await session.send(success);
  } finally {
    session.signal.removeEventListener('abort', leave);
    streams.close();
  }
};
