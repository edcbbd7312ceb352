/**
 * A Docker Engine of the test's own beside the machine's: other programs, folders and socket, no rules in the firewall, and
 * no bridge but those that are asked for. Stopping it takes away what it leaves: mounts, its cgroup and its folder.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EngineApi, engineAt } from '#setup/engine-api.ts';

export interface DockerdOptions {
  /** For everything it keeps; made, and removed by `stop`. Short: the path of a socket has at most 107 bytes. */
  readonly folder: string;
  /** Programs that go before those of PATH. */
  readonly programs?: string;
  /** The oldest API version that it serves. */
  readonly leastApi?: string;
  /** Switches of its configuration: `containerd-snapshotter`. */
  readonly features?: Readonly<Record<string, boolean>>;
  readonly cgroupParent: string;
}

export interface Dockerd {
  /** Path of its socket. */
  readonly socket: string;
  readonly api: EngineApi;
  readonly version: string;
  readonly apiVersion: string;
  stop(): Promise<void>;
}

const startsWithinMs = 60_000;
const stopsWithinMs = 30_000;

/** Starts it and waits until it answers; throws with the end of its log when it does not. */
export const startDockerd = async (options: DockerdOptions): Promise<Dockerd> => {
  const { folder, programs, cgroupParent } = options;
  mkdirSync(folder, { recursive: true });
  const at = (name: string) => join(folder, name);
  writeFileSync(at('daemon.json'), JSON.stringify(options.features ? { features: options.features } : {}));
  const log = openSync(at('log'), 'w');
  // In a network namespace of its own: with --bridge=none (or another bridge) dockerd removes docker0, which belongs to
  // the machine's engine. `unshare` becomes dockerd, so the pid stays.
  const child = spawn('unshare', ['--net', 'dockerd', ...argumentsOf(at, cgroupParent)], {
    stdio: ['ignore', log, log],
    env: {
      ...process.env,
      PATH: `${programs === undefined ? '' : `${programs}:`}${process.env['PATH'] ?? ''}`,
      ...(options.leastApi === undefined ? {} : { DOCKER_MIN_API_VERSION: options.leastApi }),
    },
  });
  closeSync(log);
  let ended: string | undefined;
  const exit = new Promise<void>(resolve => {
    child.on('error', error => {
      ended = error.message;
      resolve();
    });
    child.on('exit', (code, signal) => {
      ended ??= `ended with ${signal ?? `exit code ${code}`}`;
      resolve();
    });
  });
  const stop = async () => {
    await end(child, exit);
    for (const mount of mountsBelow(folder)) spawnSync('umount', [mount]);
    removeCgroup(cgroupParent);
    rmSync(folder, { recursive: true, force: true });
  };
  const api = engineAt(`unix://${at('s')}`);
  const deadlineMs = Date.now() + startsWithinMs;
  while (ended === undefined && Date.now() < deadlineMs) {
    const reply = await api.call('GET', '/version').catch(() => undefined);
    if (reply?.status === 200) {
      const { Version: version, ApiVersion: apiVersion } = JSON.parse(reply.text) as {
        Version: string;
        ApiVersion: string;
      };
      return { socket: at('s'), api, version, apiVersion, stop };
    }
    await sleep(100);
  }
  const said = readFileSync(at('log'), 'utf8').trim().split('\n').slice(-12).join('\n');
  await stop();
  throw new Error(`dockerd ${ended ?? 'did not answer within a minute'}:\n${said}`);
};

const argumentsOf = (at: (name: string) => string, cgroupParent: string): string[] => [
  ...['--config-file', at('daemon.json')],
  ...['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')],
  ...['-H', `unix://${at('s')}`],
  ...['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-masq=false'],
  ...['--cgroup-parent', cgroupParent],
];

const end = async (child: ChildProcess, exit: Promise<void>): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopsWithinMs);
  await exit;
  clearTimeout(timer);
};

/** Deepest first. */
const mountsBelow = (folder: string): readonly string[] =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[1] ?? '')
    .filter(mount => mount.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length);

/** Its group in each hierarchy; what is in use stays. */
const removeCgroup = (parent: string): void => {
  const root = '/sys/fs/cgroup';
  for (const controller of ['', ...readdirSync(root)]) {
    const group = join(root, controller, parent);
    if (!existsSync(group)) continue;
    try {
      rmdirSync(group);
    } catch (error) {
      if (!['EBUSY', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
};
