/**
 * What a pod asks for and may use in all: containers, init containers, sidecars, overhead, pod-level resources and
 * in-place resize, per SEMANTICS B.1, B.3, B.4 and B.6 (component-helpers resource.PodRequests and PodLimits).
 * Sums are exact and rounded once per pod. The scheduler asks for every pod, so a pod of one plain container is read
 * without any sum, and plain quantities are summed as numbers.
 */
import type { Container, ContainerStatus, Pod } from './kinds/core.ts';
import {
  addQuantities,
  compareQuantities,
  exactMilli,
  isZero,
  maxQuantity,
  milliValue,
  wholeValue,
} from './quantity.ts';

export type ResourceList = Record<string, string>;

export interface RequestOptions {
  /**
   * Count what a resize has asked for, the node has granted and the container has, whichever is most. For pods that
   * are on a node; the pod being placed is counted by its spec alone.
   */
  readonly useStatus?: boolean;
}

/** Amounts by resource name: cpu in millicores, everything else in whole units (bytes, pieces), rounded up per pod. */
export type Amounts = ReadonlyMap<string, number>;

/** Requests assumed for scoring where a container states none (an explicit 0 stays 0). */
export const assumedCpu = '100m';
export const assumedMemory = '200Mi';

/** The pod's effective requests. Values keep their spelling where nothing had to be added. */
export const podRequests = (pod: Pod, options: RequestOptions = {}): ResourceList =>
  plainContainer(pod, options)?.resources?.requests ?? { ...Object.fromEntries(effective(pod, options, texts, {})) };

/** The pod's effective requests as numbers, for arithmetic over many pods. */
export const podRequestAmounts = (pod: Pod, options: RequestOptions = {}): Amounts => amounts(pod, options, {});

/** The pod's effective limits; overhead is added to a limit only where there is one. */
export const podLimits = (pod: Pod, options: RequestOptions = {}): ResourceList => {
  const total = aggregate(pod, texts, container => limitsOf(pod, container, options));
  override(total, texts, pod.spec.resources?.limits);
  for (const [name, amount] of Object.entries(pod.spec.overhead ?? {})) {
    const limit = total.get(name);
    if (limit !== undefined && !isZero(limit)) total.set(name, addQuantities(limit, amount));
  }
  return Object.fromEntries(total);
};

/** cpu and memory as NodeResourcesFit scores them: with assumed requests for containers that state none. */
export const nonZeroRequests = (
  pod: Pod,
  options: RequestOptions = {},
): { readonly cpuMilli: number; readonly memoryBytes: number } => {
  const plain = plainContainer(pod, options);
  if (plain !== undefined) {
    const requests = plain.resources?.requests;
    return {
      cpuMilli: milliValue(requests?.['cpu'] ?? assumedCpu),
      memoryBytes: wholeValue(requests?.['memory'] ?? assumedMemory),
    };
  }
  const total = amounts(pod, options, assumedFor(pod, options));
  return { cpuMilli: total.get('cpu') ?? 0, memoryBytes: total.get('memory') ?? 0 };
};

/** Requests of one container of a pod, with a resize counted as `options` say. */
export const containerRequests = (pod: Pod, container: Container, options: RequestOptions = {}): ResourceList =>
  requestsOf(pod, container, options) ?? {};

/** Sum over the containers alone, without pod-level resources and overhead (what pod-level requests must cover). */
export const aggregateContainerRequests = (pod: Pod): ResourceList =>
  Object.fromEntries(aggregate(pod, texts, container => container.resources?.requests));

/** As aggregateContainerRequests, for limits. */
export const aggregateContainerLimits = (pod: Pod): ResourceList =>
  Object.fromEntries(aggregate(pod, texts, container => container.resources?.limits));

/** True for an init container that keeps running beside the others. */
export const isSidecar = (container: Pick<Container, 'restartPolicy'>): boolean => container.restartPolicy === 'Always';

/** Resources that `spec.resources` may state for the pod as a whole. */
export const isPodLevelResource = (name: string): boolean =>
  name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');

/** True when pod-level requests replace those of the containers. */
export const hasPodLevelRequests = (pod: Pod): boolean =>
  Object.keys(pod.spec.resources?.requests ?? {}).some(isPodLevelResource);

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-');

type List = Readonly<Record<string, string>> | undefined;

/** How amounts are held while they are summed: as texts (any quantity, exact) or as milli in doubles (plain ones). */
interface Arithmetic<T> {
  readonly read: (text: string) => T;
  readonly add: (a: T, b: T) => T;
  readonly max: (a: T, b: T) => T;
}

const texts: Arithmetic<string> = { read: text => text, add: addQuantities, max: maxQuantity };

// NaN marks what a double cannot hold exactly; it spreads through sums and sends the pod to the exact path.
const millis: Arithmetic<number> = {
  read: text => {
    const milli = exactMilli(text);
    return milli >= 0 ? milli : Number.NaN;
  },
  add: (a, b) => a + b,
  max: Math.max,
};

/** The only container of a pod for which there is nothing to sum. */
const plainContainer = (pod: Pod, options: RequestOptions): Container | undefined => {
  const { containers, initContainers, resources, overhead } = pod.spec;
  if (containers.length !== 1 || (initContainers !== undefined && initContainers.length > 0)) return undefined;
  if (resources !== undefined || overhead !== undefined) return undefined;
  if (options.useStatus && pod.status?.containerStatuses?.[0]?.resources !== undefined) return undefined;
  return containers[0];
};

