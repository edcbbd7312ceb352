/** From what was read of a cluster to the report on one pod. Pure. */
import type { Event, Pod } from '#api/kinds/core.ts';
import { fromTime } from '#base/clock.ts';
import { PluginError } from '#engine/custom/guard.ts';
import type { DecisionRecord } from '#engine/decision.ts';
import { smallestChanges } from '#engine/explain/changes.ts';
import { nodeFigures } from '#engine/explain/node-figures.ts';
import { type Explanation, explain } from '#engine/explain/why.ts';
import { tellApartBy } from '#engine/profile.ts';
import { requestsOf } from '#engine/requests.ts';
import { type ClusterState, columnsOf, isOver, podKey, schedulerOf, withChanges } from '#engine/world.ts';
import { CliError } from '../failure.ts';
import type { Profiles } from './profiles.ts';
import type { LastAttempt, PodState, WhyReport } from './report.ts';

export interface Question {
  readonly pod: Pod;
  readonly state: ClusterState;
  readonly profiles: Profiles;
  readonly events: readonly Event[];
  /** Undefined: the server keeps none. */
  readonly decisions: readonly DecisionRecord[] | undefined;
  readonly nowMs: number;
  /** Nodes shown one by one. */
  readonly limit: number;
  /** `--node` */
  readonly node?: string;
  readonly history: boolean;
}

const mostChanges = 8;

/** Throws CliError when `--node` names no node. */
export const askWhy = (question: Question): WhyReport => {
  const { pod, profiles, decisions = [] } = question;
  const state = stateOf(question);
  const node = pod.spec.nodeName || (state === 'waiting' ? pod.status?.nominatedNodeName : undefined);
  const lastAttempt = state === 'unowned' ? undefined : lastAttemptOf(question);
  const base: WhyReport = {
    pod: { namespace: pod.metadata.namespace ?? 'default', name: pod.metadata.name, uid: pod.metadata.uid ?? '' },
    schedulerName: schedulerOf(pod),
    state,
    phase: pod.status?.phase ?? 'Pending',
    ...(state === 'over' && pod.status?.reason ? { reason: pod.status.reason } : {}),
    ...(state === 'over' && pod.status?.message ? { message: pod.status.message } : {}),
    ...(state === 'scheduled' && pod.metadata.deletionTimestamp !== undefined ? { deleting: true } : {}),
    ...(state === 'gated' ? { gates: (pod.spec.schedulingGates ?? []).map(({ name }) => name) } : {}),
    ...(node ? { node } : {}),
    ...(state === 'waiting' ? { leaving: leavingFrom(question, node ?? '') } : {}),
    ...(lastAttempt === undefined ? {} : { lastAttempt }),
    ...(question.history ? { history: decisions } : {}),
    notes: [
      ...foreignNotes(question, state),
      ...(question.history && question.decisions === undefined ? ['this server keeps no history of decisions'] : []),
    ],
  };
  if (state === 'deleting' || state === 'over' || state === 'unowned' || !hasProfile(question)) return base;
  const notes = [...base.notes, ...profiles.notes];
  try {
    return { ...base, notes, ...decideAgain(question, state) };
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    return { ...base, notes, failure: error.message };
  }
};

/** Of a pod that the cluster does not have any more. */
export const goneReport = (
  pod: { readonly namespace: string; readonly name: string },
  history: readonly DecisionRecord[],
): WhyReport => ({
  pod: { ...pod, uid: history.at(-1)?.uid ?? '' },
  schedulerName: '',
  state: 'gone',
  phase: '',
  history,
  notes: [],
});

const hasProfile = ({ pod, profiles }: Question): boolean => profiles.bySchedulerName.has(schedulerOf(pod));

/** Of pods that are none of the scheduler's business. */
const foreignNotes = (question: Question, state: PodState): readonly string[] => {
  if (hasProfile(question) || state === 'over' || state === 'deleting') return [];
  const { pod, profiles } = question;
  const here = `schedulers here: ${[...profiles.bySchedulerName.keys()].sort().join(', ')}`;
  if (state === 'unowned') return [`${here} (berth up --scheduler-config FILE adds some)`];
  return [`it is the pod of another scheduler, ${JSON.stringify(schedulerOf(pod))}; ${here}`];
};

const stateOf = ({ pod, state, profiles }: Question): PodState => {
  if (isOver(pod)) return 'over';
  if (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName) return 'deleting';
  if (pod.spec.nodeName) return 'scheduled';
  if (!profiles.bySchedulerName.has(schedulerOf(pod))) return 'unowned';
  if (pod.spec.schedulingGates?.length) return 'gated';
  const nominated = pod.status?.nominatedNodeName;
  return nominated && leavingFrom({ pod, state }, nominated).length > 0 ? 'waiting' : 'pending';
};

