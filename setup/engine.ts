/**
 * A Docker Engine for Berth. One that answers is used as it is and never restarted or reconfigured. Where none answers and
 * this is root on Debian or Ubuntu, docker.io is installed and dockerd started; whoever asked for the engine may stop it
 * again through the handle (the demo and the test run do, so that they leave the machine as they found it). Elsewhere the
 * error says what to do by hand.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand, whichCommand } from './command.ts';
import { type EngineApi, engineAt } from './engine-api.ts';
import { type Progress, SetupError } from './progress.ts';

export interface Engine {
  readonly api: EngineApi;
  readonly version: string;
  readonly startedHere: boolean;
  /** Stops the engine if it was started here, with the containers it holds; otherwise does nothing. */
  stop(): Promise<void>;
}

const defaultSocket = '/var/run/docker.sock';

/** Where an engine may answer, the likeliest first; DOCKER_HOST alone counts when it is set. */
export const engineAddresses = (env: Readonly<Record<string, string | undefined>>, uid: number): readonly string[] => {
  const host = env['DOCKER_HOST'];
  if (host) return [host];
  const runtime = env['XDG_RUNTIME_DIR'] ?? `/run/user/${uid}`;
  const home = env['HOME'];
  return [
    `unix://${defaultSocket}`,
    `unix://${runtime}/docker.sock`,
    ...(home ? [`unix://${home}/.docker/run/docker.sock`] : []),
  ];
};

/** The version of the engine at an address, or undefined when none answers there. */
const versionAt = async (api: EngineApi): Promise<string | undefined> => {
  const reply = await api.call('GET', '/version').catch(() => undefined);
  return reply?.status === 200 ? (JSON.parse(reply.text) as { Version: string }).Version : undefined;
};

/**
 * An engine that answers, found or started. Sets DOCKER_HOST for this process and its children when the engine is not at
 * the usual socket. Throws SetupError with what to do when there is none and none can be started.
 */
export const ensureEngine = async (progress: Progress): Promise<Engine> => {
  const uid = process.getuid?.() ?? -1;
  for (const address of engineAddresses(process.env, uid)) {
    const api = engineAt(address);
    const version = await versionAt(api);
    if (version === undefined) continue;
    if (address !== `unix://${defaultSocket}`) process.env['DOCKER_HOST'] = address;
    progress.done(`Docker Engine ${version} at ${address}`);
    return { api, version, startedHere: false, stop: async () => {} };
  }
  if (process.env['DOCKER_HOST']) {
    throw new SetupError(
      `no Docker Engine answers at DOCKER_HOST=${process.env['DOCKER_HOST']}. Start it, or unset DOCKER_HOST to use this machine's engine.`,
    );
  }
  if (uid !== 0 || !existsSync('/etc/debian_version')) throw new SetupError(adviceFor(uid));
  await installEngine(progress);
  return startEngine(progress);
};

const adviceFor = (uid: number): string => {
  const reason = existsSync(defaultSocket)
    ? `${defaultSocket} is there but does not answer this user (${uid === 0 ? 'is dockerd running?' : 'are you in the group docker?'})`
    : 'no Docker Engine answers on this machine';
  return [
    `${reason}. What to do, one of:`,
    '  - start it:            sudo systemctl start docker     (or: sudo dockerd &)',
    '  - install it:          sudo apt-get install docker.io  (Debian, Ubuntu), sudo dnf install moby-engine (Fedora)',
    `  - let this user use it: sudo usermod -aG docker ${process.env['USER'] ?? '$USER'}, then log in again`,
    '  - use another engine:  DOCKER_HOST=tcp://HOST:PORT npm run demo',
    'As root on Debian or Ubuntu this command installs and starts it by itself.',
  ].join('\n');
};

const installEngine = async (progress: Progress): Promise<void> => {
  if ((await whichCommand('dockerd')) !== undefined) return;
  progress.begin('installing docker.io with apt (once; about a minute)');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const update = await runCommand('apt-get', ['update', '-qq'], { env });
  const install = await runCommand('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'docker.io'], {
    env,
  });
  if (install.code !== 0 || (await whichCommand('dockerd')) === undefined) {
    const said = `${update.stderr}${install.stderr}`.trim().split('\n').slice(-8).join('\n');
    throw new SetupError(
      `docker.io could not be installed (apt-get: exit code ${install.code}):\n${said}\n${adviceFor(0)}`,
    );
  }
};

/** systemd starts it where systemd runs, and then keeps it, as after any installation; else dockerd runs as our child. */
const startEngine = async (progress: Progress): Promise<Engine> => {
  const api = engineAt(`unix://${defaultSocket}`);
  progress.begin('starting the Docker Engine');
  if (existsSync('/run/systemd/system')) {
    const started = await runCommand('systemctl', ['start', 'docker']);
    const version = started.code === 0 ? await waitForEngine(api, () => undefined) : undefined;
    if (version === undefined) throw new SetupError(`systemctl start docker failed:\n${started.stderr}`);
    progress.done(`Docker Engine ${version} (started by systemd)`);
    const stop = async () => {
      await runCommand('systemctl', ['stop', 'docker.socket', 'docker']);
    };
    return { api, version, startedHere: true, stop };
  }
  const logFolder = mkdtempSync(join(tmpdir(), 'berth-dockerd-'));
  const logFile = join(logFolder, 'dockerd.log');
  const log = openSync(logFile, 'w');
  // Its own process group: a Ctrl-C for the demo must not take the engine away before the demo has cleaned up.
  const child = spawn('dockerd', ['--live-restore'], { stdio: ['ignore', log, log], detached: true });
  let exit: string | undefined;
  child.on('error', error => {
    exit = error.message;
  });
  child.on('exit', (code, signal) => {
    exit = `dockerd ended with ${signal ?? `exit code ${code}`}`;
  });
  const version = await waitForEngine(api, () => exit);
  if (version === undefined) {
    child.kill();
    const said = readFileSync(logFile, 'utf8').trim().split('\n').slice(-8).join('\n');
    throw new SetupError(
      `the Docker Engine did not start: ${exit ?? 'no answer within a minute'}\n${said}\n(log: ${logFile})`,
    );
  }
  child.unref();
  progress.done(`Docker Engine ${version} (started here, log: ${logFile})`);
  const stop = async () => {
    if (exit !== undefined) return;
    const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
    child.ref();
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
    await ended;
    clearTimeout(timer);
    rmSync(logFolder, { recursive: true, force: true });
  };
  return { api, version, startedHere: true, stop };
};

/** Asks every 100 ms for at most a minute, or until `ended` gives a reason to stop. */
const waitForEngine = async (api: EngineApi, ended: () => string | undefined): Promise<string | undefined> => {
  for (let attempt = 0; attempt < 600 && ended() === undefined; attempt++) {
    const version = await versionAt(api);
    if (version !== undefined) return version;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return undefined;
};
