/** Pods with smaller requests: the containers' requests are lowered so that the pod as a whole asks for a given amount. */
import type { Container, Pod, ResourceRequirements } from '#api/kinds/core.ts';
import { isPodLevelResource, isSidecar } from '#api/resources.ts';
import { amountOf } from '../requests.ts';
import { exactAmount } from './amounts.ts';

/**
 * A copy of the pod that asks for `target` of the resource in all, overhead included; undefined when overhead alone is
 * more. The largest containers give first. What the status says of granted resources is left out: it would still count.
 */
export const withRequest = (pod: Pod, resource: string, target: number): Pod | undefined => {
  const { spec } = pod;
  const room = target - amountIn(spec.overhead, resource);
  if (room < 0) return undefined;
  const wanted = new Map<Container, number>();
  const init = spec.initContainers ?? [];
  lower([...spec.containers, ...init.filter(isSidecar)], resource, { room, wanted });
  let sidecars = 0;
  for (const container of init) {
    const own = wanted.get(container) ?? amountIn(container.resources?.requests, resource);
    if (isSidecar(container)) sidecars += own;
    else if (own + sidecars > room) wanted.set(container, Math.max(0, room - sidecars));
  }
  const change = (container: Container): Container => {
    const amount = wanted.get(container);
    return amount === undefined
      ? container
      : { ...container, resources: stated(container.resources, resource, amount) };
  };
  const { resources } = spec;
  const isTotal = isPodLevelResource(resource) && resources?.requests?.[resource] !== undefined;
  return {
    ...pod,
    spec: {
      ...spec,
      containers: spec.containers.map(change),
      ...(spec.initContainers === undefined ? {} : { initContainers: init.map(change) }),
      ...(isTotal ? { resources: stated(resources, resource, room) } : {}),
    },
    ...(pod.status === undefined ? {} : { status: withoutGranted(pod.status) }),
  };
};

const amountIn = (list: Readonly<Record<string, string>> | undefined, resource: string): number =>
  list?.[resource] === undefined ? 0 : amountOf(resource, list[resource]);

/** Takes from the largest first until the sum is within the room. */
const lower = (
  containers: readonly Container[],
  resource: string,
  { room, wanted }: { room: number; wanted: Map<Container, number> },
): void => {
  const amounts = containers.map(container => ({ container, own: amountIn(container.resources?.requests, resource) }));
  let excess = amounts.reduce((sum, { own }) => sum + own, 0) - room;
  for (const { container, own } of amounts.sort((a, b) => b.own - a.own)) {
    if (excess <= 0) return;
    const taken = Math.min(own, excess);
    wanted.set(container, own - taken);
    excess -= taken;
  }
};

/** Of extended resources and huge pages, requests and limits must be the same. */
const stated = (
  resources: ResourceRequirements | undefined,
  resource: string,
  amount: number,
): ResourceRequirements => {
  const text = exactAmount(resource, amount);
  const isFixed = resource.includes('/') || resource.startsWith('hugepages-');
  const hasLimit = resources?.limits?.[resource] !== undefined;
  return {
    ...resources,
    requests: { ...resources?.requests, [resource]: text },
    ...(isFixed && hasLimit ? { limits: { ...resources?.limits, [resource]: text } } : {}),
  };
};

const withoutGranted = (status: NonNullable<Pod['status']>): NonNullable<Pod['status']> => {
  const { containerStatuses, initContainerStatuses, ...rest } = status;
  const bare = (list: typeof containerStatuses) => list?.map(({ resources: _, allocatedResources: __, ...one }) => one);
  return {
    ...rest,
    ...(containerStatuses === undefined ? {} : { containerStatuses: bare(containerStatuses) ?? [] }),
    ...(initContainerStatuses === undefined ? {} : { initContainerStatuses: bare(initContainerStatuses) ?? [] }),
  };
};
