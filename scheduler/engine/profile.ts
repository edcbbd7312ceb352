/** A scheduling profile: which plugins judge, in which order and with which weight. The default is that of upstream v1.35. */
import type { Pod } from '#api/kinds/core.ts';
import type { FilterPlugin, Reason, ScorePlugin } from './plugin.ts';
import { affinityFilter } from './plugins/affinity-filter.ts';
import { type AffinityArguments, affinityScore } from './plugins/affinity-score.ts';
import type { ScoringStrategy, WeightedResource } from './plugins/allocation.ts';
import { balancedAllocation } from './plugins/balanced-allocation.ts';
import { type FitArguments, resourcesFit } from './plugins/fit.ts';
import { fitScore } from './plugins/fit-score.ts';
import { imageLocality } from './plugins/image-locality.ts';
import { type NodeAffinityArguments, nodeAffinity, nodeAffinityScore } from './plugins/node-affinity.ts';
import {
  nodeName,
  nodeUnschedulable,
  type TaintArguments,
  taintToleration,
  taintTolerationScore,
} from './plugins/node-plugins.ts';
import { nodePorts } from './plugins/node-ports.ts';
import { systemDefaultConstraints } from './plugins/spread-constraints.ts';
import { type SpreadArguments, spreadFilter } from './plugins/spread-filter.ts';
import { spreadScore } from './plugins/spread-score.ts';

/** Weights are whole numbers above 0; one of 0 leaves the plugin out. */
export interface WeightedScore {
  readonly plugin: ScorePlugin;
  readonly weight: number;
}

/** How many nodes to try at least before choosing (DefaultPreemptionArgs). */
export interface PreemptionArguments {
  readonly minCandidateNodesPercentage: number;
  readonly minCandidateNodesAbsolute: number;
}

export interface Profile {
  readonly schedulerName: string;
  readonly filters: readonly FilterPlugin[];
  readonly scores: readonly WeightedScore[];
  /** 100: all nodes are judged and scored; 0: upstream's adaptive share; else that share of the nodes. */
  readonly percentageOfNodesToScore: number;
  /** Undefined: pods of this profile push nobody out. */
  readonly preemption: PreemptionArguments | undefined;
  /** NodeAffinity's pre-filter runs: pods that name their nodes by matchFields are tried on those only. */
  readonly narrowsByName: boolean;
  /** Upstream's DynamicResources takes part when no node fits; in Berth it has nothing to do but its say in the message. */
  readonly dynamicResources: boolean;
  /** What custom plugins tell pods apart by, beyond what the engine does; undefined: nothing. */
  readonly tellApart: ((pod: Pod) => string) | undefined;
  /** The verdict codes: the reasons of all filters, one after the other, from 1. */
  readonly verdicts: readonly VerdictCode[];
  /** Verdict code before the first of each filter. */
  readonly bases: readonly number[];
}

/** A reason, and whose it is. */
export interface VerdictCode extends Reason {
  readonly plugin: string;
}

/** A row without a node. */
export const noNode = 255;

/** What is absent is as in the default profile, but for the plugins. */
export interface ProfileOptions {
  readonly schedulerName?: string;
  readonly filters: readonly FilterPlugin[];
  readonly scores: readonly WeightedScore[];
  readonly percentageOfNodesToScore?: number;
  readonly preemption?: PreemptionArguments | undefined;
  readonly narrowsByName?: boolean;
  readonly dynamicResources?: boolean;
  readonly tellApart?: ((pod: Pod) => string) | undefined;
}

/** Upstream's. */
export const defaultPreemption: PreemptionArguments = {
  minCandidateNodesPercentage: 10,
  minCandidateNodesAbsolute: 100,
};

/** Throws when the filters have more reasons than fit in a byte. */
export const createProfile = (options: ProfileOptions): Profile => {
  const bases: number[] = [];
  const verdicts: VerdictCode[] = [{ plugin: '', text: '', unresolvable: false }];
  for (const { name, reasons } of options.filters) {
    bases.push(verdicts.length - 1);
    verdicts.push(...reasons.map(reason => ({ ...reason, plugin: name })));
  }
  if (verdicts.length > noNode) throw new Error(`a profile can have ${noNode - 1} reasons, not ${verdicts.length - 1}`);
  return {
    schedulerName: options.schedulerName ?? 'default-scheduler',
    filters: options.filters,
    scores: options.scores,
    percentageOfNodesToScore: options.percentageOfNodesToScore ?? 100,
    preemption: 'preemption' in options ? options.preemption : defaultPreemption,
    narrowsByName: options.narrowsByName ?? true,
    dynamicResources: options.dynamicResources ?? true,
    tellApart: options.tellApart,
    verdicts,
    bases,
  };
};

/** For `ShapeTable.tellApart`: what the pods of these profiles (by schedulerName) must be told apart by. */
export const tellApartBy = (profiles: ReadonlyMap<string, Profile>): ((pod: Pod) => string) | undefined => {
  if ([...profiles.values()].every(({ tellApart }) => tellApart === undefined)) return undefined;
  return pod => profiles.get(pod.spec.schedulerName ?? 'default-scheduler')?.tellApart?.(pod) ?? '';
};

/** Arguments of the built-in plugins, by upstream's names (`NodeResourcesFitArgs`, …). */
export interface PluginArguments {
  readonly fit?: FitArguments & { readonly strategy?: ScoringStrategy };
  readonly balancedAllocation?: { readonly resources: readonly WeightedResource[] };
  readonly nodeAffinity?: NodeAffinityArguments;
  readonly taintToleration?: TaintArguments;
  readonly podTopologySpread?: SpreadArguments;
  readonly interPodAffinity?: AffinityArguments;
}

/** PodTopologySpread without arguments. */
export const systemSpread: SpreadArguments = { defaults: systemDefaultConstraints, isSystemDefault: true };

/** The filters of the default profile, in upstream's order (SEMANTICS F.3). */
export const defaultFilters = (args: PluginArguments = {}): readonly FilterPlugin[] => [
  nodeUnschedulable,
  nodeName,
  taintToleration(args.taintToleration),
  nodeAffinity(args.nodeAffinity),
  nodePorts,
  resourcesFit(args.fit),
  spreadFilter(args.podTopologySpread ?? systemSpread),
  affinityFilter,
];

/** The scores of the default profile with their weights (SEMANTICS F.3). */
export const defaultScores = (args: PluginArguments = {}): readonly WeightedScore[] => [
  { plugin: taintTolerationScore(args.taintToleration), weight: 3 },
  { plugin: nodeAffinityScore(args.nodeAffinity), weight: 2 },
  { plugin: fitScore(args.fit?.strategy), weight: 1 },
  { plugin: spreadScore(args.podTopologySpread ?? systemSpread), weight: 2 },
  { plugin: affinityScore(args.interPodAffinity), weight: 2 },
  { plugin: balancedAllocation(args.balancedAllocation?.resources), weight: 1 },
  { plugin: imageLocality, weight: 1 },
];

/** As `default-scheduler`, all nodes looked at. */
export const defaultProfile = (args: PluginArguments = {}): Profile =>
  createProfile({ filters: defaultFilters(args), scores: defaultScores(args) });
