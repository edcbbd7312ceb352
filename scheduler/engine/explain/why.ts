/**
 * Why a pod goes where it goes, or nowhere: the decision made once more, with every number behind it. Pure: it reads the
 * columns and a profile, and costs nothing unless somebody asks. What it gives is plain data, bounded whatever the
 * cluster's size: nodes come in groups, with some of each group by name.
 */
import type { Columns } from '../columns/columns.ts';
import type { Decision } from '../decision.ts';
import { Engine } from '../engine.ts';
import type { Profile } from '../profile.ts';
import { schedule } from '../schedule.ts';
import type { PodView } from '../shapes/shape.ts';
import { byDistance, distances } from './distance.ts';
import { groupsOf, type VerdictGroup } from './groups.ts';
import { type Judged, judgeEach } from './judged.ts';
import type { Obstacle } from './obstacle.ts';
import { obstaclesOn } from './obstacles.ts';
import { type PushingOut, pushingOut } from './pushing-out.ts';
import { type ScoreTable, scoreTable } from './scores.ts';

export interface Explanation {
  readonly outcome: Decision['outcome'];
  /** The sentence of the FailedScheduling event; for gated pods what they wait for; empty when the pod fits. */
  readonly message: string;
  /** What the pod asks for, in the engine's units. */
  readonly asks: readonly { readonly resource: string; readonly amount: number }[];
  /** Ports of the node that it asks for. */
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
  readonly nodes: number;
  readonly feasible: number;
  /** Filters that had something to check. */
  readonly filters: readonly string[];
  /** Nearest to fitting first. */
  readonly groups: readonly VerdictGroup[];
  /** Single nodes, the nearest to fitting first: all of them in a small cluster. */
  readonly verdicts: readonly NodeVerdict[];
  /** Present when the pod fits somewhere. */
  readonly scores?: ScoreTable;
  /** The node taken: by the scheduler any of `ties` equally good ones. */
  readonly chosen?: { readonly node: string; readonly ties: number; readonly shortcut?: Decision['shortcut'] };
  /** Present when no node fits and nodes were looked at. */
  readonly preemption?: PushingOut;
  /** True when the profile looks at part of the nodes only: the scheduler may have seen fewer than are shown. */
  readonly sampled: boolean;
}

export interface NodeVerdict {
  readonly node: string;
  readonly fits: boolean;
  readonly distance: number;
  /** Filters that refuse the node. */
  readonly refusedBy: readonly string[];
  readonly obstacles: readonly Obstacle[];
}

export interface WhyOptions {
  /** Nodes that are shown one by one. */
  readonly limit: number;
  /** Names of nodes to show whatever their place. */
  readonly nodes?: readonly string[];
  readonly nowMs: number;
}

/** The pod as it is to be scheduled: without a node, and not among the placed pods of the columns. */
export const explain = (pod: PodView, columns: Columns, profile: Profile, options: WhyOptions): Explanation => {
  const decision = schedule(pod, columns, profile);
  const { failure } = decision;
  const base = {
    outcome: decision.outcome,
    asks: [...pod.shape.usage.requests.amounts].map(([resource, amount]) => ({ resource, amount })),
    ports: pod.shape.ports.map(({ port, protocol }) => ({ port, protocol })),
    nodes: columns.count,
    sampled: profile.percentageOfNodesToScore !== 100,
  };
  if (failure?.preEnqueue !== undefined)
    return {
      ...base,
      message: failure.preEnqueue.reasons.join(', '),
      feasible: 0,
      filters: [],
      groups: [],
      verdicts: [],
    };
  const engine = Engine.of(columns, profile);
  const preemption = decision.node === undefined ? pushingOut(decision, engine, options.nowMs) : undefined;
  const message = failure === undefined ? '' : failure.message + (preemption?.raw.suffix ?? '');
  if (columns.count === 0 || failure?.preFilter !== undefined)
    return { ...base, message, feasible: 0, filters: [], groups: [], verdicts: [] };
  const judged = judgeEach(pod, engine);
  const distance = distances(judged);
  const order = byDistance(judged, distance);
  const also = new Set((options.nodes ?? []).map(name => columns.slotOf(name)));
  const scores = scoreTable(judged, options.limit, also);
  const { chosen } = { chosen: decision.node };
  return {
    ...base,
    message,
    feasible: order.filter(row => judged.refusals[row] === 0).length,
    filters: judged.filters.map(({ name }) => name),
    groups: groupsOf(judged, order, distance),
    verdicts: verdictsOf(judged, order, { distance, also, limit: options.limit }),
    ...(scores === undefined ? {} : { scores }),
    ...(chosen === undefined
      ? {}
      : {
          chosen: {
            node: chosen.name,
            ties: decision.ties ?? 1,
            ...(decision.shortcut === undefined ? {} : { shortcut: decision.shortcut }),
          },
        }),
    ...(preemption === undefined ? {} : { preemption: withoutRaw(preemption) }),
  };
};

const withoutRaw = ({ raw: _, ...shown }: PushingOut & { raw: unknown }): PushingOut => shown;

interface Shown {
  readonly distance: Float64Array;
  readonly also: ReadonlySet<number>;
  readonly limit: number;
}

const verdictsOf = (judged: Judged, order: Uint32Array, { distance, also, limit }: Shown): readonly NodeVerdict[] =>
  [...order]
    .filter((row, i) => i < limit || also.has(row))
    .map(row => ({
      node: judged.columns.names[row]!,
      fits: judged.refusals[row] === 0,
      distance: distance[row]!,
      refusedBy: judged.filters.filter(({ codes }) => codes[row] !== 0).map(({ name }) => name),
      obstacles: judged.refusals[row] === 0 ? [] : obstaclesOn(judged, row),
    }));
