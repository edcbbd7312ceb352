/** What a pod asks for, in the units that the engine counts in: cpu in milli, everything else in whole units. */
import type { Container, ContainerStatus, Pod } from '#api/kinds/core.ts';
import { milliValue, wholeValue } from '#api/quantity.ts';
import { type Amounts, nonZeroRequests, podRequestAmounts } from '#api/resources.ts';

export interface Requests {
  /** An entry for every resource that the pod names, zero included. */
  readonly amounts: Amounts;
  /** With 100m / 200Mi in place of what a container leaves out; only scoring by allocation reads these. */
  readonly nonZeroCpuMilli: number;
  readonly nonZeroMemoryBytes: number;
}

/** `placed`: the pod is on a node, so what it holds there (allocated, actual) counts too (SEMANTICS B.4). */
export const requestsOf = (pod: Pod, placed: boolean): Requests => {
  const options = { useStatus: placed };
  const nonZero = nonZeroRequests(pod, options);
  return {
    amounts: podRequestAmounts(pod, options),
    nonZeroCpuMilli: nonZero.cpuMilli,
    nonZeroMemoryBytes: nonZero.memoryBytes,
  };
};

/**
 * What NodeResourcesFit scores a pod to be placed by: its containers and overhead alone. Upstream's scorer leaves
 * pod-level requests out (its filter, its balance score and the accounting of placed pods count them), seen in v1.35.4.
 */
export const scoredRequests = (pod: Pod, requests: Requests): Requests => {
  if (pod.spec.resources === undefined) return requests;
  const { resources: _, ...spec } = pod.spec;
  return requestsOf({ ...pod, spec }, false);
};

/**
 * What tells a placed pod apart from others of its spec because it is being resized: what its containers were granted and have,
 * and whether the resize is infeasible. Undefined, as for nearly all pods, where the statuses repeat what the spec states.
 */
export const resizeOf = (pod: Pod): unknown => {
  const { containerStatuses = [], initContainerStatuses = [], conditions = [] } = pod.status ?? {};
  const { containers, initContainers = [] } = pod.spec;
  const isAsStated =
    containerStatuses.every(repeats(containers)) && initContainerStatuses.every(repeats(initContainers));
  const pending = conditions.find(({ type }) => type === 'PodResizePending')?.reason;
  if (isAsStated && pending === undefined) return undefined;
  const held = (statuses: readonly ContainerStatus[]) =>
    statuses.map(({ name, resources, allocatedResources }) => [name, resources?.requests, allocatedResources]);
  return [held(containerStatuses), held(initContainerStatuses), pending];
};

const repeats =
  (containers: readonly Container[]) =>
  ({ name, resources, allocatedResources }: ContainerStatus): boolean => {
    if (resources === undefined) return true;
    const stated = JSON.stringify(containers.find(container => container.name === name)?.resources?.requests ?? {});
    return [resources.requests, allocatedResources].every(
      list => list === undefined || JSON.stringify(list) === stated,
    );
  };

/** A quantity in the unit that the engine counts `resource` in, rounded up. */
export const amountOf = (resource: string, quantity: string): number =>
  resource === 'cpu' ? milliValue(quantity) : wholeValue(quantity);
