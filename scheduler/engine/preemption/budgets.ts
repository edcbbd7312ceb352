/** How far disruption budgets reach when several pods are to go at once (SEMANTICS G.2). */
import type { PodDisruptionBudget } from '#api/kinds/policy.ts';
import { namespaceOf, type PodView } from '../shapes/shape.ts';
import { isEmptySelector, labelTest } from '../shapes/term.ts';

/** A budget, and whom it protects. */
export interface Budget {
  /** Disruptions that it allows now. */
  readonly allowed: number;
  readonly protects: (pod: PodView) => boolean;
}

/** Undefined for a budget that protects nobody from preemption: without a selector, or with an empty one, as upstream. */
export const compileBudget = ({ metadata, spec, status }: PodDisruptionBudget): Budget | undefined => {
  const { selector } = spec;
  if (selector === undefined || isEmptySelector(selector)) return undefined;
  const namespace = metadata.namespace || 'default';
  const selects = labelTest(selector);
  const disrupted = status?.disruptedPods ?? {};
  return {
    allowed: status?.disruptionsAllowed ?? 0,
    protects: ({ pod, shape }) => {
      const { labels } = shape.labelSet;
      return (
        Object.keys(labels).length > 0 &&
        namespace === namespaceOf(pod) &&
        selects(labels) &&
        !Object.hasOwn(disrupted, pod.metadata.name)
      );
    },
  };
};

/** What is left of budgets while pods are chosen to go. */
export class BudgetTally {
  readonly #budgets: readonly Budget[];
  readonly #left: number[];

  constructor(budgets: readonly Budget[]) {
    this.#budgets = budgets;
    this.#left = budgets.map(({ allowed }) => allowed);
  }

  /** Counts one more disruption against every budget of the pod; true when one of them is then overdrawn. */
  take(pod: PodView): boolean {
    let violated = false;
    for (let i = 0; i < this.#budgets.length; i++) {
      if (!this.#budgets[i]!.protects(pod)) continue;
      this.#left[i]!--;
      if (this.#left[i]! < 0) violated = true;
    }
    return violated;
  }
}
