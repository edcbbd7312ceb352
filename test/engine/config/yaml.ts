/** Configurations written as YAML in tests, short of their head. */
import { parse } from 'yaml';
import { type Parsed, parseConfig } from '#engine/config.ts';
import { type LoadedPlugin, loadedPlugin } from '#engine/custom/plugin.ts';
import type { Profile } from '#engine/profile.ts';

const head = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n';

/** `own`: default exports of the plugins that the text declares. */
export const configOf = (text: string, own: Readonly<Record<string, unknown>> = {}): Parsed => {
  const loaded = new Map<string, LoadedPlugin>();
  for (const [name, exported] of Object.entries(own)) loaded.set(name, loadedPlugin(name, exported));
  return parseConfig(parse(head + text, { version: '1.1' }), loaded);
};

/** The faults as `path: message`. */
export const faultsOf = (text: string, own: Readonly<Record<string, unknown>> = {}): readonly string[] =>
  configOf(text, own).faults.map(({ path, message }) => `${path}: ${message}`);

/** The only profile of a configuration without faults. */
export const profileOf = (text: string, own: Readonly<Record<string, unknown>> = {}): Profile => {
  const { config, faults } = configOf(text, own);
  if (config === undefined) throw new Error(faults.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return config.profiles[0]!;
};

/** A configuration with these arguments for one plugin. */
export const withArgs = (plugin: string, args: unknown): string =>
  `profiles:\n- pluginConfig:\n  - name: ${plugin}\n    args: ${JSON.stringify(args)}\n`;

export const filterNames = (profile: Profile): readonly string[] => profile.filters.map(({ name }) => name);
export const scoreNames = (profile: Profile): readonly string[] =>
  profile.scores.map(({ plugin, weight }) => `${plugin.name} ${weight}`);
