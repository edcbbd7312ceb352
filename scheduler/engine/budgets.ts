/** How far disruption budgets reach when several pods are to go at once (SEMANTICS G.2). */
import type { PodDisruptionBudget } from '#api/kinds/policy.ts';
import { namespaceOf, type PodView } from './shape.ts';
import { isEmptySelector, labelTest } from './term.ts';

export class BudgetTally {
  readonly #budgets: readonly PodDisruptionBudget[];
  readonly #allowed: number[];

  constructor(budgets: readonly PodDisruptionBudget[]) {
    this.#budgets = budgets;
    this.#allowed = budgets.map(({ status }) => status?.disruptionsAllowed ?? 0);
  }

  /** Counts one more disruption against every budget of the pod; true when one of them is then overdrawn. */
  take({ pod, shape }: PodView): boolean {
    const { labels } = shape.labelSet;
    if (Object.keys(labels).length === 0) return false;
    let violated = false;
    for (const [i, { metadata, spec, status }] of this.#budgets.entries()) {
      if ((metadata.namespace || 'default') !== namespaceOf(pod)) continue;
      const { selector } = spec;
      // A budget without a selector, or with an empty one, is about no pod here.
      if (selector === undefined || isEmptySelector(selector) || !labelTest(selector)(labels)) continue;
      if (status?.disruptedPods?.[pod.metadata.name] !== undefined) continue;
      this.#allowed[i]!--;
      if (this.#allowed[i]! < 0) violated = true;
    }
    return violated;
  }
}
