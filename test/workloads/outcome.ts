/** How a cluster stands after a workload ran, and what can be checked of any: from the objects alone, computed plainly. */
import { expect } from 'vitest';
import type { Node, Pod } from '#api/kinds/core.ts';
import { milliValue, wholeValue } from '#api/quantity.ts';
import { podRequests } from '#api/resources.ts';

export interface Outcome {
  readonly nodes: readonly Node[];
  /** Pods that were there before, each as it is now. */
  readonly init: readonly Pod[];
  /** The measured ones; those that were placed first, in that order. */
  readonly measured: readonly Pod[];
}

const amountOf = (resource: string, quantity: string): number =>
  resource === 'cpu' ? milliValue(quantity) : wholeValue(quantity);

/** Pods by the node they are on; a node without pods is there too. */
export const podsByNode = ({ nodes, init, measured }: Outcome): ReadonlyMap<string, readonly Pod[]> => {
  const byNode = new Map<string, Pod[]>(nodes.map(({ metadata }) => [metadata.name, []]));
  for (const pod of [...init, ...measured]) if (pod.spec.nodeName) byNode.get(pod.spec.nodeName)?.push(pod);
  return byNode;
};

/** No node holds more than it has. */
export const expectRoom = (outcome: Outcome): void => {
  const byNode = podsByNode(outcome);
  for (const { metadata, status } of outcome.nodes) {
    const pods = byNode.get(metadata.name) ?? [];
    const used: Record<string, number> = { pods: pods.length };
    for (const pod of pods)
      for (const [resource, quantity] of Object.entries(podRequests(pod)))
        used[resource] = (used[resource] ?? 0) + amountOf(resource, quantity);
    for (const [resource, amount] of Object.entries(used))
      expect(amount, `${resource} on ${metadata.name}`).toBeLessThanOrEqual(
        amountOf(resource, status?.allocatable?.[resource] ?? '0'),
      );
  }
};

/** Every measured pod is bound, and to a node that has room for all that it holds. */
export const expectAllBound = (outcome: Outcome): void => {
  const { nodes, measured } = outcome;
  const names = new Set(nodes.map(({ metadata }) => metadata.name));
  expect(measured.length).toBeGreaterThan(0);
  expect(measured.filter(({ spec }) => !names.has(spec.nodeName ?? '')).map(({ metadata }) => metadata.name)).toEqual(
    [],
  );
  expectRoom(outcome);
};

/** How many pods with that colour each node holds. */
export const colourCounts = (outcome: Outcome, color: string): readonly number[] =>
  [...podsByNode(outcome).values()].map(
    pods => pods.filter(({ metadata }) => metadata.labels?.['color'] === color).length,
  );
