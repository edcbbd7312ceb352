/**
 * Does a node satisfy a pod's nodeSelector and required node affinity (component-helpers nodeaffinity, SEMANTICS F.5)?
 * Terms are ORed, what is inside a term is ANDed, an empty term matches nothing, and a term that does not parse
 * matches nothing either while the others still count.
 */
import { compileRequirement, type LabelRequirement, requirementFaults } from './label-requirements.ts';
import { type Labels, selectorOperators } from './labels.ts';

export interface NodeSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | undefined;
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly NodeSelectorRequirement[] | undefined;
  readonly matchFields?: readonly NodeSelectorRequirement[] | undefined;
}

export interface NodeSelector {
  readonly nodeSelectorTerms: readonly NodeSelectorTerm[];
}

/** What is read of a node. */
export interface NamedAndLabelled {
  readonly metadata: { readonly name: string; readonly labels?: Labels | undefined };
}

/** What is read of a pod. */
export interface PlacedByNodeLabels {
  readonly spec?:
    | {
        readonly nodeSelector?: Labels | undefined;
        readonly affinity?:
          | {
              readonly nodeAffinity?:
                | { readonly requiredDuringSchedulingIgnoredDuringExecution?: NodeSelector | undefined }
                | undefined;
            }
          | undefined;
      }
    | undefined;
}

export type NodeMatcher = (node: NamedAndLabelled) => boolean;

/** The matcher of one pod for many nodes. */
export const compilePodNodeMatcher = (pod: PlacedByNodeLabels): NodeMatcher => {
  const labels = Object.entries(pod.spec?.nodeSelector ?? {});
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const affinity = required === undefined ? undefined : compileNodeSelector(required);
  return node =>
    labels.every(([key, value]) => node.metadata.labels?.[key] === value) && (affinity === undefined || affinity(node));
};

export const podMatchesNodeSelectorAndAffinity = (pod: PlacedByNodeLabels, node: NamedAndLabelled): boolean =>
  compilePodNodeMatcher(pod)(node);

/** The matcher of a node selector: true when any term matches. */
export const compileNodeSelector = (selector: NodeSelector): NodeMatcher => {
  const terms = selector.nodeSelectorTerms.map(compileNodeSelectorTerm).filter(term => term !== undefined);
  return node => terms.some(term => term(node));
};

export const nodeSelectorMatches = (selector: NodeSelector, node: NamedAndLabelled): boolean =>
  compileNodeSelector(selector)(node);

/** The matcher of one term; undefined for a term that can match no node (empty, or with a requirement that does not parse). */
export const compileNodeSelectorTerm = (term: NodeSelectorTerm): NodeMatcher | undefined => {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return undefined;
  const requirements = expressions.map(toRequirement);
  if (!requirements.every(requirement => requirement !== undefined && requirementFaults(requirement).length === 0))
    return undefined;
  const tests = requirements.map(requirement => compileRequirement(requirement as LabelRequirement));
  if (!fields.every(isUsableField)) return undefined;
  return node =>
    tests.every(test => test(node.metadata.labels ?? {})) &&
    fields.every(field => (field.values?.[0] === node.metadata.name) === (field.operator === 'In'));
};

const operators: ReadonlyMap<string, LabelRequirement['operator']> = new Map([
  ...selectorOperators,
  ['Gt', 'gt'],
  ['Lt', 'lt'],
] as const);

/** A requirement on labels in the form of label selectors; undefined when its operator is none. */
export const toRequirement = ({ key, operator, values }: NodeSelectorRequirement): LabelRequirement | undefined => {
  const symbol = operators.get(operator);
  return symbol === undefined ? undefined : { key, operator: symbol, values: values ?? [] };
};

// Nodes are selected by one field only, and by exactly one value of it.
const isUsableField = ({ key, operator, values }: NodeSelectorRequirement): boolean =>
  key === 'metadata.name' && (operator === 'In' || operator === 'NotIn') && values?.length === 1;
