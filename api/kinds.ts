/** The registry of kinds: every resource that the API serves, in the order discovery lists them. */
import type { Kind } from './kind.ts';
import { groupVersion } from './kind.ts';
import { replicaSetKind, statefulSetKind } from './kinds/apps.ts';
import { leaseKind } from './kinds/coordination.ts';
import {
  configMapKind,
  eventKind,
  namespaceKind,
  nodeKind,
  podKind,
  secretKind,
  serviceAccountKind,
  serviceKind,
} from './kinds/core.ts';
import { nodeMetricsKind, podMetricsKind } from './kinds/metrics.ts';
import { podDisruptionBudgetKind } from './kinds/policy.ts';
import { priorityClassKind } from './kinds/scheduling.ts';

export const kinds: readonly Kind[] = [
  configMapKind,
  eventKind,
  namespaceKind,
  nodeKind,
  podKind,
  secretKind,
  serviceAccountKind,
  serviceKind,
  replicaSetKind,
  statefulSetKind,
  leaseKind,
  podDisruptionBudgetKind,
  priorityClassKind,
  podMetricsKind,
  nodeMetricsKind,
];

const byResource = new Map(kinds.map(kind => [`${kind.group}/${kind.version}/${kind.plural}`, kind]));
const byKind = new Map(kinds.map(kind => [`${groupVersion(kind)}/${kind.kind}`, kind]));

/** The kind served under that group, version and plural name, or undefined. */
export const kindOfResource = (group: string, version: string, plural: string): Kind | undefined =>
  byResource.get(`${group}/${version}/${plural}`);

/** The kind of objects with that apiVersion and kind, or undefined. */
export const kindOf = (apiVersion: string, kindName: string): Kind | undefined =>
  byKind.get(`${apiVersion}/${kindName}`);
