/**
 * Programs that the tests of other engines and kernels run, taken from Debian's packages into the cache folder; nothing is
 * installed. The mirror is the one that this machine's own apt sources name.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { openApt, systemAptSources, unpackPackages } from '#setup/apt.ts';
import { cacheFolder, debianMirror } from '#setup/kubectl.ts';
import { SetupError } from '#setup/progress.ts';

/** Debian's suite with the newest Docker Engine that is packaged. */
const newestSuite = 'sid';

const sourceOf = (suite: string): string => {
  const mirror = debianMirror(systemAptSources());
  if (mirror === undefined) throw new SetupError('this machine has no Debian apt source');
  const signedBy = mirror.signedBy === undefined ? '' : ` [signed-by=${mirror.signedBy}]`;
  return `deb${signedBy} ${mirror.uri} ${suite} main\n`;
};

/** Makes `folder` once: filled aside, then renamed into place, so that two runs at once never see half of it. */
const once = async (folder: string, fill: (root: string, unfinished: string) => Promise<void>): Promise<string> => {
  if (existsSync(folder)) return folder;
  const root = mkdtempSync(join(tmpdir(), 'berth-packages-'));
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    await fill(root, unfinished);
    if (!existsSync(folder)) renameSync(unfinished, folder);
    return folder;
  } finally {
    rmSync(root, { recursive: true, force: true });
    rmSync(unfinished, { recursive: true, force: true });
  }
};

const take = (from: string, to: string): void => {
  copyFileSync(from, to);
  chmodSync(to, 0o755);
};

/**
 * A folder with dockerd and containerd of Debian's development suite, to be put first on PATH. runc stays the machine's
 * own: the suite's needs a newer C library than older machines have.
 */
export const newestEngine = (): Promise<string> =>
  once(join(cacheFolder(), 'engines', `docker-${newestSuite}`), async (root, to) => {
    const apt = await openApt(join(cacheFolder(), `apt-${newestSuite}`), sourceOf(newestSuite));
    await unpackPackages(apt, ['docker.io', 'containerd'], root, false);
    const programs = ['sbin/dockerd', 'sbin/docker-proxy', 'bin/containerd', 'bin/containerd-shim-runc-v2'];
    for (const program of programs) take(join(root, 'usr', program), join(to, basename(program)));
  });

/**
 * A folder with a Linux kernel that is a program (`linux.uml`), the module of its overlay file system, and the commands to set
 * it up with (`busybox`).
 */
export const userModeLinux = (): Promise<string> =>
  once(join(cacheFolder(), 'engines', 'uml'), async (root, to) => {
    const apt = await openApt(join(cacheFolder(), 'apt-system'));
    await unpackPackages(apt, ['user-mode-linux', 'busybox-static'], root, false);
    const places = ['bin/busybox', 'usr/bin/busybox'].map(place => join(root, place));
    take(places.find(existsSync) ?? places[0]!, join(to, 'busybox'));
    const modules = join(root, 'usr/lib/uml/modules');
    const version = readdirSync(modules)[0];
    if (version === undefined) throw new SetupError('the package user-mode-linux has no modules: unknown layout');
    take(join(root, 'usr/bin/linux.uml'), join(to, 'linux.uml'));
    take(join(modules, version, 'kernel/fs/overlayfs/overlay.ko'), join(to, 'overlay.ko'));
  });
