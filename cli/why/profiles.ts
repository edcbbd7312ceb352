/** The profiles that the server's scheduler runs with, for commands that decide as it does. */
import { declaredPlugins, parseConfig } from '#engine/config.ts';
import { defaultProfile, type Profile } from '#engine/profile.ts';
import type { Api } from '../api.ts';
import { parseDocuments } from '../yaml-source.ts';
import { readConfiguration, type ServedConfiguration } from './decisions.ts';

export interface Profiles {
  readonly bySchedulerName: ReadonlyMap<string, Profile>;
  /** What of them is not as in the server. */
  readonly notes: readonly string[];
}

export const readProfiles = async (api: Api): Promise<Profiles> => profilesOf(await readConfiguration(api));

/** Plugins of the server's own are code that only the server runs: here their say is missing, and that is noted. */
export const profilesOf = (served: ServedConfiguration | undefined): Profiles => {
  const usual = (notes: readonly string[]): Profiles => ({ bySchedulerName: byName([defaultProfile()]), notes });
  if (served === undefined) return usual([]);
  const { documents } = parseDocuments(served.path ?? 'configuration', served.text, true);
  const document = documents.find(({ value }) => value !== null && value !== undefined)?.value;
  const own = declaredPlugins(document).map(({ name }) => name);
  const { config } = parseConfig(document);
  if (config === undefined)
    return usual(["the scheduler's configuration is not understood here; the default profile was used instead"]);
  const notes =
    own.length === 0 ? [] : [`what the scheduler's own plugins (${own.join(', ')}) say is not in this answer`];
  return { bySchedulerName: byName(config.profiles), notes };
};

const byName = (profiles: readonly Profile[]): ReadonlyMap<string, Profile> =>
  new Map(profiles.map(profile => [profile.schedulerName, profile]));
