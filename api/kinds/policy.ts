/** The kinds of group policy: PodDisruptionBudget, and the body of a pod's eviction. */
import type { Static } from 'typebox';
import { podDisruptionBudgetColumns } from '#api/columns/policy.ts';
import { allVerbs, type Kind } from '#api/kind.ts';
import { field, int32, int64, intOrString, listBy, mapOf, objectSchema, openEnum, struct, time } from '#api/schema.ts';
import { validatePodDisruptionBudget } from '#api/validate-workload.ts';
import { conditionSchema, deleteOptionsSchema, labelSelectorSchema, objectMetaSchema } from './meta.ts';

const policy = (name: string) => `io.k8s.api.policy.v1.${name}`;

const podDisruptionBudgetSpecSchema = struct(
  policy('PodDisruptionBudgetSpec'),
  'How many pods must stay.',
  {},
  {
    minAvailable: intOrString('How many selected pods must stay available, as a number or percentage.'),
    selector: field(labelSelectorSchema, 'Selects the pods; empty selects all of the namespace.', {
      patchStrategy: 'replace',
    }),
    maxUnavailable: intOrString('How many selected pods may be unavailable, as a number or percentage.'),
    unhealthyPodEvictionPolicy: openEnum<'IfHealthyBudget' | 'AlwaysAllow'>(
      'When pods that are not ready may be evicted; default IfHealthyBudget.',
    ),
  },
);
const podDisruptionBudgetStatusSchema = struct(
  policy('PodDisruptionBudgetStatus'),
  'What the budget allows now.',
  {
    disruptionsAllowed: int32('How many evictions are allowed now.'),
    currentHealthy: int32('How many pods are healthy.'),
    desiredHealthy: int32('How many must be.'),
    expectedPods: int32('How many are counted.'),
  },
  {
    observedGeneration: int64('metadata.generation that was last acted on.'),
    disruptedPods: mapOf(time('When.'), 'Pods whose eviction was allowed but not yet seen, by name.'),
    conditions: listBy(conditionSchema, { mergeKey: 'type' }, 'Aspects of its state.'),
  },
);
export const podDisruptionBudgetSchema = objectSchema(
  { group: 'policy', version: 'v1', kind: 'PodDisruptionBudget', title: policy('PodDisruptionBudget') },
  'Limits how many pods of a set may be evicted at once.',
  {
    metadata: objectMetaSchema,
    always: { spec: field(podDisruptionBudgetSpecSchema, 'How many pods must stay.') },
    optional: { status: field(podDisruptionBudgetStatusSchema, 'What the budget allows now.') },
  },
);
export interface PodDisruptionBudget extends Static<typeof podDisruptionBudgetSchema> {}

export const evictionSchema = objectSchema(
  { group: 'policy', version: 'v1', kind: 'Eviction', title: policy('Eviction') },
  'Asks to evict a pod, as far as its budgets allow.',
  {
    metadata: objectMetaSchema,
    optional: { deleteOptions: field(deleteOptionsSchema, 'How to delete the pod.') },
  },
);
export interface Eviction extends Static<typeof evictionSchema> {}

export const podDisruptionBudgetKind: Kind<PodDisruptionBudget> = {
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  singular: 'poddisruptionbudget',
  shortNames: ['pdb'],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  schema: podDisruptionBudgetSchema,
  columns: podDisruptionBudgetColumns,
  selectable: {},
  hasStatus: true,
  hasGeneration: true,
  subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
  prepareCreate: budget => {
    budget.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
  validate: validatePodDisruptionBudget,
};
