/** metrics.k8s.io: NodeMetrics and PodMetrics made from what the nodes' agents report (SEMANTICS J.1). Nothing is stored. */

import type { Kind } from '#api/kind.ts';
import { nodeKind, podKind } from '#api/kinds/core.ts';
import { type NodeMetrics, nodeMetricsKind, type PodMetrics, podMetricsKind } from '#api/kinds/metrics.ts';
import type { NodeUsage, PodUsage } from '#api/node-calls.ts';
import type { KubeObject, ObjectRef } from '#api/object.ts';
import { canonicalQuantity, quantityOf } from '#api/quantity.ts';
import { ApiError } from '#api/status.ts';
import { fromTime, toTime } from '#base/clock.ts';
import { storeKey } from './keys.ts';
import { type Selection, selectionOf } from './read.ts';
import type { RegistryDeps } from './registry.ts';

export const isMetrics = (kind: Kind): boolean => kind.group === podMetricsKind.group;

/** All metrics of that kind that the selection picks, in the order of their names. */
export const listMetrics = async (
  deps: RegistryDeps,
  kind: Kind,
  selection: Selection,
): Promise<readonly (NodeMetrics | PodMetrics)[]> => {
  const { matches } = selectionOf(kind, selection);
  const usages = await deps.usage();
  const objects: readonly (NodeMetrics | PodMetrics)[] =
    kind === nodeMetricsKind
      ? usages.map(usage => nodeMetrics(usage, labelsOf(deps, nodeKind, { name: usage.node })))
      : usages
          .flatMap(usage => usage.pods)
          .filter(({ namespace }) => selection.namespace === undefined || selection.namespace === namespace)
          .flatMap(usage => podMetricsOf(deps, usage));
  const key = ({ metadata: { namespace = '', name } }: KubeObject) => `${namespace}/${name}`;
  return objects.filter(object => matches === undefined || matches(object)).sort((a, b) => (key(a) < key(b) ? -1 : 1));
};

/** Throws NotFound, in metrics-server's words. */
export const getMetrics = async (deps: RegistryDeps, kind: Kind, ref: ObjectRef): Promise<NodeMetrics | PodMetrics> => {
  const objects = await listMetrics(deps, kind, ref.namespace === undefined ? {} : { namespace: ref.namespace });
  const found = objects.find(({ metadata }) => metadata.name === ref.name);
  if (found !== undefined) return found;
  const shown = kind === podMetricsKind ? `${ref.namespace}/${ref.name}` : ref.name;
  const resource = kind === podMetricsKind ? 'podmetrics' : 'nodemetrics';
  throw new ApiError({
    code: 404,
    reason: 'NotFound',
    message: `${resource}.metrics.k8s.io ${JSON.stringify(shown)} not found`,
    details: { name: shown, group: 'metrics.k8s.io', kind: resource },
  });
};

const labelsOf = ({ store }: RegistryDeps, kind: Kind, ref: ObjectRef) =>
  store.get(storeKey(kind, ref))?.value.metadata.labels;

type ObjectLabels = Record<string, string> | undefined;

const nodeMetrics = (usage: NodeUsage, labels: ObjectLabels): NodeMetrics => ({
  kind: nodeMetricsKind.kind,
  ...measured({ name: usage.node }, usage, labels),
  usage: usageOf(usage),
});

/** The pod's metrics, unless the usage is that of an earlier pod of this name. */
const podMetricsOf = (deps: RegistryDeps, usage: PodUsage): readonly PodMetrics[] => {
  const ref = { namespace: usage.namespace, name: usage.name };
  const pod = deps.store.get(storeKey(podKind, ref))?.value;
  if (pod?.metadata.uid !== usage.uid) return [];
  const containers = usage.containers.map(container => ({ name: container.name, usage: usageOf(container) }));
  return [{ kind: podMetricsKind.kind, ...measured(ref, usage, pod.metadata.labels), containers }];
};

/** What node and pod metrics have in common. */
const measured = (ref: ObjectRef, { timestamp, windowMs }: NodeUsage | PodUsage, labels: ObjectLabels) => ({
  apiVersion: 'metrics.k8s.io/v1beta1',
  metadata: { ...ref, ...(labels === undefined ? {} : { labels }), creationTimestamp: timestamp },
  timestamp: wholeSeconds(timestamp),
  window: windowText(windowMs),
});

const usageOf = (usage: { cpuNanoCores: number; memoryWorkingSetBytes: number }) => ({
  cpu: canonicalQuantity(`${Math.round(usage.cpuNanoCores)}n`),
  memory: quantityOf(Math.round(usage.memoryWorkingSetBytes), 'BinarySI'),
});

const wholeSeconds = (time: string): string => toTime(fromTime(time));

/** A Go duration in seconds: `15.027s`. */
const windowText = (ms: number): string => `${Math.round(ms) / 1000}s`;