/** Less important pods that are being deleted on the node that the pod was promised. */
const leavingFrom = ({ pod, state }: Pick<Question, 'pod' | 'state'>, node: string): readonly string[] =>
  state.pods
    .filter(
      ({ spec, metadata }) =>
        spec.nodeName === node &&
        metadata.deletionTimestamp !== undefined &&
        (spec.priority ?? 0) < (pod.spec.priority ?? 0),
    )
    .map(podKey);

/** The decision made once more, on the state without the pod itself. */
const decideAgain = (
  { pod, state, profiles, nowMs, limit, node }: Question,
  podState: PodState,
): Partial<WhyReport> => {
  const profile = profiles.bySchedulerName.get(schedulerOf(pod))!;
  const columns = columnsOf(withChanges(state, { removePods: [podKey(pod)] }), {
    schedulers: new Set(profiles.bySchedulerName.keys()),
    tellApart: tellApartBy(profiles.bySchedulerName),
  });
  if (node !== undefined && columns.slotOf(node) < 0) throw new CliError(`there is no node ${JSON.stringify(node)}`);
  const view = columns.view(unplaced(pod));
  const nodes = [node, pod.spec.nodeName].filter(name => name !== undefined);
  const now = explain(view, columns, profile, { limit, nodes, nowMs });
  const figures = node === undefined ? undefined : nodeFigures(view, columns, profile, node);
  const isStuck = (podState === 'pending' || podState === 'gated') && now.outcome === 'unschedulable';
  const classes = state.priorityClasses.map(({ metadata, value }) => ({ name: metadata.name, value }));
  const options = { nowMs, limit: mostChanges, priorityClasses: classes };
  const holds = podState === 'scheduled' ? heldMoreOf(pod, now) : [];
  return {
    now,
    ...(holds.length === 0 ? {} : { holds }),
    ...(figures === undefined ? {} : { figures }),
    ...(isStuck && node === undefined ? { changes: smallestChanges(view, columns, profile, options) } : {}),
  };
};

/** The pod as it was before it was placed or promised a node, and as it will be without its gates. */
const unplaced = (pod: Pod): Pod => {
  const { nodeName: _, schedulingGates: __, ...spec } = pod.spec;
  const { nominatedNodeName: ___, ...status } = pod.status ?? {};
  return pod.spec.nodeName ? { ...pod, spec, status } : { ...pod, spec };
};

/** While a pod is resized in place its node sets aside the most of what it asks for, was granted and has (SEMANTICS B.4). */
const heldMoreOf = (pod: Pod, { asks }: Explanation): NonNullable<WhyReport['holds']> =>
  [...requestsOf(pod, true).amounts]
    .map(([resource, amount]) => ({ resource, amount }))
    .filter(held => held.amount !== (asks.find(({ resource }) => resource === held.resource)?.amount ?? 0));

/** From the condition, and as to when and how often, from the events and the scheduler's own record. */
const lastAttemptOf = ({ pod, events, decisions = [] }: Question): LastAttempt | undefined => {
  const condition = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  const failures = events.filter(({ reason, involvedObject }) => {
    const isOurs = !involvedObject?.uid || !pod.metadata.uid || involvedObject.uid === pod.metadata.uid;
    return reason === 'FailedScheduling' && isOurs;
  });
  const record = decisions.at(-1);
  if (pod.spec.nodeName)
    return record?.outcome === 'scheduled' ? { atMs: fromTime(record.time), message: '', record } : undefined;
  const message = record?.message ?? condition?.message ?? failures.at(-1)?.message;
  if (!message) return undefined;
  const times = failures.reduce((sum, { series, count }) => sum + (series?.count ?? count ?? 1), 0);
  const firsts = failures.flatMap(event => toMs(event.eventTime ?? event.firstTimestamp));
  const lasts = failures.flatMap(event =>
    toMs(event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime),
  );
  const [atMs] =
    record === undefined
      ? lasts.length > 0
        ? [Math.max(...lasts)]
        : toMs(condition?.lastTransitionTime)
      : toMs(record.time);
  return {
    message,
    ...(atMs === undefined ? {} : { atMs }),
    ...(times > 0 ? { times } : {}),
    ...(firsts.length > 0 ? { sinceMs: Math.min(...firsts) } : {}),
    ...(record === undefined ? {} : { record }),
  };
};

const toMs = (time: string | null | undefined): readonly number[] => (time ? [fromTime(time)] : []);
