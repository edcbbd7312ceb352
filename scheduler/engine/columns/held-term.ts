/** A pod (anti-)affinity term as the pods on nodes carry it, with how many of them do per value of its topology key. */

import type { Term } from '../shapes/term.ts';
import { DomainCount } from './domain-count.ts';
import type { LabelColumn } from './label-column.ts';

export type TermRole = 'requiredAffinity' | 'requiredAntiAffinity' | 'preferredAffinity' | 'preferredAntiAffinity';

/** Equal keys must mean equal terms in equal roles with equal weights. */
export class HeldTerm {
  readonly key: string;
  readonly term: Term;
  readonly role: TermRole;
  /** Of preferred terms; 1 of required ones. */
  readonly weight: number;
  /** Pods that carry it, around its key. */
  readonly domain: DomainCount;
  /** Shapes that carry it. */
  users = 0;

  constructor(key: string, term: Term, role: TermRole, weight: number, column: LabelColumn) {
    this.key = key;
    this.term = term;
    this.role = role;
    this.weight = weight;
    this.domain = new DomainCount(column);
  }
}
