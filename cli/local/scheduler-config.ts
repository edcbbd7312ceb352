/**
 * The file behind --scheduler-config: read, its plugins loaded, and turned into the scheduler's settings
 * (#engine/config.ts). Whatever is wrong is said with file, line, column and field, all of it at once.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '#base/clock.ts';
import { systemClock } from '#base/system.ts';
import type { Fault } from '#engine/config/fields.ts';
import { declaredPlugins, type ParsedConfig, parseConfig } from '#engine/config.ts';
import { type LoadedPlugin, loadedPlugin } from '#engine/custom/plugin.ts';
import { CliError } from '../failure.ts';
import { parseDocuments, type SourceDocument } from '../yaml-source.ts';

export interface SchedulerConfigFile {
  readonly config: ParsedConfig;
  /** The file itself, for those who ask the server how it decides. */
  readonly source: ConfigurationSource;
  /** What the file asks for without effect, a line each. */
  readonly warnings: readonly string[];
}

export interface ConfigurationSource {
  readonly text: string;
  readonly path: string;
  /** The plugins' files as they were loaded. */
  readonly plugins?: readonly { readonly file: string; readonly sha256: string }[];
}

/** Throws a CliError that has every fault. `path` is absolute. */
export const readSchedulerConfig = async (
  path: string,
  clock: Pick<Clock, 'sleep'> = systemClock,
): Promise<SchedulerConfigFile> => {
  const { document, text } = readDocument(path);
  const loaded = new Map<string, LoadedPlugin>();
  const plugins: { file: string; sha256: string }[] = [];
  for (const { name, file } of declaredPlugins(document.value)) {
    if (file === '' || loaded.has(name)) continue;
    const sha256 = digestOf(path, file);
    if (sha256 !== undefined) plugins.push({ file, sha256 });
    loaded.set(name, await loadPlugin(name, resolve(dirname(path), file), clock));
  }
  const { config, faults, warnings } = parseConfig(document.value, loaded);
  const lines = (list: readonly Fault[]): readonly string[] => linesOf(list, document);
  if (config === undefined)
    throw new CliError(`${path} cannot be used as the scheduler's configuration:\n${lines(faults).join('\n')}`);
  return { config, source: { text, path, ...(plugins.length === 0 ? {} : { plugins }) }, warnings: lines(warnings) };
};

/** What a plugin's file of the configuration at `path` holds now; undefined when it cannot be read. */
export const digestOf = (path: string, file: string): string | undefined => {
  try {
    return createHash('sha256')
      .update(readFileSync(resolve(dirname(path), file)))
      .digest('hex');
  } catch {
    return undefined;
  }
};

/** `sched.yaml:7:5: profiles[0].plugins: …`, from the top of the file to its end. */
const linesOf = (faults: readonly Fault[], document: SourceDocument): readonly string[] =>
  faults
    .map(fault => ({ ...fault, place: document.locate(fault.at ?? fault.path) }))
    .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
    .map(({ place, path, message }) => `${place.text}: ${path === '' ? '' : `${path}: `}${message}`);

const readDocument = (path: string): { readonly document: SourceDocument; readonly text: string } => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError(`the scheduler's configuration ${path} cannot be read: ${unreadableText(error)}`);
  }
  const { documents, failure } = parseDocuments(path, text, true);
  if (failure !== undefined) throw failure;
  const [document, second] = documents.filter(({ value }) => value !== null && value !== undefined);
  const expected = 'expected one document, of kind KubeSchedulerConfiguration';
  if (document === undefined) throw new CliError(`${path}:1:1: there is nothing in the file; ${expected}`);
  if (second !== undefined) throw new CliError(`${second.locate('').text}: a second document begins here; ${expected}`);
  return { document, text };
};

/** Node's `EACCES: permission denied, open '/etc/x'` without what is said already. */
const unreadableText = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EISDIR') return 'it is a directory; expected a file';
  return /^\w+: (.*), \w+(?: '.*')?$/.exec(message)?.[1] ?? message;
};

const extensions = ['.ts', '.mts', '.js', '.mjs'];

/** A module may wait for something while it is loaded; for ever it may not. */
const loadLimitMs = 10_000;

const loadPlugin = async (name: string, file: string, clock: Pick<Clock, 'sleep'>): Promise<LoadedPlugin> => {
  if (!extensions.includes(extname(file)))
    return { fault: `Invalid value: "${file}": expected a file that ends in ${extensions.join(', ')}` };
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    return { fault: `it cannot be read: ${unreadableText(error)}: ${file}` };
  }
  const ended = new AbortController();
  try {
    const late = clock.sleep(loadLimitMs, ended.signal).then(() => undefined);
    const loading = import(pathToFileURL(file).href) as Promise<{ readonly default?: unknown }>;
    const module = await Promise.race([loading, late]);
    if (module === undefined)
      return { fault: `it cannot be loaded: ${file} still waits for something after ${loadLimitMs / 1000} s` };
    if (module.default === undefined) return { fault: `${file} has no default export` };
    return loadedPlugin(name, module.default);
  } catch (error) {
    return { fault: `it cannot be loaded: ${placeOf(error, file)}: ${textOf(error)}` };
  } finally {
    ended.abort();
  }
};

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `file:line:column` of what is wrong in the file, as far as it can be told. */
const placeOf = (error: unknown, file: string): string =>
  placeIn(stackOf(error), file) ?? (error instanceof SyntaxError ? syntaxPlace(file) : undefined) ?? file;

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? '') : '');

/** Node writes a place into the stack: as its first line, with a mark below the code, or as a frame. */
const placeIn = (stack: string, file: string): string | undefined => {
  const [head = '', ...rest] = stack.split('\n');
  const line = head.startsWith(`${file}:`) ? /^:(\d+)$/.exec(head.slice(file.length))?.[1] : undefined;
  if (line !== undefined) {
    const mark = rest.find(text => /^ *\^+$/.test(text));
    return mark === undefined ? `${file}:${line}` : `${file}:${line}:${mark.indexOf('^') + 1}`;
  }
  for (const frame of rest) {
    const at = frame.indexOf(`${file}:`);
    const place = at < 0 ? null : /^:\d+:\d+/.exec(frame.slice(at + file.length));
    if (place !== null) return file + place[0];
  }
  return undefined;
};

/** Node tells where the syntax of plain JavaScript is wrong only when asked to check nothing else. */
const syntaxPlace = (file: string): string | undefined => {
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: checkLimitMs });
  return placeIn(stderr ?? '', file);
};

const checkLimitMs = 5000;
