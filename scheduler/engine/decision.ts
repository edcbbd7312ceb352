/** What one attempt to place a pod came to (upstream: ScheduleResult, or FitError with its diagnosis), as plain values. */
import type { PodView } from './shapes/shape.ts';

export interface Decision {
  readonly pod: PodView;
  readonly outcome: 'scheduled' | 'unschedulable' | 'gated';
  /** The node taken: row and name. */
  readonly node?: { readonly slot: number; readonly name: string };
  /** Number of nodes that the pod fits on, among those looked at. */
  readonly feasible: number;
  /** Total score of the node taken, and how many nodes share it; absent where no scoring was needed. */
  readonly score?: number;
  readonly ties?: number;
  readonly shortcut?: 'singleFeasible' | 'nominatedNode';
  /** Why no node was taken. */
  readonly failure?: Failure;
}

/** The pod goes to the node of this row. */
export const scheduledOn = (
  slot: number,
  pod: PodView,
  names: readonly string[],
  how: Pick<Decision, 'feasible' | 'score' | 'ties' | 'shortcut'>,
): Decision => ({ pod, outcome: 'scheduled', node: { slot, name: names[slot]! }, ...how });

/** The pod fits nowhere. */
export const unschedulable = (pod: PodView, failure: Failure): Decision => ({
  pod,
  outcome: 'unschedulable',
  feasible: 0,
  failure,
});

/** Why a pod has no node. */
export interface Failure {
  /** Rejected before any node was looked at. */
  readonly preFilter?: Rejection;
  /** Held back by its scheduling gates. */
  readonly preEnqueue?: Rejection;
  /** Names of the plugins that refused nodes: only what changes their mind can help. */
  readonly plugins: readonly string[];
  /** Text of the PodScheduled condition, before what preemption adds; empty for gated pods. */
  readonly message: string;
  /** Reasons, and how many nodes gave each, when nodes were looked at. */
  readonly reasons?: ReadonlyMap<string, number>;
  /** What each node said, when nodes were looked at. */
  readonly verdicts?: Verdicts;
}

/** A plugin's refusal of the pod as such. */
export interface Rejection {
  readonly plugin: string;
  readonly code: 'Unschedulable' | 'UnschedulableAndUnresolvable';
  readonly reasons: readonly string[];
}

/** Every node's verdict on a pod, made for explanations and for preemption. */
export interface Verdicts {
  /** By row: 0 fits, else a code of the profile's `verdicts`; `noNode` for rows without a node. */
  readonly codes: Uint8Array;
  /** Reasons of rows that refuse because of pods nominated to them. */
  readonly reasons: ReadonlyMap<number, readonly string[]>;
  /** The pod is restricted to these rows; the others were not looked at. */
  readonly restrictedTo: readonly number[] | undefined;
}

/** One decision as it is told to others (GET /apis/berth.dev/v1/decisions). */
export interface DecisionRecord {
  readonly time: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** From 1, counted since the scheduler first saw the pod. */
  readonly attempt: number;
  /** The decision was made on the cluster as of this revision at least. */
  readonly revision: number;
  readonly outcome: Decision['outcome'] | 'error';
  readonly durationMs: number;
  /** Of a pod that was placed: how many nodes it fitted on, the one taken, its total, and how many shared that. */
  readonly feasible?: number;
  readonly node?: string;
  readonly score?: number;
  readonly ties?: number;
  /** Of a pod that was not: the sentence of its condition. */
  readonly message?: string;
  /** Reasons of nodes, and how many nodes gave each. */
  readonly reasons?: Readonly<Record<string, number>>;
  /** What preemption did about it. */
  readonly nominatedNode?: string;
  /** `namespace/name` */
  readonly victims?: readonly string[];
}
