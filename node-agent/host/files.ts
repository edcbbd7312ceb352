/**
 * Files of volumes on the agent's disk. A volume of files is written as the kubelet's atomic writer does it: content in
 * a directory of its own, `..data` a symbolic link to it, the visible names links through `..data`; swapping that one
 * link replaces all files at once, also for containers that have the volume mounted.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import type { Content, Files, VolumeFile } from '../machine.ts';

const bytesOf = (content: Content): Buffer =>
  'text' in content ? Buffer.from(content.text) : Buffer.from(content.base64, 'base64');

const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOENT';

/** Content directories are named by what they hold: the same files again change nothing. */
const nameOf = (files: readonly VolumeFile[], group: number | undefined): string => {
  const hash = createHash('sha256');
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1)))
    hash.update(JSON.stringify([file.path, file.mode, file.content]));
  return `..${hash.update(String(group)).digest('hex').slice(0, 24)}`;
};

const checkInside = (relative: string): void => {
  const parts = relative.split('/');
  if (path.isAbsolute(relative) || parts.includes('..') || parts.includes('') || parts[0]!.startsWith('..'))
    throw new Error(`invalid path "${relative}": must be relative and without ".."`);
};

const linkTarget = (link: string): Promise<string | undefined> =>
  fs.readlink(link).catch(error => {
    if (isMissing(error)) return undefined;
    throw error;
  });

const swapLink = async (link: string, target: string): Promise<void> => {
  const fresh = `${link}_tmp`;
  await fs.rm(fresh, { force: true });
  await fs.symlink(target, fresh);
  await fs.rename(fresh, link);
};

const fill = async (directory: string, files: readonly VolumeFile[], group: number | undefined): Promise<void> => {
  await fs.rm(directory, { recursive: true, force: true });
  await fs.mkdir(directory, { mode: 0o755 });
  await fs.chmod(directory, 0o755);
  for (const file of files) {
    checkInside(file.path);
    const full = path.join(directory, file.path);
    await fs.mkdir(path.dirname(full), { recursive: true, mode: 0o755 });
    await fs.writeFile(full, bytesOf(file.content));
    // The owner of the volume's group must be able to read (SetVolumeOwnership).
    await fs.chmod(full, group === undefined ? file.mode : file.mode | 0o440);
    if (group !== undefined) await fs.chown(full, 0, group);
  }
};

const writeVolume = async (directory: string, files: readonly VolumeFile[], group?: number): Promise<boolean> => {
  await fs.mkdir(directory, { recursive: true, mode: 0o755 });
  const data = path.join(directory, '..data');
  const name = nameOf(files, group);
  const old = await linkTarget(data);
  if (old === name) return false;
  await fill(path.join(directory, name), files, group);
  await swapLink(data, name);
  const wanted = new Set(files.map(file => file.path.split('/')[0]!));
  for (const entry of await fs.readdir(directory))
    if (!entry.startsWith('..') && !wanted.has(entry)) await fs.rm(path.join(directory, entry), { force: true });
  for (const entry of wanted)
    if ((await linkTarget(path.join(directory, entry))) === undefined)
      await fs.symlink(`..data/${entry}`, path.join(directory, entry));
  if (old !== undefined) await fs.rm(path.join(directory, old), { recursive: true, force: true });
  return true;
};

const kinds: Readonly<
  Record<string, { readonly word: string; is(stat: Awaited<ReturnType<typeof fs.stat>>): boolean }>
> = {
  Directory: { word: 'directory', is: stat => stat.isDirectory() },
  DirectoryOrCreate: { word: 'directory', is: stat => stat.isDirectory() },
  File: { word: 'file', is: stat => stat.isFile() },
  FileOrCreate: { word: 'file', is: stat => stat.isFile() },
  Socket: { word: 'socket file', is: stat => stat.isSocket() },
  CharDevice: { word: 'character device', is: stat => stat.isCharacterDevice() },
  BlockDevice: { word: 'block device', is: stat => stat.isBlockDevice() },
};

const prepareHostPath = async (target: string, type: string): Promise<string | undefined> => {
  if (type === 'DirectoryOrCreate') await fs.mkdir(target, { recursive: true, mode: 0o755 });
  if (type === 'FileOrCreate') await (await fs.open(target, 'a', 0o644)).close();
  const kind = kinds[type];
  const stat = await fs.stat(target).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  // Without a type Docker makes a missing directory (Binds) or refuses it (Mounts); Kubernetes' runtimes make it.
  if (!kind) {
    if (!stat) await fs.mkdir(target, { recursive: true, mode: 0o755 });
    return undefined;
  }
  return stat && kind.is(stat) ? undefined : `hostPath type check failed: ${target} is not a ${kind.word}`;
};

const resolveInside = async (root: string, inside: string, options: { readonly create: boolean }): Promise<string> => {
  checkInside(inside);
  const wanted = path.join(root, inside);
  if (options.create)
    await fs.access(wanted).catch(async () => {
      await fs.mkdir(wanted, { recursive: true, mode: 0o750 });
    });
  const [real, realRoot] = [await fs.realpath(wanted), await fs.realpath(root)];
  if (real !== realRoot && !real.startsWith(`${realRoot}/`))
    throw new Error(`subPath "${inside}" leads out of its volume`);
  return path.join(root, path.relative(realRoot, real));
};

export const diskFiles: Files = {
  makeDirectory: async (directory, options = {}) => {
    await fs.mkdir(directory, { recursive: true });
    // mkdir's mode is cut by the umask.
    if (options.mode !== undefined)
      await fs.chmod(directory, options.group === undefined ? options.mode : options.mode | 0o2070);
    if (options.group !== undefined) await fs.chown(directory, 0, options.group);
  },
  writeVolume,
  writeFile: async (file, text, mode) => {
    await fs.mkdir(path.dirname(file), { recursive: true });
    await fs.writeFile(file, text);
    await fs.chmod(file, mode);
  },
  readText: async (file, maxBytes) => {
    let handle: fs.FileHandle | undefined;
    try {
      handle = await fs.open(file, 'r');
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } catch (error) {
      if (isMissing(error)) return '';
      throw error;
    } finally {
      await handle?.close();
    }
  },
  prepareHostPath,
  resolveInside,
  remove: target => fs.rm(target, { recursive: true, force: true }),
  list: directory =>
    fs.readdir(directory).catch(error => {
      if (isMissing(error)) return [];
      throw error;
    }),
  fileSystem: async target => {
    await fs.mkdir(target, { recursive: true });
    const { blocks, bavail, bsize } = await fs.statfs(target);
    return { capacityBytes: blocks * bsize, availableBytes: bavail * bsize };
  },
  decodeBase64: text => Buffer.from(text, 'base64').toString('utf8'),
  decodeText: bytes => Buffer.from(bytes).toString('utf8'),
};
