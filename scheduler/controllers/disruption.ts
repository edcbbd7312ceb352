/**
 * Keeps the status of PodDisruptionBudgets (SEMANTICS K.6): how many pods are healthy, how many must be, and so how many
 * evictions are allowed now. The eviction subresource and preemption only read it.
 */
import { replicaSetKind, statefulSetKind } from '#api/kinds/apps.ts';
import { type Pod, podKind } from '#api/kinds/core.ts';
import { type PodDisruptionBudget, podDisruptionBudgetKind } from '#api/kinds/policy.ts';
import { labelSelectorMatches } from '#api/labels.ts';
import type { KubeObject } from '#api/object.ts';
import { keyOf } from '#api/object.ts';
import { fromTime, toTime } from '#base/clock.ts';
import { deepEqual } from '#base/deep.ts';
import type { IndexOf, View } from '#client/caches.ts';
import type { Controller, Watch } from '#client/controller.ts';
import { type Note, type Plan, patchOf } from '#client/plan.ts';

/** An eviction that was allowed but whose pod is still there counts as failed after this time. */
const deletionLimitMs = 120_000;

const podsByNamespace: IndexOf<Pod> = {
  kind: podKind,
  name: 'pods by namespace',
  value: pod => pod.metadata.namespace,
};
const budgetsByNamespace: IndexOf<PodDisruptionBudget> = {
  kind: podDisruptionBudgetKind,
  name: 'budgets by namespace',
  value: budget => budget.metadata.namespace,
};

const pods: Watch<Pod> = {
  kind: podKind,
  *keys({ was, now }, view) {
    for (const budget of view.by(budgetsByNamespace, (now ?? was)?.metadata.namespace ?? '')) {
      if ([was, now].some(pod => pod && selects(budget, pod))) yield keyOf(budget);
    }
  },
};

/** The owners whose replicas say how many pods there should be. */
const scaled = [replicaSetKind, statefulSetKind] as const;

const owners = (kind: (typeof scaled)[number]): Watch => ({
  kind,
  *keys({ was, now }: { was: KubeObject | undefined; now: KubeObject | undefined }, view: Pick<View, 'by'>) {
    for (const budget of view.by(budgetsByNamespace, (now ?? was)?.metadata.namespace ?? '')) yield keyOf(budget);
  },
});

export const disruption: Controller<PodDisruptionBudget> = {
  name: 'disruption-controller',
  kind: podDisruptionBudgetKind,
  watches: [pods, ...scaled.map(owners)],
  indexes: [podsByNamespace, budgetsByNamespace],
  reconcile: (budget, view, nowMs) => {
    const candidates = view.by(podsByNamespace, budget.metadata.namespace ?? '');
    const selected = candidates.filter(pod => selects(budget, pod));
    return planBudget(budget, selected, replicasIn(view), nowMs);
  },
};

const selects = (budget: PodDisruptionBudget, pod: Pod): boolean =>
  budget.spec.selector !== undefined && labelSelectorMatches(budget.spec.selector, pod.metadata.labels);

/** Replicas that a pod's controller wants, by the controller's uid; undefined: no such controller, or one without scale. */
type Replicas = (pod: Pod) => { readonly uid: string; readonly count: number } | undefined;

const replicasIn =
  (view: View): Replicas =>
  pod => {
    const owner = pod.metadata.ownerReferences?.find(reference => reference.controller);
    const kind = scaled.find(candidate => candidate.kind === owner?.kind);
    if (owner === undefined || kind === undefined || !owner.apiVersion.startsWith('apps/')) return undefined;
    const found = view.get<KubeObject & { spec?: { replicas?: number } }>(
      kind as never,
      `${pod.metadata.namespace}/${owner.name}`,
    );
    return found?.metadata.uid === owner.uid ? { uid: owner.uid, count: found.spec?.replicas ?? 1 } : undefined;
  };

