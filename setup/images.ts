/**
 * The images that the demo and the tests name. One that is there already is used as it is; a missing one is pulled when a
 * registry answers, else a stand-in is built from the distribution's packages (image-recipes.ts).
 *
 * A stand-in must not stay behind under a public name: somebody's later `docker run nginx` would get it. So it is kept
 * under a name of our own (`berth-standin/nginx:<hash>`) as a cache, and the public names are only tags, set for a run and
 * taken away after it. A tag that we did not set is never moved or removed.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { pauseProgram } from '#agent/container/pause-image.ts';
import { type Apt, openApt, unpackPackages } from './apt.ts';
import { mustRun } from './command.ts';
import { type EngineApi, engineJson, engineMessage } from './engine-api.ts';
import type { ImageRecipe } from './image-recipes.ts';
import { cacheFolder } from './kubectl.ts';
import { type Progress, SetupError } from './progress.ts';

/** Marks the images that this file built. */
const label = 'berth.standin';

/** A registry that has not begun to answer within this time counts as absent. */
const registryPatienceMs = 20_000;

export interface PreparedImages {
  /** Takes back the public names that this call gave to stand-ins; pulled images and those found stay. */
  release(): Promise<void>;
}

/** All images of the recipes stand on the engine afterwards. Throws SetupError when one can neither be pulled nor built. */
export const ensureImages = async (
  api: EngineApi,
  recipes: readonly ImageRecipe[],
  progress: Progress,
): Promise<PreparedImages> => {
  const tagged: string[] = [];
  const missing = new Map<ImageRecipe, readonly string[]>();
  for (const recipe of recipes) {
    const absent: string[] = [];
    for (const reference of recipe.references) if (!(await hasImage(api, reference))) absent.push(reference);
    if (absent.length > 0) missing.set(recipe, absent);
  }
  const wanted = [...missing.values()].flat();
  if (wanted.length > 0) {
    progress.begin(`${wanted.length} images are missing; asking their registries`);
    const left = await pullWhatAnswers(api, missing);
    if (left.size > 0) tagged.push(...(await tagStandIns(api, left, progress)));
  }
  const count = recipes.reduce((sum, recipe) => sum + recipe.references.length, 0);
  progress.done(
    tagged.length > 0
      ? `${count} images, ${tagged.length} of them stand-ins made from this distribution's packages (no registry answers)`
      : `${count} images present`,
  );
  return {
    release: async () => {
      for (const reference of tagged) await api.call('DELETE', `/images/${encodeURIComponent(reference)}?noprune=true`);
    },
  };
};

/** Removes every stand-in, under all its names. Pulled images and others stay. */
export const removeStandIns = async (api: EngineApi): Promise<number> => {
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  const found = await engineJson<readonly { Id: string }[]>(api, 'GET', `/images/json?filters=${filters}`);
  for (const image of found) await engineJson(api, 'DELETE', `/images/${image.Id}?force=true`);
  return found.length;
};

const hasImage = async (api: EngineApi, reference: string): Promise<boolean> =>
  (await api.call('GET', `/images/${encodeURIComponent(reference)}/json`)).status === 200;

/** Pulls until a registry does not answer at all; gives back what is still missing. */
const pullWhatAnswers = async (
  api: EngineApi,
  missing: ReadonlyMap<ImageRecipe, readonly string[]>,
): Promise<Map<ImageRecipe, readonly string[]>> => {
  const left = new Map<ImageRecipe, readonly string[]>();
  const silent = new Set<string>();
  for (const [recipe, references] of missing) {
    const failed: string[] = [];
    for (const reference of references) {
      const registry = registryOf(reference);
      const outcome = silent.has(registry) ? 'silent' : await pull(api, reference);
      if (outcome === 'silent') silent.add(registry);
      if (outcome !== 'pulled') failed.push(reference);
    }
    if (failed.length > 0) left.set(recipe, failed);
  }
  return left;
};

/** The registry that an image reference names: its first part where that looks like a host. */
export const registryOf = (reference: string): string => {
  const first = reference.split('/')[0]!;
  return reference.includes('/') && /[.:]|^localhost$/.test(first) ? first : '';
};

const pull = async (api: EngineApi, reference: string): Promise<'pulled' | 'refused' | 'silent'> => {
  const colon = reference.lastIndexOf(':');
  const query = new URLSearchParams({ fromImage: reference.slice(0, colon), tag: reference.slice(colon + 1) });
  const reply = await api
    .call('POST', `/images/create?${query}`, undefined, registryPatienceMs)
    .catch((): undefined => undefined);
  // An error before the first line of progress (status 500) is a registry that cannot be reached.
  if (reply === undefined || reply.status >= 500) return 'silent';
  return reply.status === 200 && !reply.text.includes('"errorDetail"') ? 'pulled' : 'refused';
};

const tagStandIns = async (
  api: EngineApi,
  missing: ReadonlyMap<ImageRecipe, readonly string[]>,
  progress: Progress,
): Promise<string[]> => {
  const toBuild: ImageRecipe[] = [];
  for (const recipe of missing.keys()) if (!(await hasImage(api, standInName(recipe)))) toBuild.push(recipe);
  if (toBuild.length > 0) await buildStandIns(api, toBuild, progress);
  const tagged: string[] = [];
  for (const [recipe, references] of missing) {
    for (const reference of references) {
      const colon = reference.lastIndexOf(':');
      const query = new URLSearchParams({ repo: reference.slice(0, colon), tag: reference.slice(colon + 1) });
      await engineJson(api, 'POST', `/images/${encodeURIComponent(standInName(recipe))}/tag?${query}`);
      tagged.push(reference);
    }
  }
  return tagged;
};

