/**
 * One exec session over a WebSocket of the protocol `v5.channel.k8s.io`: byte 0 of each message is the channel, the last
 * word is a Status on channel 3. Resolves with the exit code of the process.
 */
import WebSocket from 'ws';
import type { Status } from '#api/status.ts';
import { responseError } from '#client/http-errors.ts';
import type { Cluster } from './cluster.ts';
import { CliError } from './failure.ts';

export interface Session {
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly stdin: boolean;
  readonly tty: boolean;
}

const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const;

export const runSession = async (cluster: Cluster, session: Session): Promise<number> => {
  const { connection } = cluster.api;
  const flags: (readonly [string, string])[] = [
    ['stdout', 'true'],
    [session.tty ? 'tty' : 'stderr', 'true'],
    ...(session.stdin ? [['stdin', 'true'] as const] : []),
  ];
  const query = new URLSearchParams(
    [...session.query, ...flags].map(([name, value]): [string, string] => [name, value]),
  );
  const socket = new WebSocket(
    `${connection.server.replace(/^http/, 'ws')}${session.path}?${query}`,
    'v5.channel.k8s.io',
    {
      perMessageDeflate: false,
      headers: connection.token ? { authorization: `Bearer ${connection.token}` } : {},
      rejectUnauthorized: connection.insecureSkipTlsVerify !== true,
      ...(connection.caPem === undefined ? {} : { ca: connection.caPem }),
    },
  );
  let status: Status | undefined;
  const stopInput = { run: () => {} };
  const stop = () => socket.close(1000);
  cluster.io.signal.addEventListener('abort', stop, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('open', () => {
        stopInput.run = sendInput(socket, session);
      });
      socket.on('message', (data: Buffer) => {
        const body = data.subarray(1);
        if (data[0] === channel.stdout) cluster.io.out(body);
        else if (data[0] === channel.stderr) cluster.io.err(body.toString('utf8'));
        else if (data[0] === channel.status) status = JSON.parse(body.toString('utf8')) as Status;
      });
      socket.on('unexpected-response', (request, response) => {
        let text = '';
        response.on('data', chunk => {
          text += String(chunk);
        });
        response.on('end', () => {
          request.destroy();
          const asked = { method: 'GET', path: session.path };
          reject(responseError(response.statusCode ?? 500, text, asked, connection.server));
        });
      });
      socket.on('error', reject);
      socket.on('close', code => {
        if (code === 1000 || status || cluster.io.signal.aborted) resolve();
        else reject(new CliError(`the connection to the container was lost (close code ${code})`));
      });
    });
  } finally {
    stopInput.run();
    cluster.io.signal.removeEventListener('abort', stop);
  }
  return exitCode(status);
};

const exitCode = (status: Status | undefined): number => {
  if (!status || status.status === 'Success') return 0;
  const code = status.details?.causes?.find(cause => (cause.reason as string) === 'ExitCode')?.message;
  if (status.reason === 'NonZeroExitCode' && code !== undefined) return Number(code);
  throw new CliError(status.message ?? 'the command failed');
};

/** Passes on what is typed or piped; returns what undoes it. */
const sendInput = (socket: WebSocket, { stdin, tty }: Session): (() => void) => {
  const send = (to: number, body: Uint8Array | string) =>
    socket.send(Buffer.concat([Buffer.from([to]), Buffer.from(body)]));
  const resize = () =>
    send(channel.resize, JSON.stringify({ Width: process.stdout.columns, Height: process.stdout.rows }));
  const data = (chunk: Buffer) => send(channel.stdin, chunk);
  const end = () => send(channel.close, Uint8Array.of(channel.stdin));
  if (tty) {
    resize();
    process.stdout.on('resize', resize);
    if (stdin) process.stdin.setRawMode(true);
  }
  if (stdin) {
    process.stdin.on('data', data);
    process.stdin.on('end', end);
    process.stdin.resume();
  }
  return () => {
    process.stdout.removeListener('resize', resize);
    if (!stdin) return;
    if (tty) process.stdin.setRawMode(false);
    process.stdin.removeListener('data', data).removeListener('end', end);
    process.stdin.pause();
    // A terminal that is only paused would keep the process alive.
    process.stdin.unref?.();
  };
};
