/** Priority: spec.priority and spec.preemptionPolicy come from the pod's PriorityClass (SEMANTICS K.7). */
import { podKind } from '#api/kinds/core.ts';
import type { Pod } from '#api/kinds/pod.ts';
import { type PriorityClass, priorityClassKind } from '#api/kinds/scheduling.ts';
import { forbidden } from '#api/status.ts';
import type { Admitted, Lookup } from './admission.ts';

export const setPriority = ({ verb, kind, subresource, object, lookup }: Admitted): void => {
  if (kind !== podKind || subresource !== undefined || verb !== 'create') return;
  const pod = object as Pod;
  const refuse = (why: string) => forbidden(podKind, pod.metadata.name || pod.metadata.generateName || '', why);
  const { spec } = pod;
  const priorityClass = classOf(spec.priorityClassName, lookup);
  if (spec.priorityClassName && priorityClass === undefined)
    throw refuse(`no PriorityClass with name ${spec.priorityClassName} was found`);
  const priority = priorityClass?.value ?? 0;
  const policy = priorityClass?.preemptionPolicy ?? 'PreemptLowerPriority';
  if (spec.priority !== undefined && spec.priority !== priority)
    throw refuse(
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`,
    );
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
    throw refuse(
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
    );
  if (priorityClass !== undefined) spec.priorityClassName = priorityClass.metadata.name;
  spec.priority = priority;
  spec.preemptionPolicy = policy;
};

/** The class of that name, or without a name the global default of the lowest value. */
const classOf = (name: string | undefined, lookup: Lookup): PriorityClass | undefined => {
  if (name) return lookup.get(priorityClassKind, { name });
  return lookup
    .list(priorityClassKind)
    .filter(candidate => candidate.globalDefault)
    .sort((a, b) => a.value - b.value)[0];
};
