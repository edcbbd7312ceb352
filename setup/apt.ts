/**
 * Takes packages from Debian and Ubuntu mirrors without touching the system: apt runs over folders of our own (lists,
 * archives, and an empty list of installed packages, so that a package comes with everything it needs), and what it fetched
 * is unpacked into a folder, not installed. No maintainer script runs; root is not needed.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { mustRun, runCommand, whichCommand } from './command.ts';
import { SetupError } from './progress.ts';

export interface Apt {
  readonly folder: string;
  readonly options: readonly string[];
}

/** Lists younger than this are not fetched again. */
const listsAgeMs = 24 * 3600_000;

/**
 * An apt with its own state under `folder`. `sources` is the text of its source list; absent, the system's own sources
 * are read. Throws SetupError where there is no apt.
 */
export const openApt = async (folder: string, sources?: string): Promise<Apt> => {
  if ((await whichCommand('apt-get')) === undefined || (await whichCommand('dpkg-deb')) === undefined) {
    throw new SetupError('this machine has no apt (Debian, Ubuntu), so nothing can be taken from its packages');
  }
  for (const path of ['state/lists/partial', 'cache', 'etc']) mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, 'status'), '');
  const options = [
    `Dir::State=${join(folder, 'state')}`,
    `Dir::State::status=${join(folder, 'status')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    // As root, apt would drop to a user that cannot read a cache below /root.
    'APT::Sandbox::User=root',
    'APT::Install-Recommends=false',
    'Acquire::Languages=none',
    'Acquire::Retries=2',
  ];
  if (sources !== undefined) {
    writeFileSync(join(folder, 'etc', 'sources.list'), sources);
    options.push(`Dir::Etc::sourcelist=${join(folder, 'etc', 'sources.list')}`, 'Dir::Etc::sourceparts=-');
  }
  const apt = { folder, options: options.flatMap(option => ['-o', option]) };
  await updateLists(apt, sources ?? '');
  return apt;
};

/** A source that cannot be reached does not matter as long as the packages are found: that failure says enough. */
const updateLists = async (apt: Apt, sources: string): Promise<void> => {
  const stamp = join(apt.folder, 'updated');
  const fresh = existsSync(stamp) && Date.now() - statSync(stamp).mtimeMs < listsAgeMs;
  if (fresh && readFileSync(stamp, 'utf8') === sources) return;
  const result = await runCommand('apt-get', [...apt.options, '-qq', 'update'], { timeoutMs: 180_000 });
  // Kept for the error of a package that is then not found.
  writeFileSync(join(apt.folder, 'update.log'), result.stderr);
  if (result.code === 0) writeFileSync(stamp, sources);
};

/**
 * Unpacks packages into `root`, a folder with the merged layout (/bin is /usr/bin) that Debian and Ubuntu have. With
 * `dependencies`, everything they need comes too. Documentation and translations stay out.
 */
export const unpackPackages = async (
  apt: Apt,
  packages: readonly string[],
  root: string,
  dependencies: boolean,
): Promise<void> => {
  // A folder of this run alone: what is in it afterwards is exactly what was asked for.
  const archives = mkdtempSync(join(apt.folder, 'archives-'));
  mkdirSync(join(archives, 'partial'));
  const options = [...apt.options, '-o', `Dir::Cache::archives=${archives}`, '-qq'];
  try {
    await fetchPackages(
      apt,
      packages,
      archives,
      dependencies ? [...options, '-y', '--download-only', 'install'] : [...options, 'download'],
    );
    await unpackArchives(archives, root);
  } finally {
    rmSync(archives, { recursive: true, force: true });
  }
};

const fetchPackages = async (
  apt: Apt,
  packages: readonly string[],
  archives: string,
  command: readonly string[],
): Promise<void> => {
  const fetched = await runCommand('apt-get', [...command, ...packages], { cwd: archives });
  if (fetched.code !== 0) {
    const update = join(apt.folder, 'update.log');
    const said = `${existsSync(update) ? readFileSync(update, 'utf8') : ''}${fetched.stderr}`
      .trim()
      .split('\n')
      .slice(-6)
      .join('\n');
    throw new SetupError(`the packages ${packages.join(', ')} cannot be had from this machine's apt sources:\n${said}`);
  }
};

const unpackArchives = async (archives: string, root: string): Promise<void> => {
  for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(root, 'usr', folder), { recursive: true });
    if (!existsSync(join(root, folder))) symlinkSync(`usr/${folder}`, join(root, folder));
  }
  for (const name of readdirSync(archives).filter(entry => entry.endsWith('.deb'))) {
    const unpack = `dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink --no-same-owner -C "$2" ${leftOut}`;
    await mustRun('bash', ['-c', `set -o pipefail; ${unpack}`, 'unpack', join(archives, name), root]);
  }
};

const leftOut = ['doc', 'man', 'locale', 'info', 'lintian'].map(name => `--exclude='./usr/share/${name}/*'`).join(' ');

/** One entry of an apt source list: where packages are and which keys sign them. */
export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly signedBy: string | undefined;
}

/** The entries of a source list in either form: one line each (`deb [signed-by=…] URI SUITE …`) or deb822 stanzas. */
export const parseAptSources = (text: string): readonly AptSource[] => {
  const lines = text.split('\n').filter(line => !line.trimStart().startsWith('#'));
  const oneLine = lines.flatMap(line => {
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)/.exec(line.trim());
    if (match === null) return [];
    const signedBy = /signed-by=(\S+)/.exec(match[1] ?? '')?.[1];
    return [{ uri: match[2]!, suites: [match[3]!], signedBy }];
  });
  const stanzas = lines.join('\n').split(/\n\s*\n/);
  const deb822 = stanzas.flatMap(stanza => {
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(stanza)?.[1]?.trim();
    const uris = field('URIs')?.split(/\s+/) ?? [];
    const suites = field('Suites')?.split(/\s+/) ?? [];
    if (!(field('Types') ?? '').split(/\s+/).includes('deb') || suites.length === 0) return [];
    const key = field('Signed-By');
    return uris.map(uri => ({ uri, suites, signedBy: key?.startsWith('/') ? key : undefined }));
  });
  return [...oneLine, ...deb822];
};

/** The system's source entries, from /etc/apt. */
export const systemAptSources = (): readonly AptSource[] => {
  const parts = '/etc/apt/sources.list.d';
  const names = existsSync(parts) ? readdirSync(parts).filter(name => /\.(list|sources)$/.test(name)) : [];
  const files = ['/etc/apt/sources.list', ...names.sort().map(name => join(parts, name))].filter(file =>
    existsSync(file),
  );
  return files.flatMap(file => parseAptSources(readFileSync(file, 'utf8')));
};
