/** What preemption would do for a pod that fits nowhere: who would have to go from where, or why nobody can. */
import type { Decision } from '../decision.ts';
import type { Engine } from '../engine.ts';
import { type Preemption, preempt } from '../preemption/preempt.ts';
import type { Candidate } from '../preemption/victims.ts';

export interface PushingOut {
  /** Why the pod may push nobody out at all. */
  readonly ineligible?: string;
  /** Nodes where it would help, the scheduler's choice first; some of them. */
  readonly candidates: readonly PushedNode[];
  readonly candidateCount: number;
  /** Of nodes that were tried in vain: the reasons and how many nodes. */
  readonly vain: readonly { readonly reason: string; readonly nodes: number }[];
  /** Nodes whose refusal no eviction can change. */
  readonly unhelpful: number;
}

export interface PushedNode {
  readonly node: string;
  readonly victims: readonly { readonly pod: string; readonly priority: number }[];
  readonly pdbViolations: number;
  /** True for the scheduler's choice, or one of its equally good choices. */
  readonly best: boolean;
}

const named = 3;

export const pushingOut = (
  decision: Decision,
  engine: Engine,
  nowMs: number,
): PushingOut & { readonly raw: Preemption } => {
  const { columns, profile } = engine;
  const raw = preempt(decision, columns, profile, { nowMs, offset: () => 0 });
  const best = new Set(raw.best);
  const ordered = [...raw.best, ...raw.candidates.filter(candidate => !best.has(candidate))];
  const reasons = new Map<string, number>();
  for (const { reasons: said } of raw.vain)
    for (const reason of said) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return {
    ...(raw.ineligible === undefined ? {} : { ineligible: raw.ineligible }),
    candidates: ordered.slice(0, named).map(candidate => pushed(candidate, engine, best)),
    candidateCount: ordered.length,
    vain: [...reasons].map(([reason, nodes]) => ({ reason, nodes })),
    unhelpful: ordered.length > 0 || raw.ineligible !== undefined ? 0 : columns.count - raw.vain.length,
    raw,
  };
};

const pushed = (
  { slot, victims, pdbViolations }: Candidate,
  { columns }: Engine,
  best: ReadonlySet<Candidate>,
): PushedNode => ({
  node: columns.names[slot]!,
  victims: victims.map(({ view }) => ({ pod: view.key, priority: view.priority })),
  pdbViolations,
  best: [...best].some(candidate => candidate.slot === slot),
});
