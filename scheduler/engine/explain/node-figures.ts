/** Everything about one node that decides whether a pod fits there. */
import type { Columns } from '../columns/columns.ts';
import { Engine } from '../engine.ts';
import type { Profile } from '../profile.ts';
import type { PodView } from '../shapes/shape.ts';
import { judgeEach, reservedAmount } from './judged.ts';
import type { Obstacle } from './obstacle.ts';
import { obstaclesOf } from './obstacles.ts';

export interface NodeFigures {
  readonly node: string;
  readonly pods: { readonly used: number; readonly limit: number };
  /** What the pod asks for, and cpu and memory in any case; in the engine's units. */
  readonly resources: readonly ResourceFigures[];
  readonly taints: readonly string[];
  readonly cordoned: boolean;
  /** Each filter of the profile that had something to check. */
  readonly filters: readonly { readonly name: string; readonly obstacles: readonly Obstacle[] }[];
  /** Pods nominated to the node for which room is kept. */
  readonly nominated: readonly string[];
  /** The pods on it that take most of what the pod lacks there, or of cpu; some of them. */
  readonly largest: readonly PodFigures[];
}

export interface PodFigures {
  readonly pod: string;
  readonly priority: number;
  /** What the node has set aside for it, of each of `resources`. */
  readonly amounts: readonly number[];
}

const mostPods = 10;

export interface ResourceFigures {
  readonly resource: string;
  readonly asked: number;
  readonly allocatable: number;
  readonly used: number;
  readonly reserved: number;
  readonly free: number;
}

/** Undefined when there is no such node. */
export const nodeFigures = (
  pod: PodView,
  columns: Columns,
  profile: Profile,
  name: string,
): NodeFigures | undefined => {
  const row = columns.slotOf(name);
  if (row < 0) return undefined;
  const judged = judgeEach(pod, Engine.of(columns, profile));
  const { amounts } = pod.shape.usage.requests;
  const resources = [...new Set(['cpu', 'memory', ...amounts.keys()])].map((resource): ResourceFigures => {
    const column = columns.resource(resource);
    const allocatable = columns.allocatable[column]![row]!;
    const used = columns.used[column]![row]!;
    const reserved = reservedAmount(judged, row, column);
    return {
      resource,
      asked: amounts.get(resource) ?? 0,
      allocatable,
      used,
      reserved,
      free: allocatable - used - reserved,
    };
  });
  const left = judged.allowed === undefined || judged.allowed.has(row);
  const outside: Obstacle = { plugin: 'NodeAffinity', is: 'leftOut' };
  return {
    node: name,
    pods: { used: columns.podCount[row]!, limit: columns.podLimit[row]! },
    resources,
    taints: (columns.nodes[row]?.spec?.taints ?? []).map(
      ({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`,
    ),
    cordoned: columns.unschedulable[row] === 1,
    filters: [
      ...(left ? [] : [{ name: 'NodeAffinity (names)', obstacles: [outside] }]),
      ...judged.filters.map(filter => ({
        name: filter.name,
        obstacles: filter.codes[row] === 0 ? [] : obstaclesOf(judged, filter, row),
      })),
    ],
    nominated: (judged.reserved.get(row) ?? []).map(({ key }) => key),
    largest: largestOn(columns.podsOn[row]!, resources),
  };
};

const largestOn = (
  pods: readonly { readonly view: PodView }[],
  resources: readonly ResourceFigures[],
): readonly PodFigures[] => {
  const scarce = resources.findIndex(({ asked, free }) => asked > 0 && asked > free);
  const by = Math.max(0, scarce);
  const figures = pods.map(({ view: { key, priority, shape } }) => ({
    pod: key,
    priority,
    amounts: resources.map(({ resource }) => shape.usage.requests.amounts.get(resource) ?? 0),
  }));
  return figures
    .sort((a, b) => b.amounts[by]! - a.amounts[by]! || a.priority - b.priority || (a.pod < b.pod ? -1 : 1))
    .slice(0, mostPods);
};
