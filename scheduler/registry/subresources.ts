/** What POST to a subresource of a pod does: binding and eviction, in upstream's words (SEMANTICS K.6). */

import type { Binding } from '#api/kinds/config.ts';
import { nodeKind, podKind } from '#api/kinds/core.ts';
import type { Pod } from '#api/kinds/pod.ts';
import { type Eviction, type PodDisruptionBudget, podDisruptionBudgetKind } from '#api/kinds/policy.ts';
import { labelSelectorMatches } from '#api/labels.ts';
import type { KubeObject, ObjectRef } from '#api/object.ts';
import {
  ApiError,
  badRequest,
  conflict,
  forbidden,
  invalid,
  notSupported,
  required,
  tooManyRequests,
} from '#api/status.ts';
import { toTime } from '#base/clock.ts';
import type { DeleteOptions } from '#client/client.ts';
import type { Op } from '#store/state.ts';
import { planDeletion } from './deletion.ts';
import { prefixOf, storeKey } from './keys.ts';
import { type Modification, modify } from './modify.ts';
import type { RegistryDeps } from './registry.ts';

interface PostOptions {
  readonly dryRun?: boolean | undefined;
}

/** Puts a pod on a node. Throws Conflict when it has one already, is being deleted, or is held back by a gate. */
export const bindPod = async (
  deps: RegistryDeps,
  ref: ObjectRef,
  binding: Binding,
  { dryRun = false }: PostOptions = {},
): Promise<void> => {
  checkBinding(ref, binding);
  const node = binding.target.name ?? '';
  const topology = topologyLabels(deps, node);
  await modify(
    deps,
    podKind,
    ref,
    object => ({ put: bound(object as Pod, binding, topology, deps.clock.now()) }),
    dryRun,
  );
};

const checkBinding = (ref: ObjectRef, { metadata, target }: Binding): void => {
  if (metadata?.name && metadata.name !== ref.name)
    throw badRequest('name in URL does not match name in Binding object');
  const kind = target?.kind;
  const causes = [
    ...(kind !== undefined && kind !== '' && kind !== 'Node'
      ? [notSupported('target.kind', kind, ['Node', '<empty>'])]
      : []),
    ...(target?.name ? [] : [required('target.name')]),
  ];
  if (causes.length > 0) throw invalid({ group: '', kind: 'Binding' }, ref.name, causes);
};

/** Labels that say where the node is are copied to its pods (PodTopologyLabels, on since v1.35). */
const topologyKeys = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'] as const;
const topologyLabels = ({ store }: RegistryDeps, node: string): Readonly<Record<string, string>> => {
  const labels = store.get(storeKey(nodeKind, { name: node }))?.value.metadata.labels;
  if (labels === undefined) return {};
  return Object.fromEntries(topologyKeys.flatMap(key => (labels[key] === undefined ? [] : [[key, labels[key]]])));
};

const bindingResource = { group: '', plural: 'pods/binding' };

