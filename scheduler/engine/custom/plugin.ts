/**
 * Plugins of the user's own. Two ways to write one: per node, which is a function and a reason; or over the columns, which
 * is what the built-in plugins are, for those who want their speed. Either way it is judged, explained and scored like a
 * built-in one, and one that throws costs the pod its attempt, not the others their scheduler.
 */
import type { Pod } from '#api/kinds/core.ts';
import type { ChangeType, FilterPlugin, ScorePlugin, WakeTest } from '../plugin.ts';
import { wordOf } from './answers.ts';
import { guardedFilter, guardedScore } from './guard.ts';
import type { NodeView } from './node-view.ts';
import { perNodeFilter, perNodeScore } from './per-node.ts';

/** Why a node does not suit. Unresolvable: taking pods off the node cannot help, so nobody is preempted there. */
export interface Refusal {
  readonly reason: string;
  readonly unresolvable?: boolean;
}

/** What the plugin's file exports as default; the name is the one in the configuration. */
export interface CustomPlugin {
  /** Undefined: the pod may go there; else why not, in a few words without a full stop, as `Insufficient cpu`. */
  filter?(pod: Pod, node: NodeView): string | Refusal | undefined;
  /** 0 to 100, more is better; fractions are cut off. */
  score?(pod: Pod, node: NodeView): number;
  /** The same over columns (scheduler/engine/plugin.ts says what they promise each other); instead of filter and score. */
  readonly columns?: {
    readonly filter?: ColumnFilter;
    readonly score?: Omit<ScorePlugin, 'name'>;
  };
}

/** Woken by everything unless it says by what. */
export type ColumnFilter = Omit<FilterPlugin, 'name' | 'wokenBy'> & Partial<Pick<FilterPlugin, 'wokenBy'>>;

/** A default export with arguments: gets `args` of the profile's pluginConfig, undefined where there are none. */
export type CustomPluginFactory = (args: unknown) => CustomPlugin;

/** As the engine uses it. */
export interface EnginePlugin {
  readonly filter: FilterPlugin | undefined;
  readonly score: ScorePlugin | undefined;
  /** What must differ in the shapes of pods that it may tell apart; undefined: nothing more. */
  readonly tellApart: ((pod: Pod) => string) | undefined;
}

/** What came of loading a plugin's file: why it cannot be used, or how to make the plugin (throws a sentence). */
export type LoadedPlugin = { readonly fault: string } | { readonly create: (args: unknown) => EnginePlugin };

/** `exported`: what the plugin's file exports as default. */
export const loadedPlugin = (name: string, exported: unknown): LoadedPlugin => {
  if (typeof exported === 'function')
    return { create: args => enginePluginOf(name, checked((exported as CustomPluginFactory)(args))) };
  try {
    const plugin = enginePluginOf(name, checked(exported));
    return {
      create(args) {
        if (args !== undefined) throw new Error('it takes no arguments: its default export is not a function');
        return plugin;
      },
    };
  } catch (error) {
    return { fault: `it is no plugin: ${error instanceof Error ? error.message : String(error)}` };
  }
};

const checked = (value: unknown): CustomPlugin => {
  if (typeof value === 'object' && value !== null && !('then' in value)) return value;
  throw new Error(`expected an object with filter or score, not ${wordOf(value)}`);
};

const always: WakeTest = () => true;

/** By default anything that changes may change its mind. */
const anyChange: Readonly<Record<ChangeType, WakeTest>> = {
  nodeAdded: always,
  nodeChanged: always,
  nodeRemoved: always,
  podAdded: always,
  podRemoved: always,
  podChanged: always,
  selectorsChanged: always,
  namespacesChanged: always,
};

/** Throws a sentence for what is no plugin. */
const enginePluginOf = (name: string, plugin: CustomPlugin): EnginePlugin => {
  const { columns } = plugin;
  for (const field of ['filter', 'score'] as const)
    if (plugin[field] !== undefined && typeof plugin[field] !== 'function')
      throw new Error(`its ${field} must be a function`);
  if (plugin.filter === undefined && plugin.score === undefined && !columns?.filter && !columns?.score)
    throw new Error('it has neither filter nor score');
  if ((plugin.filter && columns?.filter) || (plugin.score && columns?.score))
    throw new Error('it has a filter or a score twice: per node and over columns');
  const filter = columns?.filter
    ? guardedFilter({ wokenBy: anyChange, ...columns.filter, name })
    : plugin.filter && guardedFilter(perNodeFilter(name, plugin, anyChange));
  const score = columns?.score
    ? guardedScore({ ...columns.score, name })
    : plugin.score && guardedScore(perNodeScore(name, plugin));
  // Plugins over columns see shapes only, by their own contract.
  return { filter, score, tellApart: plugin.filter || plugin.score ? itself : undefined };
};

/** Per node every pod is asked about on its own: of what the engine takes for alike, name and annotations may differ. */
const itself = ({ metadata }: Pod): string => JSON.stringify([metadata.uid, metadata.annotations]);
