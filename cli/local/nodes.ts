/** `--node NAME=cpu:1,memory:1Gi,pods:110,example.com/gpu:2`: a node and the share of the machine that is its own. */

import type { Share } from '#agent/container/cgroup-plan.ts';
import { subdomainFaults } from '#api/label-names.ts';
import { canonicalQuantity, compareQuantities, milliValue, wholeValue } from '#api/quantity.ts';
import { CliError } from '../failure.ts';

export interface NodePlan {
  readonly name: string;
  /** Canonical quantities by resource; empty: the whole machine. */
  readonly share: Readonly<Record<string, string>>;
}

/** Reads all values of --node; throws CliError naming the one that is wrong. */
export const parseNodes = (texts: readonly string[]): readonly NodePlan[] => {
  const plans = texts.map(parseNode);
  const twice = plans.find((plan, i) => plans.findIndex(other => other.name === plan.name) !== i);
  if (twice) throw new CliError(`--node ${twice.name}: two nodes have the same name`);
  return plans;
};

const parseNode = (text: string): NodePlan => {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  const wrong = (why: string) => new CliError(`--node ${text}: ${why}`);
  const faults = subdomainFaults(name);
  if (faults.length > 0) throw wrong(`${JSON.stringify(name)} is not a valid node name: ${faults.join('; ')}`);
  const share: Record<string, string> = {};
  for (const part of equals < 0 ? [] : text.slice(equals + 1).split(',')) {
    const colon = part.lastIndexOf(':');
    const resource = part.slice(0, Math.max(0, colon)).trim();
    const amount = part.slice(colon + 1).trim();
    if (colon < 1 || amount === '') throw wrong(`${JSON.stringify(part)} is not RESOURCE:AMOUNT, such as cpu:500m`);
    if (resource in share) throw wrong(`${resource} is given twice`);
    if (!['cpu', 'memory', 'pods'].includes(resource) && !resource.includes('/')) {
      throw wrong(`${resource} is neither cpu, memory, pods nor an extended resource such as example.com/gpu`);
    }
    share[resource] = quantity(amount, resource, wrong);
  }
  return { name, share };
};

const quantity = (amount: string, resource: string, wrong: (why: string) => CliError): string => {
  let canonical: string;
  try {
    canonical = canonicalQuantity(amount);
  } catch {
    throw wrong(`${resource}: ${JSON.stringify(amount)} is not a quantity such as 500m, 2, 512Mi or 1Gi`);
  }
  if (compareQuantities(canonical, '0') <= 0) throw wrong(`${resource} must be more than 0`);
  return canonical;
};

/** The value of --node that `parseNode` reads back. */
export const nodeText = ({ name, share }: NodePlan): string => {
  const parts = Object.entries(share).map(([resource, amount]) => `${resource}:${amount}`);
  return parts.length === 0 ? name : `${name}=${parts.join(',')}`;
};

/** The share as the agent takes it; undefined: the whole machine. */
export const shareOf = ({ share }: NodePlan): Share | undefined => {
  const { cpu, memory, pods, ...extended } = share;
  if (Object.keys(share).length === 0) return undefined;
  return {
    ...(cpu === undefined ? {} : { cpuMilli: milliValue(cpu) }),
    ...(memory === undefined ? {} : { memoryBytes: wholeValue(memory) }),
    ...(pods === undefined ? {} : { pods: wholeValue(pods) }),
    ...(Object.keys(extended).length === 0 ? {} : { extended }),
  };
};

/** The host's name as a node name. */
export const hostNodeName = (hostname: string): string => {
  const name = hostname
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '');
  return subdomainFaults(name).length === 0 ? name : 'node';
};
