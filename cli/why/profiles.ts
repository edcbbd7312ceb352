/**
 * The profiles that the server's scheduler runs with, for commands that decide as it does. Plugins of its own are code
 * beside its configuration: they are run here too when that is this machine and the files are still what the scheduler
 * loaded; else what they say is missing, and a note tells why. Nobody's code is fetched from anywhere.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { declaredPlugins, type ParsedConfig, parseConfig } from '#engine/config.ts';
import { defaultProfile, type Profile } from '#engine/profile.ts';
import type { Api } from '../api.ts';
import { CliError } from '../failure.ts';
import type { Io } from '../io.ts';
import { type ConfigurationSource, digestOf, readSchedulerConfig } from '../local/scheduler-config.ts';
import { parseDocuments } from '../yaml-source.ts';
import { readConfiguration } from './decisions.ts';

export interface Profiles {
  readonly bySchedulerName: ReadonlyMap<string, Profile>;
  /** What of them is not as in the server. */
  readonly notes: readonly string[];
}

/** The server's profiles; those of the file `own` when one is given, the default ones when that is empty. */
export const readProfiles = async (io: Io, api: Api, own: string | undefined): Promise<Profiles> => {
  if (own !== undefined) return readOwnProfiles(io, own);
  const served = await readConfiguration(api);
  if (served === undefined) return defaultProfiles();
  const names = pluginNames(served);
  if (names.length === 0) return profilesOf(served);
  const why = whyNotHere(served, api.connection.server);
  if (why !== undefined) return profilesOf(served, why);
  try {
    return { bySchedulerName: byName((await readSchedulerConfig(served.path)).config), notes: [] };
  } catch (error) {
    // A module that a plugin imports is not what it was: why the server's still runs.
    if (!(error instanceof CliError)) throw error;
    return profilesOf(served, `they cannot be loaded here. ${error.message.replaceAll('\n', ' ')}`);
  }
};

/** `--scheduler-config FILE` of a command; throws CliError with all that is wrong with it. */
export const readOwnProfiles = async (io: Io, file: string): Promise<Profiles> => {
  if (file === '') return defaultProfiles();
  const { config, warnings } = await readSchedulerConfig(resolve(io.cwd, file));
  for (const warning of warnings) io.err(`Warning: ${warning}\n`);
  return { bySchedulerName: byName(config), notes: [] };
};

/** The profiles without the plugins that the server alone runs; `why` it alone does. */
export const profilesOf = (served: Pick<ConfigurationSource, 'text' | 'path'>, why = ''): Profiles => {
  const { config } = parseConfig(documentOf(served));
  if (config === undefined)
    return defaultProfiles([
      "the scheduler's configuration is not understood here; the default profile was used instead",
    ]);
  const own = pluginNames(served);
  const missing = `what the scheduler's own plugins (${own.join(', ')}) say is not in this answer: ${why}; --scheduler-config FILE asks those of a file`;
  return { bySchedulerName: byName(config), notes: own.length === 0 ? [] : [missing] };
};

/** Those of a scheduler without a configuration. */
export const defaultProfiles = (notes: readonly string[] = []): Profiles => ({
  bySchedulerName: byName({ profiles: [defaultProfile()] }),
  notes,
});

const documentOf = ({ path, text }: Pick<ConfigurationSource, 'text' | 'path'>): unknown =>
  parseDocuments(path, text, true).documents.find(({ value }) => value !== null && value !== undefined)?.value;

const pluginNames = (served: Pick<ConfigurationSource, 'text' | 'path'>): readonly string[] =>
  declaredPlugins(documentOf(served)).map(({ name }) => name);

/** Why the plugins cannot be run here; undefined: they can. */
const whyNotHere = ({ path, text, plugins = [] }: ConfigurationSource, server: string): string | undefined => {
  if (!/^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(server).hostname))
    return 'they are on the machine of the server';
  if (textAt(path) === undefined) return `${path} is not on this machine`;
  if (textAt(path) !== text) return `${path} has changed since the scheduler started`;
  const changed = plugins.find(({ file, sha256 }) => digestOf(path, file) !== sha256);
  return changed === undefined ? undefined : `${changed.file} has changed since the scheduler started`;
};

const textAt = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

const byName = ({ profiles }: Pick<ParsedConfig, 'profiles'>): ReadonlyMap<string, Profile> =>
  new Map(profiles.map(profile => [profile.schedulerName, profile]));
