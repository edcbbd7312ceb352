/**
 * A stock kubectl for the tests: the one on PATH when it is new enough, else Debian 13's package kubectl, taken
 * from the mirror that this machine's own apt sources name and kept in ~/.cache/berth/bin. Nothing is installed.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AptSource, openApt, systemAptSources, unpackPackages } from './apt.ts';
import { runCommand, whichCommand } from './command.ts';
import { type Progress, SetupError } from './progress.ts';

const neededMinor = 32;
const suite = 'trixie';

/** Where Berth keeps what it fetched: `$XDG_CACHE_HOME/berth` or `~/.cache/berth`. */
export const cacheFolder = (): string =>
  join(process.env['XDG_CACHE_HOME'] || join(process.env['HOME'] || homedir(), '.cache'), 'berth');

/** The path of a kubectl ≥ 1.32. Throws SetupError with what to do when none can be had. */
export const ensureKubectl = async (progress: Progress): Promise<string> => {
  const onPath = await whichCommand('kubectl');
  const kept = join(cacheFolder(), 'bin', 'kubectl');
  for (const path of [onPath, existsSync(kept) ? kept : undefined]) {
    const minor = path === undefined ? undefined : await minorOf(path);
    if (path === undefined || minor === undefined || minor < neededMinor) continue;
    progress.done(`kubectl 1.${minor} (${path})`);
    return path;
  }
  progress.begin(`fetching kubectl from Debian's package kubectl (${suite})`);
  await fetchKubectl(kept);
  const minor = await minorOf(kept);
  if (minor === undefined || minor < neededMinor) throw new SetupError(`the fetched kubectl (${kept}) does not run`);
  progress.done(`kubectl 1.${minor} (${kept})`);
  return kept;
};

/** The minor version that a kubectl reports, or undefined when it does not run. */
const minorOf = async (path: string): Promise<number | undefined> => {
  const result = await runCommand(path, ['version', '--client', '-o', 'json'], { timeoutMs: 30_000 });
  return result.code === 0 ? kubectlMinor(result.stdout) : undefined;
};

/** The minor of `kubectl version --client -o json`; some vendors write it as `32+`. */
export const kubectlMinor = (json: string): number | undefined => {
  const minor = /"minor":\s*"(\d+)/.exec(json)?.[1];
  return minor === undefined ? undefined : Number(minor);
};

/** The machine's Debian mirror among its sources: the entry whose path ends in /debian. */
export const debianMirror = (sources: readonly AptSource[]): AptSource | undefined =>
  sources.find(source => /^https?:\/\/[^/]+(\/.*)?\/debian\/?$/.test(source.uri));

const fetchKubectl = async (to: string): Promise<void> => {
  const mirror = debianMirror(systemAptSources());
  if (mirror === undefined) {
    throw new SetupError(
      `kubectl 1.${neededMinor} or newer is needed and is not on PATH; this machine has no Debian apt source to take it from. ` +
        'Install kubectl (https://kubernetes.io/docs/tasks/tools/) and try again.',
    );
  }
  const signedBy = mirror.signedBy === undefined ? '' : ` [signed-by=${mirror.signedBy}]`;
  const apt = await openApt(join(cacheFolder(), `apt-${suite}`), `deb${signedBy} ${mirror.uri} ${suite} main\n`);
  const root = mkdtempSync(join(tmpdir(), 'berth-kubectl-'));
  try {
    // The program is static: its package alone is enough.
    await unpackPackages(apt, ['kubectl'], root, false);
    mkdirSync(join(to, '..'), { recursive: true });
    // Renamed into place, so that two runs at once never see half a program.
    const unfinished = `${to}.${process.pid}`;
    copyFileSync(join(root, 'usr', 'bin', 'kubectl'), unfinished);
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, to);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
};