/** The pod on its node. Pure. */
export const bound = (
  pod: Pod,
  { metadata: { uid, resourceVersion, annotations, labels }, target }: Binding,
  topology: Readonly<Record<string, string>>,
  nowMs: number,
): Pod => {
  const { name } = pod.metadata;
  const refuse = (why: string) => conflict(bindingResource, name, why);
  if (uid && uid !== pod.metadata.uid)
    throw refuse(`Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`);
  if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion)
    throw refuse(
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${pod.metadata.resourceVersion}`,
    );
  if (pod.metadata.deletionTimestamp !== undefined)
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec.nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
  if ((pod.spec.schedulingGates ?? []).length > 0) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  const { nominatedNodeName: _, ...status } = pod.status ?? {};
  const conditions = status.conditions ?? [];
  const present = conditions.find(condition => condition.type === 'PodScheduled');
  const scheduled = {
    type: 'PodScheduled',
    status: 'True' as const,
    lastProbeTime: null as never,
    lastTransitionTime: present?.status === 'True' ? (present.lastTransitionTime ?? toTime(nowMs)) : toTime(nowMs),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  };
  const { lastProbeTime: __, ...condition } = scheduled;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(annotations === undefined ? {} : { annotations: { ...pod.metadata.annotations, ...annotations } }),
      ...withLabels(pod, { ...topology, ...labels }),
    },
    spec: { ...pod.spec, nodeName: target.name ?? '' },
    status: {
      ...status,
      conditions: [...conditions.filter(({ type }) => type !== 'PodScheduled'), condition],
    },
  };
};

const withLabels = (pod: Pod, labels: Readonly<Record<string, string>>) =>
  Object.keys(labels).length === 0 ? {} : { labels: { ...pod.metadata.labels, ...labels } };

/** Deletes a pod if its disruption budget allows it; the budget is debited in the same commit. Throws 429 otherwise. */
export const evictPod = async (deps: RegistryDeps, ref: ObjectRef, eviction: Eviction, options: PostOptions = {}) => {
  const { name } = eviction.metadata ?? {};
  if (name && name !== ref.name) throw badRequest('name in URL does not match name in Eviction object');
  const deleteOptions = (eviction.deleteOptions ?? {}) as unknown as Omit<DeleteOptions, 'dryRun'> & {
    dryRun?: unknown;
  };
  const dryRun =
    options.dryRun === true || (Array.isArray(deleteOptions.dryRun) && deleteOptions.dryRun.includes('All'));
  const decide = (object: KubeObject): Modification => {
    const pod = object as Pod;
    const nowMs = deps.clock.now();
    if (isFreelyEvictable(pod)) return deleting(pod, deleteOptions, nowMs, []);
    const debit = debitBudget(deps, pod, nowMs);
    return deleting(withDisruptionTarget(pod, nowMs), deleteOptions, nowMs, debit === undefined ? [] : [debit]);
  };
  return await modify(deps, podKind, ref, decide, dryRun);
};

const deleting = (
  pod: Pod,
  options: Omit<DeleteOptions, 'dryRun'>,
  nowMs: number,
  also: readonly Op<KubeObject>[],
): Modification => {
  const deletion = planDeletion(podKind, pod, options, nowMs);
  if (deletion.outcome === 'remove') return { remove: true, also };
  return deletion.outcome === 'update' ? { put: deletion.object, also } : undefined;
};

const isFreelyEvictable = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined || ['Succeeded', 'Failed', 'Pending'].includes(status?.phase ?? 'Pending');

/** The write that takes one disruption from the pod's budget; undefined: nothing to take. */
const debitBudget = ({ store }: RegistryDeps, pod: Pod, nowMs: number): Op<KubeObject> | undefined => {
  const prefix = prefixOf(podDisruptionBudgetKind, pod.metadata.namespace);
  const entries = store.list(prefix).entries.filter(entry => {
    const { selector } = (entry.value as PodDisruptionBudget).spec;
    return selector !== undefined && labelSelectorMatches(selector, pod.metadata.labels);
  });
  if (entries.length === 0) return undefined;
  if (entries.length > 1)
    throw new ApiError({
      code: 500,
      reason: 'InternalError',
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    });
  const [entry] = entries;
  const debited = debit(entry!.value as PodDisruptionBudget, pod, nowMs);
  return debited === undefined ? undefined : { put: entry!.key, value: debited, ifRev: entry!.rev };
};

const maxDisruptedPods = 2000;

/** The budget after one eviction; undefined when an unready pod needs none. Throws 429 when there is none left. Pure. */
export const debit = (budget: PodDisruptionBudget, pod: Pod, nowMs: number): PodDisruptionBudget | undefined => {
  const { name } = budget.metadata;
  const { currentHealthy = 0, desiredHealthy = 0, disruptionsAllowed = 0 } = budget.status ?? {};
  if (!isReady(pod)) {
    if (budget.spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return undefined;
    if (currentHealthy >= desiredHealthy && desiredHealthy > 0) return undefined;
  }
  if ((budget.status?.observedGeneration ?? 0) < (budget.metadata.generation ?? 0))
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, 10);
  if (disruptionsAllowed < 0) throw forbidden(podDisruptionBudgetKind, name, 'pdb disruptions allowed is negative');
  const disruptedPods = budget.status?.disruptedPods ?? {};
  if (Object.keys(disruptedPods).length > maxDisruptedPods)
    throw forbidden(
      podDisruptionBudgetKind,
      name,
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    );
  if (disruptionsAllowed === 0)
    throw tooMany(
      `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
      0,
    );
  return {
    ...budget,
    status: {
      ...budget.status!,
      disruptionsAllowed: disruptionsAllowed - 1,
      disruptedPods: { ...disruptedPods, [pod.metadata.name]: toTime(nowMs) },
    },
  };
};

const tooMany = (cause: string, retryAfterSeconds: number): ApiError =>
  tooManyRequests(
    "Cannot evict pod as it would violate the pod's disruption budget.",
    [{ reason: 'DisruptionBudget', message: cause, field: '' }],
    retryAfterSeconds,
  );

const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

const withDisruptionTarget = (pod: Pod, nowMs: number): Pod => {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True' as const,
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastTransitionTime: toTime(nowMs),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  };
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget');
  return { ...pod, status: { ...pod.status, conditions: [...others, condition] } };
};
