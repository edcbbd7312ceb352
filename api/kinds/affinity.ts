/** Schemas of where a pod may and would rather run: node and pod affinity, tolerations, topology spread. */
import type { Static } from 'typebox';
import { atomicStruct, core, field, int32, int64, listOf, openEnum, string, struct } from '#api/schema.ts';
import { labelSelectorSchema } from './meta.ts';

const nodeSelectorRequirementSchema = struct(
  core('NodeSelectorRequirement'),
  'A condition on a label or field of a node.',
  {
    key: string('Label key, or field, the condition is on.'),
    operator: openEnum<'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt'>(
      'How key and values relate: In, NotIn, Exists, DoesNotExist, Gt or Lt.',
    ),
  },
  { values: listOf(string('A value.'), 'Values; one integer for Gt and Lt, none for Exists and DoesNotExist.') },
);
export interface NodeSelectorRequirement extends Static<typeof nodeSelectorRequirementSchema> {}

const nodeSelectorTermSchema = atomicStruct(
  core('NodeSelectorTerm'),
  'Conditions that must all hold; an empty term matches no node.',
  {},
  {
    matchExpressions: listOf(nodeSelectorRequirementSchema, 'Conditions on labels.'),
    matchFields: listOf(nodeSelectorRequirementSchema, 'Conditions on fields; only metadata.name.'),
  },
);
export interface NodeSelectorTerm extends Static<typeof nodeSelectorTermSchema> {}

export const nodeSelectorSchema = atomicStruct(
  core('NodeSelector'),
  'Terms of which one must match.',
  { nodeSelectorTerms: listOf(nodeSelectorTermSchema, 'The terms.') },
  {},
);
export interface NodeSelector extends Static<typeof nodeSelectorSchema> {}

const preferredSchedulingTermSchema = struct(
  core('PreferredSchedulingTerm'),
  'A wish, and how much it counts.',
  {
    weight: int32('How much a match counts, 1 to 100.'),
    preference: field(nodeSelectorTermSchema, 'The wish.'),
  },
  {},
);
export interface PreferredSchedulingTerm extends Static<typeof preferredSchedulingTermSchema> {}

const nodeAffinitySchema = struct(
  core('NodeAffinity'),
  'Which nodes the pod may and would rather run on.',
  {},
  {
    requiredDuringSchedulingIgnoredDuringExecution: field(nodeSelectorSchema, 'The node must match.'),
    preferredDuringSchedulingIgnoredDuringExecution: listOf(
      preferredSchedulingTermSchema,
      'Nodes that match score higher.',
    ),
  },
);
export interface NodeAffinity extends Static<typeof nodeAffinitySchema> {}

const podAffinityTermSchema = struct(
  core('PodAffinityTerm'),
  'Pods to be near to, or far from, and what near means.',
  { topologyKey: string('Node label; nodes with the same value are one place.') },
  {
    labelSelector: field(labelSelectorSchema, 'Selects the pods; absent selects none.'),
    namespaces: listOf(string('A namespace.'), 'Namespaces of the pods; default that of this pod.'),
    namespaceSelector: field(labelSelectorSchema, 'Selects namespaces by label; empty selects all.'),
    matchLabelKeys: listOf(string('A label key.'), 'Labels of this pod whose values the others must share.'),
    mismatchLabelKeys: listOf(string('A label key.'), 'Labels of this pod whose values the others must not share.'),
  },
);
export interface PodAffinityTerm extends Static<typeof podAffinityTermSchema> {}

const weightedPodAffinityTermSchema = struct(
  core('WeightedPodAffinityTerm'),
  'A wish, and how much it counts.',
  {
    weight: int32('How much a match counts, 1 to 100.'),
    podAffinityTerm: field(podAffinityTermSchema, 'The wish.'),
  },
  {},
);
export interface WeightedPodAffinityTerm extends Static<typeof weightedPodAffinityTermSchema> {}

const podTerms = {
  requiredDuringSchedulingIgnoredDuringExecution: listOf(podAffinityTermSchema, 'All of them must be met.'),
  preferredDuringSchedulingIgnoredDuringExecution: listOf(
    weightedPodAffinityTermSchema,
    'Nodes that meet them score higher.',
  ),
};

const podAffinitySchema = struct(core('PodAffinity'), 'Pods to be near to.', {}, podTerms);
export interface PodAffinity extends Static<typeof podAffinitySchema> {}

const podAntiAffinitySchema = struct(core('PodAntiAffinity'), 'Pods to be far from.', {}, podTerms);
export interface PodAntiAffinity extends Static<typeof podAntiAffinitySchema> {}

export const affinitySchema = struct(
  core('Affinity'),
  'Rules on where the pod may and would rather run.',
  {},
  {
    nodeAffinity: field(nodeAffinitySchema, 'Rules on nodes.'),
    podAffinity: field(podAffinitySchema, 'Pods to be near to.'),
    podAntiAffinity: field(podAntiAffinitySchema, 'Pods to be far from.'),
  },
);
export interface Affinity extends Static<typeof affinitySchema> {}

export const tolerationSchema = struct(
  core('Toleration'),
  'Taints that the pod puts up with.',
  {},
  {
    key: string('Key of the taint; empty with operator Exists tolerates every taint.'),
    operator: openEnum<'Equal' | 'Exists' | 'Lt' | 'Gt'>('Equal (default) or Exists.'),
    value: string('Value of the taint, for Equal.'),
    effect: openEnum<'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' | ''>('Effect of the taint; empty: any.'),
    tolerationSeconds: int64('How long NoExecute is put up with; absent: for ever, 0 or less: not at all.'),
  },
);
export interface Toleration extends Static<typeof tolerationSchema> {}

export const topologySpreadConstraintSchema = struct(
  core('TopologySpreadConstraint'),
  'How evenly matching pods are spread over places.',
  {
    maxSkew: int32('Largest difference allowed between the fullest and the emptiest place.'),
    topologyKey: string('Node label; nodes with the same value are one place.'),
    whenUnsatisfiable: openEnum<'DoNotSchedule' | 'ScheduleAnyway'>(
      'DoNotSchedule: must hold; ScheduleAnyway: a wish.',
    ),
  },
  {
    labelSelector: field(labelSelectorSchema, 'Selects the pods that are counted.'),
    minDomains: int32('Number of places below which the emptiest counts as 0.'),
    nodeAffinityPolicy: openEnum<'Honor' | 'Ignore'>(
      'Honor (default): only nodes the pod may be on by selector and affinity count. Ignore: all do.',
    ),
    nodeTaintsPolicy: openEnum<'Honor' | 'Ignore'>(
      'Honor: nodes with taints the pod does not tolerate do not count. Ignore (default): all do.',
    ),
    matchLabelKeys: listOf(string('A label key.'), 'Labels of this pod whose values the counted pods share.'),
  },
);
export interface TopologySpreadConstraint extends Static<typeof topologySpreadConstraintSchema> {}