export const planBudget = (
  budget: PodDisruptionBudget,
  selected: readonly Pod[],
  replicas: Replicas,
  nowMs: number,
): Plan => {
  const { expected, desired, unmanaged } = demand(budget, selected, replicas);
  const disrupted = stillExpected(budget, selected, nowMs);
  const healthy = selected.filter(pod => isHealthy(pod) && !(pod.metadata.name in disrupted.kept)).length;
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired);
  const numbers = {
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    observedGeneration: budget.metadata.generation ?? 0,
  };
  const condition = {
    type: 'DisruptionAllowed',
    status: allowed > 0 ? 'True' : 'False',
    reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    observedGeneration: numbers.observedGeneration,
  };
  const notes = [...remarks(budget, selected, unmanaged), ...disrupted.late.map(pod => notDeleted(budget, pod))];
  const again = disrupted.nextMs === undefined ? {} : { againInMs: disrupted.nextMs };
  if (isShown(budget, numbers, disrupted.kept, condition)) return { writes: [], notes, ...again };
  const old = budget.status?.conditions?.find(({ type }) => type === condition.type);
  const since = old?.status === condition.status ? old.lastTransitionTime : toTime(nowMs);
  const dropped = Object.keys(budget.status?.disruptedPods ?? {}).filter(name => !(name in disrupted.kept));
  const disruptedPods = { ...disrupted.kept, ...Object.fromEntries(dropped.map(name => [name, null])) };
  const status = { ...numbers, disruptedPods, conditions: [{ ...condition, lastTransitionTime: since }] };
  // Against this revision only: an eviction allowed meanwhile must not be forgotten.
  const options = { subresource: 'status', onlyThisRevision: true };
  return { writes: [patchOf(podDisruptionBudgetKind, budget, 'strategic', { status }, options)], notes, ...again };
};

const isShown = (
  { status }: PodDisruptionBudget,
  numbers: Readonly<Record<string, number>>,
  kept: Readonly<Record<string, string>>,
  condition: Readonly<Record<string, unknown>>,
): boolean => {
  const shown = status as Readonly<Record<string, unknown>> | undefined;
  const old = status?.conditions?.find(({ type }) => type === condition['type']);
  return (
    shown !== undefined &&
    Object.keys(numbers).every(key => shown[key] === numbers[key]) &&
    deepEqual(status?.disruptedPods ?? {}, kept) &&
    old !== undefined &&
    ['status', 'reason', 'observedGeneration'].every(key => Reflect.get(old, key) === condition[key])
  );
};

/** How many pods there should be and how many of them healthy; percentages round up, against the owners' replicas. */
const demand = ({ spec }: PodDisruptionBudget, selected: readonly Pod[], replicas: Replicas) => {
  const { minAvailable, maxUnavailable } = spec;
  if (typeof minAvailable === 'number') return { expected: selected.length, desired: minAvailable, unmanaged: [] };
  const scales = new Map<string, number>();
  const unmanaged = selected.filter(pod => {
    const scale = replicas(pod);
    if (scale) scales.set(scale.uid, scale.count);
    return scale === undefined;
  });
  const expected = [...scales.values()].reduce((sum, count) => sum + count, 0);
  if (maxUnavailable !== undefined) {
    return { expected, desired: Math.max(0, expected - share(maxUnavailable, expected)), unmanaged };
  }
  return minAvailable === undefined
    ? { expected: 0, desired: 0, unmanaged: [] }
    : { expected, desired: share(minAvailable, expected), unmanaged };
};

const share = (value: number | string, of: number): number =>
  typeof value === 'number' ? value : Math.ceil((Number.parseInt(value, 10) * of) / 100);

const isHealthy = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  (pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false);

/** Allowed evictions whose pods are still there and not yet being deleted; those that take too long are given up. */
const stillExpected = ({ status }: PodDisruptionBudget, selected: readonly Pod[], nowMs: number) => {
  const kept: Record<string, string> = {};
  const late: Pod[] = [];
  let nextMs: number | undefined;
  for (const pod of selected) {
    const allowedAt = status?.disruptedPods?.[pod.metadata.name];
    if (allowedAt === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const leftMs = fromTime(allowedAt) + deletionLimitMs - nowMs;
    if (leftMs <= 0) {
      late.push(pod);
      continue;
    }
    kept[pod.metadata.name] = allowedAt;
    nextMs = Math.min(nextMs ?? leftMs, leftMs);
  }
  return { kept, late, nextMs };
};

const more = { component: 'controllermanager' };

const remarks = (budget: PodDisruptionBudget, selected: readonly Pod[], unmanaged: readonly Pod[]): Note[] => {
  // Said again for each generation only: the status shows that it was looked at.
  if (budget.status?.observedGeneration === budget.metadata.generation) return [];
  const noPods: Note = { about: budget, type: 'Normal', reason: 'NoPods', message: 'No matching pods found', more };
  const message = `Pods selected by this PodDisruptionBudget (selector: ${JSON.stringify(budget.spec.selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
  const warning: Note = { about: budget, type: 'Warning', reason: 'UnmanagedPods', message, more };
  return [...(selected.length === 0 ? [noPods] : []), ...(unmanaged.length > 0 ? [warning] : [])];
};

const notDeleted = ({ metadata: { namespace, name } }: PodDisruptionBudget, pod: Pod): Note => ({
  about: pod,
  type: 'Warning',
  reason: 'NotDeleted',
  message: `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`,
  more,
});
