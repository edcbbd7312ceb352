/**
 * The scheduler's memory of what it decided: a ring of the latest decisions that `berth why` reads. Lost with the process:
 * what counts stands in conditions and events. Remembering one is a single small object, because it is done for every pod
 * that is placed; whatever takes time is left to those who ask. Of pods only names are kept, so none is held in memory.
 */
import { toMicroTime } from '#base/clock.ts';
import type { Decision, DecisionRecord } from '#engine/decision.ts';
import type { Preemption } from '#engine/preemption/preempt.ts';
import type { Candidate } from '#engine/preemption/victims.ts';
import type { PodView } from '#engine/shapes/shape.ts';

/** Where the loop was when it decided. */
export interface AttemptFacts {
  readonly view: PodView;
  readonly attempt: number;
  readonly revision: number;
  readonly startedMs: number;
  readonly durationMs: number;
}

export interface LedgerQuery {
  readonly namespace?: string | undefined;
  readonly pod?: string | undefined;
  readonly uid?: string | undefined;
  /** Of those that match, so many of the latest. */
  readonly limit?: number | undefined;
}

/** As kept: flat, and of one form. */
interface Entry {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly attempt: number;
  readonly revision: number;
  readonly startedMs: number;
  readonly durationMs: number;
  readonly outcome: DecisionRecord['outcome'];
  readonly feasible: number;
  /** The node taken or promised. */
  readonly node: string;
  /** Undefined where no scoring was needed. */
  readonly score: number | undefined;
  readonly ties: number;
  readonly message: string;
  readonly reasons: ReadonlyMap<string, number> | undefined;
  readonly victims: readonly string[] | undefined;
}

export interface LedgerLimits {
  /** Decisions that are kept. */
  readonly total: number;
  /** Of those, how many of one pod are told. */
  readonly perPod: number;
}

export const defaultLimits: LedgerLimits = { total: 10_000, perPod: 64 };

export class Ledger {
  readonly #limits: LedgerLimits;
  readonly #ring: (Entry | undefined)[];
  #next = 0;

  constructor(limits: LedgerLimits = defaultLimits) {
    this.#limits = limits;
    this.#ring = new Array<Entry | undefined>(limits.total).fill(undefined);
  }

  placed(facts: AttemptFacts, { node, feasible, score, ties = 1 }: Decision): void {
    const result = { outcome: 'scheduled', feasible, node: node?.name ?? '', score, ties, message: '' } as const;
    this.#add(facts, result, undefined, undefined);
  }

  /** `promised`: the node that preemption makes room on, if any. */
  refused(
    facts: AttemptFacts,
    { outcome, failure }: Decision,
    { suffix, chosen }: Pick<Preemption, 'suffix'> & { readonly chosen: Candidate | undefined },
    promised = '',
  ): void {
    const gates = failure?.preEnqueue?.reasons.join(', ');
    const message = gates ?? (failure?.message ?? '') + suffix;
    const result = { outcome, feasible: 0, node: promised, score: undefined, ties: 0, message };
    this.#add(
      facts,
      result,
      failure?.reasons,
      chosen?.victims.map(({ view }) => view.key),
    );
  }

  /** The attempt ended by an error of ours. */
  failed(facts: AttemptFacts, message: string): void {
    const result = { outcome: 'error', feasible: 0, node: '', score: undefined, ties: 0, message } as const;
    this.#add(facts, result, undefined, undefined);
  }

  #add(
    { view, attempt, revision, startedMs, durationMs }: AttemptFacts,
    {
      outcome,
      feasible,
      node,
      score,
      ties,
      message,
    }: Pick<Entry, 'outcome' | 'feasible' | 'node' | 'score' | 'ties' | 'message'>,
    reasons: Entry['reasons'],
    victims: Entry['victims'],
  ): void {
    const { metadata } = view.pod;
    this.#ring[this.#next] = {
      namespace: metadata.namespace || 'default',
      name: metadata.name,
      uid: view.uid,
      attempt,
      revision,
      startedMs,
      durationMs,
      outcome,
      feasible,
      node,
      score,
      ties,
      message,
      reasons,
      victims,
    };
    this.#next = this.#next + 1 === this.#ring.length ? 0 : this.#next + 1;
  }

  /** Oldest first; of those that match the latest. */
  list({ namespace, pod, uid, limit }: LedgerQuery = {}): readonly DecisionRecord[] {
    const found: Entry[] = [];
    const perPod = new Map<string, number>();
    const most = limit ?? this.#limits.total;
    for (let back = 1; back <= this.#ring.length && found.length < most; back++) {
      const entry = this.#ring[(this.#next - back + this.#ring.length) % this.#ring.length];
      if (entry === undefined) break;
      if (namespace !== undefined && entry.namespace !== namespace) continue;
      if (pod !== undefined && entry.name !== pod) continue;
      if (uid !== undefined && entry.uid !== uid) continue;
      const told = perPod.get(entry.uid) ?? 0;
      if (told >= this.#limits.perPod) continue;
      perPod.set(entry.uid, told + 1);
      found.push(entry);
    }
    return found.reverse().map(recordOf);
  }
}

const recordOf = ({
  startedMs,
  outcome,
  feasible,
  node,
  score,
  ties,
  message,
  reasons,
  victims,
  ...told
}: Entry): DecisionRecord => {
  const isPlaced = outcome === 'scheduled';
  return {
    time: toMicroTime(startedMs),
    ...told,
    outcome,
    ...(isPlaced ? { feasible, node, ties } : { message }),
    ...(score === undefined ? {} : { score }),
    ...(reasons === undefined ? {} : { reasons: Object.fromEntries(reasons) }),
    ...(isPlaced || node === '' ? {} : { nominatedNode: node }),
    ...(victims === undefined ? {} : { victims }),
  };
};
