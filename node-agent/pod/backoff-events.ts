/**
 * The events of containers that wait for a restart or for a pull; pure. The kubelet tells of a back-off with each sync
 * that finds it, about every ten seconds, and the recorder counts what is told again.
 */
import type { Container, Pod, PodStatus } from '#api/kinds/core.ts';
import { allContainers, never } from './pod-plan.ts';

export interface ContainerEvent {
  readonly container: Container | undefined;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** The back-off last told of, by container name. */
export type Told = ReadonlyMap<string, { readonly reason: string; readonly againAtMs: number }>;

export interface BackoffNotes {
  readonly events: readonly ContainerEvent[];
  readonly told: Told;
  /** When the next is due although nothing happens. */
  readonly wakeAtMs: number;
}

/** What a sync at `nowMs` tells of back-offs that began, or go on and are due again `everyMs` after the last time. */
export const backoffNotes = (pod: Pod, status: PodStatus, told: Told, nowMs: number, everyMs: number): BackoffNotes => {
  const events: ContainerEvent[] = [];
  const next = new Map<string, { readonly reason: string; readonly againAtMs: number }>();
  for (const { name, state } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
    const reason = state?.waiting?.reason;
    if (reason !== 'CrashLoopBackOff' && reason !== 'ImagePullBackOff') continue;
    const last = told.get(name);
    if (last?.reason === reason && nowMs < last.againAtMs) {
      next.set(name, last);
      continue;
    }
    next.set(name, { reason, againAtMs: nowMs + everyMs });
    const container = allContainers(pod).find(candidate => candidate.name === name);
    events.push(...eventsOf(pod, name, container, reason));
  }
  const wakeAtMs = Math.min(never, ...[...next.values()].map(({ againAtMs }) => againAtMs));
  return { events, told: next, wakeAtMs };
};

const eventsOf = (
  { metadata }: Pod,
  name: string,
  container: Container | undefined,
  reason: 'CrashLoopBackOff' | 'ImagePullBackOff',
): readonly ContainerEvent[] => {
  const backOff = { container, reason: 'BackOff' } as const;
  if (reason === 'CrashLoopBackOff') {
    const message = `Back-off restarting failed container ${name} in pod ${metadata.name}_${metadata.namespace ?? ''}(${metadata.uid ?? ''})`;
    return [{ ...backOff, type: 'Warning', message }];
  }
  return [
    { ...backOff, type: 'Normal', message: `Back-off pulling image "${container?.image ?? ''}"` },
    { container, type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff' },
  ];
};
