/** What a pod's node selector and required node affinity want of a node's labels, requirement by requirement. */
import type { Node, NodeSelectorTerm, Pod } from '#api/kinds/core.ts';
import { compileNodeSelectorTerm } from '#api/node-selector.ts';
import type { Unmatched, UnmetRequirement } from './obstacle.ts';

/** What of the node selector the node does not have, and the affinity term that is nearest to matching it, if none does. */
export const unmatchedBy = (pod: Pod, node: Node): readonly Unmatched[] => {
  const unmatched: Unmatched[] = [];
  const labels = node.metadata.labels ?? {};
  const missing = Object.entries(pod.spec.nodeSelector ?? {}).filter(([key, value]) => labels[key] !== value);
  if (missing.length > 0) {
    const requirements = missing.map(([key, value]) => ({ ...wanted(key, 'In', [value]), has: labels[key] }));
    unmatched.push({ is: 'unmatched', of: 'nodeSelector', requirements });
  }
  const terms = requiredTerms(pod);
  if (terms === undefined) return unmatched;
  let nearest: Unmatched = { is: 'unmatched', of: 'nodeAffinity', requirements: [] };
  for (const [term, stated] of terms.entries()) {
    const unmet = unmetOf(stated, node);
    if (unmet === undefined) continue;
    if (unmet.length === 0) return unmatched;
    if (nearest.term === undefined || unmet.length < nearest.requirements.length)
      nearest = { is: 'unmatched', of: 'nodeAffinity', requirements: unmet, term };
  }
  return [...unmatched, nearest];
};

/** The terms of the required node affinity; undefined when there is none. */
export const requiredTerms = (pod: Pod): readonly NodeSelectorTerm[] | undefined =>
  pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;

/** What the node lacks of a term; undefined for a term that can match no node. */
const unmetOf = (term: NodeSelectorTerm, node: Node): readonly UnmetRequirement[] | undefined => {
  if (compileNodeSelectorTerm(term) === undefined) return undefined;
  const labels = (term.matchExpressions ?? [])
    .filter(expression => compileNodeSelectorTerm({ matchExpressions: [expression] })?.(node) !== true)
    .map(({ key, operator, values }) => ({
      ...wanted(key, operator, values ?? []),
      has: node.metadata.labels?.[key],
    }));
  const fields = (term.matchFields ?? [])
    .filter(field => compileNodeSelectorTerm({ matchFields: [field] })?.(node) !== true)
    .map(({ key, operator, values }) => ({ ...wanted(key, operator, values ?? []), isField: true }));
  return [...labels, ...fields];
};

const wanted = (key: string, operator: string, values: readonly string[]): UnmetRequirement => ({
  key,
  operator,
  values,
  has: undefined,
  isField: false,
});
