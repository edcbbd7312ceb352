/**
 * Runs a program of this repository in a virtual machine whose kernel is a program itself (User-Mode Linux): there cgroup v2
 * is the only cgroup file system, whatever this machine has, and neither KVM nor root is needed. Its root is this machine's
 * file system, read-only; what it writes is in its memory. It has one CPU, no network, and is some ten times slower.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { userModeLinux } from './packages.ts';

/** A line of the console that begins with this is a result of the program, as JSON. */
export const resultMark = '@berth-result ';

export interface UmlRun {
  /** Values after `resultMark`, in their order. */
  readonly results: readonly unknown[];
  readonly console: string;
  /** The kernel came up and started the program. */
  readonly booted: boolean;
  /** It was ended because it took too long. */
  readonly timedOut: boolean;
}

const started = '@berth-started';
const maxConsole = 1 << 20;

/** Boots, runs `node FILE ARGUMENTS…` as root, and shuts down. `file` is relative to the repository. */
export const runInUml = async (file: string, args: readonly string[], timeoutMs: number): Promise<UmlRun> => {
  const folder = await userModeLinux();
  const work = mkdtempSync(join(tmpdir(), 'berth-uml-'));
  try {
    writeFileSync(join(work, 'init'), initScript(folder, file, args), { mode: 0o755 });
    return await boot(folder, join(work, 'init'), timeoutMs);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

const repository = join(import.meta.dirname, '..', '..');

/** Folders are only hidden where something must be written: the repository may lie anywhere. */
const initScript = (folder: string, file: string, args: readonly string[]): string => `#!/bin/sh
busybox=${quoted(join(folder, 'busybox'))}
mount() { "$busybox" mount "$@"; }
mount -t proc proc /proc
mount -t sysfs sys /sys
"$busybox" mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm
[ ! -d /etc/docker ] || mount -t tmpfs tmpfs /etc/docker
mount -t cgroup2 none /sys/fs/cgroup
"$busybox" insmod ${quoted(join(folder, 'overlay.ko'))}
"$busybox" ip link set lo up
"$busybox" mkdir -p /run/tmp /run/home
export HOME=/run/home TMPDIR=/run/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd ${quoted(repository)}
echo ${started}
${[process.execPath, '--disable-warning=ExperimentalWarning', file, ...args].map(quoted).join(' ')} </dev/null 2>&1
echo "@berth-ended $?"
"$busybox" poweroff -f
`;

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const boot = (folder: string, init: string, timeoutMs: number): Promise<UmlRun> =>
  new Promise((resolve, reject) => {
    // The guest's memory is a file, which is best in memory too.
    const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    const args = ['mem=2000M', 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', `init=${init}`];
    const child = spawn(join(folder, 'linux.uml'), [...args, 'con0=fd:0,fd:1', 'con=null', 'quiet'], {
      cwd: dirname(init),
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its processes are processes of this machine, in a group of their own so that all of them can be ended.
      detached: true,
      env: { PATH: process.env['PATH'] ?? '', HOME: dirname(init), TMPDIR: memory },
    });
    let text = '';
    let timedOut = false;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => {
        if (text.length < maxConsole) text += part;
      });
    const endAll = () => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      endAll();
    }, timeoutMs);
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      endAll();
      const lines = text.split('\n').map(line => line.trimEnd());
      const results = lines
        .filter(line => line.startsWith(resultMark))
        .map(line => JSON.parse(line.slice(resultMark.length)));
      resolve({ results, console: text, booted: text.includes(started), timedOut });
    });
  });
