/** What `berth why` found out, as plain data: what `-o json` prints, and what text.ts words. */

import type { DecisionRecord } from '#engine/decision.ts';
import type { Change } from '#engine/explain/changes.ts';
import type { NodeFigures } from '#engine/explain/node-figures.ts';
import type { Explanation } from '#engine/explain/why.ts';

/** `gone`: only the ledger knows it; `over`: it has ended; `unowned`: no profile has its schedulerName; `waiting`: evictions for it are under way. */
export type PodState = 'gone' | 'scheduled' | 'pending' | 'waiting' | 'gated' | 'deleting' | 'over' | 'unowned';

export interface WhyReport {
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  /** '' of a pod that is gone; so is its phase. */
  readonly schedulerName: string;
  readonly state: PodState;
  /** The node it is on, or nominated to. */
  readonly node?: string;
  /** Pods that must leave first, of a pod that is waiting. */
  readonly leaving?: readonly string[];
  readonly phase: string;
  /** Why it has ended, where its node says so: `OutOfcpu`, `Evicted`. */
  readonly reason?: string;
  readonly message?: string;
  /** Present when true: it has a node and is on its way out. */
  readonly deleting?: boolean;
  /** Names of its scheduling gates; while there are any, what follows is as if there were none. */
  readonly gates?: readonly string[];
  readonly lastAttempt?: LastAttempt;
  /** The same decision on the cluster as it is now. */
  readonly now?: Explanation;
  /** Instead of that: a plugin of the user's own failed, and so would the scheduler's attempt. */
  readonly failure?: string;
  /** Of a pod that a resize is under way for: what its node has set aside for it, where that is not what it asks for. */
  readonly holds?: readonly { readonly resource: string; readonly amount: number }[];
  /** `--node` */
  readonly figures?: NodeFigures;
  /** The smallest changes that were tried and made it fit. */
  readonly changes?: readonly Change[];
  /** Oldest first. */
  readonly history?: readonly DecisionRecord[];
  readonly notes: readonly string[];
}

export interface LastAttempt {
  /** Milliseconds; undefined when the cluster does not say. */
  readonly atMs?: number;
  readonly message: string;
  /** From the events: how often such an attempt was made, and since when. */
  readonly times?: number;
  readonly sinceMs?: number;
  readonly record?: DecisionRecord;
}