const amounts = (pod: Pod, options: RequestOptions, assumed: ResourceList): Amounts => {
  const plain = Object.keys(assumed).length === 0 ? plainContainer(pod, options) : undefined;
  const result = new Map<string, number>();
  if (plain !== undefined) {
    const requests = plain.resources?.requests;
    for (const name in requests) result.set(name, amountOf(name, requests[name]!));
    return result;
  }
  const summed = effective(pod, options, millis, assumed);
  let exact = true;
  for (const [name, milli] of summed) {
    if (!(milli <= Number.MAX_SAFE_INTEGER)) exact = false;
    result.set(name, name === 'cpu' ? milli : Math.ceil(milli / 1000));
  }
  if (exact) return result;
  for (const [name, text] of effective(pod, options, texts, assumed)) result.set(name, amountOf(name, text));
  return result;
};

const amountOf = (name: string, text: string): number => (name === 'cpu' ? milliValue(text) : wholeValue(text));

/** With pod-level requests a default is assumed only for what the pod does not request in all. */
const assumedFor = (pod: Pod, options: RequestOptions): ResourceList => {
  const all: ResourceList = { cpu: assumedCpu, memory: assumedMemory };
  if (!hasPodLevelRequests(pod)) return all;
  const stated = podRequests(pod, options);
  return Object.fromEntries(Object.entries(all).filter(([name]) => stated[name] === undefined));
};

const effective = <T>(
  pod: Pod,
  options: RequestOptions,
  arithmetic: Arithmetic<T>,
  assumed: ResourceList,
): Map<string, T> => {
  const total = aggregate(pod, arithmetic, container => {
    const stated = requestsOf(pod, container, options);
    return stated === undefined ? assumed : { ...assumed, ...stated };
  });
  override(total, arithmetic, pod.spec.resources?.requests);
  addList(total, pod.spec.overhead, arithmetic);
  return total;
};

/** max(all that run together, each init container with the sidecars before it), per resource. */
const aggregate = <T>(pod: Pod, arithmetic: Arithmetic<T>, listOf: (container: Container) => List): Map<string, T> => {
  const together = new Map<string, T>();
  for (const container of pod.spec.containers) addList(together, listOf(container), arithmetic);
  const sidecars = new Map<string, T>();
  const most = new Map<string, T>();
  for (const container of pod.spec.initContainers ?? []) {
    const list = listOf(container);
    if (isSidecar(container)) {
      addList(together, list, arithmetic);
      addList(sidecars, list, arithmetic);
      maxMap(most, sidecars, arithmetic);
    } else {
      const alone = new Map<string, T>();
      addList(alone, list, arithmetic);
      for (const [name, amount] of sidecars) addAmount(alone, name, amount, arithmetic);
      maxMap(most, alone, arithmetic);
    }
  }
  maxMap(together, most, arithmetic);
  return together;
};

const override = <T>(total: Map<string, T>, arithmetic: Arithmetic<T>, podLevel: List): void => {
  for (const [name, text] of Object.entries(podLevel ?? {}))
    if (isPodLevelResource(name)) total.set(name, arithmetic.read(text));
};

const addList = <T>(into: Map<string, T>, list: List, arithmetic: Arithmetic<T>): void => {
  for (const name in list) addAmount(into, name, arithmetic.read(list[name]!), arithmetic);
};

const addAmount = <T>(into: Map<string, T>, name: string, amount: T, arithmetic: Arithmetic<T>): void => {
  const present = into.get(name);
  into.set(name, present === undefined ? amount : arithmetic.add(present, amount));
};

const maxMap = <T>(into: Map<string, T>, other: ReadonlyMap<string, T>, arithmetic: Arithmetic<T>): void => {
  for (const [name, amount] of other) {
    const present = into.get(name);
    into.set(name, present === undefined ? amount : arithmetic.max(present, amount));
  }
};

/** SEMANTICS B.4: spec, actual and granted, whichever is most; without the spec when the resize cannot be done. */
const requestsOf = (pod: Pod, container: Container, options: RequestOptions): List => {
  const stated = container.resources?.requests;
  const status = resizable(pod, container, options);
  if (status?.resources === undefined) return stated;
  const granted = maxLists(status.resources.requests, status.allocatedResources);
  return resizeInfeasible(pod) ? granted : maxLists(stated, granted);
};

const limitsOf = (pod: Pod, container: Container, options: RequestOptions): List => {
  const stated = container.resources?.limits;
  const status = resizable(pod, container, options);
  if (status?.resources === undefined) return stated;
  return resizeInfeasible(pod) ? status.resources.limits : maxLists(stated, status.resources.limits);
};

/** The status that counts for a container: none for init containers that end. */
const resizable = (pod: Pod, container: Container, options: RequestOptions): ContainerStatus | undefined => {
  if (!options.useStatus || pod.status === undefined) return undefined;
  if (pod.spec.containers.includes(container))
    return pod.status.containerStatuses?.find(status => status.name === container.name);
  if (!isSidecar(container)) return undefined;
  return pod.status.initContainerStatuses?.find(status => status.name === container.name);
};

const resizeInfeasible = (pod: Pod): boolean =>
  pod.status?.conditions?.some(
    condition => condition.type === 'PodResizePending' && condition.reason === 'Infeasible',
  ) ?? false;

const maxLists = (a: List, b: List): List => {
  if (a === undefined || b === undefined) return a ?? b;
  const most: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b)) {
    const other = most[name];
    if (other === undefined || compareQuantities(amount, other) > 0) most[name] = amount;
  }
  return most;
};
