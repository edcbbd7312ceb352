/**
 * The user's kubeconfig files: reading them by kubectl's rules, and adding and removing our own context. Changes are
 * made under the same lock file that kubectl takes, to a copy that replaces the file in one step, so that neither a
 * crash nor another writer can lose anybody's entries.
 */
import { chown, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { systemClock } from '#base/system.ts';
import type { HttpOptions } from './http.ts';
import {
  type ClusterEntry,
  KubeconfigError,
  type NotedCluster,
  notedClusters,
  withCluster,
  withoutCluster,
} from './kubeconfig-edit.ts';
import { type Choice, type ConfigFile, resolve, type Source } from './kubeconfig-resolve.ts';

/** Where to look: `kubeconfig` is the option of that name, `env` the process's environment. */
export interface Location {
  readonly kubeconfig?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Connection extends HttpOptions {
  readonly context: string;
  readonly namespace: string;
}

/** The connection that the options and files say; throws KubeconfigError with what to mend. */
export const loadConnection = async (location: Location, choice: Choice = {}): Promise<Connection> => {
  const found = resolve(await readFiles(location), choice, (file, path) =>
    isAbsolute(path) ? path : join(dirname(file), path),
  );
  const { context, namespace, server, insecureSkipTlsVerify, tlsServerName } = found;
  const token = found.token ?? (found.tokenFile ? (await readNamed(found.tokenFile, 'tokenFile')).trim() : undefined);
  const [caPem, certPem, keyPem] = await Promise.all([
    readSource(found.ca, 'certificate-authority'),
    readSource(found.cert, 'client-certificate'),
    readSource(found.key, 'client-key'),
  ]);
  return {
    context,
    namespace,
    server,
    insecureSkipTlsVerify,
    ...(token === undefined ? {} : { token }),
    ...(caPem === undefined ? {} : { caPem }),
    ...(certPem === undefined ? {} : { certPem }),
    ...(keyPem === undefined ? {} : { keyPem }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
  };
};

/** Every kubeconfig file that there is, in the order in which they count. */
export const readFiles = async (location: Location): Promise<ConfigFile[]> => {
  if (location.kubeconfig !== undefined && location.kubeconfig !== '') {
    return [{ path: location.kubeconfig, text: await readNamed(location.kubeconfig, 'kubeconfig') }];
  }
  const files: ConfigFile[] = [];
  for (const path of searchPath(location)) {
    const text = await readIfThere(path);
    if (text !== undefined) files.push({ path, text });
  }
  return files;
};

/** Adds the cluster (replacing one of its name) and makes its context current. Returns the file it is in. */
export const addCluster = async (location: Location, entry: ClusterEntry): Promise<string> => {
  const file = await fileToWrite(location);
  await edit(file, text => ({ text: withCluster(text, entry, toBase64, file) }));
  return file;
};

/**
 * Removes the cluster, its user and its context from every file that has them, and makes the context current again
 * that was current before. With `server`, only if the entries still belong to it. Returns the files that changed.
 */
export const removeCluster = async (location: Location, name: string, server?: string): Promise<string[]> => {
  const changed: string[] = [];
  const files = location.kubeconfig ? [location.kubeconfig] : searchPath(location);
  for (const file of files) {
    const text = await readIfThere(file);
    if (text === undefined || !withoutCluster(text, name, server, file).removed) continue;
    await edit(file, present => {
      const { text: rest, empty } = withoutCluster(present, name, server, file);
      return { text: rest, remove: empty };
    });
    changed.push(file);
  }
  return changed;
};

/** The clusters that `addCluster` put into the files, with what it noted of them; a file that cannot be read has none. */
export const findNoted = async (location: Location): Promise<readonly NotedCluster[]> => {
  const files = location.kubeconfig ? [location.kubeconfig] : searchPath(location);
  const found = await Promise.all(
    files.map(async file => {
      const text = await readIfThere(file).catch(ignoreAll);
      try {
        return text === undefined ? [] : notedClusters(text, file);
      } catch (error) {
        if (error instanceof KubeconfigError) return [];
        throw error;
      }
    }),
  );
  return found.flat();
};

const searchPath = ({ env }: Location): string[] => {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter(path => path !== '');
  return listed.length > 0 ? [...new Set(listed)] : [join(env['HOME'] || homedir(), '.kube', 'config')];
};

/** As kubectl: the first file that exists, else the last of the list. */
const fileToWrite = async (location: Location): Promise<string> => {
  if (location.kubeconfig) return location.kubeconfig;
  const files = searchPath(location);
  for (const file of files) if ((await readIfThere(file)) !== undefined) return file;
  return files.at(-1) ?? '';
};

const lockWaitMs = 5000;
/** A lock this old belongs to a program that died: holding it takes milliseconds. */
const staleLockMs = 60_000;

/** Changes one file under its lock; `remove` takes the whole file away. */
const edit = async (file: string, change: (text: string) => { text: string; remove?: boolean }): Promise<void> => {
  await makeFolder(dirname(file)).catch(error => {
    throw fileError(dirname(file), 'folder of the kubeconfig', error);
  });
  // A kubeconfig may be a link into somebody's dotfiles: replace what it points to, not the link.
  const target = await realpath(file).catch(ignore('ENOENT', file));
  const unlock = await lock(`${file}.lock`);
  try {
    const before = (await readIfThere(target)) ?? '';
    const { text, remove } = change(before);
    if (remove) await removeFile(file, target);
    else if (text !== before) await replace(target, text);
  } finally {
    await unlock();
  }
};

/** With its parents. Node's own recursive mkdir never ends in file systems like /proc and hides why it failed. */
const makeFolder = async (folder: string): Promise<void> => {
  const made = await mkdir(folder, { mode: 0o700 }).then(
    () => 'made',
    (error: unknown) => error,
  );
  if (made === 'made' || (codeOf(made) === 'EEXIST' && (await stat(folder)).isDirectory())) return;
  if (codeOf(made) !== 'ENOENT' || dirname(folder) === folder) throw made;
  await makeFolder(dirname(folder));
  await mkdir(folder, { mode: 0o700 }).catch(ignore('EEXIST', undefined));
};

const removeFile = async (file: string, target: string): Promise<void> => {
  await rm(target, { force: true });
  if (file !== target) await rm(file, { force: true });
};

const replace = async (file: string, text: string): Promise<void> => {
  const owner = await stat(file).catch(ignore('ENOENT', undefined));
  const copy = `${file}.berth-${process.pid}`;
  const handle = await open(copy, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.chmod(0o600);
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (owner && owner.uid !== process.getuid?.())
    await chown(copy, owner.uid, owner.gid).catch(ignore('EPERM', undefined));
  await rename(copy, file);
};

const lock = async (path: string): Promise<() => Promise<void>> => {
  for (let waitedMs = 0; ; waitedMs += 50) {
    try {
      const handle = await open(path, 'wx', 0o600);
      await handle.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw fileError(path, 'kubeconfig', error);
    }
    const held = await stat(path).catch(ignore('ENOENT', undefined));
    if (held && systemClock.now() - held.mtimeMs > staleLockMs) await rm(path, { force: true });
    else if (waitedMs >= lockWaitMs) {
      throw new KubeconfigError(`${path} is held by another program; remove it if none is changing the kubeconfig`);
    } else await systemClock.sleep(50);
  }
};

const toBase64 = (text: string): string => Buffer.from(text).toString('base64');

const readSource = async (source: Source | undefined, what: string): Promise<string | undefined> => {
  if (source === undefined) return undefined;
  return 'base64' in source ? Buffer.from(source.base64, 'base64').toString() : readNamed(source.file, what);
};

const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw fileError(path, 'kubeconfig', error);
  }
};

const readNamed = async (path: string, what: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw fileError(path, what, error);
  }
};

const fileError = (path: string, what: string, error: unknown): KubeconfigError => {
  const reasons: Record<string, string> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EISDIR: 'is a directory',
    ENOTDIR: 'not a directory',
    EEXIST: 'not a directory',
    EROFS: 'read-only file system',
  };
  return new KubeconfigError(`${what} ${path}: ${reasons[codeOf(error)] ?? String(error)}`);
};

const ignoreAll = (error: unknown): undefined => {
  if (!(error instanceof KubeconfigError)) throw error;
  return undefined;
};

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** For `catch`: that error means `value`, every other is thrown on. */
const ignore =
  <T>(code: string, value: T) =>
  (error: unknown): T => {
    if (codeOf(error) === code) return value;
    throw error;
  };