/** Our own name for a stand-in; another recipe is another name. */
export const standInName = (recipe: ImageRecipe): string => {
  const { references: _, ...content } = recipe;
  return `berth-standin/${recipe.name}:${createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12)}`;
};

const buildStandIns = async (api: EngineApi, recipes: readonly ImageRecipe[], progress: Progress): Promise<void> => {
  const work = mkdtempSync(join(tmpdir(), 'berth-images-'));
  try {
    const packages = [...new Set(recipes.flatMap(recipe => recipe.packages))];
    const staging = join(work, 'packages');
    mkdirSync(staging);
    if (packages.length > 0) {
      progress.begin(`no registry answers: fetching ${packages.join(', ')} with apt`);
      const apt: Apt = await openApt(join(cacheFolder(), 'apt-system'));
      await unpackPackages(apt, packages, staging, true);
    }
    for (const recipe of recipes) {
      progress.begin(`building a stand-in for ${recipe.name}`);
      const root = join(work, recipe.name);
      await layOut(recipe, staging, root);
      await importImage(api, recipe, root);
      rmSync(root, { recursive: true, force: true });
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

/** The root directory of a stand-in. */
const layOut = async (recipe: ImageRecipe, staging: string, root: string): Promise<void> => {
  mkdirSync(root);
  if (!recipe.busybox) {
    const program = pauseProgram(process.arch === 'x64' ? 'amd64' : process.arch);
    if (program === undefined) throw new SetupError(`no stand-in for ${recipe.name} on ${process.arch}: pull it`);
    writeFileSync(join(root, 'pause'), program, { mode: 0o755 });
    return;
  }
  for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(root, 'usr', folder), { recursive: true });
    symlinkSync(`usr/${folder}`, join(root, folder));
  }
  const folders = [
    'dev',
    'etc',
    'proc',
    'root',
    'sys',
    'tmp',
    'usr/local/bin',
    'var/log',
    'var/run',
    ...(recipe.folders ?? []),
  ];
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n',
  );
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n');
  await addBusybox(staging, root);
  await addPrograms(recipe, staging, root);
  for (const [path, file] of Object.entries(recipe.texts ?? {})) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), file.text);
    chmodSync(join(root, path), file.mode ?? 0o644);
  }
};

/** Prints the environment, or the values of the variables named; Debian's busybox has no printenv. */
const printenv = `#!/bin/sh
[ $# -gt 0 ] || exec env
exec awk 'BEGIN { for (i = 1; i < ARGC; i++) if (ARGV[i] in ENVIRON) print ENVIRON[ARGV[i]]; else missing = 1; exit missing }' "$@"
`;

const addBusybox = async (staging: string, root: string): Promise<void> => {
  cpSync(join(staging, 'bin/busybox'), join(root, 'bin/busybox'));
  const applets = (await mustRun(join(staging, 'bin/busybox'), ['--list'])).stdout.split('\n').filter(Boolean);
  for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
  if (applets.includes('printenv')) return;
  writeFileSync(join(root, 'bin/printenv'), printenv);
  chmodSync(join(root, 'bin/printenv'), 0o755);
};

/** Copies the programs with the shared libraries that their own loader names. */
const addPrograms = async (recipe: ImageRecipe, staging: string, root: string): Promise<void> => {
  if (recipe.files.length === 0) return;
  const libraries = join(staging, 'usr/lib');
  const triplet = readdirSync(libraries).find(name => existsSync(join(libraries, name, 'libc.so.6')));
  const loader = triplet && readdirSync(join(libraries, triplet)).find(name => name.startsWith('ld-linux'));
  if (!triplet || !loader) throw new SetupError('the packages bring no C library: unknown layout of this distribution');
  const folder = join(libraries, triplet);
  const copied = new Set<string>();
  const addLibrary = (path: string): void => {
    const to = join('usr/lib', triplet, basename(path));
    if (copied.has(to)) return;
    copied.add(to);
    mkdirSync(dirname(join(root, to)), { recursive: true });
    cpSync(realpathSync(path), join(root, to));
  };
  addLibrary(join(folder, loader));
  // Where the kernel looks for the loader: /lib64 on x64, /lib on arm64.
  const loaderFolder = process.arch === 'x64' ? 'usr/lib64' : 'usr/lib';
  symlinkSync(relative(loaderFolder, join('usr/lib', triplet, loader)), join(root, loaderFolder, loader));
  for (const file of recipe.files) {
    const from = realpathSync(join(staging, file));
    rmSync(join(root, file), { force: true });
    cpSync(from, join(root, file));
    const listed = await mustRun(join(folder, loader), ['--library-path', folder, '--list', from]);
    for (const match of listed.stdout.matchAll(/=> (\/\S+)/g)) addLibrary(match[1]!);
  }
};

const importImage = async (api: EngineApi, recipe: ImageRecipe, root: string): Promise<void> => {
  const name = standInName(recipe);
  const query = new URLSearchParams({ fromSrc: '-', repo: name.split(':')[0]!, tag: name.split(':')[1]! });
  const path = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  for (const change of [`LABEL ${label}=${recipe.name}`, path, ...recipe.changes]) query.append('changes', change);
  const tar = spawn('tar', ['-C', root, '--numeric-owner', '--owner=0', '--group=0', '-c', '.'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const reply = await api.call('POST', `/images/create?${query}`, tar.stdout);
  if (reply.status >= 400 || reply.text.includes('"errorDetail"')) {
    throw new SetupError(`the stand-in for ${recipe.name} could not be imported: ${engineMessage(reply)}`);
  }
};
