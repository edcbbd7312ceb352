/**
 * What keeps a pod off a node, one by one and with the numbers, as data and as a short sentence. A node can have several;
 * the scheduler itself stops at the first plugin that refuses.
 */
import type { Taint } from '#api/kinds/core.ts';
import { shownAmount } from './amounts.ts';

export type Obstacle = { readonly plugin: string } & (
  | { readonly is: 'cordoned' }
  | { readonly is: 'otherNode'; readonly wanted: string }
  /** The pod's required node affinity names other nodes. */
  | { readonly is: 'leftOut' }
  | { readonly is: 'taint'; readonly taint: Taint }
  | Unmatched
  | { readonly is: 'port'; readonly protocol: string; readonly port: number; readonly heldBy: readonly string[] }
  | { readonly is: 'pods'; readonly used: number; readonly limit: number; readonly reserved: number }
  | Shortage
  | Uneven
  | { readonly is: 'noTopology'; readonly constraint: number; readonly topologyKey: string }
  | Apart
  /** A plugin that gives no numbers: its own reasons. */
  | { readonly is: 'refused'; readonly reasons: readonly string[] }
);

/** A node selector or node affinity that the node does not match. */
export interface Unmatched {
  readonly is: 'unmatched';
  readonly of: 'nodeSelector' | 'nodeAffinity' | 'addedAffinity';
  /** Requirements that the node's labels do not meet, of the term that is nearest to matching. */
  readonly requirements: readonly UnmetRequirement[];
  /** Which term of the affinity, from 0. */
  readonly term?: number;
}

export interface UnmetRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
  /** The node's value; undefined when it has none. */
  readonly has: string | undefined;
  readonly isField: boolean;
}

/** Too little of a resource; amounts in the engine's units (cpu in milli, else whole). */
export interface Shortage {
  readonly is: 'resource';
  readonly resource: string;
  readonly asked: number;
  /** What is left; below 0 when more is promised than there is. */
  readonly free: number;
  readonly short: number;
  readonly allocatable: number;
  /** Part of what is taken, by pods that are nominated to the node. */
  readonly reserved: number;
}

/** A topology spread constraint that the pod would break. */
export interface Uneven {
  readonly is: 'spread';
  /** Which of the pod's constraints with DoNotSchedule, from 0. */
  readonly constraint: number;
  readonly topologyKey: string;
  readonly domain: string;
  /** Matching pods in the domain, without the pod. */
  readonly count: number;
  readonly least: number;
  readonly leastDomain: string | undefined;
  /** With the pod. */
  readonly skew: number;
  readonly maxSkew: number;
  readonly domains: number;
  readonly minDomains: number;
}

/** Pod affinity or anti-affinity. */
export interface Apart {
  readonly is: 'affinity' | 'antiAffinity' | 'othersAntiAffinity';
  /** Which of the pod's required terms, from 0; for `othersAntiAffinity` it says nothing. */
  readonly term: number;
  readonly topologyKey: string;
  /** Value of the key on the node; undefined when it has none. */
  readonly domain: string | undefined;
  /** Pods in the domain that stand in the way, some of them; none for affinity. */
  readonly pods: readonly string[];
  readonly podCount: number;
  /** For affinity: values of the key where such pods are, some of them. */
  readonly domains: readonly string[];
}

/** One line, without the node's name. */
export const obstacleText = (obstacle: Obstacle): string => {
  switch (obstacle.is) {
    case 'cordoned':
      return 'cordoned';
    case 'otherNode':
      return `the pod asks for node ${obstacle.wanted}`;
    case 'leftOut':
      return 'not among the nodes that the pod names';
    case 'taint':
      return `taint ${taintText(obstacle.taint)} is not tolerated`;
    case 'unmatched':
      return unmatchedText(obstacle);
    case 'port':
      return `host port ${obstacle.port}/${obstacle.protocol} is taken${by(obstacle.heldBy, obstacle.heldBy.length)}`;
    case 'pods': {
      const { used, limit, reserved } = obstacle;
      return `full: ${used} of ${limit} pods${reserved > 0 ? `, ${reserved} more nominated` : ''}`;
    }
    case 'resource':
      return shortageText(obstacle);
    case 'spread':
      return unevenText(obstacle);
    case 'noTopology':
      return `no label ${obstacle.topologyKey} (topology spread)`;
    case 'affinity':
    case 'antiAffinity':
    case 'othersAntiAffinity':
      return apartText(obstacle);
    case 'refused':
      return obstacle.reasons.join(', ');
  }
};

/** `dedicated=gpu:NoSchedule` */
export const taintText = ({ key, value, effect }: Taint): string => `${key}${value ? `=${value}` : ''}:${effect}`;

/** `disk In [ssd nvme]`, or for a node selector `disk=ssd`. */
export const requirementText = (
  { key, operator, values }: Pick<UnmetRequirement, 'key' | 'operator' | 'values'>,
  plain = false,
): string => {
  if (plain) return `${key}=${values[0] ?? ''}`;
  return values.length === 0 ? `${key} ${operator}` : `${key} ${operator} [${values.join(' ')}]`;
};

const unmatchedText = ({ of, requirements }: Unmatched): string => {
  if (of === 'addedAffinity') return "does not match the scheduler profile's added affinity";
  const parts = requirements.map(requirement => {
    const has = requirement.isField ? '' : requirement.has === undefined ? ' (has none)' : ` (has ${requirement.has})`;
    return `${requirementText(requirement, of === 'nodeSelector')}${has}`;
  });
  const what = of === 'nodeSelector' ? 'node selector' : 'node affinity';
  return `${what} ${parts.length === 0 ? 'can match no node' : `wants ${parts.join(', ')}`}`;
};

const shortageText = ({ resource, asked, free, short, allocatable, reserved }: Shortage): string => {
  const of = (amount: number): string => shownAmount(resource, amount);
  const held = reserved > 0 ? ` (${of(reserved)} kept for nominated pods)` : '';
  const never = asked > allocatable ? ', more than the node has' : '';
  return `${resource}: asks ${of(asked)}, free ${of(free)} of ${of(allocatable)}${held}, short by ${of(short)}${never}`;
};

const unevenText = (uneven: Uneven): string => {
  const { topologyKey, domain, count, least, leastDomain, skew, maxSkew, domains, minDomains } = uneven;
  const fewest =
    domains < minDomains
      ? `only ${domains} of minDomains ${minDomains}`
      : `${least} in ${leastDomain ?? 'the emptiest'}`;
  return `spread over ${topologyKey}: ${count} in ${domain}, ${fewest}; skew would be ${skew}, maxSkew ${maxSkew}`;
};

const apartText = ({ is, topologyKey, domain, pods, podCount, domains }: Apart): string => {
  if (is === 'affinity') {
    if (domain === undefined) return `no label ${topologyKey} (pod affinity)`;
    const where = domains.length === 0 ? 'there are none anywhere' : `they are in ${domains.join(', ')}`;
    return `pod affinity: none of the pods it wants in ${topologyKey}=${domain}; ${where}`;
  }
  const whose = is === 'antiAffinity' ? 'pod anti-affinity' : 'anti-affinity of pods there';
  return `${whose} over ${topologyKey}=${domain ?? ''}${by(pods, podCount)}`;
};

const by = (pods: readonly string[], count: number): string => {
  if (pods.length === 0) return '';
  const more = count > pods.length ? ` and ${count - pods.length} more` : '';
  return `: ${pods.join(', ')}${more}`;
};
