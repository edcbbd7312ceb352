/** NodeAffinity: nodeSelector and required terms refuse nodes, preferred terms rank them (SEMANTICS F.5, F.8). */
import type { NodeAffinity, PreferredSchedulingTerm } from '#api/kinds/core.ts';
import type { Columns } from '../columns/columns.ts';
import { compileRequired, compileTermTest } from '../columns/node-match.ts';
import type { FilterPlugin, ScorePlugin, WakeTest } from '../plugin.ts';

export interface NodeAffinityArguments {
  /** Applies to every pod of the profile, beside its own. */
  readonly addedAffinity?: NodeAffinity;
}

/** The pod's own affinity and the profile's added one must both match. */
export const nodeAffinity = ({ addedAffinity }: NodeAffinityArguments = {}): FilterPlugin => {
  const added = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const matches: WakeTest = (pod, change, columns) => {
    if (!('slot' in change)) return true;
    const { nodeSelector, affinity } = pod.pod.spec;
    const own = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    const tests = [compileRequired(undefined, added, columns), compileRequired(nodeSelector, own, columns)];
    return tests.every(test => test === undefined || test.matches(change.slot));
  };
  return {
    name: 'NodeAffinity',
    scope: 'node',
    reasons: [
      { text: "node(s) didn't match Pod's node affinity/selector", unresolvable: true },
      { text: "node(s) didn't match scheduler-enforced node affinity", unresolvable: true },
    ],
    prepare(shape, columns) {
      const { nodeSelector, affinity } = shape.sample.spec;
      const own = compileRequired(
        nodeSelector,
        affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
        columns,
      );
      const enforced = compileRequired(undefined, added, columns);
      if (own === undefined && enforced === undefined) return undefined;
      return {
        check(nodes, count, verdict) {
          let refused = false;
          for (let i = 0; i < count; i++) {
            const node = nodes[i]!;
            if (enforced !== undefined && !enforced.matches(node)) verdict[node] = 2;
            else if (own !== undefined && !own.matches(node)) verdict[node] = 1;
            else continue;
            refused = true;
          }
          return refused;
        },
      };
    },
    wokenBy: { nodeAdded: matches, nodeChanged: matches },
  };
};

/** Sum of the weights of the preferred terms that a node matches. */
export const nodeAffinityScore = ({ addedAffinity }: NodeAffinityArguments = {}): ScorePlugin => ({
  name: 'NodeAffinity',
  scope: 'node',
  normalization: 'highest',
  prepare(shape, columns) {
    const own = shape.sample.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    const added = addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (own.length === 0 && added.length === 0) return undefined;
    const terms = [...compilePreferred(added, columns), ...compilePreferred(own, columns)];
    return {
      score(nodes, count, out) {
        for (let i = 0; i < count; i++) {
          const node = nodes[i]!;
          let sum = 0;
          for (const { test, weight } of terms) if (test.matches(node)) sum += weight;
          out[node] = sum;
        }
        return true;
      },
    };
  },
});

const compilePreferred = (terms: readonly PreferredSchedulingTerm[], columns: Columns) =>
  terms.flatMap(({ weight, preference }) => {
    const test = weight === 0 ? undefined : compileTermTest(preference, columns);
    return test === undefined ? [] : [{ test, weight }];
  });
