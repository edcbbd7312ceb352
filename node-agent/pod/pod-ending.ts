/**
 * How a pod ends, whatever the cause (deleted, deadline, rejected, all done): app containers are asked to end together,
 * sidecars after them in reverse order, all are killed when the grace is over. Then the status is final, and what the
 * pod used is given back: at once its sandbox, volumes and cgroups; its containers (logs) when it is deleted. Pure.
 */
import type { Container, Pod } from '#api/kinds/core.ts';
import { fromTime } from '#base/clock.ts';
import { isSidecar } from './instance.ts';
import { isTerminal } from './pod-phase.ts';
import { type Action, graceOf, nothing, type Plan, stopEach, type View } from './pod-plan.ts';

/** Shortest grace of a forced deletion, as the kubelet's. */
const forcedGraceMs = 1000;
/** What a container gets even when the pod's grace is used up (kubelet minimumGracePeriodInSeconds). */
const shortestGraceMs = 2000;

const endingGraceMs = (pod: Pod): number => {
  if (pod.metadata.deletionTimestamp === undefined) return graceOf(pod);
  const seconds = pod.metadata.deletionGracePeriodSeconds;
  return seconds === undefined ? graceOf(pod) : Math.max(seconds * 1000, forcedGraceMs);
};

export const endPod = (view: View, verdict?: Plan['verdict']): Plan => {
  const { pod, instances } = view;
  const base: Plan = { ...nothing, ending: true, ...(verdict ? { verdict } : {}) };
  const running = (container: Container): boolean => instances.get(container.name)!.state === 'running';
  const init = pod.spec.initContainers ?? [];
  const mains = [...pod.spec.containers, ...init.filter(container => !isSidecar(container))].filter(running);
  const sidecars = init.filter(isSidecar).filter(running);
  const graceMs = endingGraceMs(pod);
  if (mains.length > 0) return { ...base, ...pick(stopEach(view, mains, 'pod', graceMs)) };
  if (sidecars.length > 0) return { ...base, ...pick(stopSidecars(view, sidecars, graceMs)) };
  return { ...base, over: true, ...(isReported(view) ? { actions: cleaning(view) } : {}), ...retry(view) };
};

const pick = ({ actions, wakeAtMs }: Plan) => ({ actions, wakeAtMs });

/** One sidecar after the other, the last started first. */
const stopSidecars = (view: View, sidecars: readonly Container[], graceMs: number): Plan => {
  const deadlineMs = fromTime(view.pod.metadata.deletionTimestamp ?? '');
  const leftMs = Number.isNaN(deadlineMs) ? graceMs : Math.max(shortestGraceMs, deadlineMs - view.nowMs);
  return stopEach(view, sidecars.slice(-1), 'pod', graceMs, Math.min(graceMs, leftMs));
};

/** The API server knows the final status, or never will (the object is gone). */
const isReported = ({ pod }: View): boolean => isTerminal(pod.status?.phase);

const retry = ({ memory, nowMs }: View): { wakeAtMs?: number } =>
  memory.cleanFailure && nowMs < memory.cleanFailure.retryAtMs ? { wakeAtMs: memory.cleanFailure.retryAtMs } : {};

const cleaning = ({ pod, memory, seen, nowMs }: View): readonly Action[] => {
  const deleted = pod.metadata.deletionTimestamp !== undefined;
  if (memory.cleanFailure && nowMs < memory.cleanFailure.retryAtMs) return [];
  const left = seen.sandboxes.length > 0 || (deleted && [...seen.containers.values()].some(list => list.length > 0));
  if (left || !memory.cleaned) return [{ do: 'clean', containers: deleted }];
  return deleted ? [{ do: 'finish' }] : [];
};
