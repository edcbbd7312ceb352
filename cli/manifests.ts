/**
 * Reads manifests as kubectl does: files, directories (-R: with what is below), `-` for stdin; YAML 1.1 or JSON, several
 * documents, `kind: List` taken apart. Each object remembers where it stood, so that a fault can be shown at its line.
 * A syntax error ends its file; a document that is no object is reported and the next one read.
 */
import { isUtf8 } from 'node:buffer';
import { globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { CliError } from './failure.ts';
import type { Io } from './io.ts';
import { type Place, parseDocuments } from './yaml-source.ts';

export interface ManifestObject {
  apiVersion: string;
  kind: string;
  metadata: { name?: string; generateName?: string; namespace?: string; annotations?: Record<string, string> };
  [field: string]: unknown;
}

export interface Manifest {
  readonly object: ManifestObject;
  /** As the user named it, or `STDIN`. */
  readonly source: string;
  /** `file:line:column` of a field path such as `spec.containers[0].image`, or of the nearest parent that is there. */
  locate(path: string): Place;
}

export interface ManifestOptions {
  readonly recursive: boolean;
  /** What a key that stands twice brings. */
  readonly duplicates: 'error' | 'warn' | 'ignore';
}

export type Read = { readonly manifest: Manifest } | { readonly failure: unknown };

const extensions = ['.json', '.yaml', '.yml'];

/** All objects and all faults, in order. Throws only when a path cannot be read at all. */
export const readManifests = async (
  io: Io,
  paths: readonly string[],
  options: ManifestOptions,
): Promise<readonly Read[]> => {
  const found: Read[] = [];
  for (const path of paths) {
    if (path === '-') {
      found.push(...parseFile('STDIN', await io.readStdin(), options, io));
      continue;
    }
    if (/^https?:\/\//.test(path))
      throw new CliError(`-f ${path}: berth reads files, directories and - (stdin), not URLs`);
    for (const file of filesAt(path, io.cwd, options.recursive)) {
      const bytes = readFileSync(resolve(io.cwd, file));
      found.push(...(isUtf8(bytes) ? parseFile(file, bytes.toString('utf8'), options, io) : [notUtf8(file, bytes)]));
    }
  }
  return found;
};

const notUtf8 = (file: string, bytes: Buffer): Read => {
  const before = bytes.toString('utf8').split('\ufffd', 1)[0]!.split('\n');
  const why = `error parsing ${file}: error converting YAML to JSON: yaml: line ${before.length}: it is not UTF-8`;
  return { failure: new CliError(`${why}\n${file}:${before.length}:${before.at(-1)!.length + 1}`) };
};

const filesAt = (path: string, cwd: string, recursive: boolean): readonly string[] => {
  const stat = statSync(resolve(cwd, path), { throwIfNoEntry: false });
  if (!stat) {
    const matches = /[*?[]/.test(path) ? globSync(path, { cwd }).sort() : [];
    if (matches.length === 0) throw new CliError(`the path ${JSON.stringify(path)} does not exist`);
    return matches.flatMap(match => filesAt(match, cwd, recursive));
  }
  if (!stat.isDirectory()) return [path];
  const files = filesBelow(path, cwd, recursive);
  if (files.length === 0) {
    throw new CliError(`error reading [${path}]: recognized file extensions are [${extensions.join(' ')}]`);
  }
  return files;
};

const filesBelow = (folder: string, cwd: string, recursive: boolean): string[] =>
  readdirSync(resolve(cwd, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(item => {
      const path = join(folder, item.name);
      if (item.isDirectory()) return recursive ? filesBelow(path, cwd, recursive) : [];
      return extensions.includes(extname(item.name)) ? [path] : [];
    });

const parseFile = (source: string, text: string, options: ManifestOptions, io: Io): Read[] => {
  // A byte order mark at the start says nothing about UTF-8.
  const { documents, failure } = parseDocuments(source, text.replace(/^\ufeff/, ''), options.duplicates === 'error');
  const found = documents.flatMap((document): Read[] => {
    if (options.duplicates === 'warn') for (const said of document.duplicates) io.err(`Warning: ${said}\n`);
    if (document.value === null || document.value === undefined) return [];
    return objectsOf(source, document.value, document.locate, '');
  });
  return failure === undefined ? found : [...found, { failure }];
};

const objectsOf = (source: string, value: unknown, locate: Manifest['locate'], prefix: string): Read[] => {
  const place = locate(prefix);
  const fail = (why: string): Read[] => [
    { failure: new CliError(`unable to decode ${JSON.stringify(source)}: ${why} (${place.text})`) },
  ];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const what = Array.isArray(value) ? 'a list' : `a ${typeof value}`;
    return fail(`the document is ${what}, not an object with apiVersion and kind`);
  }
  const object = value as ManifestObject;
  const shown = JSON.stringify(value);
  const excerpt = shown.length > 300 ? `${shown.slice(0, 300)}…` : shown;
  for (const [field, title] of [
    ['kind', 'Kind'],
    ['apiVersion', 'apiVersion'],
  ] as const) {
    if (typeof object[field] === 'string' && object[field] !== '') continue;
    const why = object[field] === undefined ? `Object '${title}' is missing in '${excerpt}'` : `${field} is not a word`;
    return fail(why);
  }
  if (object.kind.endsWith('List') && Array.isArray(object['items'])) {
    const items = object['items'] as unknown[];
    return items.flatMap((item, i) => objectsOf(source, item, locate, `${prefix}${prefix ? '.' : ''}items[${i}]`));
  }
  const { metadata } = object as { metadata?: unknown };
  if (metadata !== undefined && metadata !== null && (typeof metadata !== 'object' || Array.isArray(metadata))) {
    return fail('metadata is not a mapping');
  }
  const below = (path: string) => locate(prefix === '' ? path : path === '' ? prefix : `${prefix}.${path}`);
  return [{ manifest: { object: { ...object, metadata: object.metadata ?? {} }, source, locate: below } }];
};
